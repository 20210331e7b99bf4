"""Image layers with options, and data for them; and transformations written down as arrays.

`tests/golden/make_image_layers.py` records, for each case, the transformation that Keras drew and what it made of the
data; the tests apply the same transformation here.
"""

from typing import Any, NamedTuple

import numpy as np

_rng = np.random.RandomState(5)
SHAPE = (3, 10, 8, 3)
IMAGES = _rng.uniform(2, 250, SHAPE).astype("float32")
MASKS = _rng.randint(0, 4, (3, 10, 8, 1)).astype("float32")
LABELS = np.eye(4, dtype="float32")[:3]
BOXES = np.array(
    [
        [[1.0, 2.0, 5.0, 6.0], [0.0, 0.0, 3.0, 9.0]],
        [[2.5, 1.0, 7.5, 4.0], [0.0, 0.0, 8.0, 10.0]],
        [[4.0, 5.0, 6.0, 6.5], [0.0, 0.0, 0.0, 0.0]],
    ],
    "float32",
)
CLASSES = np.array([[1, 2], [3, 0], [2, -1]], "int32")
UNIT_BOXES = BOXES / np.array([8, 10, 8, 10], "float32")


class Case(NamedTuple):
    layer: str
    kwargs: dict = {}
    boxes: str = "xyxy"  # the format of the boxes; "" where none are compared
    labels: bool = True
    masks: bool = True

    @property
    def id(self) -> str:
        return f"{self.layer}({', '.join(f'{k}={v}' for k, v in self.kwargs.items())}) {self.boxes}".strip()

    @property
    def first(self) -> bool:
        return self.kwargs.get("data_format") == "channels_first"

    def data(self) -> dict:
        """A batch of images with everything that may come with them."""
        boxes = {"xyxy": BOXES, "rel_xyxy": UNIT_BOXES, "xywh": np.concatenate([BOXES[..., :2], BOXES[..., 2:] - BOXES[..., :2]], -1)}
        images, masks = IMAGES, MASKS
        if self.kwargs.get("value_range") in ((0, 1), [0, 1]) or self.layer == "RandomSaturation":
            images = images / np.float32(255)
        if self.first:
            images, masks = (np.ascontiguousarray(np.moveaxis(x, -1, 1)) for x in (images, masks))
        return {
            "images": images,
            "labels": LABELS,
            "bounding_boxes": {"boxes": boxes[self.boxes or "xyxy"], "labels": CLASSES},
            "segmentation_masks": masks,
        }

    def make(self, keras: Any) -> Any:
        kwargs = dict(self.kwargs)
        if self.boxes:
            kwargs["bounding_box_format"] = self.boxes
        if self.layer not in UNSEEDED:
            kwargs.setdefault("seed", 7)
        return getattr(keras.layers, self.layer)(**kwargs, name="layer")


UNSEEDED = (
    "Resizing", "CenterCrop", "AutoContrast", "Equalization", "MaxNumBoundingBoxes",
    "ContrastLimitedAdaptiveHistogramEqualization",
)  # fmt: skip
# whose transformations can't be recorded: one draws its displacements, the other its parts' parameters, while it is applied
OTHERS = ("RandomElasticTransform", "RandomColorJitter", "Rescaling")
FIRST = {"data_format": "channels_first"}
UNIT = {"value_range": (0, 1)}

# where Keras on JAX moves boxes or masks wrongly, they are not compared (see tests/layers/test_image_layers.py)
CASES = [
    Case("Resizing", {"height": 5, "width": 6}),
    Case("Resizing", {"height": 5, "width": 6, "interpolation": "nearest"}, "rel_xyxy"),
    Case("Resizing", {"height": 5, "width": 6, "crop_to_aspect_ratio": True}),
    Case("Resizing", {"height": 12, "width": 6, "crop_to_aspect_ratio": True}, "xywh"),
    Case("Resizing", {"height": 5, "width": 6, "pad_to_aspect_ratio": True, "fill_value": 3.0}),
    Case("Resizing", {"height": 12, "width": 6, "pad_to_aspect_ratio": True}, "rel_xyxy"),
    Case("Resizing", {"height": 5, "width": 6, "antialias": True, **FIRST}),
    Case("CenterCrop", {"height": 5, "width": 6}),
    Case("CenterCrop", {"height": 5, "width": 5}, "rel_xyxy"),
    Case("CenterCrop", {"height": 12, "width": 6}),
    Case("CenterCrop", {"height": 5, "width": 6, **FIRST}),
    Case("RandomCrop", {"height": 5, "width": 6}, ""),
    Case("RandomCrop", {"height": 10, "width": 6}, "", masks=False),
    Case("RandomCrop", {"height": 12, "width": 6}, "", masks=False),
    Case("RandomCrop", {"height": 5, "width": 6, **FIRST}, ""),
    Case("RandomFlip"),
    Case("RandomFlip", {"mode": "horizontal"}, "rel_xyxy"),
    Case("RandomFlip", {"mode": "vertical", **FIRST}),
    Case("RandomRotation", {"factor": 0.3}),
    Case("RandomRotation", {"factor": (0.1, 0.2), "fill_mode": "constant", "fill_value": 9.0, "interpolation": "nearest"}),
    Case("RandomRotation", {"factor": 0.3, "fill_mode": "wrap", **FIRST}),
    Case("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2}),
    Case("RandomTranslation", {"height_factor": (-0.3, -0.1), "width_factor": 0.2, "fill_mode": "constant"}, "rel_xyxy"),
    Case("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2, "fill_mode": "nearest", **FIRST}),
    Case("RandomZoom", {"height_factor": 0.4}),
    Case("RandomZoom", {"height_factor": (0.2, 0.5), "width_factor": (-0.4, 0.1), "fill_mode": "constant"}),
    Case("RandomZoom", {"height_factor": -0.3, "interpolation": "nearest", **FIRST}),
    Case("RandomShear", {"x_factor": 0.4, "y_factor": 0.2}, ""),
    Case("RandomShear", {"x_factor": (0.2, 0.4), "fill_mode": "constant", **FIRST}, ""),
    Case("RandomPerspective", {"scale": 0.5}),
    Case("RandomPerspective", {"factor": 0.5, "scale": 0.8, "interpolation": "nearest", "fill_value": 4.0}),
    Case("RandomPerspective", {"scale": 0.5, **FIRST}),
    Case("RandomErasing", {"scale": (0.1, 0.4)}),
    Case("RandomErasing", {"factor": 0.6, "fill_value": 12.0}),
    Case("RandomErasing", {"fill_value": 12.0, **FIRST}),
    Case("RandomBrightness", {"factor": 0.4}),
    Case("RandomBrightness", {"factor": (0.1, 0.4), **UNIT}),
    Case("RandomContrast", {"factor": 0.6}),
    Case("RandomContrast", {"factor": (0.2, 0.6), **UNIT, **FIRST}),
    Case("RandomSaturation", {"factor": (0.2, 0.9)}),
    Case("RandomSaturation", {"factor": 0.8, **FIRST}),
    Case("RandomHue", {"factor": 0.6}),
    Case("RandomHue", {"factor": (0.3, 0.9), **UNIT, **FIRST}),
    Case("RandomColorDegeneration", {"factor": 0.6}),
    Case("RandomColorDegeneration", {"factor": (0.2, 0.6), **UNIT, **FIRST}),
    Case("RandomGrayscale", {"factor": 0.5}, ""),
    Case("RandomGrayscale", {"factor": 1.0, **FIRST}, ""),
    Case("RandomInvert", {"factor": 0.7}),
    Case("RandomInvert", {"factor": (1.0, 1.0), **UNIT}),
    Case("RandomPosterization", {"factor": 5}),
    Case("RandomPosterization", {"factor": (3, 3), **UNIT}),
    Case("RandomSharpness", {"factor": 0.9}),
    Case("RandomSharpness", {"factor": (0.2, 0.6), **UNIT, **FIRST}),
    Case("RandomGaussianBlur", {"kernel_size": (3, 5), "sigma": (0.4, 1.0)}),
    Case("RandomGaussianBlur", {"factor": 0.6, "kernel_size": 5, **FIRST}),
    Case("AutoContrast"),
    Case("AutoContrast", UNIT),
    Case("Equalization"),
    Case("Equalization", {"bins": 16, **UNIT}),
    Case("Equalization", FIRST),
    Case("Solarization", {"threshold_factor": 0.6}),
    Case("Solarization", {"addition_factor": (0.1, 0.4), "threshold_factor": (0.2, 0.6), **UNIT}),
    Case("MaxNumBoundingBoxes", {"max_number": 3}),
    Case("MaxNumBoundingBoxes", {"max_number": 1, "fill_value": 0}),
    Case("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (3, 2)}, "", labels=False, masks=False),
    Case("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (2, 2), "clip_limit": 0, **FIRST}, "", False, False),
    Case("CutMix", {}, "", masks=False),
    Case("CutMix", {"factor": (0.3, 0.8), **FIRST}, "", masks=False),
    Case("MixUp", {}, "", masks=False),
    Case("MixUp", {"alpha": 0.8, **FIRST}, "", masks=False),
    Case("RandAugment", {"num_ops": 3}, ""),
    Case("RandAugment", {**UNIT}, ""),
    Case("AugMix", {}, ""),
    Case("AugMix", {"all_ops": False, "num_chains": 2, "chain_depth": 2, **UNIT}, ""),
]  # fmt: skip


def results(layer: Any, case: Case, transformation: Any) -> dict:
    """What the layer makes of the data of a case, given the transformation; by name."""
    data = case.data()
    out = {"images": layer.transform_images(data["images"], transformation)}
    if case.labels:
        out["labels"] = layer.transform_labels(data["labels"], transformation)
    if case.masks:
        out["masks"] = layer.transform_segmentation_masks(data["segmentation_masks"], transformation)
    if case.boxes:
        boxes = layer.transform_bounding_boxes(data["bounding_boxes"], transformation)
        out.update(boxes=boxes["boxes"], classes=boxes["labels"])
    return {k: np.asarray(v) for k, v in out.items()}


def packed(x: Any, arrays: dict) -> Any:
    """A transformation as JSON, with its tensors put into `arrays`."""
    if isinstance(x, dict):
        return {"dict": {k: packed(v, arrays) for k, v in x.items()}}
    if isinstance(x, (list, tuple)):
        return {type(x).__name__: [packed(v, arrays) for v in x]}
    if x is None or isinstance(x, (int, float, str)):
        return x
    key = f"a{len(arrays)}"
    arrays[key] = np.asarray(x)
    return {"array": key}


def unpacked(x: Any, arrays: Any) -> Any:
    if not isinstance(x, dict):
        return x
    ((kind, value),) = x.items()
    if kind == "dict":
        return {k: unpacked(v, arrays) for k, v in value.items()}
    if kind == "array":
        return arrays[value]
    return {"list": list, "tuple": tuple}[kind](unpacked(v, arrays) for v in value)
