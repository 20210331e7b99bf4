"""Image layers: those that draw nothing, those whose draw leaves no choice, and all others at rest and at work."""

import numpy as np
from layer_row import Row

IMAGES = np.random.RandomState(0).uniform(20, 230, (2, 8, 6, 3)).astype("float32")
UNIT = (IMAGES / 255).astype("float32")
FIRST = np.ascontiguousarray(np.moveaxis(IMAGES, -1, 1))
BYTES = IMAGES.astype("uint8")
BOXES = {
    "images": IMAGES,
    "bounding_boxes": {
        "boxes": np.array([[[1, 2, 4, 6], [0, 1, 3, 5]], [[2, 2, 5, 7], [1, 0, 4, 3]]], "float32"),
        "labels": np.array([[1, 2], [3, 4]], "int32"),
    },
}
AT_WORK, AT_REST = {"training": True}, {"training": False}


def row(layer, *args, inputs=IMAGES, note="", **kwargs):
    """A layer with these arguments; those in capitals are the row's own."""
    own = {k.lower(): kwargs.pop(k) for k in list(kwargs) if k.isupper()}
    name = " ".join([layer, *map(str, args), *[f"{k}={v}" for k, v in kwargs.items()], note]).strip()
    own.setdefault("tolerance", 1e-4)
    return Row(name, lambda k: getattr(k.layers, layer)(*args, name="x", **kwargs), inputs, **own)


PLAIN = [
    row("Rescaling", 0.5, -1.0, inputs=BYTES, note="of bytes", DIFFERENTIABLE=False),
    row("Rescaling", [1.0, 2.0, 3.0], inputs=IMAGES, note="by channel"),
    row("Resizing", 5, 9),
    row("Resizing", 5, 9, inputs=IMAGES[..., :1], note="of one channel"),
    row("Resizing", 5, 4, interpolation="bicubic", antialias=True),
    row("Resizing", 11, 9, interpolation="lanczos3"),
    row("Resizing", 5, 9, interpolation="nearest"),
    row("Resizing", 5, 9, crop_to_aspect_ratio=True),
    row("Resizing", 5, 9, pad_to_aspect_ratio=True, fill_value=7.0),
    row("Resizing", 5, 9, data_format="channels_first", inputs=FIRST),
    # Keras says that the result is of floats, and returns integers
    row("Resizing", 5, 9, inputs=BYTES, note="of bytes", DIFFERENTIABLE=False, TOLERANCE=1.0),
    row("CenterCrop", 5, 4),
    row("CenterCrop", 5, 9),
    row("CenterCrop", 5, 4, data_format="channels_first", inputs=FIRST),
    row("AutoContrast"),
    row("AutoContrast", value_range=(0, 1), inputs=UNIT),
    row("Equalization", DIFFERENTIABLE=False, TOLERANCE=1.0),
    # in half precision some values fall into the next bin, which is far away
    row("Equalization", bins=16, DIFFERENTIABLE=False, MIXED=False, TOLERANCE=1.0),
    row("ContrastLimitedAdaptiveHistogramEqualization", tile_grid_size=(2, 3), DIFFERENTIABLE=False, TOLERANCE=1e-3),
    row("MaxNumBoundingBoxes", 1, bounding_box_format="xyxy", inputs=BOXES),
    row("MaxNumBoundingBoxes", 3, bounding_box_format="xyxy", inputs=BOXES),
]

# at work, but with a range of one value, so that they can be compared
DECIDED = [
    row("RandomRotation", (0.1, 0.1), seed=1, CALL=AT_WORK),
    row("RandomRotation", (0.5, 0.5), fill_mode="constant", seed=1, CALL=AT_WORK, note="half a turn"),
    row("RandomTranslation", (0.2, 0.2), (-0.1, -0.1), fill_mode="wrap", seed=1, CALL=AT_WORK),
    row("RandomZoom", (0.3, 0.3), fill_mode="nearest", seed=1, CALL=AT_WORK),
    row("RandomZoom", (0.3, 0.3), (-0.2, -0.2), data_format="channels_first", seed=1, inputs=FIRST, CALL=AT_WORK),
    row("RandomShear", 0.0, 0.0, seed=1, CALL=AT_WORK),
    row("RandomPerspective", (1.0, 1.0), scale=0.0, seed=1, CALL=AT_WORK),
    row("RandomBrightness", (0.1, 0.1), seed=1, CALL=AT_WORK),
    row("RandomContrast", 0.0, seed=1, CALL=AT_WORK),
    row("RandomSaturation", (0.3, 0.3), seed=1, inputs=UNIT, CALL=AT_WORK),
    row("RandomColorDegeneration", (0.4, 0.4), seed=1, CALL=AT_WORK),
    row("RandomColorJitter", brightness_factor=(0.1, 0.1), saturation_factor=(0.6, 0.6), seed=1, CALL=AT_WORK),
    row("RandomGrayscale", 1.0, seed=1, CALL=AT_WORK),
    row("RandomInvert", (1.0, 1.0), seed=1, CALL=AT_WORK),
    row("RandomPosterization", (3, 3), seed=1, CALL=AT_WORK, DIFFERENTIABLE=False),
    row("RandomSharpness", (0.8, 0.8), seed=1, CALL=AT_WORK),
    row("RandomGaussianBlur", (1.0, 1.0), kernel_size=(3, 5), sigma=(0.7, 0.7), seed=1, CALL=AT_WORK),
    row("Solarization", seed=1, CALL=AT_WORK),
]

DRAWN = {
    "RandomCrop": (5, 4),
    "RandomFlip": (),
    "RandomRotation": (0.2,),
    "RandomTranslation": (0.2, 0.3),
    "RandomZoom": (0.2,),
    "RandomShear": ((0.0, 0.2), (0.1, 0.3)),  # Keras can't read its own config of a single number
    "RandomPerspective": (),
    "RandomElasticTransform": (),
    "RandomErasing": (),
    "RandomBrightness": (0.2,),
    "RandomContrast": (0.2,),
    "RandomSaturation": (0.2,),
    "RandomHue": (0.2,),
    "RandomColorDegeneration": (0.2,),
    "RandomColorJitter": ((0, 255), 0.1, 0.2, 0.3, 0.4),
    "RandomGrayscale": (),
    "RandomInvert": (),
    "RandomPosterization": (5,),
    "RandomSharpness": (0.5,),
    "RandomGaussianBlur": (),
    "Solarization": (0.2, 0.7),
    "CutMix": (),
    "MixUp": (),
    "RandAugment": (),
    "AugMix": (),
}
# RandomCrop at rest returns images of another shape than it says, as in Keras
AT_RESTS = [
    row(name, *args, seed=1, CALL=AT_REST, note="at rest") for name, args in DRAWN.items() if name != "RandomCrop"
]
AT_WORKS = [row(name, *args, seed=1, CALL=AT_WORK, RANDOM=True, note="at work") for name, args in DRAWN.items()]

ROWS = [*PLAIN, *DECIDED, *AT_RESTS, *AT_WORKS]
