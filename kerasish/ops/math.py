"""Functions of mathematics and signal processing that are neither NumPy's nor neural."""

from typing import Any

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim, agree
from kerasish.engine.specs import reduced
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axes_of, floats, tensor
from kerasish.ops.numpy.creation import counting
from kerasish.ops.numpy.shaping import reshaped
from kerasish.ops.op import op


@op
def erf(x: Any) -> Tensor:
    """The error function."""
    return P.erf(floats(x))


@op
def erfc(x: Any) -> Tensor:
    """1 - erf(x)."""
    x = floats(x)
    return P.sub(P.scalar(x, 1), P.erf(x))


@op
def erfinv(x: Any) -> Tensor:
    """The inverse of the error function."""
    return P.erfinv(floats(x))


@op
def rsqrt(x: Any) -> Tensor:
    """1 / sqrt(x)."""
    return P.reciprocal(P.sqrt(floats(x)))


@op
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))), without overflow."""
    x = floats(x)
    axes = axes_of(axis, x.ndim)
    if any(not isinstance(x.shape[a], Dim) and x.shape[a] == 0 for a in axes):  # the sum of nothing
        return P.full(shape=reduced(x.shape, axes, keepdims), value=-np.inf, dtype=x.dtype)
    top = P.stop_gradient(P.max_(x, axis=axes, keepdims=True))
    top = P.select(P.isfinite(top), top, P.full_like(top, 0))
    out = P.add(P.log(P.sum_(P.exp(P.sub(x, top)), axis=axes, keepdims=True)), top)
    return out if keepdims else P.reshape(out, shape=reduced(x.shape, axes, False))


@op(tensors="x")
def top_k(x: Any, k: int, sorted: bool = True) -> tuple:
    """The k greatest elements along the last axis, greatest first, and their indices."""
    del sorted  # they always are
    x = tensor(x)
    last = x.ndim - 1
    size = x.shape[last]
    if not isinstance(size, Dim) and not 0 <= k <= size:
        raise ValueError(f"k={k} is out of range for an axis of size {size}.")
    # of equal elements the first comes first: sort the reversed, then reverse
    order = P.argsort(P.flip(x, axis=(last,)), axis=last)
    order = P.flip(P.sub(P.number(size - 1, order.dtype), order), axis=(last,))
    index = P.slice_(order, index=(*[slice(0, d, 1) for d in x.shape[:-1]], slice(0, k, 1)))
    return P.take_along(x, index, axis=last), index


@op(tensors="targets predictions")
def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Whether each target is among the k classes predicted highest; ties count as in."""
    p = floats(predictions)
    t = tensor(targets, "int32")
    if p.ndim != t.ndim + 1 or not all(agree(a, b) for a, b in zip(t.shape, p.shape[:-1], strict=True)):
        raise ValueError(
            "`targets` must have the shape of `predictions` without its last axis. "
            f"Received: targets.shape={t.shape}, predictions.shape={p.shape}"
        )
    at = P.reshape(t, shape=(*t.shape, 1))
    chosen = P.take_along(p, at, axis=p.ndim - 1)
    above = P.sum_(P.cast(P.greater(p, chosen), dtype=np.dtype("int32")), axis=(p.ndim - 1,))
    classes = P.number(p.shape[-1], t.dtype)
    valid = P.logical_and(P.greater_equal(t, P.scalar(t, 0)), P.less(t, classes))
    valid = P.logical_and(valid, P.isfinite(P.reshape(chosen, shape=t.shape)))
    return P.logical_and(valid, P.less(above, P.constant(k, "int32")))


@op
def logdet(x: Any) -> Tensor:
    """The logarithm of the determinant of positive definite matrices."""
    return P.slogdet(floats(x))[1]


# -- segments ---------------------------------------------------------------------------------------------------------


def _segments(data: Any, segment_ids: Any, num_segments: int | None) -> tuple:
    x, ids = tensor(data), tensor(segment_ids)
    if ids.dtype.kind not in "iu":
        ids = tensor(ids, "int32")
    if ids.ndim != 1:
        raise ValueError(f"Argument `segment_ids` should be an 1-D vector, got shape: {ids.shape}.")
    if num_segments is None:
        num_segments = int(np.asarray(ids).max()) + 1 if ids.size else 0
    # negative ids are dropped, like those that are too large
    n = P.constant(num_segments, ids.dtype)
    return x, P.select(P.less(ids, P.scalar(ids, 0)), n, ids), int(num_segments)


@op(tensors="data segment_ids")
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The sums of the slices of data with the same segment id."""
    del sorted
    x, ids, n = _segments(data, segment_ids, num_segments)
    return P.scatter_add(x, ids, shape=(n, *x.shape[1:]))


def _combined(data: Any, segment_ids: Any, num_segments: int | None, how: str, start: Any) -> Tensor:
    x, ids, n = _segments(data, segment_ids, num_segments)
    return P.scatter_combine(P.full(shape=(n, *x.shape[1:]), value=start(x.dtype), dtype=x.dtype), x, ids, how=how)


def _lowest(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: np.dtype) -> Any:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


@op(tensors="data segment_ids")
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The maxima of the slices of data with the same segment id; of none, the lowest number."""
    del sorted
    return _combined(data, segment_ids, num_segments, "max", _lowest)


@op(tensors="data segment_ids")
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The minima of the slices of data with the same segment id; of none, the highest number."""
    del sorted
    return _combined(data, segment_ids, num_segments, "min", _highest)


@op(tensors="data segment_ids")
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The products of the slices of data with the same segment id; of none, 1."""
    del sorted
    return _combined(data, segment_ids, num_segments, "mul", lambda dtype: 1)


# -- distances and sequences ------------------------------------------------------------------------------------------


@op(tensors="x y", class_name="CDist")
def cdist(x: Any, y: Any) -> Tensor:
    """The distances between all rows of x and all rows of y."""
    a, b = floats(x, y)
    gap = P.sub(
        P.reshape(a, shape=(*a.shape[:-1], 1, a.shape[-1])),
        P.reshape(b, shape=(*b.shape[:-2], 1, *b.shape[-2:])),
    )
    return P.sqrt(P.sum_(P.square(gap), axis=(gap.ndim - 1,)))


@op(tensors="x")
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Tensor:
    """Windows of the last axis, each `sequence_stride` after the one before."""
    x = tensor(x)
    n = (x.shape[-1] - sequence_length) // sequence_stride + 1
    starts = P.mul(counting(n), P.constant(sequence_stride, "int32"))
    index = P.add(reshaped(starts, (n, 1)), counting(sequence_length))
    return P.take(x, index, axis=x.ndim - 1)


# -- Fourier transforms: complex numbers are pairs (real part, imaginary part) ----------------------------------------


def _pair(x: Any, name: str, axes: int = 1) -> Tensor:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(
            "Input `x` should be a tuple of two tensors - real and imaginary. "
            f"Received: x={x} in ops.{name}"
        )
    a, b = floats(*x)
    if a.ndim < axes or a.ndim != b.ndim or not all(agree(m, n) for m, n in zip(a.shape, b.shape, strict=True)):
        raise ValueError(
            f"Both the real and imaginary parts should have the same shape, of at least {axes} dimension(s). "
            f"Received: shapes {a.shape} and {b.shape}"
        )
    return P.complex_(a, b)


def _parts(z: Tensor) -> tuple:
    return P.real(z), P.imag(z)


@op(class_name="FFT")
def fft(x: Any) -> tuple:
    """The discrete Fourier transform along the last axis of a pair (real, imaginary)."""
    z = _pair(x, "fft")
    return _parts(P.fft(z, axes=(z.ndim - 1,)))


@op(class_name="FFT2")
def fft2(x: Any) -> tuple:
    """The discrete Fourier transform along the last two axes of a pair (real, imaginary)."""
    z = _pair(x, "fft2", 2)
    return _parts(P.fft(z, axes=(z.ndim - 2, z.ndim - 1)))


@op(class_name="IFFT2")
def ifft2(x: Any) -> tuple:
    """The inverse of `fft2`."""
    z = _pair(x, "ifft2", 2)
    return _parts(P.ifft(z, axes=(z.ndim - 2, z.ndim - 1)))


def _fitted(x: Tensor, length: Any) -> Tensor:
    """The last axis cut, or filled with zeros, to a length."""
    size = x.shape[-1]
    if not isinstance(size, Dim) and size == length:
        return x
    if length < size:
        return P.slice_(x, index=(*[slice(0, d, 1) for d in x.shape[:-1]], slice(0, length, 1)))
    return P.pad(x, widths=(*[(0, 0)] * (x.ndim - 1), (0, length - size)))


def _half_spectrum(x: Tensor) -> Tensor:
    """The Fourier transform of real numbers without the half that mirrors the other."""
    n = x.shape[-1]
    z = P.fft(P.complex_(x, P.full_like(x, 0)), axes=(x.ndim - 1,))
    return P.slice_(z, index=(*[slice(0, d, 1) for d in x.shape[:-1]], slice(0, n // 2 + 1, 1)))


def _from_half(z: Tensor, n: int) -> Tensor:
    """Real numbers from half of their spectrum."""
    z = _fitted(z, n // 2 + 1)
    last = z.ndim - 1
    inner = P.slice_(z, index=(*[slice(0, d, 1) for d in z.shape[:-1]], slice(1, (n + 1) // 2, 1)))
    whole = P.concat(z, P.flip(P.conj(inner), axis=(last,)), axis=last)
    # at 0 (and at the middle) the spectrum of real numbers is real
    return P.real(P.ifft(whole, axes=(last,)))


@op(class_name="RFFT")
def rfft(x: Any, fft_length: int | None = None) -> tuple:
    """The non-negative frequencies of the Fourier transform of real numbers along the last axis."""
    x = floats(x)
    if not x.ndim:
        raise ValueError("rfft needs a tensor of at least one dimension. Received a single number.")
    return _parts(_half_spectrum(x if fft_length is None else _fitted(x, fft_length)))


@op(class_name="IRFFT")
def irfft(x: Any, fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`."""
    z = _pair(x, "irfft")
    return _from_half(z, fft_length if fft_length is not None else 2 * (z.shape[-1] - 1))


def _window(window: Any, length: int, fft_length: int, dtype: np.dtype) -> Tensor:
    """A window by name or as an array, centred in fft_length."""
    left = (fft_length - length) // 2
    widths = ((left, fft_length - length - left),)
    if window is None:
        return P.pad(P.full(shape=(length,), value=1, dtype=dtype), widths=widths)
    if isinstance(window, str):
        t = 2 * np.pi * np.arange(length) / length
        shapes = {"hann": 0.5 - 0.5 * np.cos(t), "hamming": 0.54 - 0.46 * np.cos(t)}
        if window not in shapes:
            raise ValueError(
                f"If a string is passed to `window`, it must be one of 'hann', 'hamming'. Received: window={window}"
            )
        return P.pad(tensor(shapes[window], dtype), widths=widths)
    w = tensor(window, dtype)
    if w.ndim != 1 or w.shape[0] != length:
        raise ValueError(f"The shape of `window` must be ({length},). Received: window shape={w.shape}")
    return P.pad(w, widths=widths)


@op(tensors="x", class_name="STFT")
def stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> tuple:
    """Fourier transforms of overlapping windows of the last axis: (…, windows, frequencies), real and imaginary."""
    x = floats(x)
    if fft_length < sequence_length:
        raise ValueError(
            f"`fft_length` must equal or larger than `sequence_length`. Received: sequence_length={sequence_length}, "
            f"fft_length={fft_length}"
        )
    w = _window(window, sequence_length, fft_length, x.dtype)
    if center:
        half = fft_length // 2
        size = x.shape[-1].__index__()
        index = np.pad(np.arange(size, dtype="int32"), (half, half), mode="reflect")
        x = P.take(x, Tensor(index), axis=x.ndim - 1)
    frames = extract_sequences(x, fft_length, sequence_stride)
    return _parts(_half_spectrum(P.mul(frames, w)))


def _overlap_add(frames: Tensor, stride: int) -> Tensor:
    """Windows (…, n, length) laid over each other, `stride` apart, and summed."""
    *lead, n, length = frames.shape
    index = (np.arange(n)[:, None] * stride + np.arange(length)).astype("int32")
    moved = P.transpose(frames, axes=(frames.ndim - 2, frames.ndim - 1, *range(frames.ndim - 2)))
    out = P.scatter_add(moved, Tensor(index), shape=((n - 1) * stride + length, *lead))
    return P.transpose(out, axes=(*range(1, out.ndim), 0))


@op(tensors="x", class_name="ISTFT")
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """The inverse of `stft`."""
    z = _pair(x, "istft")
    frames = _from_half(z, fft_length)
    w = _window(window, sequence_length, fft_length, frames.dtype)
    n = frames.shape[-2].__index__()
    weight = _overlap_add(P.broadcast_to(P.square(w), shape=(n, fft_length)), sequence_stride)
    total = _overlap_add(P.mul(frames, w), sequence_stride)
    tiny = P.scalar(weight, float(np.finfo(weight.dtype).tiny))
    out = P.div(total, P.select(P.greater(weight, tiny), weight, P.full_like(weight, 1)))
    start = fft_length // 2 if center else 0
    end = out.shape[-1] - start if length is None else start + length
    lead = [slice(0, d, 1) for d in out.shape[:-1]]
    if end > out.shape[-1]:
        out = _fitted(out, end)
    return P.slice_(out, index=(*lead, slice(start, end, 1)))


@op
def view_as_complex(x: Any) -> Tensor:
    """Pairs along the last axis as complex numbers."""
    x = floats(x)
    if x.ndim < 1 or x.shape[-1] != 2:
        raise ValueError(f"Last dimension of input must be size 2 (real and imaginary). Received shape: {x.shape}")
    lead = [slice(0, d, 1) for d in x.shape[:-1]]
    a, b = (reshaped(P.slice_(x, index=(*lead, slice(i, i + 1, 1))), x.shape[:-1]) for i in (0, 1))
    return P.complex_(a, b)


@op
def view_as_real(x: Any) -> Tensor:
    """Complex numbers as pairs along a new last axis."""
    z = tensor(x)
    a, b = _parts(z)
    return P.concat(reshaped(a, (*a.shape, 1)), reshaped(b, (*b.shape, 1)), axis=a.ndim)


