"""Functions that run as programs: traced on their first call for each kind of input, then run from the plan."""

import threading
from functools import partial
from typing import Any, Callable

import numpy as np

from kerasish.base import tree
from kerasish.base.errors import NeedsSize, TracingError
from kerasish.engine import primitives as P
from kerasish.engine.core import context
from kerasish.engine.dims import Dim
from kerasish.engine.graph import Graph
from kerasish.engine.program import Program
from kerasish.engine.tensor import Tensor
from kerasish.engine.trace import Trace
from kerasish.engine.variable import in_stateless_scope


class Function:
    """`fn` as a static program.

    Arrays and tensors among the arguments (in any structure) are inputs; everything else must be hashable and is part
    of the program. Arrays that share the leading size of the first have a symbolic leading axis, so that one program
    serves every batch size. Under a tape, inside another trace or in a StatelessScope `fn` is simply called.
    """

    def __init__(self, fn: Callable, name: str | None = None):
        self.fn = fn
        self.name = name or getattr(fn, "__name__", "function")
        self._programs: dict[Any, tuple[Program, Any]] = {}
        self._concrete: set = set()
        self._lock = threading.RLock()

    @property
    def programs(self) -> list[Program]:
        """The programs made so far, the latest last."""
        return [p for p, _ in self._programs.values()]

    def __call__(self, *args: Any) -> Any:
        if context.trace is not None or context.tapes or in_stateless_scope():
            return self.fn(*args)
        program, template, arrays = self.prepare(args)
        return self._rebuild(template, program(*arrays))

    def again(self, args: tuple) -> Callable[[], tuple] | None:
        """What runs the program on these very arrays each time it is called, whatever they hold then; None if it can't."""
        if context.trace is not None or context.tapes or in_stateless_scope():
            return None
        if not all(a is None or type(a) is np.ndarray for a in args):
            return None
        program, _, arrays = self.prepare(args)
        same = all(a is b for a, b in zip(arrays, [a for a in args if a is not None], strict=True))
        return partial(program, *arrays) if same else None

    @staticmethod
    def _rebuild(template: tuple, results: tuple) -> Any:
        structure, slots = template
        leaves = [Tensor(results[s]) if type(s) is int else s[0] for s in slots]
        return leaves[0] if structure is None else tree.pack_sequence_as(structure, leaves)

    def prepare(self, args: tuple) -> tuple[Program, Any, list]:
        """The program for these arguments, the form of its results, and its input arrays."""
        flat = []
        for a in args:
            if isinstance(a, (list, tuple, dict)):
                flat.extend(tree.flatten(a))
            else:
                flat.append(a)
        arrays, key, batch = [], [], None
        for leaf in flat:
            value = leaf if type(leaf) is np.ndarray else leaf.value if isinstance(leaf, Tensor) else None
            if value is None:
                key.append(leaf)
                continue
            if not value.flags.c_contiguous:
                value = np.ascontiguousarray(value)
            arrays.append(value)
            if value.ndim:
                if batch is None:
                    batch = value.shape[0]
                key.append((value.dtype.char, value.shape[1:], value.shape[0] == batch or value.shape[0]))
            else:
                key.append((value.dtype.char,))
        shape = tuple(key)
        if len(args) != len(flat):
            shape = (shape, *[_outline(a) for a in args])
        found = self._programs.get(shape)
        if found is None and shape in self._concrete:
            shape = (shape, tuple(a.shape for a in arrays))
            found = self._programs.get(shape)
        if found is None:
            with self._lock:
                found = self._programs.get(shape) or self._make(args, shape, batch)
        return (*found, arrays)

    def _make(self, args: tuple, key: Any, batch: int | None) -> tuple[Program, Any]:
        try:
            if len(key) == 2 and key[0] in self._concrete:
                made = self._trace(args, None)
            else:
                made = self._trace(args, batch)
        except NeedsSize:
            self._concrete.add(key)
            arrays = [np.asarray(a) for a in tree.flatten(args) if isinstance(a, (np.ndarray, Tensor))]
            key = (key, tuple(a.shape for a in arrays))
            made = self._programs.get(key) or self._trace(args, None)
        self._programs[key] = made
        return made

    def _trace(self, args: tuple, batch: int | None) -> tuple[Program, Any]:
        trace = Trace()

        def enter(x: Any) -> Any:
            if not isinstance(x, (np.ndarray, Tensor)):
                return x
            shape = x.shape
            if shape and batch is not None and shape[0] == batch:
                shape = (Dim.symbol("b"), *shape[1:])
            return trace.input(shape, x.dtype)

        with trace:
            result = self.fn(*tree.map_structure(enter, args))
            leaves = tree.flatten(result)
            outputs = [x for x in leaves if isinstance(x, Tensor)]
            graph = trace.finish(outputs)
        check_sizes(graph)
        positions = iter(range(len(outputs)))
        slots = [next(positions) if isinstance(x, Tensor) else (x,) for x in leaves]
        structure = result if tree.is_nested(result) else None
        if structure is not None:
            structure = tree.map_structure(lambda x: None, structure)
        return Program(graph, self.name), (structure, slots)


def check_sizes(graph: Graph) -> None:
    """Raise TracingError if Python code in the program decides a size: memory is laid out before the program runs."""
    known = {d for v in graph.inputs for d in v.shape}
    for node in graph.nodes:
        if node.prim is P.on_host and any(isinstance(d, Dim) and d not in known for o in node.outs for d in o.shape):
            raise TracingError(
                f"The shape of a result is known only when it is there ({node.where}). TextVectorization has a fixed shape "
                "with `output_sequence_length`."
            )


def _outline(x: Any) -> Any:
    """The structure of an argument, hashable."""
    if isinstance(x, dict):
        return (dict, *[(k, _outline(x[k])) for k in sorted(x, key=str)])
    if isinstance(x, (list, tuple)):
        return (type(x), *map(_outline, x))
    return None


def function(fn: Callable | None = None, *, name: str | None = None) -> Any:
    """Decorate a function to run as a static program."""
    return Function(fn, name) if fn is not None else lambda f: Function(f, name)
