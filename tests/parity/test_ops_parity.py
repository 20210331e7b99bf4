"""ops against an installed Keras on JAX: values, gradients, and files with ops in them."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import json
import warnings

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from bad_cases import ARR, CALLS
from gradient_cases import KINKS, inputs_of, read_gradients, values_of
from op_cases import ARRAYS, CASES
from test_ops_bad_input import RECORDED as ERRORS
from test_ops_four_ways import SAVED, model_of
from test_ops_golden import GOLDEN, close
from test_ops_gradients import BETTER

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]  # Keras's own warnings


def in_keras(case: str, arrays: dict) -> list:
    from keras import ops, tree

    scope = {n: getattr(ops, n) for n in dir(ops) if not n.startswith("_")}
    if case.startswith("get_item"):
        scope["slice"] = slice
    return tree.flatten(eval(case, {**scope, **arrays}))


# every fourth row: the golden file has them all
@pytest.mark.parametrize("case", CASES[::4])
def test_the_golden_values_are_those_of_this_keras(case):
    given = {n: keras.ops.convert_to_tensor(a) for n, a in ARRAYS.items()}
    for got, wanted in zip(in_keras(case, given), GOLDEN[case], strict=True):
        close(np.asarray(got), wanted, case)


RECORDED = read_gradients()


@pytest.mark.parametrize("case", [c for c in KINKS if isinstance(RECORDED.get(c), list) and c not in BETTER][::4])
def test_sub_gradients_are_those_of_this_keras(case):
    jax = pytest.importorskip("jax")
    from gradient_cases import ALL_ARRAYS, objective
    from keras import ops, tree

    f = objective(case, ops, {n: ops.convert_to_tensor(a) for n, a in ALL_ARRAYS.items()}, tree.flatten)
    xs = [jax.numpy.asarray(x, "float32") for x in values_of(case)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grads = jax.grad(f, argnums=tuple(range(len(xs))))(*xs)
    for got, wanted in zip(grads, RECORDED[case][: len(inputs_of(case))], strict=True):
        np.testing.assert_allclose(np.asarray(got), wanted, rtol=2e-3, atol=2e-4)


# what Keras 3.15 can't read back when it wrote it itself
KERAS_CANNOT = (
    "hypot(X, 2)", "hypot(I, 2.5)", "heaviside(X, 2)", "heaviside(I, 2.5)", "clip(X, V", "trapezoid(X, x=V)", "quantile(",
    "logsumexp(N", "squeeze(X[None], 0)", "rot90", "hstack([V", "get_item(", "take_along_axis(X, L[", "scatter(L",
    "scatter_update", "matmul(Z, V", "matmul(svd", "norm(", "in_top_k", "binary_crossentropy(U, U",
    "sparse_categorical_crossentropy(K[:2], ", "conv(IMG, K2G", "conv_transpose", "max_pool(IMG, (3, 2)", "adaptive_",
)  # fmt: skip


@pytest.mark.parametrize("case", [c for c in SAVED if not c.startswith(KERAS_CANNOT)])
def test_keras_reads_a_model_of_the_op(case):
    model, arrays = model_of(case)
    theirs = keras.saving.deserialize_keras_object(json.loads(model.to_json()))
    got = keras.tree.flatten(theirs([keras.ops.convert_to_tensor(a) for a in arrays]))
    for a, b in zip(got, GOLDEN[case], strict=False):
        close(np.asarray(a), b, case)


@pytest.mark.parametrize("call", CALLS)
def test_mistakes_raise_what_they_do_in_this_keras(call):
    scope = {n: getattr(keras.ops, n) for n in dir(keras.ops) if not n.startswith("_")}
    with pytest.raises(Exception) as caught:  # noqa: PT011, B017
        eval(call, {**scope, **ARR})
    assert type(caught.value).__name__ == ERRORS[call]
