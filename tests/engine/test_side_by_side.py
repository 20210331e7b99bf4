"""The input gradient of convolutions whose windows meet without a gap, as in upsampling, against the sums it stands for."""

from importlib import import_module

import numpy as np
import pytest

from kerasish.engine.kernels.conv import conv_input_grad

CASES = {  # images, windows, channels of the input and of the windows, size
    "one axis": (3, (5,), 4, 3, (2,)),
    "two axes": (3, (4, 5), 4, 3, (2, 3)),
    "three axes": (2, (3, 2, 4), 2, 3, (2, 3, 2)),
    "one line": (2, (4, 5), 4, 3, (1, 2)),
    "columns": (2, (4, 5), 4, 3, (3, 1)),
    "one image": (1, (7, 5), 3, 2, (2, 2)),
    "no image": (0, (7, 5), 3, 2, (2, 2)),
}


@pytest.mark.parametrize("dtype", ["f", "d", "e"])
@pytest.mark.parametrize("tile", [1 << 20, 300])
@pytest.mark.parametrize("case", CASES)
def test_each_window_spreads_into_its_own_places(case, tile, dtype, monkeypatch):
    convolution = import_module("kerasish.engine.kernels.conv")  # the package has a function of this name
    monkeypatch.setattr(convolution, "TILE_BYTES", tile)
    monkeypatch.setattr(convolution, "WORTH_SHARING", tile)
    n, outs, cin, cout, size = CASES[case]
    rng = np.random.default_rng(0)
    dy, w = rng.standard_normal((n, *outs, cout)).astype(dtype), rng.standard_normal((*size, cin, cout)).astype(dtype)
    shape = (n, *(o * k for o, k in zip(outs, size)), cin)
    wanted = np.zeros(shape)
    for tap in np.ndindex(*size):
        at = tuple(slice(t, None, k) for t, k in zip(tap, size))
        wanted[(slice(None), *at)] = dy.astype("d") @ w[tap].astype("d").T
    none = ((0, 0),) * len(size)
    got = conv_input_grad(dy, w, shape, size, none, (1,) * len(size), 1)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-2 if dtype == "e" else 1e-5)
    turned = dy.swapaxes(0, 1).copy().swapaxes(0, 1)  # in another order in memory
    np.testing.assert_array_equal(conv_input_grad(turned, w, shape, size, none, (1,) * len(size), 1), got)
