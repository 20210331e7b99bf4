"""Filters: blurs, edges, and the structural similarity that is made of blurs."""

from typing import Any, Sequence

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import floats, tensor
from kerasish.ops.image.layout import as_batch, of_image_rank
from kerasish.ops.nn.windows import depthwise_conv
from kerasish.ops.numpy import arange, exp, mean, repeat, sum
from kerasish.ops.numpy import round as rounded
from kerasish.ops.numpy.shaping import reshaped
from kerasish.ops.op import op


def bell(size: int, sigma: Any, dtype: Any) -> Tensor:
    """A normal density at the distances of `size` pixels from their middle, with sum 1."""
    exact = "float64" if dtype == "float64" else "float32"  # half precision would overflow
    x = arange(size, dtype=exact) - (size - 1) / 2
    y = exp(-0.5 * (x / tensor(sigma, exact)) ** 2)
    return tensor(y / sum(y), dtype)


def _along(x: Tensor, kernel: Tensor, axis: int, padding: str) -> Tensor:
    """A kernel of one dimension applied to an axis of (n, h, w, c), each channel for itself."""
    n, channels = kernel.shape[0], x.shape[-1]
    shape = (n, 1, 1, 1) if axis == 1 else (1, n, 1, 1)
    return depthwise_conv(x, repeat(reshaped(kernel, shape), channels, axis=2), 1, padding, "channels_last")


def blurred(x: Tensor, kernel_size: Sequence[int], sigma: Sequence, padding: str = "same") -> Tensor:
    """(n, h, w, c) blurred by a normal density; sizes and deviations are those of (x, y)."""
    for axis, size, deviation in zip((2, 1), kernel_size, sigma, strict=True):
        x = _along(x, bell(int(size), deviation, x.dtype), axis, padding)
    return x


@op(tensors="images")
def gaussian_blur(
    images: Any, kernel_size: Sequence[int] = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Tensor:
    """Images smoothed by a normal density; outside they are 0. Integers are rounded.

    kernel_size, sigma: of the columns first, then of the rows.
    """
    x = of_image_rank(images)
    batch, back = as_batch(floats(x), data_format)
    if isinstance(sigma, (list, tuple)):
        deviations = list(sigma)
    else:
        both = tensor(sigma, batch.dtype)
        deviations = [P.reshape(P.slice_(both, index=(slice(i, i + 1, 1),)), shape=()) for i in (0, 1)]
    y = back(blurred(batch, kernel_size, deviations))
    return tensor(rounded(y) if x.dtype.kind in "iu" else y, x.dtype)


@op(tensors="images")
def sobel_edges(images: Any, data_format: str | None = None) -> Tensor:
    """How fast a batch of images changes downwards and to the right: (…, 2), by Sobel's filters."""
    x = tensor(images)
    if x.ndim != 4:
        raise ValueError(f"Invalid images rank: expected rank 4 (batch of images). Received: images.shape={tuple(x.shape)}")
    batch, back = as_batch(floats(x), data_format)
    smooth, slope = (Tensor(np.asarray(k, batch.dtype)) for k in ((1, 2, 1), (-1, 0, 1)))
    down = _along(_along(batch, smooth, 2, "same"), slope, 1, "same")
    right = _along(_along(batch, slope, 2, "same"), smooth, 1, "same")
    both = [reshaped(back(e), (*x.shape, 1)) for e in (down, right)]
    return tensor(P.concat(*both, axis=4), x.dtype)


@op(class_name="SSIM")
def ssim(
    image1: Any, image2: Any, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """The structural similarity of images (Wang et al. 2004): a number for each pair, 1 where they are the same."""
    a, b = of_image_rank(image1, "image1"), of_image_rank(image2, "image2")
    dtype, single = a.dtype, a.ndim == 3
    (x, _), (y, _) = (as_batch(t, data_format) for t in floats(a, b))
    for size in x.shape[1:3]:
        if not isinstance(size, Dim) and size < filter_size:
            raise ValueError(
                f"The images must be at least as large as the filter. Received: image1.shape={tuple(a.shape)}, "
                f"filter_size={filter_size}"
            )

    def local(t: Tensor) -> Tensor:
        return blurred(t, (filter_size,) * 2, (filter_sigma,) * 2, "valid")

    mx, my = local(x), local(y)
    vx, vy, both = local(x * x) - mx * mx, local(y * y) - my * my, local(x * y) - mx * my
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    likeness = ((2 * mx * my + c1) * (2 * both + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    out = mean(likeness, axis=(1, 2, 3))
    return tensor(reshaped(out, ()) if single else out, dtype)
