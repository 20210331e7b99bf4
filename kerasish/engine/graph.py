"""A recorded program: values, nodes, and the variables it reads and writes."""

from typing import Any, Callable, Iterable

import numpy as np

from kerasish.engine.core import Primitive


class Var:
    """A value in a graph: shape and dtype; for a constant also the array."""

    __slots__ = ("constant", "dtype", "shape", "where")

    def __init__(self, shape: tuple, dtype: np.dtype, constant: np.ndarray | None = None, where: str = ""):
        self.shape, self.dtype, self.constant, self.where = shape, dtype, constant, where

    def __repr__(self) -> str:
        kind = "const" if self.constant is not None else "var"
        return f"{kind}({'×'.join(map(str, self.shape))} {self.dtype})"


class Node:
    """One primitive applied to values. `where` names the layer and the user's line it came from."""

    __slots__ = ("args", "outs", "params", "prim", "where")

    def __init__(self, prim: Primitive, args: tuple, params: dict, outs: tuple, where: str = ""):
        self.prim, self.args, self.params, self.outs, self.where = prim, args, params, outs, where

    def __repr__(self) -> str:
        return f"{self.outs} = {self.prim.name}{self.args} {self.params or ''}"


class Graph:
    """Inputs, nodes in order, outputs; `reads` maps each variable to the value it had, `writes` to the one it gets."""

    def __init__(self, inputs: list, nodes: list, outputs: list, reads: dict | None = None, writes: dict | None = None):
        self.inputs, self.nodes, self.outputs = inputs, nodes, outputs
        self.reads: dict[Any, Var] = reads or {}
        self.writes: dict[Any, Var] = writes or {}

    def results(self) -> Iterable[Var]:
        """What the program is for: its outputs, and the values it leaves in variables."""
        yield from self.outputs
        yield from self.writes.values()

    def rewritten(self, nodes: list, substitute: Callable[[Var], Var]) -> "Graph":
        """The graph with other nodes, and its results replaced through `substitute`."""
        return Graph(
            self.inputs,
            nodes,
            [substitute(v) for v in self.outputs],
            self.reads,
            {k: substitute(v) for k, v in self.writes.items()},
        )


def rewrite(graph: Graph, rule: Callable[[Node, dict], Any]) -> Graph:
    """Rebuild the graph node by node.

    `rule(node, producer)` returns None (keep it), a Node or a list of them to stand in its place, or a Var to use instead.
    """
    replaced: dict[int, Var] = {}
    producer: dict[int, Node] = {}
    nodes = []

    def sub(v: Var) -> Var:
        return replaced.get(id(v), v)

    for node in graph.nodes:
        node = Node(node.prim, tuple(map(sub, node.args)), node.params, node.outs, node.where)
        got = rule(node, producer)
        if isinstance(got, Var):
            replaced[id(node.outs[0])] = got
            continue
        for new in got if isinstance(got, list) else [got or node]:
            nodes.append(new)
            for o in new.outs:
                producer[id(o)] = new
    return graph.rewritten(nodes, sub)


def verify(graph: Graph) -> None:
    """Raise AssertionError unless every value is defined once, before it is used, and fits its primitive's rule."""
    known = {id(v) for v in graph.inputs} | {id(v) for v in graph.reads.values()}
    for node in graph.nodes:
        for a in node.args:
            assert a.constant is not None or id(a) in known, f"{node} uses a value that nothing defines: {a}"
        expected = node.prim.spec(*node.args, **node.params)
        expected = expected if node.prim.several else [expected]
        for out, (shape, dtype) in zip(node.outs, expected, strict=True):
            assert id(out) not in known, f"{node} defines a value twice"
            assert tuple(out.shape) == tuple(shape) and out.dtype == dtype, f"{node}: {out} is not {shape} {dtype}"
            known.add(id(out))
    for v in graph.results():
        assert v.constant is not None or id(v) in known, f"a result is never computed: {v}"
