"""Policies: layers chosen at random, one after another or side by side."""

from typing import Any

from kerasish import ops, random
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.affine import RandomRotation, RandomShear, RandomTranslation
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer
from kerasish.layers.preprocessing.image.color import RandomBrightness, RandomColorDegeneration, RandomContrast
from kerasish.layers.preprocessing.image.filters import RandomSharpness
from kerasish.layers.preprocessing.image.tone import AutoContrast, Equalization, RandomPosterization, Solarization
from kerasish.ops.dtypes import is_float

GEOMETRY_AND_TONE = (
    "random_shear", "random_translation", "random_rotation", "random_posterization", "solarization", "auto_contrast",
    "equalization",
)  # fmt: skip
COLOR = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")


class PolicyLayer(BaseImagePreprocessingLayer):
    """What policies share: the layers to choose from, by name, and the application of the chosen one."""

    _FACTOR_BOUNDS = (0, 1)
    _names: tuple = ()

    def _make_layers(self) -> None:
        common = {"data_format": self.data_format, "dtype": self.dtype_policy}
        common["bounding_box_format"] = self.bounding_box_format
        drawn = {**common, "seed": self.seed}
        ranged, factor = {**drawn, "value_range": self.value_range}, {"factor": self.factor}
        place = {**drawn, "interpolation": self.interpolation}
        self.random_shear = RandomShear(x_factor=self.factor, y_factor=self.factor, **place)
        self.random_translation = RandomTranslation(height_factor=self.factor, width_factor=self.factor, **place)
        self.random_rotation = RandomRotation(**factor, **place)
        self.solarization = Solarization(addition_factor=self.factor, threshold_factor=self.factor, **ranged)
        self.random_posterization = RandomPosterization(factor=max(1, int(8 * self.factor[1])), **ranged)
        self.auto_contrast = AutoContrast(value_range=self.value_range, **common)
        self.equalization = Equalization(value_range=self.value_range, **common)
        if set(COLOR) <= set(self._names):
            self.random_brightness = RandomBrightness(**factor, **ranged)
            self.random_color_degeneration = RandomColorDegeneration(**factor, **ranged)
            self.random_contrast = RandomContrast(**factor, **ranged)
            self.random_sharpness = RandomSharpness(**factor, **ranged)

    def _draws(self, images: Any, seed: Any) -> dict:
        """A transformation for each of the layers."""
        return {name: getattr(self, name).get_random_transformation(images, seed=seed) for name in self._names}

    def _chosen(self, index: Any, transforms: dict, part: str, x: Any) -> Any:
        """`x` transformed by the layer with this number; by none, if there is no such layer."""

        def branch(name: str) -> Any:
            return lambda v: _like(getattr(getattr(self, name), f"transform_{part}")(v, transforms[name]), v)

        return ops.switch(index, [*[branch(name) for name in transforms], lambda v: v], x)


def _like(x: Any, v: Any) -> Any:
    """All branches of a choice give the same dtype."""
    return ops.cast(x, v.dtype) if hasattr(v, "dtype") else x


@export("keras.layers.RandAugment")
class RandAugment(PolicyLayer):
    """`num_ops` layers, chosen at random for the whole batch, one after another (Cubuk et al. 2019).

    factor: how strong they are; a number x means (0, x).

    >>> import numpy as np
    >>> RandAugment(seed=1)(np.ones((2, 8, 8, 3), "uint8")).shape
    (2, 8, 8, 3)
    """

    _names = (
        "random_shear", "random_translation", "random_rotation", "random_brightness", "random_color_degeneration",
        "random_contrast", "random_sharpness", "random_posterization", "solarization", "auto_contrast", "equalization",
    )  # fmt: skip

    def __init__(
        self, value_range: Any = (0, 255), num_ops: int = 2, factor: Any = 0.5, interpolation: str = "bilinear",
        seed: Any = None, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.value_range, self.num_ops, self.interpolation = value_range, num_ops, interpolation
        self._set_factor(factor)
        self._set_seed(seed)
        self._make_layers()

    def _draw(self, images: Any, seed: Any) -> dict:
        chosen = random.randint((self.num_ops,), 0, len(self._names), seed=seed)
        return {"transforms": self._draws(images, seed), "layer_idxes": chosen}

    def _all(self, x: Any, transformation: Any, part: str) -> Any:
        for i in range(self.num_ops):
            x = self._chosen(transformation["layer_idxes"][i], transformation["transforms"], part, x)
        return x

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        return self._all(images, transformation, "images")

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._all(segmentation_masks, transformation, "segmentation_masks") if training else segmentation_masks

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        return self._all(bounding_boxes, transformation, "bounding_boxes") if training else bounding_boxes


@export("keras.layers.AugMix")
class AugMix(PolicyLayer):
    """Several chains of randomly chosen layers, their results mixed with each other and with the images
    (Hendrycks et al. 2019). Boxes stay where they are.

    factor: how strong the layers are; a number x means (0, x).
    alpha:  the parameter of the distributions of the weights; great ones make them equal.

    >>> import numpy as np
    >>> AugMix(seed=1)(np.ones((2, 8, 8, 3), "uint8")).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self, value_range: Any = (0, 255), num_chains: int = 3, chain_depth: int = 3, factor: Any = 0.3,
        alpha: float = 1.0, all_ops: bool = True, interpolation: str = "bilinear", seed: Any = None,
        data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.value_range, self.num_chains, self.chain_depth = value_range, num_chains, chain_depth
        self._set_factor(factor)
        self.alpha, self.all_ops, self.interpolation = alpha, all_ops, interpolation
        self._names = GEOMETRY_AND_TONE + COLOR if all_ops else GEOMETRY_AND_TONE
        self._set_seed(seed)
        self._make_layers()

    def _draw(self, images: Any, seed: Any) -> dict:
        shares = random.gamma((self.num_chains,), self.alpha, seed=seed)

        def step() -> dict:
            # one number more than there are layers: a chain may be shorter
            index = random.randint((), 0, len(self._names) + 1, seed=seed)
            return {"layer_idx": index, "transforms": self._draws(images, seed)}

        return {
            "chain_mixing_weights": shares / ops.sum(shares),
            "weight_sample": random.beta((), self.alpha, self.alpha, seed=seed),
            "chain_transforms": [[step() for _ in range(self.chain_depth)] for _ in range(self.num_chains)],
        }

    def _mixed(self, x: Any, transformation: Any, part: str) -> Any:
        dtype = x.dtype if is_float(x.dtype) else self.compute_dtype
        shares = ops.cast(transformation["chain_mixing_weights"], dtype)
        total = ops.zeros_like(x, dtype)
        for i, chain in enumerate(transformation["chain_transforms"]):
            y = x
            for step in chain:
                y = self._step(step, part, y)
            total = total + ops.cast(y, dtype) * shares[i]
        own = ops.cast(transformation["weight_sample"], dtype)
        return own * ops.cast(x, dtype) + (1 - own) * total

    def _step(self, step: dict, part: str, x: Any) -> Any:
        if "layer_name" in step:  # as in Keras, where the layers are chosen by name
            return getattr(getattr(self, step["layer_name"]), f"transform_{part}")(x, step["transformation"])
        return self._chosen(step["layer_idx"], step["transforms"], part, x)

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        return ops.clip(self._mixed(images, transformation, "images"), *self.value_range)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._mixed(segmentation_masks, transformation, "segmentation_masks") if training else segmentation_masks
