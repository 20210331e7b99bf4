"""Convolution in long matrices (kernels/wide.py) against convolution by patches, and against sums written out."""

from importlib import import_module
from itertools import product

import numpy as np
import pytest

from kerasish.engine.kernels import blas, threads, wide, windows
from kerasish.engine.kernels.conv import conv_bias, conv_input_grad, conv_kernel_grad

CASES = {  # images, spatial shape, channels in and out, size, padding, dilation
    "same": (3, (7, 6), 5, 4, (3, 3), ((1, 1), (1, 1)), (1, 1)),
    "valid": (3, (7, 6), 5, 4, (3, 3), ((0, 0), (0, 0)), (1, 1)),
    "uneven padding": (2, (6, 5), 4, 3, (4, 2), ((1, 2), (0, 1)), (1, 1)),
    "full": (2, (5, 4), 4, 6, (3, 3), ((2, 2), (2, 2)), (1, 1)),
    "all padding on one side": (2, (5, 4), 4, 6, (3, 3), ((0, 2), (2, 0)), (1, 1)),
    "dilated": (2, (9, 8), 4, 3, (3, 2), ((2, 2), (1, 1)), (2, 1)),
    "dilated along lines": (2, (9, 8), 4, 3, (3, 3), ((1, 1), (2, 2)), (1, 2)),
    "one image": (1, (8, 9), 6, 5, (3, 3), ((1, 1), (1, 1)), (1, 1)),
    "one axis": (5, (11,), 4, 6, (5,), ((2, 2),), (1,)),
    "three axes": (2, (5, 4, 6), 4, 3, (2, 3, 3), ((0, 1), (1, 1), (1, 1)), (1, 1, 1)),
    "columns": (2, (7, 5), 4, 3, (3, 1), ((1, 1), (0, 0)), (1, 1)),
    "wider than the image": (2, (2, 3), 4, 3, (3, 5), ((1, 1), (2, 2)), (1, 1)),
}


def always(*_):
    return True


def drawn(*shape, dtype="f"):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def plain(x, w, padding, dilation):
    """The convolution as it is defined, in float64."""
    x, w = np.pad(x.astype("d"), ((0, 0), *padding, (0, 0))), w.astype("d")
    size = w.shape[:-2]
    outs = [d - (k - 1) * e for d, k, e in zip(x.shape[1:-1], size, dilation)]
    y = np.zeros((len(x), *outs, w.shape[-1]))
    for tap in product(*map(range, size)):
        at = tuple(slice(t * e, t * e + o) for t, e, o in zip(tap, dilation, outs))
        y += x[(slice(None), *at)] @ w[tap]
    return y


@pytest.fixture(params=[1 << 20, 700], ids=["one part", "small parts"])
def stretched(request, monkeypatch):
    monkeypatch.setattr(wide, "pays", always)
    monkeypatch.setattr(wide, "TILE_BYTES", request.param)
    convolution = import_module("kerasish.engine.kernels.conv")  # the package has a function of this name
    monkeypatch.setattr(convolution, "WORTH_SHARING", request.param)


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("case", CASES)
def test_convolution_and_its_adjoints(case, dtype, stretched):
    n, spatial, cin, cout, size, padding, dilation = CASES[case]
    x, w = drawn(n, *spatial, cin, dtype=dtype), drawn(*size, cin, cout, dtype=dtype)
    one = (1,) * len(size)
    close = dict(rtol=0, atol=1e-4 if dtype == "f" else 1e-12)
    b, y = drawn(cout, dtype=dtype), plain(x, w, padding, dilation)
    np.testing.assert_allclose(conv_bias(x, w, None, one, padding, dilation, 1), y, **close)
    got = conv_bias(x, w, b, one, padding, dilation, 1, relu=True)
    np.testing.assert_allclose(got, np.maximum(y + b, 0), **close)

    # the adjoints: <dy, conv(x, w)> is linear in each, so its gradient in one is found by conv of the unit vectors
    dy = drawn(*y.shape, dtype=dtype)
    dx = conv_input_grad(dy, w, x.shape, one, padding, dilation, 1)
    dw = conv_kernel_grad(x, dy, w.shape, one, padding, dilation, 1)
    dx_, dw_ = drawn(*x.shape) + 1, drawn(*w.shape) + 1
    np.testing.assert_allclose(np.vdot(dx, dx_), np.vdot(dy, plain(dx_, w, padding, dilation)), rtol=1e-3)
    np.testing.assert_allclose(np.vdot(dw, dw_), np.vdot(dy, plain(x, dw_, padding, dilation)), rtol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_adjoints_are_those_of_patches(case, stretched, monkeypatch):
    n, spatial, cin, cout, size, padding, dilation = CASES[case]
    x, w = drawn(n, *spatial, cin), drawn(*size, cin, cout)
    one = (1,) * len(size)
    dy = drawn(*plain(x, w, padding, dilation).shape)

    def both():
        return (
            conv_input_grad(dy, w, x.shape, one, padding, dilation, 1),
            conv_kernel_grad(x, dy, w.shape, one, padding, dilation, 1),
        )

    got = both()
    monkeypatch.setattr(wide, "pays", lambda *_: False)
    for mine, wanted in zip(got, both()):
        np.testing.assert_allclose(mine, wanted, rtol=0, atol=1e-4)


def test_input_and_result_that_do_not_lie_in_order(stretched):
    x, w = drawn(5, 6, 4, 3).transpose(2, 1, 0, 3), drawn(3, 3, 4, 3).swapaxes(2, 3)
    out = np.zeros((4, 12, 5, 4), "f")[:, ::2]
    padding = ((1, 1), (1, 1))
    conv_bias(x, w, None, (1, 1), padding, (1, 1), 1, out=out)
    np.testing.assert_allclose(out, plain(x, w, padding, (1, 1)), rtol=0, atol=1e-4)


def test_the_kernel_gradient_does_not_depend_on_the_number_of_threads(monkeypatch):
    x, dy = drawn(9, 32, 32, 16), drawn(9, 32, 32, 16)

    def grad():
        return conv_kernel_grad(x, dy, (3, 3, 16, 16), (1, 1), ((1, 1), (1, 1)), (1, 1), 1)

    shared = grad()
    monkeypatch.setattr(threads._team, "workers", [])
    np.testing.assert_array_equal(grad(), shared)


def test_without_kernels_for_small_products_nothing_is_stretched(monkeypatch):
    layout = wide.wide((64, 64), (3, 3), ((1, 1), (1, 1)), (1, 1))
    monkeypatch.setattr(blas, "small_kernels", lambda: True)
    assert wide.pays(16, layout, 3, 32, 16)
    monkeypatch.setattr(blas, "small_kernels", lambda: False)
    assert not wide.pays(16, layout, 3, 32, 16)


def test_very_many_channels_go_by_patches(monkeypatch):
    monkeypatch.setattr(blas, "small_kernels", lambda: True)
    layout = wide.wide((56, 56), (3, 3), ((1, 1), (1, 1)), (1, 1))
    assert wide.pays(4, layout, 3, 64, 64) and not wide.pays(4, layout, 3, 256, 256)


@pytest.mark.parametrize("padding", [((-1, 0), (0, 0)), ((3, 3), (0, 0))], ids=["negative", "beyond the kernel"])
def test_what_has_no_layout(padding):
    assert wide.wide((6, 6), (3, 3), padding, (1, 1)) is None


@pytest.mark.parametrize(
    "n, outs, budget, shares",
    [(1, (7, 3), 100, 2), (1, (7, 30), 40, 2), (5, (4,), 8, 2), (6, (3, 3), 20, 4), (2, (9,), 4, 3)],
)
def test_tiles_are_all_windows_once_and_can_be_shared(n, outs, budget, shares):
    found = windows.tiles(n, outs, budget, shares)
    rows = [r for images, parts in found for _, tile in parts for r in range(tile.start, tile.stop)]
    assert rows == list(range(n * int(np.prod(outs))))
    assert len(found) >= min(n, shares)
    assert max(i.stop - i.start for i, _ in found) == found[0][0].stop - found[0][0].start
