"""What is done to a graph before it is planned: PASSES, in order. Each takes a graph and returns one that means the same."""

import collections
from typing import Any, Callable

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.chains import row_size
from kerasish.engine.dims import Dim, broadcast_shapes, product, same, same_shape
from kerasish.engine.graph import Graph, Node, Var, rewrite
from kerasish.engine.pooled import bias_after_pooling, relu_after_pooling, sums_of_gradients

SHORT_INPUT = 64  # elements in a row of an input: to copy it is nothing beside what is computed from it
SHORT_ROW = 32  # elements: a call to the BLAS for less costs more than it saves
FOLD_LIMIT = 1 << 16  # elements of a result that is computed while building
RANDOM = tuple(p for name, p in P.TABLE.items() if name.startswith("random"))


def _has_dim(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return any(map(_has_dim, x))
    if isinstance(x, slice):
        return _has_dim((x.start, x.stop, x.step))
    return isinstance(x, Dim)


def fold_constants(graph: Graph) -> Graph:
    """Compute now what depends on constants alone."""

    def rule(node: Node, producer: dict) -> Any:
        prim = node.prim
        if prim.several or prim.effect or prim in RANDOM or any(a.constant is None for a in node.args):
            return None
        if _has_dim(tuple(node.params.values())) or int(np.prod(node.outs[0].shape)) > FOLD_LIMIT:
            return None
        with np.errstate(all="ignore"):
            value = np.asarray(prim.impl(*[a.constant for a in node.args], **node.params))
        return Var(value.shape, value.dtype, constant=value)

    return rewrite(graph, rule)


def simplify(graph: Graph) -> Graph:
    """Drop what changes nothing: identities, casts to the same dtype, x*1, x+0, needless broadcasts, double reshapes."""

    def scalar_of(v: Var, producer: dict) -> float | None:
        if v.constant is not None and v.constant.ndim == 0 and v.dtype.kind == "f":
            return float(v.constant)
        node = producer.get(id(v))
        return node.params["value"] if node is not None and node.prim is P.full and v.dtype.kind == "f" else None

    def rule(node: Node, producer: dict) -> Any:
        prim, args, out = node.prim, node.args, node.outs[0]
        if prim in (P.identity, P.stop_gradient):
            return args[0]
        if prim is P.cast and args[0].dtype == out.dtype:
            return args[0]
        if prim in (P.reshape, P.broadcast_to) and same_shape(args[0].shape, out.shape):
            return args[0]
        if prim is P.transpose and node.params["axes"] == tuple(range(len(out.shape))):
            return args[0]
        before = producer.get(id(args[0])) if args else None
        if before is not None and before.prim is prim:
            if prim is P.reshape:
                return rule(Node(prim, before.args, node.params, node.outs, node.where), producer) or Node(
                    prim, before.args, node.params, node.outs, node.where
                )
            if prim is P.transpose:
                axes = tuple(before.params["axes"][a] for a in node.params["axes"])
                new = Node(prim, before.args, {"axes": axes}, node.outs, node.where)
                return rule(new, producer) or new
        if prim is P.sum_ and all(not isinstance(args[0].shape[a], Dim) and args[0].shape[a] == 1 for a in node.params["axis"]):
            if same_shape(args[0].shape, out.shape):
                return args[0]
            return Node(P.reshape, args, {"shape": out.shape}, node.outs, node.where)
        if prim in (P.reshape, P.broadcast_to) and out.shape:
            s = _uniform(args[0], producer)
            if s is not None and before is not None and before.prim in (P.reshape, P.broadcast_to):
                return Node(P.broadcast_to, (s,), {"shape": out.shape}, node.outs, node.where)
        if prim.pointwise is True and out.shape and args:
            alike = [_uniform(a, producer) for a in args]
            if all(s is not None for s in alike):  # one number computed once
                one = Var((), out.dtype, where=out.where)
                return [
                    Node(prim, tuple(alike), node.params, (one,), node.where),
                    Node(P.broadcast_to, (one,), {"shape": out.shape}, node.outs, node.where),
                ]
        if prim in (P.add, P.sub, P.neg):
            new = _without_negation(node, producer)
            if new is not None:
                return new
        if prim in (P.add, P.sub, P.sum_):
            new = _without_zeros(node, producer)
            if new is not None:
                return new
        if prim in (P.mul, P.add, P.div, P.sub):
            neutral = 1.0 if prim in (P.mul, P.div) else 0.0
            for i in (0, 1) if prim in (P.mul, P.add) else (1,):
                x = args[1 - i]
                if scalar_of(args[i], producer) == neutral and same_shape(x.shape, out.shape):
                    return x
        if prim.broadcast:  # an argument need not be broadcast or filled beforehand
            slim = []
            for a in args:
                p = producer.get(id(a))
                if p is not None and p.prim is P.broadcast_to:
                    slim.append(p.args[0])
                elif p is not None and p.prim is P.full:
                    value = np.asarray(p.params["value"], a.dtype)
                    slim.append(Var((), a.dtype, constant=value))
                else:
                    slim.append(a)
            if any(s is not a for s, a in zip(slim, args, strict=True)):
                for i in range(len(slim)):  # keep as many as the result's shape allows
                    if not _broadcasts_to(slim, out.shape):
                        slim[i] = args[i]
                if any(s is not a for s, a in zip(slim, args, strict=True)):
                    return Node(prim, tuple(slim), node.params, node.outs, node.where)
        return None

    return rewrite(graph, rule)


def _uniform(v: Var, producer: dict) -> Var | None:
    """The scalar that a value repeats, if it is one broadcast."""
    if not v.shape:
        return v
    if v.constant is not None and v.constant.size == 1:
        return Var((), v.dtype, constant=v.constant.reshape(()))
    node = producer.get(id(v))
    if node is not None and node.prim is P.full and v.dtype.kind in "fiu":
        return Var((), v.dtype, constant=np.asarray(node.params["value"], v.dtype))
    if node is not None and node.prim in (P.reshape, P.broadcast_to):
        return _uniform(node.args[0], producer)
    return None


def _without_negation(node: Node, producer: dict) -> Any:
    """a + (-b) as a - b, a - (-b) as a + b, -(-a) as a, and -(a - b) as b - a."""

    def negated(v: Var) -> Var | None:
        p = producer.get(id(v))
        return p.args[0] if p is not None and p.prim is P.neg else None

    def make(prim: Any, a: Var, b: Var) -> Node:
        return Node(prim, (a, b), {}, node.outs, node.where)

    if node.prim is P.neg:
        inner = negated(node.args[0])
        if inner is not None:
            return inner
        p = producer.get(id(node.args[0]))
        return make(P.sub, p.args[1], p.args[0]) if p is not None and p.prim is P.sub else None
    a, b = node.args
    positive = negated(b)
    if positive is not None:
        return make(P.sub if node.prim is P.add else P.add, a, positive)
    positive = negated(a)
    return make(P.sub, b, positive) if positive is not None and node.prim is P.add else None


def _without_zeros(node: Node, producer: dict) -> Any:
    """What is said of take_along_grad, zeros but for a few places, without the zeros: its sum along the axis, and its sum
    with another value."""
    spread = producer.get(id(node.args[0]))
    if node.prim is P.sum_:
        if spread is None or spread.prim is not P.take_along_grad or node.params["axis"] != (spread.params["axis"],):
            return None
        g, index = spread.args
        fits = [d for i, d in enumerate(g.shape) if i != spread.params["axis"]]
        wanted = [d for i, d in enumerate(node.args[0].shape) if i != spread.params["axis"]]
        if not same_shape(g.shape, index.shape) or not same_shape(tuple(fits), tuple(wanted)):
            return None  # something was broadcast
        return Node(P.sum_, (g,), node.params, node.outs, node.where)
    other = node.args[1]
    if node.prim is P.add and (spread is None or spread.prim is not P.take_along_grad):
        spread, other = producer.get(id(node.args[1])), node.args[0]
    if spread is None or spread.prim is not P.take_along_grad or not same_shape(other.shape, node.outs[0].shape):
        return None
    if not same_shape(spread.outs[0].shape, node.outs[0].shape) or other.dtype != node.outs[0].dtype:
        return None
    g, index = spread.args
    into = [other]
    new = []
    if node.prim is P.sub:
        product = producer.get(id(other))
        if product is not None and product.prim is P.mul:  # the smaller factor is cheaper to negate
            big, small = sorted(product.args, key=lambda a: not same_shape(a.shape, other.shape))
            less = Var(small.shape, small.dtype, where=small.where)
            into = [Var(other.shape, other.dtype, where=other.where)]
            new = [
                Node(P.neg, (small,), {}, (less,), node.where), Node(P.mul, (big, less), {}, (into[0],), node.where)
            ]  # fmt: skip
        else:
            into = [Var(other.shape, other.dtype, where=other.where)]
            new = [Node(P.neg, (other,), {}, (into[0],), node.where)]
    return [*new, Node(P.add_along, (into[0], index, g), {"axis": spread.params["axis"]}, node.outs, node.where)]


def join_parts(graph: Graph) -> Graph:
    """The sum of arrays that are zero but for a part each, where the parts make up the whole, as the parts joined: the
    gradient of what was split."""

    def part(v: Var, producer: dict) -> tuple | None:
        """(axis, start, stop, value) of a value that is zero but for one stretch of one axis."""
        node = producer.get(id(v))
        if node is None or node.prim is not P.unslice:
            return None
        partial = [
            (axis, s) for axis, (s, d) in enumerate(zip(node.params["index"], v.shape, strict=True))
            if s.step != 1 or not same(s.start, 0) or not same(s.stop, d)
        ]  # fmt: skip
        if len(partial) != 1 or partial[0][1].step != 1 or _has_dim(partial[0][1]):
            return None
        axis, s = partial[0]
        return axis, s.start, s.stop, node.args[0]

    def parts(v: Var, producer: dict) -> list | None:
        node = producer.get(id(v))
        if node is None or node.prim is not P.add:
            one = part(v, producer)
            return None if one is None else [one]
        both = [parts(a, producer) for a in node.args]
        return None if None in both else both[0] + both[1]

    def rule(node: Node, producer: dict) -> Any:
        if node.prim is not P.add:
            return None
        both = [parts(a, producer) for a in node.args]
        if None in both:
            return None
        found = sorted(both[0] + both[1], key=lambda p: p[:3])
        axis, size = found[0][0], node.outs[0].shape[found[0][0]]
        ends = [0, *[p[2] for p in found]]
        if any(p[0] != axis for p in found) or [p[1] for p in found] != ends[:-1] or not same(ends[-1], size):
            return None
        return Node(P.concat, tuple(p[3] for p in found), {"axis": axis}, node.outs, node.where)

    return rewrite(graph, rule)


def dots_of_rows(graph: Graph) -> Graph:
    """sum(a * b) over the last axis as a dot product a row, where the products serve nothing else."""
    uses = collections.Counter(id(v) for v in [*(a for n in graph.nodes for a in n.args), *graph.results()])

    def rule(node: Node, producer: dict) -> Any:
        if node.prim is not P.sum_ or node.params["axis"] != (len(node.args[0].shape) - 1,):
            return None
        x = node.args[0]
        product_of = producer.get(id(x))
        if product_of is None or uses[id(x)] > 1 or x.dtype.char not in "fd" or isinstance(x.shape[-1], Dim):
            return None
        factors = product_of.args * (2 if product_of.prim is P.square else 1)
        if product_of.prim not in (P.mul, P.square) or x.shape[-1] < SHORT_ROW or len(x.shape) < 2:
            return None
        if any(not same_shape(f.shape, x.shape) for f in factors):
            return None
        return Node(P.row_dot, factors, {"keepdims": node.params.get("keepdims", False)}, node.outs, node.where)

    return rewrite(graph, rule)


def copies_in_order(graph: Graph) -> Graph:
    """Where a reshape of something transposed has to copy, the copy is a statement of its own: it has planned memory, and
    may be part of a chain."""

    def rule(node: Node, producer: dict) -> Any:
        before = producer.get(id(node.args[0])) if node.prim is P.reshape else None
        if before is None or before.prim is not P.transpose:
            return None
        axes, x = before.params["axes"], node.args[0]
        groups = _merged(x.shape, node.outs[0].shape)
        if groups is None or all(b == a + 1 for g in groups for a, b in zip(axes[g], axes[g][1:], strict=False)):
            return None
        ordered = Var(x.shape, x.dtype, where=x.where)
        return [
            Node(P.contiguous, (x,), {}, (ordered,), node.where),
            Node(P.reshape, (ordered,), node.params, node.outs, node.where),
        ]

    return rewrite(graph, rule)


def _merged(before: tuple, after: tuple) -> list[slice] | None:
    """Which axes make up each axis of a reshaped array, if each is made up of whole ones; sizes of 1 apart."""
    if any(not isinstance(d, Dim) and d == 1 for d in before):
        return None
    groups, start = [], 0
    for d in after:
        stop = start
        while stop < len(before) and not (stop > start and same(product(before[start:stop]), d)):
            stop += 1
        if stop == start or not same(product(before[start:stop]), d):
            return None
        groups.append(slice(start, stop))
        start = stop
    return groups if start == len(before) else None


def _broadcasts_to(args: list, shape: tuple) -> bool:
    return same_shape(broadcast_shapes(*[a.shape for a in args]), shape)


def merge_equal(graph: Graph) -> Graph:
    """Compute the same thing once."""
    seen: dict[Any, Var] = {}

    def key_of(v: Var) -> Any:
        if v.constant is not None and v.constant.size <= 16:
            return (v.dtype.str, v.constant.shape, v.constant.tobytes())
        return id(v)

    def rule(node: Node, producer: dict) -> Any:
        if node.prim.several or node.prim.effect:
            return None
        key = (node.prim.name, tuple(map(key_of, node.args)), repr(sorted(node.params.items())))
        if key in seen:
            return seen[key]
        seen[key] = node.outs[0]
        return None

    return rewrite(graph, rule)


def drop_unused(graph: Graph) -> Graph:
    """Leave out what no result needs."""
    needed = {id(v) for v in graph.results()}
    kept = []
    for node in reversed(graph.nodes):
        if node.prim.effect or any(id(o) in needed for o in node.outs):
            kept.append(node)
            needed.update(id(a) for a in node.args)
    graph = graph.rewritten(kept[::-1], lambda v: v)
    graph.reads = {k: v for k, v in graph.reads.items() if id(v) in needed}
    return graph


def copy_short_rows(graph: Graph) -> Graph:
    """Copy inputs with short rows to where they stay. What is computed from them can then be prepared, and joined with other
    calls, where otherwise each statement would meet an array in another place."""
    views = {id(v): v for v in graph.inputs if v.dtype.char in "fd" and _has_short_rows(v)}
    used: dict[int, Var] = {}
    for node in graph.nodes:
        for a in node.args:
            if id(a) in views and node.prim.view:
                views[id(node.outs[0])] = views[id(a)]
            elif id(a) in views and (node.prim.pointwise or node.prim is P.matmul) and len(node.args) > 1:
                used[id(views[id(a)])] = views[id(a)]
    if not used:
        return graph
    copies = {key: Var(v.shape, v.dtype) for key, v in used.items()}
    first = [Node(P.cast, (v,), {"dtype": v.dtype}, (copies[key],), "inputs") for key, v in used.items()]
    rest = [
        Node(n.prim, tuple(copies.get(id(a), a) for a in n.args), n.params, n.outs, n.where) for n in graph.nodes
    ]  # fmt: skip
    return graph.rewritten([*first, *rest], lambda v: v)


def _has_short_rows(v: Var) -> bool:
    size = row_size(v.shape)
    return size is not None and size <= SHORT_INPUT


PASSES = [
    drop_unused, fold_constants, simplify, merge_equal, simplify, join_parts, relu_after_pooling, drop_unused,
    bias_after_pooling, sums_of_gradients, dots_of_rows, copies_in_order, drop_unused,
]  # fmt: skip


def optimise(graph: Graph, check: Callable[[Graph], None] | None = None) -> Graph:
    """Run the passes; `check` (for instance graph.verify) sees the graph before, between and after them."""
    for p in PASSES:
        if check:
            check(graph)
        graph = p(graph)
    if check:
        check(graph)
    return graph
