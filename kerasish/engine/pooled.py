"""Passes around pooling: what commutes with it is done where there are fewer elements."""

from typing import Any

from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim, same_shape
from kerasish.engine.graph import Graph, Node, Var, rewrite

GRADIENTS = (P.max_pool_grad, P.avg_pool_grad)


def _uses(graph: Graph) -> dict[int, list[Node]]:
    """The nodes that take each value, by its id."""
    uses: dict[int, list[Node]] = {}
    for node in graph.nodes:
        for a in node.args:
            uses.setdefault(id(a), []).append(node)
    return uses


def relu_after_pooling(graph: Graph) -> Graph:
    """max_pool(relu(x)) as relu(max_pool(x)), and its gradient the same way back.

    Both are the same to the bit: the greatest of the positive values stands where the greatest value does, and where no
    value is positive, no gradient goes.
    """
    uses = _uses(graph)
    kept = {id(v) for v in graph.results()}
    pools: dict[int, Var] = {}  # the input of the relu, by the pooling node's output
    grads: dict[int, Var] = {}  # ... and by the output of the gradient's node
    masks: set[int] = set()  # outputs of the relu's gradient
    for node in graph.nodes:
        if node.prim is P.relu and id(node.outs[0]) not in kept:
            found = _pooled(node, uses, kept)
            if found is not None:
                pool, back, mask = found
                pools[id(pool.outs[0])] = node.args[0]
                grads |= {id(n.outs[0]): node.args[0] for n in back}
                masks |= {id(n.outs[0]) for n in mask}
    greatest: dict[int, Var] = {}  # what is pooled before the relu, by what is after it

    def rule(node: Node, producer: dict) -> Any:
        out = node.outs[0]
        if id(out) in masks:
            return node.args[0]
        if id(out) in pools:
            before = Var(out.shape, out.dtype, where=out.where)
            greatest[id(out)] = before
            return [
                Node(P.max_pool, (pools[id(out)],), node.params, (before,), node.where),
                Node(P.relu, (before,), {}, node.outs, node.where),
            ]
        if id(out) in grads:
            dy, _, y = node.args
            part = Var(dy.shape, dy.dtype, where=dy.where)
            return [
                Node(P.relu_grad, (dy, y), {}, (part,), node.where),
                Node(P.max_pool_grad, (part, grads[id(out)], greatest[id(y)]), node.params, node.outs, node.where),
            ]
        return None

    return rewrite(graph, rule) if pools else graph


def _pooled(relu: Node, uses: dict[int, list[Node]], kept: set[int]) -> tuple[Node, list[Node], list[Node]] | None:
    """The pooling of a relu's result, the nodes of its gradient and of the relu's, if nothing else uses the result."""
    r = relu.outs[0]
    pool = [n for n in uses.get(id(r), ()) if n.prim is P.max_pool]
    if len(pool) != 1 or not _has_a_place_in_every_window(pool[0]):
        return None
    y = pool[0].outs[0]
    back = [
        n
        for n in uses[id(r)]
        if n.prim is P.max_pool_grad and n.args[1] is r and n.args[2] is y and n.args[0] is not r and n.params == pool[0].params
    ]
    mask = [n for b in back for n in uses.get(id(b.outs[0]), ())]
    if any(n.prim is not P.relu_grad or n.args[1] is not r or n.args[0] is r for n in mask):
        return None
    if any(id(b.outs[0]) in kept for b in back) or {id(n) for n in uses[id(r)]} != {id(n) for n in (*pool, *back, *mask)}:
        return None
    return pool[0], back, mask


def bias_after_pooling(graph: Graph) -> Graph:
    """max_pool(x + b), with b a number for each channel, as max_pool(x) + b: the same to the bit for finite
    numbers, since rounding keeps order.

    Not where there is a gradient: two values that differ may be rounded to the same sum, of which the first would get it.
    """
    uses, kept = _uses(graph), {id(v) for v in graph.results()}

    def rule(node: Node, producer: dict) -> Any:
        if node.prim is not P.max_pool or not _has_a_place_in_every_window(node):
            return None
        x, out = node.args[0], node.outs[0]
        total = producer.get(id(x))
        if total is None or total.prim is not P.add or x.dtype.kind != "f" or id(x) in kept or len(uses[id(x)]) > 1:
            return None
        terms = [a for a in total.args if not _for_channels(a)]
        if len(terms) != 1 or not same_shape(terms[0].shape, x.shape):
            return None
        greatest = Var(out.shape, out.dtype, where=out.where)
        args = tuple(greatest if a is terms[0] else a for a in total.args)
        return [
            Node(P.max_pool, (terms[0],), node.params, (greatest,), node.where),
            Node(P.add, args, {}, node.outs, total.where),
        ]

    return rewrite(graph, rule)


def _has_a_place_in_every_window(pool: Node) -> bool:
    return all(max(pad) < k for pad, k in zip(pool.params["padding"], pool.params["size"], strict=True))


def _for_channels(b: Var) -> bool:
    """Whether a value is one number for each channel."""
    return all(not isinstance(d, Dim) and d == 1 for d in b.shape[:-1])


def sums_of_gradients(graph: Graph) -> Graph:
    """The sum, by channel, of pooling's gradient: that of what it spreads, as nothing is lost where nothing is cropped."""

    def rule(node: Node, producer: dict) -> Any:
        if node.prim is not P.sum_ or node.params["axis"] != tuple(range(len(node.args[0].shape) - 1)):
            return None
        spread = producer.get(id(node.args[0]))
        if spread is None or spread.prim not in GRADIENTS or any(min(pad) < 0 for pad in spread.params["padding"]):
            return None
        return Node(P.sum_, (spread.args[0],), node.params, node.outs, node.where)

    return rewrite(graph, rule)
