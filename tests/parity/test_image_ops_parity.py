"""The image ops beside those of an installed Keras: values, and gradients by JAX."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from image_cases import ARRAYS, CASES
from test_image_ops import OPS, evaluate, used

from kerasish import ops
from kerasish.engine import Tensor, autodiff

pytestmark = pytest.mark.parity
THEIRS = {name: getattr(keras.ops.image, name) for name in OPS}


def theirs(case, **arrays):
    return eval(case, {**THEIRS, **{n: keras.ops.convert_to_tensor(a) for n, a in ARRAYS.items()}, **arrays})


@pytest.mark.parametrize("case", CASES)
def test_values(case):
    got, wanted = np.asarray(evaluate(case)), np.asarray(theirs(case))
    assert got.dtype == wanted.dtype
    whole = wanted.dtype.kind in "iu"
    np.testing.assert_allclose(got.astype("float32"), wanted.astype("float32"), rtol=2e-5, atol=1 if whole else 1e-5)


# whole numbers have no gradient; JAX has none where coordinates are rounded
SMOOTH = [c for c in CASES if "U8" not in c and "(I," not in c]


@pytest.mark.parametrize("case", SMOOTH)
def test_gradients(case):
    import jax

    names = used(case, "f")
    weights = np.random.RandomState(0).uniform(0.5, 1.5, np.shape(evaluate(case))).astype("float32")
    wanted = jax.grad(
        lambda *xs: (theirs(case, **dict(zip(names, xs))) * weights).sum(), argnums=tuple(range(len(names)))
    )(*[ARRAYS[n] for n in names])
    got = autodiff.grad(
        lambda *xs: ops.sum(evaluate(case, **dict(zip(names, xs))) * Tensor(weights)), argnums=tuple(range(len(names)))
    )(*[Tensor(ARRAYS[n]) for n in names])
    for name, g, w in zip(names, got, wanted):
        if name in ("AFFINE", "MATRIX"):  # Keras on JAX lets the last two, which must be 0, move the channels
            g, w = np.asarray(g)[..., :6], np.asarray(w)[..., :6]
        np.testing.assert_allclose(np.zeros(w.shape) if g is None else np.asarray(g), w, rtol=1e-3, atol=2e-4)
