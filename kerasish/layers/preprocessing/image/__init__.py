"""Image layers: sizes, geometry, colors, tone, mixtures, and policies of all of these."""

from kerasish.layers.preprocessing.image.adaptive import ContrastLimitedAdaptiveHistogramEqualization
from kerasish.layers.preprocessing.image.affine import RandomRotation, RandomShear, RandomTranslation, RandomZoom
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer
from kerasish.layers.preprocessing.image.color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomContrast,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomSaturation,
)
from kerasish.layers.preprocessing.image.filters import RandomGaussianBlur, RandomSharpness
from kerasish.layers.preprocessing.image.flip import RandomFlip
from kerasish.layers.preprocessing.image.max_boxes import MaxNumBoundingBoxes
from kerasish.layers.preprocessing.image.mixing import CutMix, MixUp, RandomErasing
from kerasish.layers.preprocessing.image.policies import AugMix, RandAugment
from kerasish.layers.preprocessing.image.rescaling import Rescaling
from kerasish.layers.preprocessing.image.sizes import CenterCrop, RandomCrop, Resizing
from kerasish.layers.preprocessing.image.tone import AutoContrast, Equalization, RandomPosterization, Solarization
from kerasish.layers.preprocessing.image.warps import RandomElasticTransform, RandomPerspective

__all__ = [
    "AugMix", "AutoContrast", "BaseImagePreprocessingLayer", "CenterCrop",
    "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization", "MaxNumBoundingBoxes", "MixUp",
    "RandAugment", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomCrop",
    "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue",
    "RandomInvert", "RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness",
    "RandomShear", "RandomTranslation", "RandomZoom", "Rescaling", "Resizing", "Solarization",
]  # fmt: skip
