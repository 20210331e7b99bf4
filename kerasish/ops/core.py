"""Conversion, shapes, slices, scatter, and control flow."""

from builtins import slice as span  # the op of that name hides it here
from typing import Any, Callable, Sequence

import numpy as np

from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.engine import control
from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim, product
from kerasish.engine.tensor import Tensor, Traced
from kerasish.engine.variable import Variable
from kerasish.ops import dtypes
from kerasish.ops.convert import axis_of, numpy_dtype, shape_of, tensor
from kerasish.ops.op import is_symbolic, op, plain, public
from kerasish.ops.symbolic import KerasTensor, Operation

# -- conversion -------------------------------------------------------------------------------------------------------


@op(tensors="x")
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Tensor:
    """`x` as a tensor: floats become floatx and integers int32 unless a dtype is given."""
    if sparse or ragged:
        raise ValueError("There are no sparse or ragged tensors here. Leave `sparse` and `ragged` out.")
    return tensor(x, dtype)


@op(tensors="x")
def cast(x: Any, dtype: Any) -> Tensor:
    """`x` in another dtype."""
    return tensor(x, numpy_dtype(dtype))


@op(tensors="x")
def saturate_cast(x: Any, dtype: Any) -> Tensor:
    """`x` in another dtype, with what it cannot hold moved to its ends."""
    x = tensor(x)
    target = numpy_dtype(dtype)
    if target.kind == "b" or x.dtype.kind == "b" or target.kind == "c":
        return tensor(x, target)
    low, high = _ends(target)
    own_low, own_high = _ends(x.dtype)
    if low > own_low:
        x = P.maximum(x, P.scalar(x, low if x.dtype.kind == "f" else int(low)))
    if high < own_high:
        limit = P.scalar(x, high)
        if x.dtype.kind == "f" and target.kind in "iu" and float(limit) > high:
            limit = P.scalar(x, np.nextafter(x.dtype.type(high), x.dtype.type(0)))
        x = P.minimum(x, limit)
    return tensor(x, target)


def _ends(dtype: np.dtype) -> tuple:
    info = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return (float(info.min), float(info.max)) if dtype.kind == "f" else (int(info.min), int(info.max))


def convert_to_numpy(x: Any) -> np.ndarray:
    """`x` as a NumPy array of its own."""
    return np.array(x if isinstance(x, (Tensor, Variable)) else tensor(x))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor: not an array, not a variable, and not symbolic."""
    return isinstance(x, Tensor)


def shape(x: Any) -> tuple:
    """The shape as a tuple. Of a symbolic tensor unknown sizes are None; in a program they are symbolic sizes."""
    return tuple(x.shape)


def dtype(x: Any) -> str:
    """The name of the dtype."""
    return dtypes.standardize_dtype(x.dtype)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(x.shape) if hasattr(x, "shape") else tensor(x).ndim


def size(x: Any) -> Any:
    """The number of elements; None where a size is unknown."""
    sizes = x.shape if hasattr(x, "shape") else tensor(x).shape
    return None if any(d is None for d in sizes) else product(sizes)


@op
def stop_gradient(variable: Any) -> Tensor:
    """The same values, through which no gradient flows."""
    return P.stop_gradient(tensor(variable))


# -- parts ------------------------------------------------------------------------------------------------------------


@op(tensors="inputs start_indices")
def slice(inputs: Any, start_indices: Any, shape: Any) -> Tensor:
    """The block of this shape that starts at the indices, which may be tensors; moved inside if it would stick out."""
    x = tensor(inputs)
    sizes = shape_of(shape)
    starts = _starts(start_indices)
    if len(sizes) != x.ndim or len(starts) != x.ndim:
        raise ValueError(
            f"`start_indices` and `shape` must have one entry for each of the {x.ndim} axes. "
            f"Received: start_indices={start_indices}, shape={shape}"
        )
    sizes = tuple(d if not isinstance(d, Dim) and d == -1 else d for d in sizes)
    if all(isinstance(s, (int, Dim)) for s in starts):
        return P.slice_(x, index=_block(starts, sizes, x.shape))
    return P.dynamic_slice(x, *[tensor(s, "int32") for s in starts], shape=sizes)


def _starts(indices: Any) -> list:
    """Start indices as ints and Dims where they are known, else as scalar tensors."""
    if isinstance(indices, (list, tuple)):
        items = list(indices)
    else:
        t = tensor(indices)
        items = [P.reshape(p, shape=()) for p in _rows(t)] if isinstance(t, Traced) else t.value.tolist()
    return [int(i) if hasattr(i, "__index__") and not isinstance(i, (Dim, Traced, Variable)) else i for i in items]


def _rows(t: Tensor) -> list[Tensor]:
    return [P.slice_(t, index=(span(i, i + 1, 1),)) for i in range(t.shape[0])]


def _block(starts: Sequence, sizes: Sequence, shape: Sequence) -> tuple:
    """The index of a block; known starts are moved inside, as XLA does."""
    out = []
    for s, n, d in zip(starts, sizes, shape, strict=True):
        if not any(isinstance(v, Dim) for v in (s, n, d)):
            if n > d:
                raise ValueError(f"A block of shape {tuple(sizes)} does not fit into a tensor of shape {tuple(shape)}.")
            s = min(max(s + d if s < 0 else s, 0), d - n)
        out.append(span(s, s + n, 1))
    return tuple(out)


@op(tensors="inputs start_indices updates")
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    """`inputs` with the block at the start indices replaced."""
    x = tensor(inputs)
    v = tensor(updates, x.dtype)
    return P.dynamic_update(x, v, *[tensor(s, "int32") for s in _starts(start_indices)])


@op(tensors="indices values")
def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Zeros of a shape with values added at the indices, whose last axis says where; repeated ones add up."""
    v = tensor(values)
    return P.scatter_add(v, *_columns(indices), shape=shape_of(shape))


def _columns(indices: Any) -> list[Tensor]:
    """Indices (…, k) as k arrays."""
    i = tensor(indices)
    lead = tuple(span(0, d, 1) for d in i.shape[:-1])
    return [
        P.reshape(P.slice_(i, index=(*lead, span(k, k + 1, 1))), shape=i.shape[:-1])
        for k in range(i.shape[-1].__index__())
    ]


@op(tensors="inputs indices updates")
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Tensor:
    """`inputs` with the elements at the indices replaced, or combined by "add", "mul", "max" or "min"."""
    x = tensor(inputs)
    v = tensor(updates, x.dtype)
    columns = _columns(indices)
    if reduction == "add":
        return P.add(x, P.scatter_add(v, *columns, shape=x.shape))
    if reduction in ("mul", "max", "min"):
        return P.scatter_combine(x, v, *columns, how=reduction)
    if reduction is not None:
        raise ValueError(
            f"`reduction` must be None, 'add', 'mul', 'max' or 'min'. Received: reduction={reduction!r}"
        )
    return P.scatter_set(x, v, *columns)


@op(tensors="x")
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices along an axis, as a list."""
    x = tensor(x)
    at = axis_of(axis, x.ndim)
    n = (x.shape[at] if num is None else num).__index__()
    rest = (*x.shape[:at], *x.shape[at + 1 :])
    return [
        P.reshape(
            P.slice_(
                x,
                index=tuple(
                    span(i, i + 1, 1) if k == at else span(0, d, 1) for k, d in enumerate(x.shape)
                ),
            ),
            shape=rest,
        )
        for i in range(n)
    ]


# -- control flow: the loops and branches themselves are the engine's -------------------------------------------------


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Variable) else x


def _as_tensors(x: Any) -> Any:
    return tree.map_structure(lambda v: v if v is None else tensor(v), x)


@export("keras.src.ops.core.Cond")
class Cond(Operation):
    """Takes the first or the second of two results. In a model of symbolic tensors both branches are computed."""

    def call(self, pred: Any, chosen: Any, other: Any) -> Any:
        return cond(pred, lambda: chosen, lambda: other)


@export("keras.src.ops.core.Switch")
class Switch(Operation):
    """Takes one of several results by a number. In a model of symbolic tensors all branches are computed."""

    def call(self, index: Any, results: list) -> Any:
        return switch(index, [lambda r=r: r for r in results])


def _same_kind(results: Sequence, what: str) -> list:
    """Results of branches, of which some are symbolic, as tensors or symbolic tensors; they must be of one form."""
    results = [tree.map_structure(lambda v: v if isinstance(v, KerasTensor) else tensor(v), r) for r in results]
    for other in results[1:]:
        tree.assert_same_structure(results[0], other)
        for a, b in zip(tree.flatten(results[0]), tree.flatten(other), strict=True):
            if tuple(a.shape) != tuple(b.shape) or dtype(a) != dtype(b):
                raise ValueError(
                    f"{what} should return outputs of the same kind (struct, dtype and shape). Got {results[0]} and "
                    f"{other} instead."
                )
    return results


@plain
def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """`true_fn()` where the predicate holds, else `false_fn()`. In a program both are traced and one is run."""
    if isinstance(pred, KerasTensor):
        return Cond()(pred, *_same_kind([true_fn(), false_fn()], "`true_fn` and `false_fn`"))
    pred = _value(pred)
    if getattr(pred, "ndim", 0) and pred.size != 1:
        raise TypeError(f"The predicate must be a single boolean. Received: shape {pred.shape}")
    if isinstance(pred, Traced):
        return control.cond(pred, true_fn, false_fn)
    return true_fn() if bool(pred) else false_fn()


@plain
def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """The result of the branch that the index says, given the operands; the index is moved into range."""
    if not branches or not all(callable(b) for b in branches):
        raise TypeError(f"`branches` must be callables, at least one. Received: branches={branches}")
    if is_symbolic((index, operands), {}):
        return Switch()(index, _same_kind([b(*operands) for b in branches], "`branches`"))
    index = _value(index)
    if not isinstance(index, Traced):
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)

    def among(first: int) -> Any:
        if first == len(branches) - 1:
            return branches[first](*operands)
        here = P.less_equal(index, P.scalar(index, first))
        return control.cond(here, lambda: branches[first](*operands), lambda: among(first + 1))

    return among(0)


@op(tensors="loop_vars")
def while_loop(cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: int | None = None) -> Any:
    """`body` applied to the loop variables for as long as `cond` holds of them."""
    for what, fn in (("cond", cond), ("body", body)):
        if not callable(fn):
            raise TypeError(f"`{what}` should be a callable. Received: {what}={fn!r}")
    single = not isinstance(loop_vars, (list, tuple))
    start = _as_tensors((loop_vars,) if single else tuple(loop_vars))

    def step(n: Tensor, *values: Any) -> tuple:
        out = body(*values)
        out = (out,) if not isinstance(out, (list, tuple)) else tuple(out)
        out = tree.map_structure(lambda new, old: tensor(new, old.dtype), out, values)
        return (P.add(n, P.constant(1, "int32")), *out)

    def test(n: Tensor, *values: Any) -> Tensor:
        more = tensor(cond(*values), bool)
        if more.ndim:
            raise TypeError(f"`cond` must return a single boolean. Received: shape {more.shape}")
        if maximum_iterations is None:
            return more
        return P.logical_and(more, P.less(n, tensor(maximum_iterations, "int32")))

    values = control.while_loop(test, step, (P.constant(0, "int32"), *start))[1:]
    return values[0] if single else tuple(values)


@op(tensors="init_val")
def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """`body_fun(i, value)` for every i from lower up to but without upper, each time on the value before."""
    lower, upper = _value(lower), _value(upper)
    if isinstance(lower, Traced) or isinstance(upper, Traced):
        ends = (tensor(lower, "int32"), tensor(upper, "int32"))
        packed = while_loop(
            lambda i, value: P.less(i, ends[1]),
            lambda i, value: (P.add(i, P.constant(1, "int32")), body_fun(i, value)),
            (ends[0], init_val),
        )
        return packed[1]
    if not all(hasattr(end, "__index__") for end in (lower, upper)):
        raise ValueError(f"`lower` and `upper` must be integers. Received: lower={lower!r}, upper={upper!r}")
    first = lower.__index__()

    def step(i: Tensor, value: Any) -> Any:
        new = body_fun(P.add(i, P.constant(first, "int32")) if first else i, value)
        return tree.map_structure(lambda v, old: tensor(v, old.dtype), new, value)

    return control.repeat(step, _as_tensors(init_val), max(upper.__index__() - first, 0))


@op(tensors="f init xs")
def scan(
    f: Callable, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: Any = 1
) -> Any:
    """`carry, y = f(carry, x)` along the first axis of xs; the last carry, and all y stacked."""
    if not callable(f):
        raise TypeError(f"`f` should be a callable. Received: f={f}")
    if not isinstance(unroll, int) or unroll is not False and unroll < 1:
        raise ValueError(f"`unroll` must be a positive integer or boolean. Received: unroll={unroll}")
    if xs is None and length is None:
        raise ValueError("Got no `xs` to scan over and `length` not provided.")
    leaves = tree.flatten(xs) if xs is not None else []
    if length is not None and any(not isinstance(x.shape[0], Dim) and x.shape[0] != length for x in leaves):
        raise ValueError(
            f"Got `length` argument of {length} which disagrees with leading axis sizes {[x.shape[0] for x in leaves]}."
        )

    def step(carry: Any, x: Any) -> tuple:
        carry, y = f(carry, x)
        return _as_tensors(carry), [] if y is None else [_as_tensors(y)]

    carry, ys = control.scan(step, _as_tensors(init), _as_tensors(xs) if xs is not None else None, length, reverse)
    return carry, ys[0] if ys else None


@op(tensors="f xs")
def map(f: Callable, xs: Any) -> Any:
    """`f` of every slice along the first axis, stacked."""
    if not callable(f):
        raise TypeError(f"`f` should be a callable. Received: f={f}")
    return scan(lambda carry, x: (carry, f(x)), (), xs)[1]


@op(tensors="elements")
def vectorized_map(function: Callable, elements: Any) -> Any:
    """`function` of every slice along the first axis, stacked."""
    return map(function, elements)


@op(tensors="f elems")
def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Running results of an associative operation along an axis, by halves: log2(n) calls of f on whole slices."""
    if not callable(f):
        raise TypeError(f"`f` should be a callable. Received: f={f}")
    flat = [tensor(e) for e in tree.flatten(elems)]
    at = axis_of(axis, flat[0].ndim)
    n = flat[0].shape[at].__index__()

    def part(x: Tensor, lo: int, hi: int) -> Tensor:
        return P.slice_(
            x,
            index=tuple(
                span(lo, hi, 1) if i == at else span(0, d, 1) for i, d in enumerate(x.shape)
            ),
        )

    if reverse:
        flat = [P.flip(e, axis=(at,)) for e in flat]
    step = 1
    while step < n:
        before = tree.pack_sequence_as(elems, [part(e, 0, n - step) for e in flat])
        after = tree.pack_sequence_as(elems, [part(e, step, n) for e in flat])
        merged = tree.flatten(f(before, after))
        flat = [P.concat(part(e, 0, step), m, axis=at) for e, m in zip(flat, merged, strict=True)]
        step *= 2
    if reverse:
        flat = [P.flip(e, axis=(at,)) for e in flat]
    return tree.pack_sequence_as(elems, flat)


@plain(family="numpy")
def vectorize(pyfunc: Callable, *, excluded: Any = None, signature: str | None = None) -> Callable:
    """A function of single elements as one of whole tensors, which broadcast."""
    if not callable(pyfunc):
        raise ValueError(f"Expected argument `pyfunc` to be a callable. Received: pyfunc={pyfunc}")
    vectorized = np.vectorize(pyfunc, excluded=excluded, signature=signature)

    def run(*args: Any, **kwargs: Any) -> Any:
        arrays = [np.asarray(a) if isinstance(a, (Tensor, Variable)) else a for a in args]
        return tree.map_structure(tensor, vectorized(*arrays, **kwargs))

    return run


# questions about a tensor, which cost next to nothing
for _fn in (convert_to_numpy, is_tensor, shape, dtype):
    public(_fn, _fn.__name__, family="core")
for _fn in (ndim, size):
    public(_fn, _fn.__name__, family="numpy")
