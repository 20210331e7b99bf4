"""Bodies of loops and branches: functions traced to closed graphs, and how they are run."""

import contextlib
from typing import Any, Callable, Sequence

import numpy as np

from kerasish.base import tree
from kerasish.engine.core import bind, context
from kerasish.engine.graph import Graph, Var
from kerasish.engine.program import Program
from kerasish.engine.tensor import Tensor
from kerasish.engine.trace import Trace
from kerasish.engine.variable import BodyScope, get_stateless_scope


class Body:
    """A traced function: a closed graph, what it takes from outside, and which variables it writes."""

    def __init__(self, fn: Callable, specs: Sequence[Any]):
        outer = context.trace
        trace = Trace(tapes=(*context.tapes, *(outer.tapes if outer is not None else ())))
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


def call_body(graph: Graph, sizes: dict[str, int] | None, arrays: Sequence[np.ndarray]) -> tuple:
    """Run a body once; the results are arrays of their own."""
    runs = acquire(graph, sizes)
    try:
        return tuple(np.array(r) for r in runs[0](*arrays))
    finally:
        release(graph, sizes, runs)


def acquire(graph: Graph, sizes: dict[str, int] | None, rows: int = 0) -> Any:
    """Two workspaces of a body, used in turn: what one step leaves is read by the next while it writes elsewhere.

    rows: how many of its results, the last, are written to arrays given to it; the same in every call for a body.
    """
    sizes = sizes or {}
    program = graph.__dict__.get("program")
    if program is None:
        program = graph.__dict__["program"] = Program(graph, "body", symbols=sorted(sizes), rows=rows)
    key = tuple(sizes[s] for s, _, _ in program.symbols)
    try:
        return program._pool.setdefault(key, []).pop()
    except IndexError:
        return program.bind(key), program.bind(key)


def release(graph: Graph, sizes: dict[str, int] | None, runs: Any) -> None:
    program = graph.__dict__["program"]
    program._pool.setdefault(tuple((sizes or {})[s] for s, _, _ in program.symbols), []).append(runs)


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
