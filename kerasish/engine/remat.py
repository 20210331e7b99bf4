"""Rematerialization: a function whose intermediate values are not kept for its gradient, but computed again for it."""

import functools
from typing import Any, Callable, Sequence

from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.engine import primitives as P
from kerasish.engine.autodiff import GradientTape, differentiable
from kerasish.engine.core import Primitive, context
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import AutocastScope, Scope, StatelessScope, Variable, open_scope

MODES = (None, "full", "activations", "larger_than", "list_of_layers")


@export("keras.RematScope")
class RematScope(Scope):
    """Layers made inside compute their intermediate values again for the gradient, instead of keeping them.

    mode: "full": every layer; "activations": their activation functions alone; "larger_than": layers whose outputs have
          more than `output_size_threshold` elements (of one row); "list_of_layers": those named in `layer_names`;
          None: no layer, within an outer scope.

    >>> with RematScope("list_of_layers", layer_names=["wide"]):
    ...     current_scope().layer_names
    ['wide']
    """

    kind = "remat"

    def __init__(self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Sequence[str] | None = None):
        if mode not in MODES:
            raise ValueError(
                f"Invalid mode '{mode}'. Supported modes are: 'full', 'activations', 'larger_than', 'list_of_layers', or None."
            )
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())


def current_scope() -> RematScope | None:
    """The innermost `RematScope` of this thread, if it is in a mode that does anything."""
    scope = open_scope("remat")
    return scope if scope is not None and scope.mode is not None else None


class _Witness:
    """Stands where the tapes were while the function runs: it sees what they watch being used, and keeps nothing else."""

    def __init__(self, tapes: tuple):
        self.tapes = tapes
        self.used: dict[int, Tensor] = {}
        self.read: dict[int, tuple[Variable, Tensor]] = {}  # variables as they were when they were first read

    def accessed(self, variable: Variable, value: Tensor) -> None:
        self.read.setdefault(id(variable), (variable, value))
        for tape in self.tapes:
            tape.accessed(variable, value)

    def accessed_in_scope(self, variable: Variable, value: Tensor) -> None:
        self.read.setdefault(id(variable), (variable, value))
        for tape in self.tapes:
            tape.accessed_in_scope(variable, value)

    def watches(self, tensor: Tensor) -> bool:
        return True  # what is assigned to a variable in here may depend on something watched

    def record(self, prim: Primitive, args: tuple, params: dict, outs: tuple) -> None:
        for a in args:
            if any(tape.watches(a) for tape in self.tapes):
                self.used.setdefault(id(a), a)


@export("keras.remat")
def remat(f: Callable) -> Callable:
    """`f`, with what it computes on the way forgotten and computed again when its gradient is asked for.

    It costs the time of one more forward pass, and saves the memory of everything between f's arguments and results.
    Variables and random numbers are as they were the first time.

    >>> x = Variable(2.0)
    >>> with GradientTape() as tape:
    ...     y = remat(lambda v: P.exp(P.mul(v, v)))(x.value)
    >>> round(float(tape.gradient(y, x)), 2)
    218.39
    """

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tapes = context.tapes
        if not tapes:
            return f(*args, **kwargs)
        witness, autocast = _Witness(tapes), open_scope("autocast")
        context.tapes = (witness,)
        try:
            result = f(*args, **kwargs)
            leaves = tree.flatten(result)
            places = [i for i, x in enumerate(leaves) if isinstance(x, Tensor)]
            for i in places:  # a result has to be a tensor of its own
                if any(tape.watches(leaves[i]) for tape in tapes):
                    witness.used.setdefault(id(leaves[i]), leaves[i])
                if id(leaves[i]) in witness.used or any(leaves[i] is leaves[j] for j in places if j < i):
                    leaves[i] = P.identity(leaves[i])
        finally:
            context.tapes = tapes
        used = list(witness.used.values())

        def again(after: Tensor) -> tuple[list, list, GradientTape]:
            """Run f once more: stand-ins for what it used, its results, and the tape between them."""
            # they wait for a gradient that is there by now, so that a program does not take this for the first run
            held = {id(x): hold(x, after) for x in used}

            def put(x: Any) -> Any:
                return held.get(id(x), x)

            state = [(v, put(x)) for v, x in witness.read.values()]
            tape = GradientTape(persistent=True, watch_accessed_variables=False)
            sources = [held[id(x)] for x in used]
            tape.watch([x for x in (*sources, *used) if differentiable(x.dtype)])
            with AutocastScope(None if autocast is None else autocast.dtype), StatelessScope(state), tape:
                out = f(*tree.map_structure(put, args), **tree.map_structure(put, kwargs))
            return sources, [x for x in tree.flatten(out) if isinstance(x, Tensor)], tape

        def vjps(gs: tuple, y: Any, *xs: Tensor, wanted: Sequence[bool]) -> list:
            sources, outs, tape = again(next(g for g in gs if g is not None))
            pairs = [(o, g) for o, g in zip(outs, gs, strict=True) if g is not None]
            # a tensor of a closure is used as it was: its gradient is that of the original and of the stand-in
            found = tape.gradient([o for o, _ in pairs], [*sources, *used], [g for _, g in pairs])
            out: list = []
            for a, b, w in zip(found[: len(used)], found[len(used) :], wanted, strict=True):
                total = b if a is None else a if b is None else P.add(a, b)
                out.append(total if w else None)
            return out

        prim = Primitive("remat", f, lambda *_: [], vjps, several=True)
        for tape in tapes:
            tape.record(prim, tuple(used), {}, tuple(leaves[i] for i in places))
        return tree.pack_sequence_as(result, leaves)

    return wrapped


# x as it is, but not before `after` is computed
hold = P.TABLE["hold"] = Primitive(
    "hold", lambda x, after: x, lambda x, after: (x.shape, x.dtype), [lambda g, y, x, after: g, P.zero], view=True
)
