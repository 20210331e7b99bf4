"""Depthwise convolution (kernels/depthwise.py) against sums written out, in whole and in small tiles."""

from itertools import product

import numpy as np
import pytest

from kerasish.engine.kernels import depthwise
from kerasish.engine.kernels.conv import conv, conv_input_grad, conv_kernel_grad

CASES = {  # images, spatial shape, channels, kernels a channel, size, strides, padding, dilation
    "same": (5, (7, 6), 4, 1, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    "valid": (5, (7, 6), 4, 1, (3, 2), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    "strided": (5, (8, 7), 4, 1, (3, 3), (2, 2), ((0, 1), (1, 1)), (1, 1)),
    "strided along columns only": (5, (8, 7), 4, 1, (3, 3), (2, 1), ((0, 1), (1, 1)), (1, 1)),
    "dilated": (3, (9, 8), 4, 1, (3, 3), (1, 1), ((2, 2), (1, 1)), (2, 3)),
    "several kernels a channel": (3, (6, 5), 4, 3, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    "several and strided": (3, (6, 5), 4, 2, (3, 2), (2, 2), ((1, 1), (0, 1)), (1, 1)),
    "cropped": (3, (8, 8), 4, 1, (3, 3), (1, 1), ((-1, 0), (1, -2)), (1, 1)),
    "one axis": (4, (9,), 4, 1, (5,), (1,), ((2, 2),), (1,)),
    "three axes": (2, (5, 4, 6), 4, 1, (2, 3, 2), (1, 1, 1), ((0, 1), (1, 1), (0, 0)), (1, 1, 1)),
    "many channels": (2, (4, 4), 260, 1, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
}


def drawn(*shape, dtype="f"):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def plain(x, w, strides, padding, dilation):
    """The convolution as it is defined, in float64."""
    x = np.pad(x.astype("d"), ((0, 0), *((max(lo, 0), max(hi, 0)) for lo, hi in padding), (0, 0)))
    crop = tuple(slice(max(-lo, 0), d - max(-hi, 0)) for d, (lo, hi) in zip(x.shape[1:-1], padding))
    x = np.repeat(x[(slice(None), *crop)], w.shape[-1] // x.shape[-1], axis=-1)
    outs = [(d - (k - 1) * e - 1) // s + 1 for d, k, e, s in zip(x.shape[1:-1], w.shape, dilation, strides)]
    y = np.zeros((len(x), *outs, w.shape[-1]))
    for tap in product(*map(range, w.shape[:-2])):
        at = tuple(slice(t * e, t * e + (o - 1) * s + 1, s) for t, e, o, s in zip(tap, dilation, outs, strides))
        y += x[(slice(None), *at)] * w[tap].astype("d")
    return y


@pytest.fixture(params=[1 << 20, 200], ids=["one tile", "small tiles"])
def tiles(request, monkeypatch):
    monkeypatch.setattr(depthwise, "TILE_BYTES", request.param)
    monkeypatch.setattr(depthwise, "WORTH_SHARING", request.param)


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("case", CASES)
def test_convolution_and_its_adjoints(case, dtype, tiles):
    n, spatial, c, times, size, strides, padding, dilation = CASES[case]
    x, w = drawn(n, *spatial, c, dtype=dtype), drawn(*size, 1, c * times, dtype=dtype)
    how = (strides, padding, dilation)
    y = plain(x, w, *how)
    close = dict(rtol=0, atol=1e-4 if dtype == "f" else 1e-12)
    np.testing.assert_allclose(conv(x, w, *how, c), y, **close)
    apart = np.zeros((len(x), *y.shape[1:-1], 2 * y.shape[-1]), dtype)[..., ::2]
    conv(x, w, *how, c, out=apart)
    np.testing.assert_allclose(apart, y, **close)

    # <dy, conv(x, w)> is linear in x and in w: its gradients are known by what they make of other values
    dy, x2, w2 = drawn(*y.shape, dtype=dtype), drawn(*x.shape) + 1, drawn(*w.shape) + 1
    dx = conv_input_grad(dy, w, x.shape, *how, c)
    np.testing.assert_allclose(np.vdot(dx, x2), np.vdot(dy, plain(x2, w, *how)), rtol=1e-3)
    dw = conv_kernel_grad(x, dy, w.shape, *how, c)
    np.testing.assert_allclose(np.vdot(dw, w2), np.vdot(dy, plain(x, w2, *how)), rtol=1e-3)
