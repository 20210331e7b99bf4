"""Branches and loops of unknown length: primitives whose bodies are graphs. The loop of known length is in scan.py.

A body is traced once, with everything it uses from outside (captured tensors, variables) made an explicit input, and
the variables it assigns to made explicit results. `cond` is differentiable, `while_loop` is not.
"""

from typing import Any, Callable

import numpy as np

from kerasish.base import tree
from kerasish.base.errors import NonDifferentiableError
from kerasish.engine import primitives as P
from kerasish.engine.autodiff import GradientTape, differentiable
from kerasish.engine.bodies import Body, call_body, replay
from kerasish.engine.core import Primitive, bind, context
from kerasish.engine.dims import same_shape
from kerasish.engine.graph import Graph, Var
from kerasish.engine.passes import optimise
from kerasish.engine.scan import repeat, scan, scan_p
from kerasish.engine.tensor import Tensor

# -- cond -------------------------------------------------------------------------------------------------------------


def _cond_impl(pred: np.ndarray, *arrays: np.ndarray, true: Graph, false: Graph, sizes: Any = None) -> tuple:
    return call_body(true if pred else false, sizes, arrays)


def _cond_spec(pred: Any, *args: Any, true: Graph, false: Graph) -> list:
    return [(v.shape, v.dtype) for v in true.outputs]


def _cond_vjps(g: tuple, y: tuple, pred: Tensor, *args: Tensor, wanted: list, true: Graph, false: Graph) -> list:
    smooth = [i for i, a in enumerate(args) if differentiable(a.dtype)]
    g = tuple(P.full_like(o, 0) if d is None else d for d, o in zip(g, y, strict=True))

    def pull(branch: Graph) -> Callable:
        def run() -> list:
            with GradientTape(watch_accessed_variables=False) as tape:
                xs = [P.identity(a) for a in args]
                tape.watch([xs[i] for i in smooth])
                outs = replay(branch, xs)
            pairs = [(o, d) for o, d in zip(outs, g, strict=True) if differentiable(o.dtype)]
            return tape.gradient(
                [o for o, _ in pairs], [xs[i] for i in smooth], [d for _, d in pairs], unconnected_gradients="zero"
            )

        return run

    grads: list = [None] * (len(args) + 1)
    for i, d in zip(smooth, cond(pred, pull(true), pull(false)), strict=True):
        grads[i + 1] = d
    return grads


cond_p = P.TABLE["cond"] = Primitive("cond", _cond_impl, _cond_spec, _cond_vjps, several=True)


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """`true_fn()` or `false_fn()`. In a program both are traced, and one is run."""
    if not isinstance(pred, Tensor):
        return true_fn() if pred else false_fn()
    if context.trace is None:
        return true_fn() if bool(pred) else false_fn()
    if pred.dtype != bool:
        pred = P.not_equal(pred, P.scalar(pred, 0))
    a, b = Body(true_fn, []), Body(false_fn, [])
    tree.assert_same_structure(a.structure, b.structure)
    for x, z in zip(a.outputs, b.outputs, strict=True):
        if not same_shape(x.shape, z.shape) or x.dtype != z.dtype:
            raise TypeError(
                f"`true_fn` and `false_fn` of cond must return the same shapes and dtypes; received {x.shape} {x.dtype} "
                f"and {z.shape} {z.dtype}."
            )
    written = list(dict.fromkeys((*a.written, *b.written)))
    outside: list[Tensor] = []
    index: dict[int, int] = {}
    for body in (a, b):
        for t in body.outside():
            if id(t) not in index:
                index[id(t)] = len(outside)
                outside.append(t)
    for v in written:
        t = v._read()
        if id(t) not in index:
            index[id(t)] = len(outside)
            outside.append(t)
    held = {v: index[id(v._read())] for v in written}

    def close(body: Body) -> Graph:
        inputs = [Var(t.shape, t.dtype) for t in outside]
        for t, v in zip(body.outside(), body.graph.inputs, strict=True):
            if inputs[index[id(t)]] in body.graph.inputs:  # read twice: one more name for the same
                continue
            inputs[index[id(t)]] = v
        state = dict(zip(body.written, body.graph.outputs[body.count :], strict=True))
        outs = [*body.graph.outputs[: body.count], *[state.get(v, inputs[held[v]]) for v in written]]
        return optimise(Graph(inputs, body.graph.nodes, outs))

    out = bind(cond_p, pred, *outside, true=close(a), false=close(b))
    for v, t in zip(written, out[a.count :], strict=True):
        v.assign(t)
    leaves = iter(out)
    return tree.map_structure(lambda leaf: leaf if leaf is None else next(leaves), a.structure)


# -- while ------------------------------------------------------------------------------------------------------------


def _while_impl(
    *arrays: np.ndarray, test: Graph, body: Graph, tests: int, consts: int, sizes: Any = None
) -> tuple:
    t_fixed, fixed, carry = arrays[:tests], arrays[tests : tests + consts], arrays[tests + consts :]
    while bool(call_body(test, sizes, (*t_fixed, *carry))[0]):
        carry = call_body(body, sizes, (*fixed, *carry))
    return tuple(np.array(c) for c in carry)


def _while_vjps(*_: Any, **__: Any) -> list:
    raise NonDifferentiableError(
        "In a program `while_loop` is forward only: how often it runs is not known beforehand, so what its gradient needs "
        "can't be kept. Use ops.scan or ops.fori_loop with a fixed number of steps, or run eagerly."
    )


while_p = P.TABLE["while"] = Primitive(
    "while",
    _while_impl,
    lambda *v, test, body, tests, consts: [(x.shape, x.dtype) for x in v[tests + consts :]],
    _while_vjps,
    several=True,
)


def _leaf(x: Any) -> Tensor:
    """A tensor from a tensor, an array or a Python number, the numbers in their default dtypes."""
    if isinstance(x, Tensor):
        return x
    kinds = {bool: "bool", int: "int32", float: "float32"}
    return Tensor(np.asarray(x, kinds.get(type(x))))


def while_loop(test: Callable, body: Callable, loop_vars: Any) -> Any:
    """Apply `body` to the loop variables while `test` of them holds. Eagerly it is differentiable, in a program not."""
    flat = [_leaf(t) for t in tree.flatten(loop_vars)]
    if context.trace is None:
        values = tree.pack_sequence_as(loop_vars, flat)
        while bool(test(*values) if isinstance(values, (list, tuple)) else test(values)):
            values = body(*values) if isinstance(values, (list, tuple)) else body(values)
        return values

    def call(fn: Callable) -> Callable:
        def run(*leaves: Tensor) -> Any:
            packed = tree.pack_sequence_as(loop_vars, leaves)
            return fn(*packed) if isinstance(packed, (list, tuple)) else fn(packed)

        return run

    t, b = Body(call(test), flat), Body(call(body), flat)
    if t.written or b.written:
        raise ValueError("Variables can't be assigned inside a while_loop; carry their values as loop variables.")
    for x, z in zip(flat, b.outputs, strict=True):
        if not same_shape(x.shape, z.shape) or x.dtype != z.dtype:
            raise TypeError(
                f"Loop variables must keep their shape and dtype: {x.shape} {x.dtype} became {z.shape} {z.dtype}."
            )
    n = len(flat)

    def close(body_: Body) -> Graph:
        return optimise(
            Graph([*body_.graph.inputs[n:], *body_.graph.inputs[:n]], body_.graph.nodes, body_.graph.outputs)
        )

    out = bind(
        while_p, *t.outside(), *b.outside(), *flat, test=close(t), body=close(b),
        tests=len(t.outside()), consts=len(b.outside()),
    )  # fmt: skip
    return tree.pack_sequence_as(loop_vars, out)


__all__ = ["cond", "repeat", "scan", "scan_p", "while_loop"]
