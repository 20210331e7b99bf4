"""Recording: run a Python function once on tensors that have shapes but no numbers, and keep what it did."""

import os
import sys
from contextlib import contextmanager, nullcontext
from typing import Any, Callable, Iterator, Sequence

import numpy as np

from kerasish.base import naming, tree
from kerasish.base.errors import NeedsSize, TracingError
from kerasish.engine import dims
from kerasish.engine import primitives as P
from kerasish.engine.core import Primitive, context
from kerasish.engine.dims import Dim
from kerasish.engine.graph import Graph, Node, Var
from kerasish.engine.tensor import Tensor, TensorSpec, Traced
from kerasish.engine.variable import SymbolicScope, get_stateless_scope

_LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def user_line() -> str:
    """`file:line` of the innermost frame outside the library."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith(_LIBRARY) and not path.startswith("<"):
            return f"{os.path.basename(path)}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


@contextmanager
def comes_from(origin: str) -> Iterator[None]:
    """What programs say where the operations within come from."""
    trace = context.trace
    if trace is None:
        yield
        return
    before = trace.origin
    trace.origin = origin or before
    try:
        yield
    finally:
        trace.origin = before


class Trace:
    """The program being recorded in this thread. Traces nest: the body of a loop is traced inside its caller's."""

    def __init__(self, annotate: bool = True, tapes: tuple = ()):
        self.tapes = tapes  # what they watch is no constant in here: a gradient may be asked for
        self.outer: Trace | None = None
        self.nodes: list[Node] = []
        self.inputs: list[Var] = []
        self.captured: dict[int, tuple[Tensor, Traced]] = {}  # values of enclosing traces used in here
        self.reads: dict[Any, Traced] = {}
        self.current: dict[Any, Traced] = {}  # what a variable holds at this point, where it was written in here
        self.constants: dict[int, tuple[Tensor, Var]] = {}
        self.annotate = annotate
        self.origin = ""  # what is recorded as where operations come from, if not the layer and the user's line
        self.open = False

    def __enter__(self) -> "Trace":
        self.outer, context.trace, self.open = context.trace, self, True
        return self

    def __exit__(self, *exc: Any) -> None:
        context.trace, self.open = self.outer, False

    # -- values -------------------------------------------------------------------------------------------------------

    def input(self, shape: tuple, dtype: Any) -> Traced:
        var = Var(tuple(shape), np.dtype(dtype))
        self.inputs.append(var)
        return Traced(var, self)

    def var_of(self, tensor: Tensor) -> Var:
        """The graph's value for a tensor: its own, a captured one, or a constant."""
        if isinstance(tensor, Traced):
            if tensor.trace is self:
                return tensor.var
            if not tensor.trace.open:
                raise TracingError(
                    f"A tensor of shape {tensor.shape} leaked from a program whose recording has ended"
                    + (f"; it was made at {tensor.var.where}" if tensor.var.where else "")
                    + ". Return it from the traced function instead of storing it, or keep state in a Variable."
                )
            if id(tensor) not in self.captured:
                var = Var(tensor.shape, tensor.dtype, where=tensor.var.where)
                self.captured[id(tensor)] = (tensor, Traced(var, self))
            return self.captured[id(tensor)][1].var
        if id(tensor) in self.captured or any(tape.watches(tensor) for tape in self.tapes):
            if id(tensor) not in self.captured:
                self.captured[id(tensor)] = (tensor, Traced(Var(tensor.shape, tensor.dtype), self))
            return self.captured[id(tensor)][1].var
        if id(tensor) not in self.constants:
            value = tensor.value.copy() if hasattr(tensor, "_lender") else tensor.value
            self.constants[id(tensor)] = (tensor, Var(value.shape, value.dtype, constant=value))
        return self.constants[id(tensor)][1]

    def record(self, prim: Primitive, args: Sequence[Tensor], params: dict) -> Any:
        vars_ = tuple(self.var_of(a) for a in args)
        specs = prim.spec(*vars_, **params)
        text = self.origin
        if not text and self.annotate:
            text = " ".join(filter(None, (naming.current_path(), user_line())))
        outs = tuple(
            Var(tuple(shape), np.dtype(dtype), where=text) for shape, dtype in (specs if prim.several else [specs])
        )
        self.nodes.append(Node(prim, vars_, params, outs, text))
        traced = tuple(Traced(o, self) for o in outs)
        return traced if prim.several else traced[0]

    # -- variables ----------------------------------------------------------------------------------------------------

    def read(self, variable: Any) -> Tensor:
        if variable in self.current:
            return self.current[variable]
        arena = variable._arena
        if arena is not None and variable is not arena.flat and arena.flat in self.current:
            out = self.current[variable] = arena.of(variable, self.current[arena.flat])
            return out
        if arena is not None and variable is arena.flat and any(m in self.current for m in arena.members):
            return arena.pack([self.read(m) for m in arena.members])
        if variable not in self.reads:
            self.reads[variable] = Traced(Var(variable.shape, variable._array.dtype), self)
        return self.reads[variable]

    def write(self, variable: Any, value: Tensor) -> Tensor:
        traced = value if isinstance(value, Traced) and value.trace is self else Traced(self.var_of(value), self)
        if any(tape.watches(traced) for tape in context.tapes):
            # what is read from a variable is its own, however it was computed: so it is eagerly
            traced = P.stop_gradient(traced)
        arena = variable._arena
        if arena is not None and variable is arena.flat:
            for m in arena.members:
                self.current.pop(m, None)
        elif arena is not None and arena.flat in self.current:
            # the whole was written before: keep one value of the whole
            members = [traced if m is variable else self.read(m) for m in arena.members]
            self.write(arena.flat, arena.pack(members))
            return traced
        self.current[variable] = traced
        return traced

    def finish(self, outputs: Sequence[Tensor]) -> Graph:
        writes = {}
        for v, t in self.current.items():
            arena = v._arena
            derived = arena is not None and v is not arena.flat and arena.flat in self.current
            if not derived and t is not self.reads.get(v):
                writes[v] = t.var
        outs = [self.var_of(t) for t in outputs]
        return Graph(self.inputs, self.nodes, outs, {v: t.var for v, t in self.reads.items()}, writes)


# -- shape inference --------------------------------------------------------------------------------------------------


def infer(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """What `fn` returns for inputs of these shapes, as TensorSpecs; nothing is computed.

    Leaves of the arguments that are TensorSpecs become traced tensors; a size of None is unknown. Where `fn` needs an
    unknown size as a number, trial sizes are used, and the sizes that differ between the results are unknown.
    """
    try:
        with dims.unknown_sizes_agree():
            return _infer(fn, args, kwargs, lambda axis: Dim.symbol(f"d{axis}"))
    except NeedsSize:
        results = [_infer(fn, args, kwargs, lambda axis, n=n: n) for n in (83, 89)]
    try:  # a small one, for what is cut off where there is enough of it; it may be too small
        results.append(_infer(fn, args, kwargs, lambda axis: 2))
    except Exception:  # noqa: BLE001
        pass
    if len({len(tree.flatten(r)) for r in results}) > 1:
        raise ValueError("How many results there are depends on a size that is unknown (None). Pass it as an argument.")
    return tree.map_structure(_agreed, *results)


def _agreed(first: Any, *others: Any) -> Any:
    if not isinstance(first, TensorSpec):
        return first
    sizes = zip(first.shape, *[o.shape for o in others], strict=True)
    return TensorSpec(tuple(d[0] if len(set(d)) == 1 else None for d in sizes), first.dtype)


def _infer(fn: Callable, args: tuple, kwargs: dict, unknown: Callable[[int], Any]) -> Any:
    trace = Trace(annotate=False)

    def enter(x: Any) -> Any:
        if not isinstance(x, TensorSpec):
            return x
        return trace.input(tuple(unknown(i) if d is None else d for i, d in enumerate(x.shape)), x.dtype)

    def leave(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        return TensorSpec(tuple(None if isinstance(d, Dim) else d for d in x.shape), x.dtype)

    before = context.tapes
    context.tapes = ()
    try:
        outer = get_stateless_scope()  # what is assigned in here has no numbers, and stays in here
        with trace, SymbolicScope(), outer.copy() if outer is not None else nullcontext():
            args, kwargs = tree.map_structure(enter, (args, kwargs))
            return tree.map_structure(leave, fn(*args, **kwargs))
    finally:
        context.tapes = before
