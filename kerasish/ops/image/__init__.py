"""`keras.ops.image`: colors, resizing, sampling, filters, patches, frames."""

from kerasish.ops.image.color import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from kerasish.ops.image.filters import gaussian_blur, sobel_edges, ssim
from kerasish.ops.image.frames import crop_images, pad_images
from kerasish.ops.image.patches import extract_patches, extract_patches_3d
from kerasish.ops.image.resizing import resize, scale_and_translate
from kerasish.ops.image.sampling import affine_transform, elastic_transform, map_coordinates, perspective_transform

__all__ = [
    "affine_transform", "crop_images", "elastic_transform", "extract_patches", "extract_patches_3d", "gaussian_blur",
    "hsv_to_rgb", "map_coordinates", "pad_images", "perspective_transform", "resize", "rgb_to_grayscale", "rgb_to_hsv",
    "scale_and_translate", "sobel_edges", "ssim",
]  # fmt: skip
