"""Primitives, the one door to computation (`bind`), and the context that decides what the door does."""

import threading
from typing import Any, Callable, Sequence

import numpy as np

from kerasish.engine.tensor import Tensor


class Context(threading.local):
    """What is open in this thread: the trace being recorded (or None), and the tapes."""

    def __init__(self) -> None:
        self.trace: Any = None
        self.tapes: tuple = ()


context = Context()


class suspended:
    """A block in which nothing is recorded and everything is computed: variables are created in it."""

    def __enter__(self) -> None:
        self._before = context.trace, context.tapes
        context.trace, context.tapes = None, ()

    def __exit__(self, *exc: Any) -> None:
        context.trace, context.tapes = self._before


class Primitive:
    """One operation: a row of the table in `primitives`.

    name:      how programs and errors call it
    impl:      NumPy implementation; positional arrays, then keyword parameters
    spec:      (*vars, **params) -> (shape, dtype), or a list of those if the primitive has several results
    vjps:      one function per argument, (g, y, *xs, **params) -> gradient of that argument; None where there is none.
               A single function in place of the tuple returns all of them at once.
    out:       impl takes a place for its result: "positional" (ufuncs, last), "keyword" or None
    view:      the result may share memory with the first argument, and is computed once where that never moves
    inplace:   positions of the arguments whose memory the result may take over
    broadcast: arguments broadcast against each other; the gradient walk undoes it
    effect:    must stay in the program even if nothing uses it
    several:   impl returns a tuple
    pointwise: True: each element of the result depends on the elements at its place alone; "rows": each row, which is
               what stands at one index of the leading axis, on the rows at its place
    """

    __slots__ = ("broadcast", "effect", "impl", "inplace", "name", "out", "pointwise", "several", "spec", "view", "vjps")

    def __init__(
        self,
        name: str,
        impl: Callable,
        spec: Callable,
        vjps: Any = None,
        *,
        out: str | None = None,
        view: bool = False,
        inplace: Sequence[int] = (),
        broadcast: bool = False,
        effect: bool = False,
        several: bool = False,
        pointwise: bool | str = False,
    ):
        self.name, self.impl, self.spec, self.vjps = name, impl, spec, vjps
        self.out, self.view, self.inplace = out, view, tuple(inplace)
        self.broadcast, self.effect, self.several, self.pointwise = broadcast, effect, several, pointwise

    def __call__(self, *args: Tensor, **params: Any) -> Any:
        return bind(self, *args, **params)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def bind(prim: Primitive, *args: Tensor, **params: Any) -> Any:
    """Compute `prim` (eager) or record it (in a trace); either way note it on the tapes that watch an argument."""
    if context.trace is not None:
        out = context.trace.record(prim, args, params)
    else:
        with np.errstate(all="ignore"):  # poles and overflows are values (inf, nan), here as in programs
            result = prim.impl(*[a.value for a in args], **params)
        if prim.several:
            out = tuple(map(Tensor, result))
        else:
            # a view of a variable's storage must not follow the variable when that is assigned to
            if prim.view and hasattr(args[0], "_lender"):
                result = np.array(result)
            out = Tensor(result)
    for tape in context.tapes:
        tape.record(prim, args, params, out if prim.several else (out,))
    return out
