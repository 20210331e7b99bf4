"""`scan`: a loop whose body is a graph, and its gradient, a scan in the other direction.

What a body computes from its constants alone is computed before the loop. The gradient of a constant that enters as a
matrix product is one product over all steps after the loop, where the steps' own would each be added up.
"""

from typing import Any, Callable, Sequence

import numpy as np

from kerasish.base import tree
from kerasish.engine import primitives as P
from kerasish.engine.autodiff import GradientTape, differentiable
from kerasish.engine.bodies import Body, acquire, release, replay
from kerasish.engine.core import Primitive, bind, context
from kerasish.engine.dims import evaluate, same_shape
from kerasish.engine.graph import Graph, Node, Var
from kerasish.engine.passes import RANDOM, drop_unused, optimise
from kerasish.engine.tensor import Tensor, Traced
from kerasish.engine.trace import Trace


def _scan_impl(
    *arrays: np.ndarray, body: Graph, consts: int, carries: int, length: Any, reverse: bool, kept: int = 0,
    sizes: dict[str, int] | None = None,
) -> tuple:  # fmt: skip
    fixed, carry, xs = arrays[:consts], arrays[consts : consts + carries], arrays[consts + carries :]
    made = body.outputs[carries:]
    ys = [np.empty((length, *evaluate(v.shape, sizes or {})), v.dtype) for v in made]
    with np.errstate(all="ignore"):
        runs = acquire(body, sizes, len(made))
        try:
            order = range(length - 1, -1, -1) if reverse else range(length)
            for n, i in enumerate(order):
                carry = runs[n & 1](*fixed, *carry, *[x[i] for x in xs], *[y[i, ...] for y in ys])
            return (*[np.array(c) for c in carry], *ys)
        finally:
            release(body, sizes, runs)


def _scan_spec(*vars_: Any, body: Graph, consts: int, carries: int, length: Any, reverse: bool, kept: int = 0) -> list:
    init = vars_[consts : consts + carries]
    return [(v.shape, v.dtype) for v in init] + [((length, *v.shape), v.dtype) for v in body.outputs[carries:]]


def _depends_on_constants_alone(nodes: Sequence[Node], constants: Sequence[Var]) -> list[Node]:
    known = {id(v) for v in constants}
    found = []
    for node in nodes:
        pure = not node.prim.effect and node.prim not in RANDOM
        if pure and node.args and all(a.constant is not None or id(a) in known for a in node.args):
            found.append(node)
            known.update(id(o) for o in node.outs)
    return found


def _lift(body: Graph, consts: int) -> tuple[Graph, Graph, int]:
    """What a body computes from its constants alone, taken out of the loop.

    Returns the graph that computes the constants of the body that is left from those of the body given, that body, and
    how many constants it has. A transposed matrix is laid out in order, since every step reads it.
    """
    own = body.inputs[:consts]
    before = _depends_on_constants_alone(body.nodes, own)
    moved = {id(n) for n in before}
    nodes = [n for n in body.nodes if id(n) not in moved]
    made = {id(o): n for n in before for o in n.outs}
    read = {id(v): v for n in nodes for v in n.args} | {id(v): v for v in body.outputs}
    inside = [v for v in own if id(v) in read] + [v for i, v in read.items() if i in made]
    outside = []
    for v in inside:
        if id(v) in made and made[id(v)].prim is P.transpose:
            ordered = Var(v.shape, v.dtype, where=v.where)
            before.append(Node(P.contiguous, (v,), {}, (ordered,), made[id(v)].where))
            v = ordered
        outside.append(v)
    return Graph(own, before, outside), Graph([*inside, *body.inputs[consts:]], nodes, body.outputs), len(inside)


def _terms(v: Var, producer: dict) -> list[Var]:
    """The summands of a value."""
    node = producer.get(id(v))
    if node is None or node.prim is not P.add or not all(same_shape(a.shape, v.shape) for a in node.args):
        return [v]
    return [t for a in node.args for t in _terms(a, producer)]


class _Halves:
    """A body in two: forward, with what the other one needs among its results, and backward.

    forward:  the body, which also returns `kept` values.
    before:   computes the constants of `backward`, `consts` in number, from those of the body.
    backward: takes those, the gradients of `sums` so far, the gradient of the carry; then, of the rows of xs, what was
              kept and the gradients of the ys, those that it needs: `needed`. Returns the sums, the gradient of the carry
              before, the gradients of `rows` (inputs of the body), and values for `products`.
    products: (input, a, b) for constants whose gradients are made after the loop, see _after_the_loop. A factor is
              ("row", position among the rows that backward could take) or ("out", position among the ys it returns).
    """

    def __init__(self, body: Graph, consts: int, carries: int):
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
                forward = list(trace.nodes)
                cotangents = [trace.input(o.shape, o.dtype) for o in outputs]
                pairs = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if differentiable(o.dtype)]
                # gradients seed per output, so that one tensor that is two outputs gets both
                grads = (
                    tape.gradient([o for o, _ in pairs], inputs, [c for _, c in pairs], unconnected_gradients="none")
                    if pairs
                    else [None] * len(inputs)
                )
                constant = {id(t.var) for t in inputs[:consts]}
                constant |= {
                    id(o)
                    for n in _depends_on_constants_alone(trace.nodes, [t.var for t in inputs[:consts]])
                    for o in n.outs
                }
                producer = {id(o): n for n in trace.nodes for o in n.outs}
                terms = [
                    (i, t)
                    for i in range(consts)
                    if smooth[i] and grads[i] is not None
                    for t in _terms(trace.var_of(grads[i]), producer)
                ]
                products, rest = _after_the_loop(terms, producer, constant)
                totals = {i: trace.input(inputs[i].shape, inputs[i].dtype) for i in dict.fromkeys(i for i, _ in rest)}
                so_far = list(totals.values())
                for i, t in rest:
                    totals[i] = P.add(totals[i], Traced(t, trace) if t.constant is None else Tensor(t.constant))
                self.sums = list(totals)
                dcarry = [
                    g if g is not None else P.full_like(v, 0)
                    for g, v in zip(grads[consts : consts + carries], inputs[consts:], strict=False)
                ]
                self.rows = [i for i in range(consts + carries, len(inputs)) if smooth[i] and grads[i] is not None]
                results = [trace.var_of(t) for t in [*totals.values(), *dcarry, *[grads[i] for i in self.rows]]]
        finally:
            context.tapes = tapes
        factors = [f for _, *pair in products for f in pair if f is not None]
        joint = drop_unused(Graph([], trace.nodes, [*results, *factors]))
        inside = {id(n) for n in forward if not {id(o) for o in n.outs} & constant}
        kept = {id(o) for n in forward for o in n.outs} - constant | {
            id(t.var) for t in inputs[consts : consts + carries]
        }
        nodes = [n for n in joint.nodes if id(n) not in inside]
        read = {id(v): v for v in [*(a for n in nodes for a in n.args), *joint.outputs]}
        again = [  # views of what is kept anyway
            n for n in forward if n.prim.view and id(n.outs[0]) in read and id(n.args[0]) in read and id(n) in inside
        ]
        nodes = [*again, *nodes]
        kept -= {id(n.outs[0]) for n in again}
        residuals = [v for i, v in read.items() if i in kept]
        self.kept = len(residuals)
        self.forward = drop_unused(
            Graph([t.var for t in inputs], forward, [*[trace.var_of(o) for o in outputs], *residuals])
        )
        self.forward.__dict__["plain"] = body
        rows = [*[t.var for t in inputs[consts + carries :]], *residuals, *[t.var for t in cotangents[carries:]]]
        at = {id(v): ("row", i) for i, v in enumerate(rows)}
        ys = results[len(totals) + carries :]
        for f in (*ys, *factors):
            if id(f) not in at:
                at[id(f)] = ("out", ys.index(f) if f in ys else len(ys))
                ys += [] if f in ys else [f]
        self.products = [(i, a and at[id(a)], at[id(b)]) for i, a, b in products]
        used = {id(a) for n in nodes for a in n.args} | {id(v) for v in results}
        self.needed = [i for i, v in enumerate(rows) if id(v) in used]
        state = [t.var for t in (*so_far, *cotangents[:carries])]
        backward = Graph(
            [*[t.var for t in inputs[:consts]], *state, *[rows[i] for i in self.needed]],
            nodes,
            [*results[: len(state)], *ys],
        )
        self.before, self.backward, self.consts = _lift(backward, consts)


def _after_the_loop(terms: list, producer: dict, constant: set) -> tuple[list, list]:
    """Which gradients of constants, of those given as (input, value in a step), are made after the loop, and the rest.

    The former as (input, a, b): the product of a transposed and b, or where a is None the sum of the rows of b.
    """
    products: list = []
    for i, v in terms:
        node = producer.get(id(v))
        if node is None or node.prim is not P.matmul or any(len(a.shape) != 2 for a in node.args):
            continue
        turned, b = producer.get(id(node.args[0])), node.args[1]
        if turned is not None and turned.prim is P.transpose:
            a = turned.args[0]
            if not any(f.constant is not None or id(f) in constant for f in (a, b)):
                products.append((i, a, b, v))
    stacked = {id(b) for _, _, b, _ in products}
    for i, v in terms:
        node = producer.get(id(v))
        if node is not None and node.prim is P.sum_ and node.params == {"axis": (0,), "keepdims": False}:
            if id(node.args[0]) in stacked:
                products.append((i, None, node.args[0], v))
    done = {(i, id(v)) for i, _, _, v in products}
    return [p[:3] for p in products], [(i, v) for i, v in terms if (i, id(v)) not in done]


def _halves(body: Graph, consts: int, carries: int) -> _Halves:
    cached = body.__dict__.get("halves")
    if cached is None:
        cached = body.__dict__["halves"] = _Halves(body, consts, carries)
    return cached


def _scan_vjps(
    g: tuple, y: tuple, *args: Tensor, wanted: list, body: Graph, consts: int, carries: int, length: Any,
    reverse: bool, kept: int = 0,
) -> list:  # fmt: skip
    plain_outputs = len(body.outputs) - kept
    base = body.__dict__.get("plain") if kept else None
    if base is None or any(d is not None for d in g[plain_outputs:]):
        # what the backward pass needs was not kept: run forward again and keep it
        halves = _halves(body, consts, carries)
        outs = bind(
            scan_p, *args, body=halves.forward, consts=consts, carries=carries, length=length, reverse=reverse,
            kept=halves.kept,
        )  # fmt: skip
        residuals = outs[len(outs) - halves.kept :]
        results = y
    else:
        halves = _halves(base, consts, carries)
        residuals = y[plain_outputs:]
        results, g = y[:plain_outputs], g[:plain_outputs]
    g = tuple(P.full_like(o, 0) if d is None else d for d, o in zip(g, results, strict=True))
    rows = [*args[consts + carries :], *residuals, *g[carries:]]
    outs = bind(
        scan_p,
        *replay(halves.before, args[:consts]),
        *[P.full_like(args[i], 0) for i in halves.sums],
        *g[:carries],
        *[rows[i] for i in halves.needed],
        body=halves.backward,
        consts=halves.consts,
        carries=len(halves.sums) + carries,
        length=length,
        reverse=not reverse,
    )
    grads: list = [None] * len(args)
    for i, t in zip(halves.sums, outs, strict=False):
        grads[i] = t
    dcarry, ys = outs[len(halves.sums) :][:carries], outs[len(halves.sums) + carries :]
    for i, t in enumerate(dcarry, consts):
        if differentiable(args[i].dtype):
            grads[i] = t
    for i, t in zip(halves.rows, ys, strict=False):
        grads[i] = t
    for i, *factors in halves.products:
        a, b = [f and _one_after_another((rows if f[0] == "row" else ys)[f[1]]) for f in factors]
        product = P.sum_(b, axis=(0,), keepdims=False) if a is None else P.matmul(P.swap(a), b)
        grads[i] = product if grads[i] is None else P.add(grads[i], product)
    return grads


def _one_after_another(stack: Tensor) -> Tensor:
    """The rows of all steps as one matrix."""
    steps, n, m = stack.shape
    return P.reshape(stack, shape=(steps * n, m))


scan_p = P.TABLE["scan"] = Primitive("scan", _scan_impl, _scan_spec, _scan_vjps, several=True)


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
    outputs = _ordered(body, graph, len(init_flat), len(xs_flat), written)
    n_out = len(init_flat)
    ins = graph.inputs
    own = len(init_flat) + len(xs_flat) + len(written)
    closed = Graph(
        [*ins[own:], *ins[:n_out], *ins[len(init_flat) + len(xs_flat) : own], *ins[n_out : n_out + len(xs_flat)]],
        graph.nodes,
        outputs,
    )
    outside = body.outside()
    before, closed, consts = _lift(optimise(closed), len(outside))
    outside = replay(before, outside)
    args = [*outside, *init_flat, *[v._read() for v in written], *xs_flat]
    params = dict(consts=consts, carries=n_out + len(written), length=n, reverse=reverse)
    watched = any(t.watches(a) for t in context.tapes for a in args)
    if watched:  # keep what the gradient will need
        halves = _halves(closed, params["consts"], params["carries"])
        closed, params["kept"] = halves.forward, halves.kept
    out = bind(scan_p, *args, body=closed, **params)
    for v, t in zip(written, out[n_out : n_out + len(written)], strict=True):
        v.assign(t)
    ys = iter(out[n_out + len(written) :])
    stacked = tree.map_structure(lambda leaf: leaf if leaf is None else next(ys), body.structure[1])
    return tree.pack_sequence_as(init, out[:n_out]), stacked


def _ordered(body: Body, graph: Graph, n_init: int, n_xs: int, written: list) -> list:
    """The results in scan's order: carry, written variables, ys."""
    outs = graph.outputs
    carry, ys = outs[:n_init], outs[n_init : body.count]
    state = dict(zip(body.written, outs[body.count :], strict=True))
    held = graph.inputs[n_init + n_xs : n_init + n_xs + len(written)]
    return [*carry, *[state.get(v, h) for v, h in zip(written, held, strict=True)], *ys]
