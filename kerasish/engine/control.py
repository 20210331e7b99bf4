"""Loops and branches: primitives whose bodies are graphs.

A body is traced once, with everything it uses from outside (captured tensors, variables) made an explicit input, and
the variables it assigns to made explicit results. `scan` is differentiable: its gradient is a scan in the other
direction over what the forward body computed. `cond` is differentiable, `while_loop` is not.
"""

import contextlib
from typing import Any, Callable, Sequence

import numpy as np

from kerasish.base import tree
from kerasish.base.errors import NonDifferentiableError
from kerasish.engine import primitives as P
from kerasish.engine.autodiff import GradientTape, differentiable
from kerasish.engine.core import Primitive, bind, context, suspended
from kerasish.engine.dims import same_shape
from kerasish.engine.graph import Graph, Var
from kerasish.engine.passes import drop_unused, optimise
from kerasish.engine.program import Program
from kerasish.engine.tensor import Tensor, Traced
from kerasish.engine.trace import Trace
from kerasish.engine.variable import BodyScope, get_stateless_scope


class Body:
    """A traced function: a closed graph, what it takes from outside, and which variables it writes."""

    def __init__(self, fn: Callable, specs: Sequence[Any]):
        trace = Trace()
        scope = get_stateless_scope()
        tapes, context.tapes = context.tapes, ()
        try:
            with trace, BodyScope(scope) if scope is not None else contextlib.nullcontext():
                result = fn(*[trace.input(s.shape, s.dtype) for s in specs])
                leaves = [
                    x if isinstance(x, Tensor) else Tensor(np.asarray(x)) for x in tree.flatten(result) if x is not None
                ]
                graph = trace.finish(leaves)
        finally:
            context.tapes = tapes
        self.structure = tree.map_structure(lambda x: x if x is None else 0, result)
        self.outputs = leaves
        self.written = list(graph.writes)
        self.read = list(graph.reads)
        self.captured = [outer for outer, _ in trace.captured.values()]
        self.count = len(graph.outputs)
        inputs = [*graph.inputs, *[t.var for _, t in trace.captured.values()], *graph.reads.values()]
        self.graph = Graph(inputs, graph.nodes, [*graph.outputs, *graph.writes.values()])

    def outside(self) -> list[Tensor]:
        """The tensors for the inputs after the function's own: captured ones, then the variables it reads."""
        return [*self.captured, *[v._read() for v in self.read]]


def _call_body(graph: Graph, sizes: dict[str, int] | None, arrays: Sequence[np.ndarray]) -> tuple:
    """Run a body once; the results are arrays of their own."""
    runs = _acquire(graph, sizes)
    try:
        return tuple(np.array(r) for r in runs[0](*arrays))
    finally:
        _release(graph, sizes, runs)


def _acquire(graph: Graph, sizes: dict[str, int] | None) -> Any:
    """Two workspaces of a body, used in turn: what one step leaves is read by the next while it writes elsewhere."""
    sizes = sizes or {}
    program = graph.__dict__.get("program")
    if program is None:
        program = graph.__dict__["program"] = Program(graph, "body", symbols=sorted(sizes))
    key = tuple(sizes[s] for s, _, _ in program.symbols)
    try:
        return program._pool.setdefault(key, []).pop()
    except IndexError:
        return program.bind(key), program.bind(key)


def _release(graph: Graph, sizes: dict[str, int] | None, runs: Any) -> None:
    program = graph.__dict__["program"]
    program._pool.setdefault(tuple((sizes or {})[s] for s, _, _ in program.symbols), []).append(runs)


# -- scan -------------------------------------------------------------------------------------------------------------


def _scan_impl(
    *arrays: np.ndarray, body: Graph, consts: int, carries: int, length: Any, reverse: bool, kept: int = 0,
    sizes: dict[str, int] | None = None,
) -> tuple:  # fmt: skip
    fixed, carry, xs = arrays[:consts], arrays[consts : consts + carries], arrays[consts + carries :]
    ys: list[np.ndarray] = []
    with np.errstate(all="ignore"):
        runs = _acquire(body, sizes)
        try:
            order = range(length - 1, -1, -1) if reverse else range(length)
            for n, i in enumerate(order):
                out = runs[n & 1](*fixed, *carry, *[x[i] for x in xs])
                carry, row = out[:carries], out[carries:]
                if not n:
                    ys = [np.empty((length, *r.shape), r.dtype) for r in row]
                for y, r in zip(ys, row, strict=True):
                    y[i] = r
            if not length:
                ys = [
                    np.empty((0, *v.shape), v.dtype) for v in body.outputs[carries:]
                ]
            return (*[np.array(c) for c in carry], *ys)
        finally:
            _release(body, sizes, runs)


def _scan_spec(*vars_: Any, body: Graph, consts: int, carries: int, length: Any, reverse: bool, kept: int = 0) -> list:
    init = vars_[consts : consts + carries]
    return [(v.shape, v.dtype) for v in init] + [((length, *v.shape), v.dtype) for v in body.outputs[carries:]]


def _split(body: Graph, consts: int, carries: int) -> tuple[Graph, Graph, list[int], list[int], int]:
    """The forward body that also returns what the backward one needs, and the backward body.

    Backward inputs: constants, gradient of the constants so far, gradient of the carry; then a row of xs, what was
    kept, and the gradients of the forward results. Also returned: which constants and xs have gradients, and how many
    values are kept.
    """
    trace = Trace(annotate=False)
    tape = GradientTape(persistent=True, watch_accessed_variables=False)
    tapes, context.tapes = context.tapes, ()
    try:
        with trace:
            inputs = [trace.input(v.shape, v.dtype) for v in body.inputs]
            smooth = [differentiable(v.dtype) for v in inputs]
            with tape:
                tape.watch([v for v, s in zip(inputs, smooth, strict=True) if s])
                outputs = replay(body, inputs)
            forward_nodes = len(trace.nodes)
            cotangents = [trace.input(o.shape, o.dtype) for o in outputs]
            pairs = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if differentiable(o.dtype)]
            # gradients seed per output, so that one tensor that is two outputs gets both
            grads = tape.gradient(
                [o for o, _ in pairs], inputs, [c for _, c in pairs], unconnected_gradients="none"
            ) if pairs else [None] * len(inputs)
            grads = [
                (g if g is not None else P.full_like(v, 0)) if s else None
                for g, v, s in zip(grads, inputs, smooth, strict=True)
            ]
            sums = [i for i in range(consts) if smooth[i]]
            rows = [i for i in range(consts + carries, len(inputs)) if smooth[i]]
            so_far = [trace.input(inputs[i].shape, inputs[i].dtype) for i in sums]
            totals = [P.add(a, grads[i]) for a, i in zip(so_far, sums, strict=True)]
            dcarry = [
                grads[i] if grads[i] is not None else P.full_like(inputs[i], 0)
                for i in range(consts, consts + carries)
            ]
            results = [*totals, *dcarry, *[grads[i] for i in rows]]
    finally:
        context.tapes = tapes
    joint = drop_unused(Graph([], trace.nodes, [t.var for t in results]))
    inside = {id(n) for n in trace.nodes[:forward_nodes]}
    const_only: set[int] = {id(t.var) for t in inputs[:consts]}
    forward_values: set[int] = set()
    duplicated = []
    for node in joint.nodes:
        if id(node) in inside:
            if all(a.constant is not None or id(a) in const_only for a in node.args):
                const_only.update(id(o) for o in node.outs)
                duplicated.append(node)
            else:
                forward_values.update(id(o) for o in node.outs)
    dup = {id(n) for n in duplicated}
    back_nodes = [n for n in joint.nodes if id(n) not in inside or id(n) in dup]
    carry_ids = {id(t.var): t.var for t in inputs[consts : consts + carries]}
    kept: dict[int, Var] = {}
    for v in [a for n in back_nodes for a in n.args] + joint.outputs:
        if id(v) in forward_values or id(v) in carry_ids:
            kept[id(v)] = v
    residuals = list(kept.values())
    out_vars = [trace.var_of(o) for o in outputs]
    forward = Graph([t.var for t in inputs], trace.nodes[:forward_nodes], [*out_vars, *residuals])
    back_inputs = [
        *[t.var for t in inputs[:consts]],
        *[t.var for t in so_far],
        *[t.var for t in cotangents[:carries]],
        *[t.var for t in inputs[consts + carries :]],
        *residuals,
        *[t.var for t in cotangents[carries:]],
    ]
    return drop_unused(forward), Graph(back_inputs, back_nodes, joint.outputs), sums, rows, len(residuals)


def _halves(body: Graph, consts: int, carries: int) -> tuple:
    cached = body.__dict__.get("halves")
    if cached is None:
        cached = body.__dict__["halves"] = _split(body, consts, carries)
        cached[0].__dict__["plain"] = body
    return cached


def _scan_vjps(
    g: tuple, y: tuple, *args: Tensor, wanted: list, body: Graph, consts: int, carries: int, length: Any,
    reverse: bool, kept: int = 0,
) -> list:  # fmt: skip
    plain_outputs = len(body.outputs) - kept
    base = body.__dict__.get("plain") if kept else None
    if base is None or any(d is not None for d in g[plain_outputs:]):
        # what the backward pass needs was not kept: run forward again and keep it
        forward, backward, sums, rows, count = _halves(body, consts, carries)
        outs = bind(
            scan_p, *args, body=forward, consts=consts, carries=carries, length=length, reverse=reverse, kept=count
        )
        residuals = outs[len(outs) - count :] if count else ()
        results = y
    else:
        _, backward, sums, rows, count = _halves(base, consts, carries)
        residuals = y[plain_outputs:]
        results, g = y[:plain_outputs], g[:plain_outputs]
    g = tuple(P.full_like(o, 0) if d is None else d for d, o in zip(g, results, strict=True))
    start = [P.full_like(args[i], 0) for i in sums]
    outs = bind(
        scan_p,
        *args[:consts],
        *start,
        *g[:carries],
        *args[consts + carries :],
        *residuals,
        *g[carries:],
        body=backward,
        consts=consts,
        carries=len(sums) + carries,
        length=length,
        reverse=not reverse,
    )
    grads: list = [None] * len(args)
    for i, t in zip(sums, outs, strict=False):
        grads[i] = t
    for i in range(carries):
        if differentiable(args[consts + i].dtype):
            grads[consts + i] = outs[len(sums) + i]
    for i, t in zip(rows, outs[len(sums) + carries :], strict=True):
        grads[i] = t
    return grads


scan_p = P.TABLE["scan"] = Primitive("scan", _scan_impl, _scan_spec, _scan_vjps, several=True)


def replay(graph: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Bind the nodes of a graph again on other inputs."""
    env = {id(v): t for v, t in zip(graph.inputs, inputs, strict=True)}

    def get(v: Var) -> Tensor:
        return env[id(v)] if id(v) in env else Tensor(v.constant)

    for node in graph.nodes:
        out = bind(node.prim, *map(get, node.args), **node.params)
        for v, t in zip(node.outs, out if node.prim.several else (out,), strict=True):
            env[id(v)] = t
    return [get(v) for v in graph.outputs]


class _Row:
    """The shape and dtype of one step of a scanned tensor."""

    def __init__(self, x: Any):
        self.shape, self.dtype = x.shape[1:], x.dtype


def repeat(f: Callable, init: Any, count: int) -> Any:
    """`f(i, value)` for i from 0, `count` times; in a program as a scan, whose source does not grow with the count."""
    if context.trace is None or count <= 1:
        value = init
        for i in range(count):
            value = f(Tensor(np.asarray(i, "int32")), value)
        return value

    def step(carry: tuple, x: None) -> tuple:
        i, value = carry
        return (P.add(i, P.constant(1, "int32")), f(i, value)), []

    return scan(step, (P.constant(0, "int32"), init), None, count)[0][1]


def scan(f: Callable, init: Any, xs: Any = None, length: Any = None, reverse: bool = False) -> tuple[Any, Any]:
    """Fold `f(carry, x) -> (carry, y)` over the leading axis of xs; returns the last carry and the stacked ys."""
    xs_flat = tree.flatten(xs) if xs is not None else []
    init_flat = [t if isinstance(t, Tensor) else Tensor(np.asarray(t)) for t in tree.flatten(init)]
    n = length if length is not None else xs_flat[0].shape[0]
    written: list = []

    def step(*flat: Tensor) -> Any:
        carry = tree.pack_sequence_as(init, flat[: len(init_flat)])
        x = tree.pack_sequence_as(xs, flat[len(init_flat) : len(init_flat) + len(xs_flat)]) if xs is not None else None
        for v, t in zip(written, flat[len(init_flat) + len(xs_flat) :], strict=True):
            v.assign(t)
        carry, y = f(carry, x)
        return carry, y

    rows = [_Row(x) for x in xs_flat]
    body = Body(step, [*init_flat, *rows])
    if body.written:  # variables assigned in the loop are carried through it
        written.extend(body.written)
        body = Body(step, [*init_flat, *rows, *[v._read() for v in written]])
        if set(body.written) - set(written):
            raise ValueError("The body of a scan must assign the same variables each time it is traced.")
    if len(tree.flatten(body.structure[0])) != len(init_flat):
        raise TypeError("The carry that the body of a scan returns must have the structure of `init`.")
    for a, b in zip(init_flat, body.outputs, strict=False):
        if not same_shape(a.shape, b.shape) or a.dtype != b.dtype:
            raise TypeError(
                f"The carry of a scan must keep its shape and dtype: it went in as {a.shape} {a.dtype} and came out as "
                f"{b.shape} {b.dtype}."
            )
    graph = body.graph
    order, outputs = _ordered(body, graph, len(init_flat), len(xs_flat), written)
    n_out = len(init_flat)
    ins = graph.inputs
    own = len(init_flat) + len(xs_flat) + len(written)
    closed = Graph(
        [*ins[own:], *ins[:n_out], *ins[len(init_flat) + len(xs_flat) : own], *ins[n_out : n_out + len(xs_flat)]],
        graph.nodes,
        outputs,
    )
    closed = optimise(closed)
    outside = body.outside()
    args = [*outside, *init_flat, *[v._read() for v in written], *xs_flat]
    params = dict(consts=len(outside), carries=n_out + len(written), length=n, reverse=reverse)
    watched = any(id(a) in t._watched for t in context.tapes for a in args)
    if watched:  # keep what the gradient will need
        closed, _, _, _, kept = _halves(closed, params["consts"], params["carries"])
        params["kept"] = kept
    out = bind(scan_p, *args, body=closed, **params)
    for v, t in zip(written, out[n_out : n_out + len(written)], strict=True):
        v.assign(t)
    ys = iter(out[n_out + len(written) :])
    stacked = tree.map_structure(lambda leaf: leaf if leaf is None else next(ys), body.structure[1])
    return tree.pack_sequence_as(init, out[:n_out]), stacked


def _ordered(body: Body, graph: Graph, n_init: int, n_xs: int, written: list) -> tuple[list, list]:
    """The results in scan's order: carry, written variables, ys."""
    outs = graph.outputs
    carry, ys = outs[:n_init], outs[n_init : body.count]
    state = dict(zip(body.written, outs[body.count :], strict=True))
    held = graph.inputs[n_init + n_xs : n_init + n_xs + len(written)]
    return [], [*carry, *[state.get(v, h) for v, h in zip(written, held, strict=True)], *ys]


# -- cond -------------------------------------------------------------------------------------------------------------


def _cond_impl(pred: np.ndarray, *arrays: np.ndarray, true: Graph, false: Graph, sizes: Any = None) -> tuple:
    return _call_body(true if pred else false, sizes, arrays)


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
    while bool(_call_body(test, sizes, (*t_fixed, *carry))[0]):
        carry = _call_body(body, sizes, (*fixed, *carry))
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


__all__ = ["Traced", "cond", "scan", "suspended", "while_loop"]
