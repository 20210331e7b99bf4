"""Rarely needed kernels: searching, combining at indices, complex numbers, Fourier transforms."""

from typing import Any

import numpy as np

Array = np.ndarray


def searchsorted(sequence: Array, values: Array, side: str) -> Array:
    return np.searchsorted(sequence, values, side).astype("int32")


_COMBINE = {"mul": np.multiply, "max": np.maximum, "min": np.minimum}


def scatter_combine(x: Array, values: Array, *indices: Array, how: str) -> Array:
    """x with values multiplied in, or the greater or smaller kept, at the indices; those out of range are dropped."""
    inside = np.ones(np.broadcast_shapes(*[i.shape for i in indices]), bool)
    wrapped = []
    for i, d in zip(indices, x.shape, strict=False):
        i = np.where(i < 0, i + d, i)
        inside &= (i >= 0) & (i < d)
        wrapped.append(i)
    out = x.copy()
    values = np.broadcast_to(values, (*inside.shape, *x.shape[len(indices) :]))
    with np.errstate(all="ignore"):
        _COMBINE[how].at(out, tuple(np.broadcast_to(i, inside.shape)[inside] for i in wrapped), values[inside])
    return out


def real(x: Array) -> Array:
    return x.real.copy()


def imag(x: Array) -> Array:
    return x.imag.copy()


def complex_(a: Array, b: Array) -> Array:
    a, b = np.broadcast_arrays(a, b)
    out = np.empty(a.shape, "complex128" if a.dtype == np.float64 else "complex64")
    out.real, out.imag = a, b
    return out


def fft(x: Array, axes: tuple) -> Array:
    return np.fft.fftn(x, axes=axes).astype(x.dtype, copy=False)


def ifft(x: Array, axes: tuple) -> Array:
    return np.fft.ifftn(x, axes=axes).astype(x.dtype, copy=False)


def bessel_i0(x: Array, out: Any = None) -> Array:
    y = np.i0(x.astype("float64")).astype(x.dtype).reshape(x.shape)
    if out is None:
        return y
    np.copyto(out, y)
    return out


def bessel_i1(x: Array, out: Any = None) -> Array:
    """The derivative of i0, as the mean of cos(t) exp(x cos(t)): the trapezoid rule is exact to rounding here."""
    t = (np.arange(256) + 0.5) * (np.pi / 256)
    c = np.cos(t)
    with np.errstate(over="ignore"):
        y = (np.exp(x[..., None].astype("float64") * c) * c).mean(axis=-1).astype(x.dtype)
    if out is None:
        return y
    np.copyto(out, y)
    return out
