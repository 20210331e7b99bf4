"""Every primitive: its rule against what it returns, its result in a place it is given, in programs, and its gradient."""

from typing import Any

import numpy as np
import pytest
from primitive_rows import EXEMPT, ROWS, Row

from kerasish.base.errors import NonDifferentiableError
from kerasish.engine import Tensor, autodiff, control, recurrent
from kerasish.engine import primitives as P
from kerasish.engine.core import bind
from kerasish.engine.static import function

IDS = [f"{row.name} {i}" for i, row in enumerate(ROWS)]
every_row = pytest.mark.parametrize("row", ROWS, ids=IDS)


def test_every_primitive_has_a_row():
    assert control.scan_p is P.TABLE["scan"]  # loops and branches are rows that this module adds,
    assert recurrent.lstm_p is P.TABLE["lstm"]  # and this one adds some
    assert {row.name for row in ROWS} | set(EXEMPT) == set(P.TABLE)
    assert not {row.name for row in ROWS} & set(EXEMPT)


def fresh(row: Row, args: tuple | None = None) -> list[np.ndarray]:
    prim = P.TABLE[row.name]
    with np.errstate(all="ignore"):
        out = prim.impl(*(row.args if args is None else args), **row.params)
    return [np.asarray(v) for v in (out if prim.several else [out])]


def specs(row: Row) -> list:
    prim = P.TABLE[row.name]
    found = prim.spec(*row.args, **row.params)
    return list(found) if prim.several else [found]


@every_row
def test_the_rule_says_what_is_returned(row):
    results = fresh(row)
    assert len(results) == len(specs(row))
    for got, (shape, dtype) in zip(results, specs(row), strict=True):
        assert got.shape == tuple(shape)
        assert got.dtype == dtype


def computed_into(row: Row, args: tuple, place: np.ndarray) -> np.ndarray:
    prim = P.TABLE[row.name]
    with np.errstate(all="ignore"):
        if prim.out == "positional":
            prim.impl(*args, place)
        else:
            prim.impl(*args, out=place, **row.params)
    return place


@pytest.mark.parametrize(
    "row", [r for r in ROWS if P.TABLE[r.name].out], ids=[i for i, r in zip(IDS, ROWS, strict=True) if P.TABLE[r.name].out]
)
def test_a_place_that_is_given_gets_the_result(row):
    (wanted,) = fresh(row)
    place = np.full(wanted.shape, 77).astype(wanted.dtype)
    assert computed_into(row, row.args, place) is place
    np.testing.assert_allclose(place, wanted, rtol=1e-12)


TAKEN_OVER = [(r, j) for r in ROWS for j in P.TABLE[r.name].inplace]


@pytest.mark.parametrize(("row", "position"), TAKEN_OVER, ids=[f"{r.name} {j} {i}" for i, (r, j) in enumerate(TAKEN_OVER)])
def test_the_result_may_take_over_an_argument(row, position):
    (wanted,) = fresh(row)
    args = [a.copy() for a in row.args]
    if args[position].shape != wanted.shape:
        assert args[position].ndim < wanted.ndim  # one that is broadcast has no room, and the planner knows
        return
    np.testing.assert_allclose(computed_into(row, tuple(args), args[position]), wanted, rtol=1e-12)


def strided(a: np.ndarray) -> np.ndarray:
    """The same numbers, every second element of a larger array, backwards."""
    if not a.ndim:
        return a
    out = np.repeat(a, 2, 0)[::-1][::-2]
    if a.ndim > 1:
        out = np.repeat(out, 2, -1)[..., ::2]
    assert not out.flags.c_contiguous or out.size < 2
    return out


@every_row
def test_the_layout_of_arguments_does_not_matter(row):
    for got, wanted in zip(fresh(row, tuple(map(strided, row.args))), fresh(row), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)


@every_row
def test_arguments_are_left_alone(row):
    before = [a.copy() for a in row.args]
    fresh(row)
    for a, b in zip(row.args, before, strict=True):
        np.testing.assert_array_equal(a, b)


def results(value: Any) -> list:
    return list(value) if isinstance(value, (list, tuple)) else [value]


@every_row
def test_a_program_computes_what_eager_code_does(row):
    prim = P.TABLE[row.name]

    def f(*args: Any) -> Any:
        # values that the program makes itself may be overwritten, and so may what is made of them
        args = [P.neg(a) if row.reads_floats and a.dtype.kind == "f" else a for a in args]
        outs = results(bind(prim, *args, **row.params))
        return [P.neg(o) if o.dtype.kind == "f" else o for o in outs]

    eager = [np.asarray(t) for t in f(*map(Tensor, row.args))]
    for got, wanted in zip(results(function(f)(*row.args)), eager, strict=True):
        assert np.asarray(got).dtype == wanted.dtype
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)


SMOOTH = [r for r in ROWS if r.differentiable and P.TABLE[r.name].vjps and any(a.dtype.kind in "fc" for a in r.args)]


@pytest.mark.parametrize("row", SMOOTH, ids=[f"{r.name} {i}" for i, r in enumerate(SMOOTH)])
def test_the_gradient_is_that_of_finite_differences(row):
    prim = P.TABLE[row.name]
    moving = [i for i, a in enumerate(row.args) if a.dtype.kind in "fc"]
    rng = np.random.default_rng(5)

    def like(a: np.ndarray) -> np.ndarray:
        d = rng.normal(size=a.shape)
        return d + 1j * rng.normal(size=a.shape) if a.dtype.kind == "c" else d

    directions = [like(row.args[i]) for i in moving]
    weights = [like(o) if o.dtype.kind in "fc" else None for o in fresh(row)]

    def moved(step: float) -> float:
        args = list(row.args)
        for i, d in zip(moving, directions, strict=True):
            args[i] = args[i] + step * d
        outs = fresh(row, tuple(args))
        return sum(float(np.sum((np.conj(w) * o).real)) for o, w in zip(outs, weights, strict=True) if w is not None)

    def f(*xs: Tensor) -> list:
        args: list = [Tensor(a) for a in row.args]
        for i, x in zip(moving, xs, strict=True):
            args[i] = x
        outs = results(bind(prim, *args, **row.params))
        return [o for o, w in zip(outs, weights, strict=True) if w is not None]

    _, pull = autodiff.vjp(f, *[Tensor(row.args[i]) for i in moving])
    grads = pull([Tensor(w) for w in weights if w is not None])
    got = sum(float(np.sum((np.conj(np.asarray(g)) * d).real)) for g, d in zip(grads, directions, strict=True))
    step = 1e-6
    assert got == pytest.approx((moved(step) - moved(-step)) / (2 * step), rel=1e-6, abs=1e-6)


def test_the_check_of_gradients_finds_a_wrong_one():
    wrong = P.Primitive("sin", np.sin, P.S.like, [lambda g, y, x: P.mul(g, P.sin(x))], out="positional")
    right, P.TABLE["sin"] = P.TABLE["sin"], wrong
    try:
        with pytest.raises(AssertionError):
            test_the_gradient_is_that_of_finite_differences(next(r for r in ROWS if r.name == "sin"))
    finally:
        P.TABLE["sin"] = right


WITHOUT = [r for r in ROWS if P.TABLE[r.name].vjps is None and any(a.dtype.kind == "f" for a in r.args)]


@pytest.mark.parametrize("row", WITHOUT, ids=[r.name for r in WITHOUT])
def test_a_primitive_without_a_gradient_says_so(row):
    args = [Tensor(a) for a in row.args]
    with autodiff.GradientTape() as tape:
        tape.watch([a for a in args if a.dtype.kind == "f"])
        out = results(bind(P.TABLE[row.name], *args, **row.params))[0]
    with pytest.raises(NonDifferentiableError, match=rf"`{row.name}` has no gradient"):
        tape.gradient(out, next(a for a in args if a.dtype.kind == "f"))
