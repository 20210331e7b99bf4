"""Convolution and pooling. The engine's primitives are channels-last with explicit padding; here Keras's arguments
become theirs."""

from typing import Any

import numpy as np

from kerasish.base import config
from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim, agree, inferring
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import promoted, tensor
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op


def standard_format(data_format: str | None) -> str:
    data_format = data_format or config.image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            "The `data_format` argument must be one of 'channels_first', 'channels_last'. "
            f"Received: data_format={data_format}"
        )
    return data_format


def per_axis(value: Any, n: int, name: str) -> tuple:
    """A number, or one for each spatial axis, as a tuple."""
    if isinstance(value, (list, tuple)):
        if len(value) == 1:
            value = tuple(value) * n
        if len(value) != n:
            raise ValueError(
                f"`{name}` must be an int or have {n} entries, one a spatial axis. Received: {name}={value}"
            )
        return tuple(int(v) for v in value)
    return (int(value),) * n


def explicit_padding(padding: Any, sizes: tuple, kernel: tuple, strides: tuple, dilation: tuple) -> tuple:
    """(before, after) for each spatial axis, from "valid" or "same"."""
    name = padding.lower() if isinstance(padding, str) else padding
    reaches = [(k - 1) * e + 1 for k, e in zip(kernel, dilation, strict=True)]
    if name == "valid":
        if any(not isinstance(d, Dim) and d < reach for d, reach in zip(sizes, reaches, strict=True)):
            raise ValueError(
                "The window does not fit into the input, so that the output would be empty. Use padding='same', or a "
                f"smaller window. Received: spatial shape {tuple(sizes)}, window {kernel}, dilation {dilation}"
            )
        return ((0, 0),) * len(kernel)
    if name != "same":
        raise ValueError(f"`padding` must be either 'valid' or 'same'. Received: padding={padding}")
    out = []
    for d, reach, s in zip(sizes, reaches, strides, strict=True):
        if s == 1 or isinstance(d, Dim) and inferring():  # where only the size of the result matters: that is right
            total = reach - 1
        else:
            d = d.__index__()
            total = max((-(-d // s) - 1) * s + reach - d, 0)
        out.append((total // 2, total - total // 2))
    return tuple(out)


def channels_last(x: Tensor) -> Tensor:
    """From channels first."""
    return permuted(x, (0, *range(2, x.ndim), 1))


def channels_first(x: Tensor) -> Tensor:
    """From channels last."""
    return permuted(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def _convolved(
    x: Tensor, w: Tensor, strides: Any, padding: Any, data_format: str | None, dilation_rate: Any, groups: int | None
) -> Tensor:
    first = standard_format(data_format) == "channels_first"
    if first:
        x = channels_last(x)
    n = x.ndim - 2
    if w.ndim != x.ndim:
        raise ValueError(
            f"The kernel must have as many dimensions as the inputs. Received: shapes {x.shape} and {w.shape}"
        )
    strides, dilation = per_axis(strides, n, "strides"), per_axis(dilation_rate, n, "dilation_rate")
    channels, per_group = x.shape[-1], w.shape[-2]
    if groups is None:
        if channels % per_group:
            raise ValueError(
                "The number of input channels must be evenly divisible by kernel's in_channels. "
                f"Received: input channels {channels} (data_format={standard_format(data_format)!r}), "
                f"kernel in_channels {per_group} (kernel shape {w.shape})."
            )
        groups = channels // per_group
    _agree_on_channels(x, w, per_group * groups)
    if w.shape[-1] % groups:
        raise ValueError(
            f"The kernel's output channels must be divisible by the number of groups. Received: kernel shape {w.shape}, "
            f"groups={groups}"
        )
    pads = explicit_padding(padding, x.shape[1:-1], w.shape[:-2], strides, dilation)
    out = P.conv(x, w, strides=strides, padding=pads, dilation=dilation, groups=groups)
    return channels_first(out) if first else out


def _agree_on_channels(x: Tensor, w: Tensor, channels: Any) -> None:
    if not agree(x.shape[-1], channels):
        raise ValueError(
            "The number of input channels must match the kernel's input channels. Received: input channels "
            f"{x.shape[-1]}, kernel shape {w.shape}"
        )


@op
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Convolution in as many spatial axes as the inputs have.

    kernel: (*window, channels in, channels out); fewer channels in than the inputs have means groups.
    """
    x, w = promoted(inputs, kernel, also=(float,))
    return _convolved(x, w, strides, padding, data_format, dilation_rate, None)


def _depthwise_kernel(w: Tensor) -> tuple[Tensor, int]:
    """(*window, channels, multiplier) as the kernel of a convolution with a group for each channel."""
    return reshaped(w, (*w.shape[:-2], 1, w.shape[-2] * w.shape[-1])), w.shape[-2]


@op
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Convolution of every channel with kernels of its own: (*window, channels, multiplier)."""
    x, w = promoted(inputs, kernel, also=(float,))
    return _convolved(x, *_regroup(w, strides, padding, data_format, dilation_rate))


def _regroup(w: Tensor, *rest: Any) -> tuple:
    w, groups = _depthwise_kernel(w)
    return (w, *rest, groups)


@op
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """`depthwise_conv`, then a convolution with a window of one place."""
    x, w, point = promoted(inputs, depthwise_kernel, pointwise_kernel, also=(float,))
    x = _convolved(x, *_regroup(w, strides, padding, data_format, dilation_rate))
    return _convolved(x, point, 1, "valid", data_format, 1, 1)


def transposed_geometry(size: Any, kernel: int, stride: int, dilation: int, padding: str, extra: int | None) -> tuple:
    """One axis of a transposed convolution: the size of its result, and the padding of the convolution it reverses."""
    reach = (kernel - 1) * dilation + 1
    if padding == "valid":
        if extra is None:
            extra = max(reach, stride) - reach
        before, around = reach - 1, 2 * (reach - 1) + extra
    else:
        if extra is None:
            extra = stride - reach % 2
        around = reach + reach % 2 - 2 + extra
        before = min(-(-around // 2), reach - 1)
    # `around` zeros about the spread-out input, `before` of them in front
    out = (size - 1) * stride + 2 + around - reach
    low = reach - 1 - before
    return out, (low, (size - 1) * stride + reach - out - low)


@op
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """The adjoint of `conv`: it goes from the shape of its result to that of its inputs.

    kernel: (*window, channels out, channels in).
    """
    x, w = promoted(inputs, kernel, also=(float,))
    first = standard_format(data_format) == "channels_first"
    if first:
        x = channels_last(x)
    n = x.ndim - 2
    _agree_on_channels(x, w, w.shape[-1])
    padding = padding.lower()
    if padding not in ("valid", "same"):
        raise ValueError(f"`padding` must be either 'valid' or 'same'. Received: padding={padding}")
    strides, dilation = per_axis(strides, n, "strides"), per_axis(dilation_rate, n, "dilation_rate")
    extra = (None,) * n if output_padding is None else per_axis(output_padding, n, "output_padding")
    sizes, pads = [], []
    for args in zip(x.shape[1:-1], w.shape[:-2], strides, dilation, extra, strict=True):
        size, pad = transposed_geometry(*args[:4], padding, args[4])
        sizes.append(size)
        pads.append(pad)
    out = P.conv_input_grad(
        x,
        w,
        input_shape=(x.shape[0], *sizes, w.shape[-2]),
        strides=strides,
        padding=tuple(pads),
        dilation=dilation,
        groups=1,
    )
    return channels_first(out) if first else out


# -- pooling ----------------------------------------------------------------------------------------------------------


def _pooled(x: Tensor, pool_size: Any, strides: Any, padding: str, data_format: str | None, prim: Any) -> Tensor:
    first = standard_format(data_format) == "channels_first"
    if x.ndim < 3:
        raise ValueError(f"Pooling takes (batch, spatial axes, channels), so at least rank 3. Received: shape {x.shape}")
    if first:
        x = channels_last(x)
    n = x.ndim - 2
    size = per_axis(pool_size, n, "pool_size")
    strides = size if strides is None else per_axis(strides, n, "strides")
    pads = explicit_padding(padding, x.shape[1:-1], size, strides, (1,) * n)
    out = prim(x, size=size, strides=strides, padding=pads)
    return channels_first(out) if first else out


@op(tensors="inputs")
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """The greatest element of every window."""
    return _pooled(tensor(inputs), pool_size, strides, padding, data_format, P.max_pool)


@op(tensors="inputs")
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """The mean of every window; padding is not counted."""
    (x,) = promoted(inputs, also=(float,))
    return _pooled(x, pool_size, strides, padding, data_format, P.avg_pool)


def _adaptive_windows(size: int, outputs: int) -> list[tuple]:
    """Where the windows of adaptive pooling begin and end along an axis."""
    return [(i * size // outputs, -(-(i + 1) * size // outputs)) for i in range(outputs)]


def _adaptive(inputs: Any, output_size: Any, data_format: str | None, along: Any) -> Tensor:
    (x,) = promoted(inputs, also=(float,))
    first = standard_format(data_format) == "channels_first"
    if first:
        x = channels_last(x)
    if x.ndim < 3:
        raise ValueError(f"Pooling takes (batch, spatial axes, channels), so at least rank 3. Received: shape {x.shape}")
    sizes = per_axis(output_size, x.ndim - 2, "output_size")
    for axis, n in reversed(list(enumerate(sizes, 1))):  # the last axis first: ties are then decided in reading order
        x = along(x, axis, _adaptive_windows(x.shape[axis].__index__(), n))
    return channels_first(x) if first else x


@op(tensors="inputs")
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Tensor:
    """Means of windows that are as equal as they can be, so many that the result has this size."""

    def along(x: Tensor, axis: int, spans: list) -> Tensor:
        weights = np.zeros((x.shape[axis], len(spans)))
        for i, (lo, hi) in enumerate(spans):
            weights[lo:hi, i] = 1 / (hi - lo)
        order = (*[i for i in range(x.ndim) if i != axis], axis)
        moved = permuted(x, order)
        flat = P.matmul(reshaped(moved, (-1, x.shape[axis])), tensor(weights, x.dtype))
        out = reshaped(flat, (*moved.shape[:-1], len(spans)))
        return permuted(out, tuple(int(i) for i in np.argsort(order)))

    return _adaptive(inputs, output_size, data_format, along)


@op(tensors="inputs")
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Tensor:
    """Maxima of windows that are as equal as they can be, so many that the result has this size."""

    def along(x: Tensor, axis: int, spans: list) -> Tensor:
        width = max(hi - lo for lo, hi in spans)
        index = np.array([[min(lo + j, hi - 1) for j in range(width)] for lo, hi in spans], "int32")
        windows = P.take(x, Tensor(index), axis=axis)
        first = P.argmax(windows, axis=axis + 1)  # of several that are the greatest, as max_pool has it
        kept = (*first.shape[: axis + 1], 1, *first.shape[axis + 1 :])
        return P.reshape(P.take_along(windows, P.reshape(first, shape=kept), axis=axis + 1), shape=first.shape)

    return _adaptive(inputs, output_size, data_format, along)


# -- patches ----------------------------------------------------------------------------------------------------------


@op(tensors="x")
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Windows of images (n, c, h, w) as columns: (n, c * window, number of windows)."""
    x = tensor(x)
    if x.ndim != 4:
        raise ValueError(f"unfold takes images of shape (n, c, h, w). Received: x.shape={x.shape}")
    (kh, kw), (dh, dw) = per_axis(kernel_size, 2, "kernel_size"), per_axis(dilation, 2, "dilation")
    (ph, pw), (sh, sw) = per_axis(padding, 2, "padding"), per_axis(stride, 2, "stride")
    if ph or pw:
        x = P.pad(x, widths=((0, 0), (0, 0), (ph, ph), (pw, pw)))
    n, c, h, w = x.shape
    rows, columns = (h - (kh - 1) * dh - 1) // sh + 1, (w - (kw - 1) * dw - 1) // sw + 1
    taps = []
    for i in range(kh):
        for j in range(kw):
            taps.append(
                P.slice_(
                    x,
                    index=(
                        slice(0, n, 1),
                        slice(0, c, 1),
                        slice(i * dh, i * dh + (rows - 1) * sh + 1, sh),
                        slice(j * dw, j * dw + (columns - 1) * sw + 1, sw),
                    ),
                )
            )
    stacked = P.concat(*[P.reshape(t, shape=(n, c, 1, rows * columns)) for t in taps], axis=2)
    return P.reshape(stacked, shape=(n, c * kh * kw, rows * columns))


@op(tensors="x")
def fold(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The adjoint of `unfold`: columns (n, c * window, number of windows) summed into images (n, c, h, w)."""
    x = tensor(x)
    if x.ndim != 3:
        raise ValueError(f"fold takes columns of shape (n, c * window, windows). Received: x.shape={x.shape}")
    (oh, ow), (kh, kw) = per_axis(output_size, 2, "output_size"), per_axis(kernel_size, 2, "kernel_size")
    (dh, dw), (ph, pw) = per_axis(dilation, 2, "dilation"), per_axis(padding, 2, "padding")
    sh, sw = per_axis(stride, 2, "stride")
    h, w = oh + 2 * ph, ow + 2 * pw
    rows, columns = (h - (kh - 1) * dh - 1) // sh + 1, (w - (kw - 1) * dw - 1) // sw + 1
    n, c = x.shape[0], x.shape[1] // (kh * kw)
    x = P.reshape(x, shape=(n, c, kh, kw, rows, columns))
    total = None
    for i in range(kh):
        for j in range(kw):
            tap = P.slice_(
                x,
                index=(
                    slice(0, n, 1), slice(0, c, 1), slice(i, i + 1, 1), slice(j, j + 1, 1),
                    slice(0, rows, 1), slice(0, columns, 1),
                ),
            )  # fmt: skip
            place = (
                slice(0, n, 1),
                slice(0, c, 1),
                slice(i * dh, i * dh + (rows - 1) * sh + 1, sh),
                slice(j * dw, j * dw + (columns - 1) * sw + 1, sw),
            )
            spread = P.unslice(P.reshape(tap, shape=(n, c, rows, columns)), shape=(n, c, h, w), index=place)
            total = spread if total is None else P.add(total, spread)
    return P.slice_(total, index=(slice(0, n, 1), slice(0, c, 1), slice(ph, ph + oh, 1), slice(pw, pw + ow, 1)))


def _blocks(x: Any, block_size: int, data_format: str | None) -> tuple[Tensor, bool]:
    x = tensor(x)
    if x.ndim != 4:
        raise ValueError(f"Expected a 4-D tensor. Received: x.shape={x.shape}")
    if block_size < 2:
        raise ValueError(f"`block_size` must be at least 2. Received: block_size={block_size}")
    first = standard_format(data_format) == "channels_first"
    return (channels_last(x) if first else x), first


@op(tensors="x")
def depth_to_space(x: Any, block_size: int, data_format: str | None = "channels_last") -> Tensor:
    """Channels laid out as blocks of space."""
    x, first = _blocks(x, block_size, data_format)
    n, h, w, c = x.shape
    b = block_size
    if c % (b * b):
        raise ValueError(f"The number of channels must be divisible by block_size**2. Received: {c} and {b}")
    out = P.reshape(x, shape=(n, h, w, b, b, c // (b * b)))
    out = P.reshape(P.transpose(out, axes=(0, 1, 3, 2, 4, 5)), shape=(n, h * b, w * b, c // (b * b)))
    return channels_first(out) if first else out


@op(tensors="x")
def space_to_depth(x: Any, block_size: int, data_format: str | None = "channels_last") -> Tensor:
    """Blocks of space laid out as channels."""
    x, first = _blocks(x, block_size, data_format)
    n, h, w, c = x.shape
    b = block_size
    for d in (h, w):
        if not isinstance(d, Dim) and d % b:
            raise ValueError(f"Height and width must be divisible by block_size. Received: {x.shape} and {b}")
    out = P.reshape(x, shape=(n, h // b, b, w // b, b, c))
    out = P.reshape(P.transpose(out, axes=(0, 1, 3, 2, 4, 5)), shape=(n, h // b, w // b, b * b * c))
    return channels_first(out) if first else out
