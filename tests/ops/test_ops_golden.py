"""Every row of op_cases against what Keras returned; traced against eager; shapes of symbolic tensors; gradients."""

import json
import pathlib
import re
from typing import Any

import numpy as np
import pytest
from op_cases import ARRAYS, CASES

from kerasish import ops
from kerasish.base import config, tree
from kerasish.engine import Tensor, autodiff
from kerasish.engine.static import function
from kerasish.ops.symbolic import KerasTensor, Node, Operation

_file = np.load(pathlib.Path(__file__).parent.parent / "golden" / "ops.npz")
GOLDEN = {case: [_file[k] for k in keys] for case, keys in json.loads(bytes(_file["index"])).items()}
OPS = {name: getattr(ops, name) for name in ops.__all__}


def evaluate(case: str, **arrays: Any) -> list:
    scope = {**OPS, **{n: Tensor(a) for n, a in ARRAYS.items()}, **arrays}
    if case.startswith("get_item"):
        scope["slice"] = slice
    return tree.flatten(eval(case, scope))


def used(case: str, kinds: str = "biufc") -> list[str]:
    return [n for n in ARRAYS if re.search(rf"\b{n}\b", case) and ARRAYS[n].dtype.kind in kinds]


def close(got: Any, wanted: np.ndarray, case: str) -> None:
    got = np.asarray(got)
    assert got.shape == wanted.shape, case
    narrow = wanted.dtype == np.float16
    np.testing.assert_allclose(got, wanted, rtol=2e-3 if narrow else 2e-5, atol=2e-3 if narrow else 5e-6, err_msg=case)


def test_every_case_was_recorded():
    assert set(CASES) == set(GOLDEN)


# where Keras's values are not right: its sparsemax of a matrix does not sum to 1 (that of a vector does, and is compared)
WRONG_THERE = ("sparsemax(",)


def test_sparsemax_is_a_distribution_and_that_of_each_row():
    x = ARRAYS["X"]
    got = np.asarray(ops.sparsemax(x))
    np.testing.assert_allclose(got.sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(got, [ops.sparsemax(row) for row in x], rtol=1e-6)
    np.testing.assert_allclose(ops.sparsemax(x.T, axis=0), got.T, rtol=1e-6)


@pytest.mark.parametrize("case", [c for c in CASES if not c.startswith(WRONG_THERE)])
def test_values_and_dtypes_are_those_of_keras(case):
    results = evaluate(case)
    assert len(results) == len(GOLDEN[case])
    for got, wanted in zip(results, GOLDEN[case], strict=True):
        assert str(np.asarray(got).dtype) == str(wanted.dtype)
        close(got, wanted, case)


# their values, not only their shapes, decide the shape of the result
NEEDS_VALUES = ("where(B)", "nonzero", "unique", "bincount(K)", "bincount(K, weights")


def traceable(case: str) -> bool:
    return bool(used(case)) and not case.startswith(NEEDS_VALUES)


@pytest.mark.parametrize("case", [c for c in CASES if traceable(c)])
def test_a_program_computes_what_eager_code_does(case):
    names = used(case)
    program = function(lambda *xs: evaluate(case, **dict(zip(names, xs, strict=True))))
    results = program(*[ARRAYS[n] for n in names])
    for got, wanted in zip(results, evaluate(case), strict=True):
        close(got, np.asarray(wanted), case)
        if isinstance(got, Tensor):
            assert got.dtype == wanted.dtype


def symbol(array: np.ndarray) -> KerasTensor:
    x = KerasTensor(array.shape, dtype=array.dtype.name)
    Node(Operation(), (), {}, x)  # makes it an input
    return x


@pytest.mark.parametrize("case", [c for c in CASES if traceable(c)])
def test_symbolic_tensors_have_the_shape_and_dtype_of_the_result(case):
    symbols = {n: symbol(ARRAYS[n]) for n in used(case)}
    results = evaluate(case, **symbols)
    for got, wanted in zip(results, evaluate(case), strict=True):
        if isinstance(got, KerasTensor):
            assert tuple(got.shape) == np.shape(wanted)
            assert got.dtype == np.asarray(wanted).dtype.name


# no gradient by nature, or one that finite differences cannot see
ROUGH = tuple(
    row.strip()
    for row in """argm; argsort; nanarg; count_; is; logical; sign; equal; not_equal; greater; less; any;
    all(; allclose; floor; ceil; trunc; round; zeros; ones; cast(; saturate; view(; digitize; searchsorted; matrix_rank;
    in_top_k; heaviside; stop_gradient; nextafter; mod(; fmod; one_hot; ctc_decode; eig(; sort(abs(eig; lu_factor;
    convert_to_tensor; full_like(; histogram; unique; sort(R); max(R; abs(qr(TALL, mode; select; norm(X, ord=0;
    svd(TALL)[1]; top_k(R; linspace(0; nan; while_loop;
    prod(X, axis=1, dtype; cumprod(S; associative_scan(lambda a, b: a *""".split(";")
)


def smooth(case: str) -> bool:
    names = used(case, "f")
    return traceable(case) and bool(names) and not case.startswith(ROUGH) and not {"H", "N", "M"} & set(names)


@pytest.mark.parametrize("case", [c for c in CASES if smooth(c)])
def test_gradients_agree_with_finite_differences(case):
    names = used(case, "f")
    config.set_floatx("float64")
    try:
        start = [ARRAYS[n].astype("float64") for n in names]
        weights: list = []

        def scalar(*xs: Any) -> Any:
            total = ops.convert_to_tensor(0.0)
            for i, leaf in enumerate(evaluate(case, **dict(zip(names, xs, strict=True)))):
                leaf = ops.convert_to_tensor(leaf)
                if leaf.dtype.kind == "c":
                    leaf = ops.add(ops.real(leaf), ops.multiply(ops.imag(leaf), 0.7))
                if leaf.dtype.kind != "f":
                    continue
                if len(weights) <= i:
                    weights.extend([None] * (i + 1 - len(weights)))
                    weights[i] = np.random.default_rng(i).uniform(0.5, 1.5, leaf.shape)
                total = ops.add(total, ops.sum(ops.multiply(leaf, Tensor(weights[i]))))
            return total

        tensors = [Tensor(a) for a in start]
        value, grads = autodiff.value_and_grad(scalar, argnums=tuple(range(len(names))))(*tensors)
        assert value.dtype == "float64"
        directions = [np.random.default_rng(3 + i).normal(size=a.shape) for i, a in enumerate(start)]
        got = sum(float(np.sum(np.asarray(g) * d)) for g, d in zip(grads, directions, strict=True) if g is not None)
        step = 1e-5
        up, down = (
            float(scalar(*[Tensor(a + s * step * d) for a, d in zip(start, directions, strict=True)])) for s in (1, -1)
        )
        wanted = (up - down) / (2 * step)
        assert got == pytest.approx(wanted, rel=2e-4, abs=2e-5)
    finally:
        config.set_floatx("float32")
