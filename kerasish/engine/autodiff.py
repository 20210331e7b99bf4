"""Gradients: tapes note what is computed, and one walk goes back over the notes."""

from contextlib import nullcontext
from typing import Any, Callable, Sequence

import numpy as np

from kerasish.base import tree
from kerasish.base.errors import NonDifferentiableError
from kerasish.base.registry import export
from kerasish.engine import primitives as P
from kerasish.engine.core import Primitive, context
from kerasish.engine.tensor import Tensor, TensorSpec, Traced
from kerasish.engine.trace import comes_from
from kerasish.engine.variable import Variable

GRADIENT = "gradient of "


def differentiable(dtype: Any) -> bool:
    return dtype.kind in "fcV"  # V: bfloat16


def backward(nodes: Sequence[tuple], cotangents: dict[int, Tensor], sources: set[int]) -> dict[int, Tensor]:
    """The gradient walk: from the gradients of results back to those of `sources` (ids of tensors).

    nodes: (prim, args, params, outs) in the order of computation. Broadcasting is undone here, and in no rule.
    """
    needed = set(sources)
    path = []
    for node in nodes:
        if any(id(a) in needed for a in node[1]):
            path.append(node)
            needed.update(id(o) for o in node[3])
    grads = dict(cotangents)
    for node in reversed(path):
        with comes_from(_origin(node[3][0])) if context.trace is not None else nullcontext():
            _pass_back(node, grads, needed)
    return grads


def _origin(out: Tensor) -> str:
    """What a program says where the gradient of a value is computed."""
    where = out.var.where if isinstance(out, Traced) else ""
    return where if not where or where.startswith(GRADIENT) else GRADIENT + where


def _pass_back(node: tuple, grads: dict[int, Tensor], needed: set[int]) -> None:
    """Add to `grads` what comes through one operation to those of its arguments that are needed."""
    prim, args, params, outs = node
    gs = [grads.get(id(o)) for o in outs]
    if all(g is None for g in gs):
        return
    wanted = [id(a) in needed and differentiable(a.dtype) for a in args]
    if not any(wanted):
        return
    if prim.vjps is None:
        raise NonDifferentiableError(
            f"The operation `{prim.name}` has no gradient. Wrap its argument in ops.stop_gradient if none is meant."
        )
    g: Any = tuple(gs) if prim.several else gs[0]
    y: Any = tuple(outs) if prim.several else outs[0]
    if callable(prim.vjps):
        results = prim.vjps(g, y, *args, wanted=wanted, **params)
    else:
        rules = prim.vjps if len(prim.vjps) == len(args) else prim.vjps * len(args)
        results = [r(g, y, *args, **params) if w and r else None for r, w in zip(rules, wanted, strict=False)]
    for a, ga, w in zip(args, results, wanted, strict=True):
        if ga is None or not w:
            continue
        if prim.broadcast:
            ga = P.unbroadcast(ga, a.shape)
        before = grads.get(id(a))
        grads[id(a)] = ga if before is None else P.add(before, ga)


@export("keras.GradientTape")
class GradientTape:
    """Notes the operations on watched tensors and variables, to differentiate them afterwards.

    Trainable variables are watched when they are read; other tensors by `watch`. Tapes nest, for higher derivatives.

    >>> x = Tensor(np.float32(3.0))
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = P.mul(x, x)
    >>> float(tape.gradient(y, x))
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._recording = self._used = False
        self.reset()

    def reset(self) -> None:
        """Forget everything noted so far."""
        self._nodes: list[tuple] = []
        self._watched: set[int] = set()
        self._variables: dict[int, tuple[Variable, list[Tensor]]] = {}
        self._explicit: set[int] = set()
        self._keep: list = []

    def __enter__(self) -> "GradientTape":
        if self._recording:
            raise ValueError("Tape is still recording. It can't be entered again before it is left.")
        context.tapes = (*context.tapes, self)
        self._recording = True
        return self

    def __exit__(self, *exc: Any) -> None:
        self._stop()

    def _stop(self) -> None:
        context.tapes = tuple(t for t in context.tapes if t is not self)
        self._recording = False

    class _Pause:
        def __init__(self, tape: "GradientTape"):
            self.tape = tape

        def __enter__(self) -> None:
            self.tape._stop()

        def __exit__(self, *exc: Any) -> None:
            self.tape.__enter__()

    def stop_recording(self) -> "GradientTape._Pause":
        """A block whose operations are not noted."""
        return GradientTape._Pause(self)

    def watch(self, tensor: Any) -> None:
        """Note what is done with these tensors or variables (any nested structure of them)."""
        for t in tree.flatten(tensor):
            if isinstance(t, Variable):
                self._explicit.add(id(t))
                self._keep.append(t)
            elif isinstance(t, Tensor):
                if not differentiable(t.dtype):
                    raise ValueError(f"Only floating-point tensors can be watched. Received: dtype={t.dtype}")
                self._watched.add(id(t))
                self._keep.append(t)
            else:
                raise ValueError(f"Only tensors and variables can be watched. Received: {t!r} of type {type(t)}")

    def watched_variables(self) -> tuple:
        """The variables read so far that the tape watches."""
        return tuple(v for v, _ in self._variables.values())

    # called by the engine -----------------------------------------------------------------------------------------

    def accessed(self, variable: Variable, value: Tensor) -> None:
        if (self._watch_accessed and variable.trainable and differentiable(value.dtype)) or id(
            variable
        ) in self._explicit:
            reads = self._variables.setdefault(id(variable), (variable, []))[1]
            if not any(value is r for r in reads):
                reads.append(value)
            self._watched.add(id(value))

    def accessed_in_scope(self, variable: Variable, value: Tensor) -> None:
        """In a StatelessScope values stand for variables, and are watched like any tensor: if they are said to be."""

    def watches(self, tensor: Tensor) -> bool:
        return id(tensor) in self._watched

    def record(self, prim: Primitive, args: tuple, params: dict, outs: tuple) -> None:
        watched = self._watched
        for a in args:
            if id(a) in watched:
                self._nodes.append((prim, args, params, outs))
                watched.update(id(o) for o in outs if differentiable(o.dtype))
                return

    # ---------------------------------------------------------------------------------------------------------------

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """The gradients of `target` (summed, if it is several tensors) in the structure of `sources`.

        A source that `target` does not depend on gets None, or zeros with unconnected_gradients="zero".
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(
                f"Unknown value for unconnected_gradients: {unconnected_gradients!r}. Use 'none' or 'zero'."
            )
        if self._used and not self._persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients. "
                "Make it with GradientTape(persistent=True)."
            )
        self._used = True
        if self._recording and not self._persistent:
            self._stop()
        targets = [t for t in tree.flatten(target) if t is not None]
        seeds = tree.flatten(output_gradients) if output_gradients is not None else [None] * len(targets)
        cotangents: dict[int, Tensor] = {}
        for t, seed in zip(targets, seeds, strict=True):
            tensors = self._tensors(t) if isinstance(t, Variable) else [t]
            for tensor in tensors:
                if not isinstance(tensor, Tensor):
                    raise ValueError(f"The target of a gradient must be a tensor. Received: {tensor!r}")
                seed = P.full_like(tensor, 1) if seed is None else seed if isinstance(seed, Tensor) else Tensor(
                    np.asarray(seed, tensor.dtype)
                )
                before = cotangents.get(id(tensor))
                cotangents[id(tensor)] = seed if before is None else P.add(before, seed)
        flat = tree.flatten(sources)
        ids = {id(t) for s in flat for t in (self._tensors(s) if isinstance(s, Variable) else [s])}
        grads = backward(self._nodes, cotangents, ids)
        out = []
        for s in flat:
            parts = [grads[id(t)] for t in (self._tensors(s) if isinstance(s, Variable) else [s]) if id(t) in grads]
            total = parts[0] if parts else None
            for p in parts[1:]:
                total = P.add(total, p)
            if total is None and unconnected_gradients == "zero":
                total = P.full_like(s._read() if isinstance(s, Variable) else s, 0)
            out.append(total)
        if not self._persistent:
            self.reset()
        return tree.pack_sequence_as(sources, out)

    def _tensors(self, variable: Variable) -> list[Tensor]:
        return self._variables.get(id(variable), (variable, []))[1]


def _as_tensor(x: Any) -> Any:
    if isinstance(x, Tensor):
        return P.identity(x)  # its own node: the caller's tensor may be used twice
    if isinstance(x, Variable):
        return P.identity(x._read())
    array = np.asarray(x)
    return Tensor(array.astype("float32") if array.dtype.kind in "iub" or not hasattr(x, "dtype") else array)


def value_and_grad(fn: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable:
    """A function that returns `fn`'s scalar value and its gradient with respect to the arguments at `argnums`.

    >>> value, g = value_and_grad(lambda x: P.mul(x, x))(3.0)
    >>> float(value), float(g)
    (9.0, 6.0)
    """
    many = not isinstance(argnums, int)
    positions = list(argnums) if many else [argnums]  # type: ignore[arg-type,list-item]

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        call = list(args)
        for i in positions:
            call[i] = tree.map_structure(_as_tensor, args[i])
        with GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([call[i] for i in positions])
            result = fn(*call, **kwargs)
            value = result[0] if has_aux else result
        if not differentiable(value.dtype):
            raise TypeError(
                f"grad needs a function whose value is a floating-point number. Received dtype {value.dtype}: what "
                "returns integers or booleans (argmax, comparisons, …) has no gradient."
            )
        if value.shape != ():
            raise ValueError(
                f"grad needs a function whose value is a scalar. Received shape {value.shape}; reduce it, for example "
                "with ops.sum."
            )
        grads = tape.gradient(value, [call[i] for i in positions], unconnected_gradients="zero")
        return result, (tuple(grads) if many else grads[0])

    return wrapped


def grad(fn: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable:
    """The gradient of a scalar function; with `has_aux`, a pair of the gradient and what else `fn` returned.

    >>> float(grad(grad(lambda x: P.mul(x, P.mul(x, x))))(2.0))
    12.0
    """
    both = value_and_grad(fn, argnums, has_aux)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return wrapped


def vjp(fn: Callable, *primals: Any) -> tuple[Any, Callable]:
    """`fn(*primals)` and a function from a gradient of the result to the gradients of the primals."""
    args = tree.map_structure(_as_tensor, list(primals))
    tape = GradientTape(persistent=True, watch_accessed_variables=False)
    with tape:
        tape.watch([a for a in tree.flatten(args) if differentiable(a.dtype)])
        out = fn(*args)

    def pull(cotangent: Any) -> tuple:
        return tuple(tape.gradient(out, args, cotangent, unconnected_gradients="zero"))

    return out, pull


def jvp(fn: Callable, primals: Sequence, tangents: Sequence) -> tuple[Any, Any]:
    """`fn(*primals)` and its directional derivative along `tangents`: the VJP of the VJP."""

    def pullback(cotangent: Any) -> list:
        _, pull = vjp(fn, *primals)
        return list(pull(cotangent))

    value, _ = vjp(fn, *primals)
    zeros = tree.map_structure(lambda v: P.full_like(v, 0), value)
    _, push = vjp(pullback, zeros)
    tangents = [t if isinstance(t, Tensor) else Tensor(np.asarray(t, dtype="float32")) for t in tangents]
    return value, push(tangents)[0]


@export("keras.ops.custom_gradient")
def custom_gradient(f: Callable) -> Callable:
    """Decorate a function that returns `(result, grad)`; `grad(upstream)` then stands for its derivative.

    `grad` takes the gradient of the result (`upstream=` or positional) and returns those of the arguments.
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        flat = [a._read() if isinstance(a, Variable) else a for a in tree.flatten(args)]
        tensors = [a if isinstance(a, Tensor) else Tensor(np.asarray(a)) for a in flat]
        before, context.tapes = context.tapes, ()
        try:
            result, rule = f(*tree.pack_sequence_as(args, tensors), **kwargs)
            outs = [P.identity(o) for o in tree.flatten(result)]
        finally:
            context.tapes = before
        if context.tapes:

            def vjps(g: Any, y: Any, *xs: Any, wanted: Any) -> list:
                g = [P.full_like(o, 0) if d is None else d for d, o in zip(g, outs, strict=True)]
                got = rule(*g)
                got = list(got) if isinstance(got, (tuple, list)) else [got]
                return [d if d is None or isinstance(d, Tensor) else Tensor(np.asarray(d)) for d in got]

            prim = Primitive("custom_gradient", f, lambda *_: [], vjps, several=True)
            for tape in context.tapes:
                tape.record(prim, tuple(tensors), {}, tuple(outs))
        return tree.pack_sequence_as(result, outs)

    return wrapped


__all__ = ["GradientTape", "TensorSpec", "custom_gradient", "grad", "jvp", "value_and_grad", "vjp"]
