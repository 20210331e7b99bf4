"""Every row of op_cases under a tape, on shapes with unknown sizes, and in a model that is written and read again.

(Eager values against Keras's, programs, and fully known shapes: `test_ops_golden`.)
"""

import json
import re
from typing import Any

import numpy as np
import pytest
from op_cases import ARRAYS, CASES
from test_ops_golden import close, evaluate, traceable, used

import kerasish as keras
from kerasish import ops
from kerasish.base import tree
from kerasish.engine import GradientTape, Tensor
from kerasish.ops.op import OPS as EVERY_OP
from kerasish.ops.symbolic import KerasTensor, Node, Operation

TRACEABLE = [c for c in CASES if traceable(c)]


@pytest.mark.parametrize("case", TRACEABLE)
def test_a_tape_changes_nothing(case):
    arrays = {n: Tensor(ARRAYS[n]) for n in used(case)}
    with GradientTape() as tape:
        tape.watch([t for t in arrays.values() if t.dtype.kind == "f"])
        watched = evaluate(case, **arrays)
    for got, wanted in zip(watched, evaluate(case), strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(wanted))


def unknown(array: np.ndarray, axes: Any) -> KerasTensor:
    shape = tuple(None if i in axes else d for i, d in enumerate(array.shape))
    x = KerasTensor(shape, dtype=array.dtype.name)
    Node(Operation(), (), {}, x)
    return x


KERNELS = {"K1", "K2", "K2G", "KT", "KT1", "KD", "KP", "K3"}
# the size that is not known decides how many results there are, or has to be that of a constant
NEED_SIZE = ("unstack(X)", "cross(X, V)", "scan(lambda c", "ctc_loss", "correlate")


@pytest.mark.parametrize("case", [c for c in TRACEABLE if not c.startswith(NEED_SIZE)])
def test_an_unknown_first_axis(case):
    symbols = {n: unknown(ARRAYS[n], () if n in KERNELS else (0,)) for n in used(case)}
    for got, wanted in zip(evaluate(case, **symbols), evaluate(case), strict=True):
        if isinstance(got, KerasTensor):
            assert len(got.shape) == np.ndim(wanted)
            assert all(a is None or a == b for a, b in zip(got.shape, np.shape(wanted), strict=True)), got.shape
            assert got.dtype == np.asarray(wanted).dtype.name


UNKNOWN_EVERYWHERE = [
    "exp(X)", "add(X, V)", "sum(Z, axis=(0, 2))", "softmax(X, axis=0)", "matmul(Z, Z2)", "transpose(Z, (2, 0, 1))",
    "einsum(\"ij,jk->ik\", X, W)", "concatenate([X, Y])", "stack([X, Y])", "where(B, X, Y)", "sort(R)",
    "get_item(Z, (Ellipsis, 1))", "one_hot(L, 3, axis=0)", "layer_normalization(X)", "cumsum(X, axis=1)", "argmax(X, axis=1)",
    "max_pool(IMG, 2, strides=2)", "logsumexp(X, axis=1)", "take(X, L)", "expand_dims(X, (0, -1))", "top_k(R, 2)",
]  # fmt: skip


@pytest.mark.parametrize("case", UNKNOWN_EVERYWHERE)
def test_all_axes_unknown(case):
    assert case in CASES
    symbols = {n: unknown(ARRAYS[n], range(ARRAYS[n].ndim)) for n in used(case)}
    for got, wanted in zip(evaluate(case, **symbols), evaluate(case), strict=True):
        assert len(got.shape) == np.ndim(wanted)
        assert all(a is None or a == b for a, b in zip(got.shape, np.shape(wanted), strict=True)), got.shape


def model_of(case: str, module: Any = keras) -> tuple[Any, list]:
    """The row as a functional model of the arrays it uses, and those arrays."""
    names = used(case)
    inputs = [module.Input(batch_shape=ARRAYS[n].shape, dtype=ARRAYS[n].dtype.name, name=n) for n in names]
    outputs = [o for o in evaluate(case, **dict(zip(names, inputs, strict=True))) if isinstance(o, KerasTensor)]
    return module.Model(inputs, outputs), [ARRAYS[n] for n in names]


SAVED = [c for c in CASES if used(c) and "lambda" not in c]


@pytest.mark.parametrize("case", SAVED)
def test_a_model_of_the_op_is_written_and_read(case):
    model, arrays = model_of(case)
    again = keras.saving.deserialize_keras_object(json.loads(model.to_json()))
    wanted = [v for v in evaluate(case) if isinstance(v, Tensor)]
    for m in (model, again):
        for got, want in zip(tree.flatten(m(arrays)), wanted, strict=False):
            close(got, np.asarray(want), case)
    assert again.to_json() == model.to_json()


# questions and decorators; functions of sizes; and results that are shaped by values
NO_TENSORS = {"convert_to_numpy", "dtype", "is_tensor", "size", "jvp", "vectorize"}
OF_SIZES = {"zeros", "empty", "eye", "identity", "bartlett", "blackman", "hamming", "hanning", "kaiser"}
OF_VALUES = {"nonzero", "unique"}
# their nodes hold functions, which no file keeps; `cond` and `switch` in files: test_ops_control
OF_FUNCTIONS = {"cond", "switch", "while_loop", "fori_loop", "scan", "map", "vectorized_map", "associative_scan"}


def test_every_op_is_in_a_row_of_each_kind():
    def missing(cases):
        return set(EVERY_OP) - {word for case in cases for word in re.findall(r"\w+(?=\()", case)}

    assert missing(CASES) == NO_TENSORS | {"empty"}
    assert missing(TRACEABLE) == NO_TENSORS | OF_SIZES | OF_VALUES
    assert missing(SAVED) == NO_TENSORS | OF_SIZES | OF_FUNCTIONS


SHAPED_BY_VALUES = [
    "where(B)", "nonzero(I)", "unique(K)", "unique(L, axis=1, return_counts=True)", "unique(K, size=2)",
    "unique(L, return_index=True, return_inverse=True, return_counts=True)", "unique(X, axis=0, return_inverse=True)",
    "bincount(K)", "bincount(K, weights=V[0] * ones(4))", "bincount(L)",
]  # fmt: skip


@pytest.mark.parametrize("case", SHAPED_BY_VALUES)
def test_results_that_are_shaped_by_values_have_unknown_sizes(case):
    symbols = {n: unknown(ARRAYS[n], ()) for n in used(case)}
    for got, wanted in zip(evaluate(case, **symbols), evaluate(case), strict=True):
        assert got.dtype == wanted.dtype.name
        assert len(got.shape) == wanted.ndim
        assert all(a is None or a == b for a, b in zip(got.shape, wanted.shape, strict=True)), got.shape


def test_a_model_of_many_ops_in_a_file(tmp_path):
    x = keras.Input((4,), name="x")
    y = ops.concatenate([ops.relu(x)[:, :2], ops.einsum("bi,bj->b", x, x)[:, None], 2.0 - x], axis=-1)
    y = ops.where(y > 0, ops.log1p(ops.abs(y)), ops.softmax(y, axis=-1))
    model = keras.Model(x, [y, ops.top_k(y, 2)[0]])
    model.save(tmp_path / "ops.keras")
    again = keras.models.load_model(tmp_path / "ops.keras")
    data = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    for a, b in zip(model.predict(data, verbose=0), again.predict(data, verbose=0), strict=True):
        np.testing.assert_array_equal(a, b)
