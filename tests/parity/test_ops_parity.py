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
from test_ops_golden import GOLDEN, WRONG_THERE, close, used
from test_ops_gradients import BETTER

import kerasish

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


def read_by_keras(text: str, case: str, arrays: list) -> bool:
    """Whether Keras reads the model and gets the right values of it."""
    try:
        model = keras.saving.deserialize_keras_object(json.loads(text))
        for a, b in zip(keras.tree.flatten(model([keras.ops.convert_to_tensor(a) for a in arrays])), GOLDEN[case], strict=False):
            close(np.asarray(a), b, case)
    except Exception:  # noqa: BLE001
        return False
    return True


def written_by_keras(case: str) -> str | None:
    names = used(case)
    inputs = [keras.Input(batch_shape=ARRAYS[n].shape, dtype=ARRAYS[n].dtype.name, name=n) for n in names]
    try:
        outputs = [o for o in in_keras(case, dict(zip(names, inputs, strict=True))) if isinstance(o, keras.KerasTensor)]
        return keras.Model(inputs, outputs).to_json()
    except Exception:  # noqa: BLE001
        return None


# of `where` with one argument Keras makes a node with one output, though it returns one for each axis
@pytest.mark.parametrize("case", [c for c in SAVED if c != "where(B)"])
def test_keras_reads_a_model_of_the_op(case):
    model, arrays = model_of(case)
    if not read_by_keras(model.to_json(), case, arrays):
        own = written_by_keras(case)  # Keras 3.15 can't read back all that it writes
        assert own is None or not read_by_keras(own, case, arrays)
        UNREADABLE.append(case)


UNREADABLE: list[str] = []


def test_what_keras_can_not_read_of_its_own_is_a_small_part():
    assert len(UNREADABLE) < 0.1 * len(SAVED)


@pytest.mark.parametrize("case", [c for c in SAVED if c != "where(B)" and not c.startswith(WRONG_THERE)][::3])
def test_we_read_a_model_that_keras_wrote(case):
    text = written_by_keras(case)
    if text is None:
        return  # Keras has no symbolic form of this call
    model = kerasish.saving.deserialize_keras_object(json.loads(text))
    arrays = [ARRAYS[n] for n in used(case)]
    for got, wanted in zip(kerasish.tree.flatten(model(arrays)), GOLDEN[case], strict=False):
        close(np.asarray(got), wanted, case)


@pytest.mark.parametrize("call", CALLS)
def test_mistakes_raise_what_they_do_in_this_keras(call):
    scope = {n: getattr(keras.ops, n) for n in dir(keras.ops) if not n.startswith("_")}
    with pytest.raises(Exception) as caught:  # noqa: PT011, B017
        eval(call, {**scope, **ARR})
    assert type(caught.value).__name__ == ERRORS[call]
