"""LSTM and GRU over whole sequences, each a primitive, its gradient another.

Inputs are time first: x (steps, batch, gates * n) are the products of the inputs with their weights, biases included.
Where a sigmoid follows, x, the state's weights and their biases come halved, see kernels/recurrent.py.

The gradient's own gradient is that of the same thing written with `scan`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kerasish.engine import kernels as K
from kerasish.engine import primitives as P
from kerasish.engine.autodiff import vjp
from kerasish.engine.core import Primitive, context
from kerasish.engine.scan import scan
from kerasish.engine.tensor import Tensor


def _rows(x: Tensor, start: Any, stop: Any) -> Tensor:
    return P.slice_(x, index=(slice(start, stop, 1), *[slice(0, d, 1) for d in x.shape[1:]]))


def _columns(x: Tensor, start: int, stop: int) -> Tensor:
    return P.slice_(x, index=(*[slice(0, d, 1) for d in x.shape[:-1]], slice(start, stop, 1)))


def _first(x: Tensor) -> Tensor:
    return P.reshape(_rows(x, 0, 1), shape=x.shape[1:])


def _weights_gradient(h: Tensor, hs: Tensor, dz: Tensor) -> Tensor:
    """Of u in z[s] = h[s - 1] @ u, where h[-1] is h: one product over all steps but the first, and one for that."""
    steps, batch, n = hs.shape
    before = P.reshape(_rows(hs, 0, steps - 1), shape=((steps - 1) * batch, n))
    after = P.reshape(_rows(dz, 1, steps), shape=((steps - 1) * batch, dz.shape[-1]))
    return P.add(P.matmul(P.swap(before), after), P.matmul(P.swap(h), _first(dz)))


def _zeros(x: Tensor, columns: int) -> Tensor:
    return P.full(shape=(*x.shape[:-1], columns), value=0, dtype=x.dtype)


def _step_more(dx: Tensor, first: Tensor) -> Tensor:
    """The layout of the *_grad primitives: one step more, in which `first` (batch, n) stands in the first place."""
    row = P.concat(first, _zeros(first, dx.shape[-1] - first.shape[-1]), axis=1)
    return P.concat(dx, P.reshape(row, shape=(1, *row.shape)), axis=0)


def _where(seen: Tensor | None, new: Tensor, old: Tensor) -> Tensor:
    return new if seen is None else P.select(P.reshape(seen, shape=(seen.shape[0], 1)), new, old)


def _by_scan(step: Callable, states: tuple, x: Tensor, seen: Tensor | None) -> tuple:
    """The rows that a step function (states, x) -> states leaves, stacked."""

    def body(states: tuple, row: Any) -> tuple:
        x, m = (row, None) if seen is None else row
        new = tuple(_where(m, a, b) for a, b in zip(step(states, x), states, strict=True))
        return new, new

    return scan(body, states, x if seen is None else (x, seen))[1]


def _slope_of(reference: Callable) -> Callable:
    """The rule of a *_grad primitive, from a function of the same arguments that computes the same."""

    def rule(g: Tensor, y: Tensor, *args: Tensor, wanted: list, **_: Any) -> list:
        smooth = [a for a in args if a.dtype.kind == "f"]
        rest = [a for a in args if a.dtype.kind != "f"]
        _, pull = vjp(lambda *xs: reference(*xs, *rest), *smooth)
        return [*pull(g), *[None] * len(rest)]

    return rule


def _sequence(compute: Callable, args: tuple, back: Callable) -> tuple:
    """compute(*args), several tensors, whose gradient is `back(kept, outputs, *gradients)`; compute returns (kept, outputs).

    Only this is noted on the tapes, not what compute does. (custom_gradient would hand `back` copies of the outputs, which
    a gradient of the gradient could not follow.)
    """
    tapes, context.tapes = context.tapes, ()
    try:
        kept, outputs = compute(*args)
    finally:
        context.tapes = tapes

    def vjps(g: Sequence, y: Sequence, *xs: Tensor, wanted: list) -> list:
        return list(back(kept, y, *[P.full_like(o, 0) if d is None else d for d, o in zip(g, y, strict=True)]))

    prim = Primitive("sequence", compute, lambda *_: [], vjps, several=True)
    for tape in context.tapes:
        tape.record(prim, args, {}, outputs)
    return outputs


def _row(name: str, impl: Callable, spec: Callable, vjps: Any = None) -> Primitive:
    P.TABLE[name] = row = Primitive(name, impl, spec, vjps, out="keyword")
    return row


# -- LSTM -------------------------------------------------------------------------------------------------------------


def _lstm_step(u: Tensor) -> Callable:
    n = u.shape[0]

    def step(states: tuple, x: Tensor) -> tuple:
        h, c = states
        z = P.tanh(P.add(P.matmul(h, u), x))
        half = P.scalar(z, 0.5)
        i, f, g, o = (_columns(z, k * n, (k + 1) * n) for k in range(4))
        i, f, o = (P.add(P.mul(gate, half), half) for gate in (i, f, o))
        c = P.add(P.mul(f, c), P.mul(i, g))
        return P.mul(o, P.tanh(c)), c

    return step


def _lstm_grad_by_scan(
    dhs: Tensor, dcs: Tensor, kept: Tensor, x: Tensor, u: Tensor, h: Tensor, c: Tensor, seen: Tensor | None = None
) -> Tensor:
    _, pull = vjp(lambda x, h, c: _by_scan(_lstm_step(u), (h, c), x, seen), x, h, c)
    dx, _, dc = pull((dhs, dcs))
    return _step_more(dx, dc)


lstm_p = _row("lstm", K.lstm, lambda x, u, h, c, *seen: ((x.shape[0] * 7, *h.shape), x.dtype))
lstm_grad = _row(
    "lstm_grad",
    lambda dhs, dcs, kept, x, u, h, c, *seen, out=None: K.lstm_grad(dhs, dcs, kept, u, c, *seen, out=out),
    lambda dhs, dcs, kept, x, u, h, c, *seen: ((x.shape[0] + 1, *x.shape[1:]), x.dtype),
    _slope_of(_lstm_grad_by_scan),
)  # what kernels.lstm_grad returns; x and h are there for its own gradient


def lstm(x: Tensor, u: Tensor, h: Tensor, c: Tensor, seen: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The outputs and the cell's states of all steps, (steps, batch, n) each.

    x (steps, batch, 4n), u (n, 4n): gates in the order input, forget, candidate, output; all but the third halved.
    h, c (batch, n): the first states. seen (steps, batch): which steps there are; states stay as they are in others.
    """
    rest = () if seen is None else (seen,)
    steps, n = x.shape[0], u.shape[0]

    def compute(x: Tensor, u: Tensor, h: Tensor, c: Tensor) -> tuple:
        kept = lstm_p(x, u, h, c, *rest)
        return kept, (_rows(kept, steps * 5, steps * 6), _rows(kept, steps * 6, steps * 7))

    def back(kept: Tensor, outputs: Sequence, dhs: Tensor, dcs: Tensor) -> tuple:
        d = lstm_grad(dhs, dcs, kept, x, u, h, c, *rest)
        dx = _rows(d, 0, steps)
        dc = _columns(P.reshape(_rows(d, steps, steps + 1), shape=d.shape[1:]), 0, n)
        return dx, _weights_gradient(h, outputs[0], dx), P.matmul(_first(dx), P.swap(u)), dc

    return _sequence(compute, (x, u, h, c), back)


# -- GRU --------------------------------------------------------------------------------------------------------------


def _gru_step(u: Tensor, b: Tensor) -> Callable:
    n = u.shape[0]

    def step(states: tuple, x: Tensor) -> tuple:
        (h,) = states
        inner = P.matmul(h, u)
        half = P.scalar(inner, 0.5)
        gates = P.tanh(P.add(_columns(inner, 0, 2 * n), _columns(x, 0, 2 * n)))
        gates = P.add(P.mul(gates, half), half)
        z, r = _columns(gates, 0, n), _columns(gates, n, 2 * n)
        inner = P.add(_columns(inner, 2 * n, 3 * n), b)
        candidate = P.tanh(P.add(P.mul(r, inner), _columns(x, 2 * n, 3 * n)))
        return (P.add(P.mul(P.sub(h, candidate), z), candidate),)

    return step


def _gru_grad_by_scan(
    dhs: Tensor, kept: Tensor, x: Tensor, u: Tensor, b: Tensor, h: Tensor, seen: Tensor | None = None
) -> Tensor:
    n = u.shape[0]
    shift = P.mul(_columns(x, 0, n), P.scalar(x, 0))  # added to the state's product in each step, to get its gradient

    def states(x: Tensor, shift: Tensor, h: Tensor) -> Tensor:
        def step(states: tuple, row: Tensor) -> tuple:
            return _gru_step(u, P.add(_columns(row, 3 * n, 4 * n), b))(states, _columns(row, 0, 3 * n))

        return _by_scan(step, (h,), P.concat(x, shift, axis=2), seen)[0]

    _, pull = vjp(states, x, shift, h)
    dx, d_inner, dh = pull(dhs)
    return _step_more(P.concat(d_inner, dx, axis=2), dh)


gru_p = _row("gru", K.gru, lambda x, u, b, h, *seen: ((x.shape[0] * 5, *h.shape), x.dtype))
gru_grad = _row(
    "gru_grad",
    lambda dhs, kept, x, u, b, h, *seen, out=None: K.gru_grad(dhs, kept, u, h, *seen, out=out),
    lambda dhs, kept, x, u, b, h, *seen: ((x.shape[0] + 1, x.shape[1], 4 * h.shape[1]), x.dtype),
    _slope_of(_gru_grad_by_scan),
)  # what kernels.gru_grad returns; x and b are there for its own gradient


def gru(x: Tensor, u: Tensor, b: Tensor, h: Tensor, seen: Tensor | None = None) -> Tensor:
    """The outputs of all steps, (steps, batch, n).

    x (steps, batch, 3n), u (n, 3n): gates in the order update, reset, candidate; all but the third halved. b (n,): the
    candidate's bias that belongs to the state's product. h (batch, n): the first state. seen (steps, batch): which steps
    there are.
    """
    rest = () if seen is None else (seen,)
    steps, n = x.shape[0], u.shape[0]

    def compute(x: Tensor, u: Tensor, b: Tensor, h: Tensor) -> tuple:
        kept = gru_p(x, u, b, h, *rest)
        return kept, (_rows(kept, steps * 4, steps * 5),)

    def back(kept: Tensor, outputs: Sequence, dhs: Tensor) -> tuple:
        d = gru_grad(dhs, kept, x, u, b, h, *rest)
        dx = _columns(_rows(d, 0, steps), n, 4 * n)
        dinner = _columns(_rows(d, 0, steps), 0, 3 * n)  # the candidate's gate first
        du = _weights_gradient(h, outputs[0], dinner)
        du = P.concat(_columns(du, n, 3 * n), _columns(du, 0, n), axis=1)
        db = P.sum_(_columns(dinner, 0, n), axis=(0, 1), keepdims=False)
        dh = _columns(P.reshape(_rows(d, steps, steps + 1), shape=d.shape[1:]), 0, n)
        return dx, du, db, dh

    return _sequence(compute, (x, u, b, h), back)[0]


__all__ = ["gru", "lstm"]
