"""Image files and arrays. Files are read and written by Pillow, which the extra `image` installs."""

import io
import pathlib
import warnings
from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.engine.tensor import Tensor
from kerasish.ops.nn.windows import standard_format

MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
GRAY_MODES = ("L", "I;16", "I")
RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def pillow() -> Any:
    """Pillow's Image module."""
    try:
        from PIL import Image
    except ImportError as e:
        raise ImportError("Image files need Pillow. Install it: pip install 'kerasish[image]'") from e
    return Image


@export("keras.utils.array_to_img", "keras.preprocessing.image.array_to_img")
def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array of rank 3 as a Pillow image.

    scale: whether values are spread over 0 to 255; else they are taken as they are.
    """
    image = pillow()
    x = np.array(x, dtype=dtype or config.floatx())
    if x.ndim != 3:
        raise ValueError(f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}")
    if standard_format(data_format) == "channels_first":
        x = np.moveaxis(x, 0, -1)
    if scale:
        x = x - x.min()
        top = x.max()
        x = x / (top if top else 1) * 255
    channels = x.shape[-1]
    if channels == 1:
        deep = x.max() > 255
        return image.fromarray(x[..., 0].astype("int32" if deep else "uint8"))
    if channels not in (3, 4):
        raise ValueError(f"Unsupported channel number: {channels}")
    return image.fromarray(x.astype("uint8"))


@export("keras.utils.img_to_array", "keras.preprocessing.image.img_to_array")
def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A Pillow image as an array of rank 3.

    >>> img_to_array(np.zeros((4, 6))).shape
    (4, 6, 1)
    """
    x = np.array(img, dtype=dtype or config.floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"Unsupported image shape: {x.shape}")
    if x.ndim == 2:
        x = x[..., None]
    return np.moveaxis(x, -1, 0) if standard_format(data_format) == "channels_first" else x


@export("keras.utils.save_img", "keras.preprocessing.image.save_img")
def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Write an array as an image file; the format is that of the name's ending unless it is given."""
    if file_format is None and isinstance(path, (str, pathlib.Path)):
        file_format = pathlib.Path(path).suffix[1:].lower() or None
    if file_format and file_format.lower() == "jpg":
        file_format = "jpeg"
    img = array_to_img(x, data_format=data_format, scale=scale)
    if img.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("The JPEG format does not support RGBA images, converting to RGB.", stacklevel=2)
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)


@export("keras.utils.load_img", "keras.preprocessing.image.load_img")
def load_img(
    path: Any, color_mode: str = "rgb", target_size: Any = None, interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:  # fmt: skip
    """A file as a Pillow image.

    color_mode:        "rgb", "rgba" or "grayscale".
    target_size:       (height, width) to resize to.
    keep_aspect_ratio: cut the image to these proportions first.
    """
    image = pillow()
    if isinstance(path, io.BytesIO):
        img = image.open(path)
    elif isinstance(path, (str, bytes, pathlib.Path)):
        with open(path, "rb") as file:
            img = image.open(io.BytesIO(file.read()))
    else:
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    img = in_mode(img, color_mode)
    if target_size is None:
        return img
    height, width = (int(v) for v in target_size)
    if img.size == (width, height):
        return img
    if interpolation not in RESAMPLING:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are {', '.join(RESAMPLING)}"
        )
    box = None
    if keep_aspect_ratio:
        own_width, own_height = img.size
        part = (min(own_width, own_height * width // height), min(own_height, own_width * height // width))
        start = ((own_width - part[0]) // 2, (own_height - part[1]) // 2)
        box = (*start, start[0] + part[0], start[1] + part[1])
    return img.resize((width, height), getattr(image.Resampling, interpolation.upper()), box=box)


def in_mode(img: Any, color_mode: str) -> Any:
    """A Pillow image with the channels asked for."""
    if color_mode not in MODES:
        raise ValueError(f'color_mode must be "grayscale", "rgb", or "rgba". Received: color_mode={color_mode!r}')
    if img.mode == MODES[color_mode] or (color_mode == "grayscale" and img.mode in GRAY_MODES):
        return img
    return img.convert(MODES[color_mode])


@export("keras.preprocessing.image.smart_resize")
def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: str | None = "channels_last", **kwargs: Any
) -> Any:
    """Images of another size (height, width), cut to its proportions first; arrays stay arrays.

    >>> smart_resize(np.ones((8, 4, 3)), (2, 2)).shape
    (2, 2, 3)
    """
    kwargs.pop("backend_module", None)
    if kwargs:
        raise TypeError(f"smart_resize() got unexpected keyword arguments: {list(kwargs)}")
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers, but got: {size}.")
    if len(x.shape) not in (3, 4):
        raise ValueError(
            "Expected an image array with shape `(height, width, channels)`, or `(batch_size, height, width, channels)`, "
            f"but got input with incorrect rank, of shape {tuple(x.shape)}."
        )
    out = ops.image.resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    return np.asarray(out) if isinstance(x, np.ndarray) and isinstance(out, Tensor) else out
