"""Makes docs/images/augmentation.png: every image layer at work on a photograph. Needs kerasish and Pillow.

The photographs are of the Flickr users danielbuechele (pagoda.jpg) and vultilion (flower.jpg), CC BY 2.0, cropped and
made smaller; see docs/augmentation.md.
"""

import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kerasish import layers, utils

IMAGES = pathlib.Path(__file__).parent / "images"
SIZE, GAP, TEXT, COLUMNS = 140, 10, 18, 6
# around the building, its top floor, and the trees at the right, as xyxy
BOXES = np.array([[32, 14, 194, 216], [46, 14, 168, 66], [176, 140, 224, 222]], "float32")
COLORS = ("#e4002b", "#ffd100", "#00a3e0")
BOXED = {"bounding_box_format": "xyxy"}

# a title, the layer, and whether its boxes are drawn; ranges of one value make the effects plain to see
PANELS = [
    ("the photograph", layers.Rescaling(1.0), True),
    ("Resizing (nearest)", layers.Resizing(40, 64, "nearest", **BOXED), True),
    ("Resizing, in a frame", layers.Resizing(112, 224, pad_to_aspect_ratio=True, **BOXED), True),
    ("CenterCrop", layers.CenterCrop(140, 140, **BOXED), True),
    ("RandomCrop", layers.RandomCrop(150, 150, seed=4, **BOXED), True),
    ("RandomFlip", layers.RandomFlip("horizontal", seed=4, **BOXED), True),
    ("RandomRotation", layers.RandomRotation((0.06, 0.06), "constant", seed=1, **BOXED), True),
    ("RandomTranslation", layers.RandomTranslation((0.15, 0.15), (0.2, 0.2), seed=1, **BOXED), True),
    ("RandomZoom", layers.RandomZoom((-0.35, -0.35), seed=1, **BOXED), True),
    ("RandomShear", layers.RandomShear((0.25, 0.25), 0.0, fill_mode="constant", seed=1, **BOXED), True),
    ("RandomPerspective", layers.RandomPerspective((1.0, 1.0), scale=0.5, seed=6, **BOXED), True),
    ("RandomElasticTransform", layers.RandomElasticTransform((1.0, 1.0), scale=(0.5, 0.5), seed=1), False),
    ("RandomErasing", layers.RandomErasing((1.0, 1.0), scale=(0.15, 0.15), seed=3), False),
    ("CutMix", layers.CutMix(seed=27), False),
    ("MixUp", layers.MixUp(4.0, seed=22), False),
    ("RandomBrightness", layers.RandomBrightness((-0.35, -0.35), seed=1), False),
    ("RandomContrast", layers.RandomContrast((1.0, 1.0), seed=31), False),
    ("RandomSaturation", layers.RandomSaturation((0.62, 0.62), seed=1), False),
    ("RandomHue", layers.RandomHue((0.5, 0.5), seed=1), False),
    ("RandomColorDegeneration", layers.RandomColorDegeneration((0.7, 0.7), seed=1), False),
    ("RandomColorJitter", layers.RandomColorJitter((0, 255), 0.3, 0.5, (0.5, 0.7), 0.4, seed=12), False),
    ("RandomGrayscale", layers.RandomGrayscale(1.0, seed=1), False),
    ("RandomInvert", layers.RandomInvert((1.0, 1.0), seed=1), False),
    ("RandomPosterization", layers.RandomPosterization((2, 2), seed=1), False),
    ("Solarization", layers.Solarization(0.0, (0.9, 0.9), seed=1), False),
    ("AutoContrast", layers.AutoContrast(), False),
    ("Equalization", layers.Equalization(), False),
    ("CLAHE", layers.ContrastLimitedAdaptiveHistogramEqualization(), False),
    ("RandomSharpness", layers.RandomSharpness((1.0, 1.0), seed=1), False),
    ("RandomGaussianBlur", layers.RandomGaussianBlur((1.0, 1.0), 9, (1.0, 1.0), seed=1), False),
    ("RandAugment", layers.RandAugment(factor=0.4, seed=6), False),
    ("AugMix", layers.AugMix(seed=2), False),
    ("MaxNumBoundingBoxes(1)", layers.MaxNumBoundingBoxes(1, **BOXED), True),
]
# mixed or equalized alone they would show nothing, or something else: one image's histogram is not two images'
TOGETHER = (layers.CutMix, layers.MixUp)


def photographs() -> np.ndarray:
    return np.stack([utils.img_to_array(utils.load_img(IMAGES / f"{name}.jpg")) for name in ("pagoda", "flower")])


def applied(layer: layers.Layer, boxed: bool) -> tuple[np.ndarray, np.ndarray]:
    """The first photograph after the layer, and its boxes (none if they are not to be drawn)."""
    images = photographs() if isinstance(layer, TOGETHER) else photographs()[:1]
    if not boxed or isinstance(layer, layers.Rescaling):
        return np.asarray(layer(images, **_training(layer)))[0], BOXES if boxed else BOXES[:0]
    boxes = {"boxes": BOXES[None], "labels": np.array([[1, 2, 3]])}
    out = layer({"images": images, "bounding_boxes": boxes}, training=True)
    kept = np.asarray(out["bounding_boxes"]["labels"])[0] >= 0
    return np.asarray(out["images"])[0], np.asarray(out["bounding_boxes"]["boxes"])[0][kept]


def _training(layer: layers.Layer) -> dict:
    return {} if isinstance(layer, layers.Rescaling) else {"training": True}


def panel(title: str, layer: layers.Layer, boxed: bool, font: ImageFont.FreeTypeFont) -> Image.Image:
    array, boxes = applied(layer, boxed)
    picture = utils.array_to_img(np.clip(array, 0, 255), scale=False)
    scale = SIZE / max(picture.size)
    size = [round(v * scale) for v in picture.size]
    shown = picture.resize(size, Image.Resampling.NEAREST if scale > 2 else Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(shown)
    for box, color in zip(boxes * scale, COLORS, strict=False):
        corners = np.clip(box, 0, [size[0] - 1, size[1] - 1] * 2).tolist()
        draw.rectangle(corners, outline=color, width=2)
    out = Image.new("RGB", (SIZE, SIZE + TEXT), "white")
    out.paste(shown, ((SIZE - size[0]) // 2, TEXT + (SIZE - size[1]) // 2))
    ImageDraw.Draw(out).text((0, 3), title, "#202020", font=font)
    return out


def main() -> None:
    font = ImageFont.load_default(size=11)
    rows = -(-len(PANELS) // COLUMNS)
    step = (SIZE + GAP, SIZE + TEXT + GAP)
    sheet = Image.new("RGB", (COLUMNS * step[0] + GAP, rows * step[1] + GAP), "white")
    for i, (title, layer, boxed) in enumerate(PANELS):
        place = (GAP + i % COLUMNS * step[0], GAP + i // COLUMNS * step[1])
        sheet.paste(panel(title, layer, boxed, font), place)
    sheet.save(IMAGES / "augmentation.png", optimize=True)


if __name__ == "__main__":
    main()
