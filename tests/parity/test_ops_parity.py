"""ops against an installed Keras on JAX: values, gradients, and files with ops in them."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import json
import warnings

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from gradient_cases import KINKS, inputs_of, read_gradients, values_of
from op_cases import ARRAYS, CASES
from test_ops_four_ways import SAVED, model_of
from test_ops_golden import GOLDEN, close
from test_ops_gradients import BETTER

pytestmark = pytest.mark.parity


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


# Keras reads these back wrongly or not at all: what it wrote itself fails in the same way
KERAS_CANNOT: tuple[str, ...] = ()


@pytest.mark.parametrize("case", [c for c in SAVED if not c.startswith(KERAS_CANNOT)])
def test_keras_reads_a_model_of_the_op(case):
    model, arrays = model_of(case)
    theirs = keras.saving.deserialize_keras_object(json.loads(model.to_json()))
    got = keras.tree.flatten(theirs([keras.ops.convert_to_tensor(a) for a in arrays]))
    for a, b in zip(got, GOLDEN[case], strict=False):
        close(np.asarray(a), b, case)
