"""The table of primitives: everything that is ever computed, a row each. Kerasish's ops are made of these.

A gradient rule is `(g, y, *args, **params) -> gradient of one argument`, written with primitives, so that it can be
differentiated again and recorded. Broadcasting is undone by the walk in `autodiff`, not here. Arguments have equal
dtypes; conversion and promotion are the business of `kerasish.ops`.
"""

from typing import Any, Callable

import numpy as np

from kerasish.engine import kernels as K
from kerasish.engine import specs as S
from kerasish.engine.core import Primitive, bind
from kerasish.engine.dims import Dim, agree, broadcast_shapes, product, same, same_shape
from kerasish.engine.tensor import Tensor

TABLE: dict[str, Primitive] = {}


def prim(name: str, impl: Callable, spec: Callable, *vjps: Any, **traits: Any) -> Primitive:
    """Add a row. No vjps: not differentiable."""
    TABLE[name] = row = Primitive(name, impl, spec, (vjps or None), **traits)
    return row


def unary(name: str, impl: Callable, vjp: Any = None, spec: Callable = S.like) -> Primitive:
    """An element-wise function of one argument, with `out` as NumPy's ufuncs have it."""
    inplace = (0,) if spec is S.like else ()
    return prim(name, impl, spec, *([vjp] if vjp else []), out="positional", inplace=inplace, pointwise=True)


def binary(name: str, impl: Callable, *vjps: Any, spec: Callable = S.elementwise) -> Primitive:
    """An element-wise function of two arguments that broadcast."""
    inplace = (0, 1) if spec is S.elementwise else ()
    return prim(name, impl, spec, *vjps, out="positional", broadcast=True, inplace=inplace, pointwise=True)


def zero(*_: Any, **__: Any) -> None:
    """The rule of an argument whose gradient is zero everywhere."""
    return None


# -- making values ----------------------------------------------------------------------------------------------------

full = prim("full", K.full, S.explicit, out="keyword")
arange = prim("arange", K.arange, S.explicit)
size_of = prim("size_of", K.size_of, lambda dim, dtype: ((), np.dtype(dtype)))


def constant(value: Any, dtype: Any) -> Tensor:
    return Tensor(np.asarray(value, dtype))


def full_like(x: Tensor, value: Any) -> Tensor:
    return bind(full, shape=x.shape, value=value, dtype=x.dtype)


def scalar(x: Tensor, value: float) -> Tensor:
    """A number in the dtype of x."""
    return Tensor(np.asarray(value, x.dtype))


def number(n: Any, dtype: Any) -> Tensor:
    """A size, symbolic or not, as a tensor."""
    return bind(size_of, dim=n, dtype=np.dtype(dtype)) if isinstance(n, Dim) else Tensor(np.asarray(n, dtype))


# -- Python -----------------------------------------------------------------------------------------------------------

# A function on arrays, strings (dtype object or str) among them: in a program, too, it is called when the program runs.
# `call` has `run(*arrays) -> array` and `spec(*args) -> (shape, dtype)`. Not differentiable.
on_host = prim("on_host", lambda *arrays, call: np.asarray(call.run(*arrays)), lambda *args, call: call.spec(*args))

# -- views and layout -------------------------------------------------------------------------------------------------

identity = prim("identity", K.identity, S.like, lambda g, y, x: g, view=True)
stop_gradient = prim("stop_gradient", K.identity, S.like, zero, view=True)
reshape = prim("reshape", K.reshape, S.reshape, lambda g, y, x, shape: reshape(g, shape=x.shape), view=True)


def _inverse(axes: tuple) -> tuple:
    return tuple(int(i) for i in np.argsort(axes))


transpose = prim(
    "transpose", np.transpose, S.transpose, lambda g, y, x, axes: transpose(g, axes=_inverse(axes)), view=True
)


def unbroadcast(g: Tensor, shape: tuple) -> Tensor:
    """Sum a gradient over the axes along which an argument of this shape was broadcast."""
    if same_shape(g.shape, shape):
        return g
    extra = len(g.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, d in enumerate(shape) if not isinstance(d, Dim) and d == 1 and not same(g.shape[i + extra], 1)
    )
    if axes:
        g = sum_(g, axis=axes, keepdims=False)
    return g if same_shape(g.shape, shape) else reshape(g, shape=shape)


broadcast_to = prim(
    "broadcast_to", K.broadcast_to, S.broadcast_to, lambda g, y, x, shape: unbroadcast(g, x.shape), view=True
)
slice_ = prim(
    "slice", K.slice_, S.slicing, lambda g, y, x, index: unslice(g, shape=x.shape, index=index), view=True
)
unslice = prim(
    "unslice", K.unslice, lambda g, shape, index: (shape, g.dtype),
    lambda g, y, x, shape, index: slice_(g, index=index), out="keyword",
)  # fmt: skip
contiguous = prim("contiguous", K.contiguous, S.like, lambda g, y, x: g, out="keyword", pointwise=True)
flip = prim("flip", K.flip, S.like, lambda g, y, x, axis: flip(g, axis=axis), view=True)


def _concat_vjps(g: Tensor, y: Tensor, *xs: Tensor, wanted: list, axis: int) -> list:
    out, start = [], 0
    for x, w in zip(xs, wanted, strict=True):
        stop = start + x.shape[axis]
        index = tuple(slice(start, stop, 1) if i == axis else slice(0, d, 1) for i, d in enumerate(g.shape))
        out.append(slice_(g, index=index) if w else None)
        start = stop
    return out


concat = Primitive("concat", K.concat, S.concat, _concat_vjps, out="keyword")
TABLE["concat"] = concat


def _unpad(g: Tensor, widths: tuple, shape: tuple) -> Tensor:
    if any(not isinstance(w, Dim) and w < 0 for pair in widths for w in pair):
        return pad(g, widths=tuple((-lo, -hi) for lo, hi in widths))
    return slice_(g, index=tuple(slice(lo, lo + d, 1) for (lo, _), d in zip(widths, shape, strict=True)))


pad = prim("pad", K.pad, S.pad, lambda g, y, x, widths, value=0: _unpad(g, widths, x.shape), out="keyword")
def _uncast(g: Tensor, x: Tensor) -> Tensor:
    if g.dtype.kind == "c" and x.dtype.kind != "c":
        g = real(g)
    return g if g.dtype == x.dtype else cast(g, dtype=x.dtype)


cast = prim("cast", K.cast, S.cast, lambda g, y, x, dtype: _uncast(g, x), out="keyword", pointwise=True)
bitcast = prim("bitcast", lambda x, dtype: np.ascontiguousarray(x).view(dtype), S.cast)

# -- element-wise, one argument ---------------------------------------------------------------------------------------

neg = unary("neg", np.negative, lambda g, y, x: neg(g))
# at 0 the slope is 1, as in XLA
abs_ = unary("abs", np.absolute, lambda g, y, x: select(greater_equal(x, scalar(x, 0)), g, neg(g)))
sign = unary("sign", np.sign, zero)
exp = unary("exp", np.exp, lambda g, y, x: mul(g, y))
expm1 = unary("expm1", np.expm1, lambda g, y, x: mul(g, add(y, scalar(y, 1))))
log = unary("log", np.log, lambda g, y, x: div(g, x))
log1p = unary("log1p", np.log1p, lambda g, y, x: div(g, add(x, scalar(x, 1))))
log2 = unary("log2", np.log2, lambda g, y, x: div(g, mul(x, scalar(x, np.log(2.0)))))
log10 = unary("log10", np.log10, lambda g, y, x: div(g, mul(x, scalar(x, np.log(10.0)))))
sqrt = unary("sqrt", np.sqrt, lambda g, y, x: div(mul(g, scalar(y, 0.5)), y))
square = unary("square", np.square, lambda g, y, x: mul(g, mul(x, scalar(x, 2))))
reciprocal = unary("reciprocal", np.reciprocal, lambda g, y, x: neg(mul(g, mul(y, y))))
sin = unary("sin", np.sin, lambda g, y, x: mul(g, cos(x)))
cos = unary("cos", np.cos, lambda g, y, x: neg(mul(g, sin(x))))
tan = unary("tan", np.tan, lambda g, y, x: mul(g, add(mul(y, y), scalar(y, 1))))
sinh = unary("sinh", np.sinh, lambda g, y, x: mul(g, cosh(x)))
cosh = unary("cosh", np.cosh, lambda g, y, x: mul(g, sinh(x)))
tanh = unary("tanh", np.tanh, lambda g, y, x: mul(g, sub(scalar(y, 1), mul(y, y))))
arcsin = unary("arcsin", np.arcsin, lambda g, y, x: div(g, sqrt(sub(scalar(x, 1), mul(x, x)))))
arccos = unary("arccos", np.arccos, lambda g, y, x: neg(div(g, sqrt(sub(scalar(x, 1), mul(x, x))))))
arctan = unary("arctan", np.arctan, lambda g, y, x: div(g, add(mul(x, x), scalar(x, 1))))
arcsinh = unary("arcsinh", np.arcsinh, lambda g, y, x: div(g, sqrt(add(mul(x, x), scalar(x, 1)))))
arccosh = unary("arccosh", np.arccosh, lambda g, y, x: div(g, sqrt(sub(mul(x, x), scalar(x, 1)))))
arctanh = unary("arctanh", np.arctanh, lambda g, y, x: div(g, sub(scalar(x, 1), mul(x, x))))
sigmoid = unary("sigmoid", K.sigmoid, lambda g, y, x: mul(g, mul(y, sub(scalar(y, 1), y))))
softplus = unary("softplus", K.softplus, lambda g, y, x: mul(g, sigmoid(x)))
relu = unary("relu", K.relu, lambda g, y, x: relu_grad(g, y))
relu_grad = binary(
    "relu_grad", K.relu_grad, lambda g, r, dy, y: relu_grad(g, y), zero
)  # the gradient of relu from its own output: dy where y > 0
erf = unary("erf", K.erf, lambda g, y, x: mul(g, mul(scalar(x, 2 / np.sqrt(np.pi)), exp(neg(mul(x, x))))))
erfinv = unary("erfinv", K.erfinv, lambda g, y, x: mul(g, mul(scalar(x, np.sqrt(np.pi) / 2), exp(mul(y, y)))))
floor = unary("floor", np.floor, zero)
ceil = unary("ceil", np.ceil, zero)
rint = unary("rint", np.rint, zero)
trunc = unary("trunc", np.trunc, zero)
isnan = unary("isnan", np.isnan, spec=S.comparison)
isinf = unary("isinf", np.isinf, spec=S.comparison)
isfinite = unary("isfinite", np.isfinite, spec=S.comparison)
logical_not = unary("logical_not", np.logical_not, spec=S.comparison)
invert = unary("invert", np.invert)

# -- element-wise, two and three arguments ----------------------------------------------------------------------------

add = binary("add", np.add, lambda g, z, x, y: g, lambda g, z, x, y: g)
sub = binary("sub", np.subtract, lambda g, z, x, y: g, lambda g, z, x, y: neg(g))
mul = binary("mul", np.multiply, lambda g, z, x, y: mul(g, y), lambda g, z, x, y: mul(g, x))
weighted_sum = prim(  # a * x + b * y for x and y of one shape, and single numbers a and b
    "weighted_sum", K.weighted_sum, lambda x, y, a, b: (y.shape, y.dtype),
    lambda g, z, x, y, a, b: mul(g, a),
    lambda g, z, x, y, a, b: mul(g, b),
    lambda g, z, x, y, a, b: sum_(mul(g, x), axis=tuple(range(len(x.shape))), keepdims=False),
    lambda g, z, x, y, a, b: sum_(mul(g, y), axis=tuple(range(len(x.shape))), keepdims=False),
    out="positional", inplace=(1,), pointwise=True,
)  # fmt: skip
div = binary(
    "div", np.true_divide, lambda g, z, x, y: div(g, y), lambda g, z, x, y: neg(mul(g, div(z, y)))
)
floordiv = binary("floordiv", np.floor_divide, zero, zero)
mod = binary("mod", np.mod, lambda g, z, x, y: g, lambda g, z, x, y: neg(mul(g, floor(div(x, y)))))
atan2 = binary(
    "atan2", np.arctan2,
    lambda g, z, y, x: div(mul(g, x), add(mul(x, x), mul(y, y))),
    lambda g, z, y, x: neg(div(mul(g, y), add(mul(x, x), mul(y, y)))),
)  # fmt: skip


def _power_base(g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
    # y * x**(y-1), and 0 where y == 0 whatever x is
    lowered = select(equal(y, scalar(y, 0)), full_like(y, 1), sub(y, scalar(y, 1)))
    return mul(g, mul(y, power(x, lowered)))


def _power_exponent(g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
    # log(x) * x**y, and 0 where x is 0; a negative x has no real power in the neighbourhood of y, so NaN
    safe = select(equal(x, scalar(x, 0)), full_like(x, 1), x)
    return mul(g, mul(z, log(safe)))


power = binary("power", np.power, _power_base, _power_exponent)


def _share(x: Tensor, y: Tensor) -> Tensor:
    """The derivative of logaddexp in x: sigmoid(x - y), one half for two equal infinities."""
    endless = logical_and(equal(x, y), isinf(x))
    return sigmoid(sub(select(endless, full_like(x, 0), x), select(endless, full_like(y, 0), y)))


logaddexp = binary(
    "logaddexp", np.logaddexp, lambda g, z, x, y: mul(g, _share(x, y)), lambda g, z, x, y: mul(g, _share(y, x))
)


def _winner(other: int) -> Callable:
    """max and min give the gradient to the argument that was taken, halves of it at a tie."""

    def rule(g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
        mine, its = (x, y) if other else (y, x)
        share = cast(equal(mine, z), dtype=g.dtype)
        both = cast(equal(its, mine), dtype=g.dtype)
        return mul(g, mul(share, sub(scalar(g, 1), mul(scalar(g, 0.5), both))))

    return rule


# NumPy wants `out` by keyword here, since it warns that a third array might be meant as an operand
_extreme = dict(out="keyword", broadcast=True, inplace=(0, 1), pointwise=True)
maximum = prim("maximum", np.maximum, S.elementwise, _winner(1), _winner(0), **_extreme)
minimum = prim("minimum", np.minimum, S.elementwise, _winner(1), _winner(0), **_extreme)
# between two numbers; the gradient is that of minimum(maximum(x, low), high)
clip = prim(
    "clip", K.clip, S.like, lambda g, y, x, low, high: clip_grad(g, x, low=low, high=high),
    out="keyword", inplace=(0,), pointwise=True,
)  # fmt: skip
clip_grad = prim(
    "clip_grad", K.clip_grad, S.like, lambda g, r, dy, x, low, high: clip_grad(g, x, low=low, high=high), zero,
    out="keyword", inplace=(0,), pointwise=True,
)  # fmt: skip
equal = binary("equal", np.equal, spec=S.comparison)
not_equal = binary("not_equal", np.not_equal, spec=S.comparison)
greater = binary("greater", np.greater, spec=S.comparison)
greater_equal = binary("greater_equal", np.greater_equal, spec=S.comparison)
less = binary("less", np.less, spec=S.comparison)
less_equal = binary("less_equal", np.less_equal, spec=S.comparison)
logical_and = binary("logical_and", np.logical_and, spec=S.comparison)
logical_or = binary("logical_or", np.logical_or, spec=S.comparison)
logical_xor = binary("logical_xor", np.logical_xor, spec=S.comparison)
bitwise_and = binary("bitwise_and", np.bitwise_and)
bitwise_or = binary("bitwise_or", np.bitwise_or)
bitwise_xor = binary("bitwise_xor", np.bitwise_xor)
left_shift = binary("left_shift", np.left_shift)
right_shift = binary("right_shift", np.right_shift)
select = prim(
    "select", K.select, S.selection,
    zero,
    lambda g, z, m, x, y: select(m, g, full_like(g, 0)),
    lambda g, z, m, x, y: select(m, full_like(g, 0), g),
    out="keyword", broadcast=True, pointwise=True,
)  # fmt: skip

# -- reductions: axis is a tuple of non-negative ints -----------------------------------------------------------------


def _spread(g: Tensor, x: Tensor, axis: tuple, keepdims: bool) -> Tensor:
    """The gradient of a sum: g in the shape of what was summed."""
    return broadcast_to(reshape(g, shape=S.reduced(x.shape, axis, True)), shape=x.shape)


def _extremum_vjp(g: Tensor, y: Tensor, x: Tensor, axis: tuple, keepdims: bool = False) -> Tensor:
    """Shared equally between the places that hold the extremum."""
    kept = reshape(y, shape=S.reduced(x.shape, axis, True))
    hits = cast(equal(x, kept), dtype=g.dtype)
    share = div(reshape(g, shape=kept.shape), sum_(hits, axis=axis, keepdims=True))
    return mul(hits, share)


def _prod_vjp(g: Tensor, y: Tensor, x: Tensor, axis: tuple, keepdims: bool = False) -> Tensor:
    # the product of all others, by products from both sides, so that zeros are right
    rest = tuple(i for i in range(len(x.shape)) if i not in axis)
    order = rest + axis
    n = product([x.shape[i] for i in axis])
    if same(n, 0):
        return full_like(x, 0)
    flat = reshape(transpose(x, axes=order), shape=(*[x.shape[i] for i in rest], n))
    last = len(flat.shape) - 1

    def before(v: Tensor) -> Tensor:
        return cumprod(_shifted(v, last, 1, 1), axis=last)

    others = mul(before(flat), flip(before(flip(flat, axis=(last,))), axis=(last,)))
    back = transpose(reshape(others, shape=tuple(x.shape[i] for i in order)), axes=_inverse(order))
    return mul(_spread(g, x, axis, keepdims), back)


sum_ = prim(
    "sum", K.sum_, S.reduction(), lambda g, y, x, axis, keepdims=False: _spread(g, x, axis, keepdims), out="keyword"
)
row_dot = prim(  # sum(a * b) over the last axis, for a and b of one shape
    "row_dot", K.row_dot, lambda a, b, keepdims: S.reduction()(a, (len(a.shape) - 1,), keepdims),
    lambda g, y, a, b, keepdims: mul(reshape(g, shape=(*a.shape[:-1], 1)), b),
    lambda g, y, a, b, keepdims: mul(reshape(g, shape=(*a.shape[:-1], 1)), a), out="keyword",
)  # fmt: skip
prod = prim("prod", K.prod, S.reduction(), _prod_vjp, out="keyword")
max_ = prim("max", K.max_, S.reduction(), _extremum_vjp, out="keyword")
min_ = prim("min", K.min_, S.reduction(), _extremum_vjp, out="keyword")
all_ = prim("all", K.all_, S.reduction(bool), out="keyword")
any_ = prim("any", K.any_, S.reduction(bool), out="keyword")
argmax = prim("argmax", K.argmax, S.arg_reduction)
argmin = prim("argmin", K.argmin, S.arg_reduction)


def _cumsum_vjp(g: Tensor, y: Tensor, x: Tensor, axis: int) -> Tensor:
    return flip(cumsum(flip(g, axis=(axis,)), axis=axis), axis=(axis,))


cumsum = prim("cumsum", K.cumsum, S.like, _cumsum_vjp, out="keyword")


def _shifted(x: Tensor, axis: int, by: int, fill: float) -> Tensor:
    """x moved along an axis by one place; what becomes free is filled."""
    widths = tuple((max(by, 0), max(-by, 0)) if i == axis else (0, 0) for i in range(len(x.shape)))
    index = tuple(
        (slice(0, d - 1, 1) if by > 0 else slice(1, d, 1)) if i == axis else slice(0, d, 1) for i, d in enumerate(x.shape)
    )
    return pad(slice_(x, index=index), widths=widths, value=fill)


def _recurrence_back(g: Tensor, a: Tensor, axis: int) -> Tensor:
    """The gradient of b in y[i] = a[i] * y[i - 1] + b[i]: the same recurrence from the end."""
    steps = flip(_shifted(a, axis, -1, 0), axis=(axis,))
    return flip(recurrence(steps, flip(g, axis=(axis,)), axis=axis), axis=(axis,))


recurrence = prim(
    "recurrence", K.recurrence, S.elementwise,
    lambda g, y, a, b, axis: mul(_recurrence_back(g, a, axis), _shifted(y, axis, 1, 0)),
    lambda g, y, a, b, axis: _recurrence_back(g, a, axis),
)  # fmt: skip


def _cumprod_vjp(g: Tensor, y: Tensor, x: Tensor, axis: int) -> Tensor:
    # what is before an element, times the sum of all products after it: no division, so zeros are right
    if same(x.shape[axis], 0):
        return g
    return mul(_shifted(y, axis, 1, 1), _recurrence_back(g, x, axis))


cumprod = prim("cumprod", K.cumprod, S.like, _cumprod_vjp, out="keyword")

# -- products ---------------------------------------------------------------------------------------------------------


def swap(x: Tensor) -> Tensor:
    """Transpose the last two axes."""
    n = len(x.shape)
    return transpose(x, axes=(*range(n - 2), n - 1, n - 2))


matmul = prim(
    "matmul", K.matmul, S.matmul,
    lambda g, y, a, b: unbroadcast(matmul(g, swap(b)), a.shape),
    lambda g, y, a, b: unbroadcast(matmul(swap(a), g), b.shape),
    out="keyword",
)  # fmt: skip

# -- indexing ---------------------------------------------------------------------------------------------------------


def _zeros(x: Tensor) -> Tensor:
    return full_like(x, 0)


take = prim(
    "take", K.take, S.take,
    lambda g, y, x, i, axis: take_grad(g, i, shape=x.shape, axis=axis), zero, out="keyword",
)  # fmt: skip
take_grad = prim(
    "take_grad", K.take_grad, lambda g, i, shape, axis: (shape, g.dtype),
    lambda g, y, dy, i, shape, axis: take(g, i, axis=axis), zero, out="keyword",
)  # fmt: skip


def _gather_vjps(g: Tensor, y: Tensor, x: Tensor, *indices: Tensor, wanted: list, axes: tuple) -> list:
    return [scatter_add(g, *indices, shape=x.shape), *[None] * len(indices)]


def _scatter_vjps(g: Tensor, y: Tensor, values: Tensor, *indices: Tensor, wanted: list, shape: tuple) -> list:
    return [gather(g, *indices, axes=tuple(range(len(indices)))), *[None] * len(indices)]


gather = TABLE["gather"] = Primitive("gather", K.gather, S.gather, _gather_vjps)
scatter_add = TABLE["scatter_add"] = Primitive("scatter_add", K.scatter_add, S.scatter, _scatter_vjps)


def _scatter_set_vjps(g: Tensor, y: Tensor, x: Tensor, v: Tensor, *indices: Tensor, wanted: list) -> list:
    gv = gather(g, *indices, axes=tuple(range(len(indices))))
    return [scatter_set(g, full_like(v, 0), *indices), gv, *[None] * len(indices)]


scatter_set = TABLE["scatter_set"] = Primitive(
    "scatter_set", K.scatter_set, lambda x, v, *i: (x.shape, x.dtype), _scatter_set_vjps
)
take_along = prim(
    "take_along", K.take_along, S.take_along,
    lambda g, y, x, i, axis: take_along_grad(g, i, shape=x.shape, axis=axis), zero, out="keyword",
)  # fmt: skip
take_along_grad = prim(
    "take_along_grad", K.take_along_grad, lambda g, i, shape, axis: (shape, g.dtype),
    lambda g, y, dy, i, shape, axis: take_along(g, i, axis=axis), zero, out="keyword",
)  # fmt: skip
add_along = prim(  # what passes make of a sum with take_along_grad, so that its zeros need not be there
    "add_along", K.add_along, lambda x, i, g, axis: (x.shape, x.dtype),
    lambda g, y, x, i, dy, axis: g, zero, lambda g, y, x, i, dy, axis: take_along(g, i, axis=axis),
    out="keyword", inplace=(0,),
)  # fmt: skip
argsort = prim("argsort", K.argsort, lambda x, axis: (x.shape, S.INT))
one_hot = prim("one_hot", K.one_hot, lambda i, depth, dtype: ((*i.shape, depth), np.dtype(dtype)), out="keyword")


def _dynamic_slice_vjps(g: Tensor, y: Tensor, x: Tensor, *starts: Tensor, wanted: list, shape: tuple) -> list:
    zeros = full_like(x, 0)
    return [dynamic_update(zeros, g, *starts), *[None] * len(starts)]


def _dynamic_update_vjps(g: Tensor, y: Tensor, x: Tensor, v: Tensor, *starts: Tensor, wanted: list) -> list:
    hole = full_like(v, 0)
    return [dynamic_update(g, hole, *starts), dynamic_slice(g, *starts, shape=v.shape), *[None] * len(starts)]


dynamic_slice = TABLE["dynamic_slice"] = Primitive(
    "dynamic_slice", K.dynamic_slice, lambda x, *s, shape: (shape, x.dtype), _dynamic_slice_vjps
)
dynamic_update = TABLE["dynamic_update"] = Primitive(
    "dynamic_update", K.dynamic_update, lambda x, v, *s: (x.shape, x.dtype), _dynamic_update_vjps
)

# -- neural networks --------------------------------------------------------------------------------------------------


def _softmax_vjp(g: Tensor, y: Tensor, x: Tensor, axis: int) -> Tensor:
    return mul(y, sub(g, sum_(mul(g, y), axis=(axis,), keepdims=True)))


softmax = prim("softmax", K.softmax, S.like, _softmax_vjp, out="keyword", inplace=(0,))
log_softmax = prim(
    "log_softmax", K.log_softmax, S.like,
    lambda g, y, x, axis: sub(g, mul(exp(y), sum_(g, axis=(axis,), keepdims=True))), out="keyword", inplace=(0,),
)  # fmt: skip

# at one place of each row of x (..., n): index (...); so that the logarithms of the others are never made
log_softmax_at = prim(
    "log_softmax_at", K.log_softmax_at, lambda x, i: (x.shape[:-1], x.dtype),
    lambda g, y, x, i: log_softmax_at_grad(g, x, i), zero, out="keyword",
)  # fmt: skip


def _at_grad_vjps(d: Tensor, y: Tensor, g: Tensor, x: Tensor, i: Tensor, wanted: list) -> list:
    # y = one_hot(i) * g - softmax(x) * g
    at, column = len(x.shape) - 1, (*i.shape, 1)
    p = softmax(x, axis=at)
    mean = sum_(mul(d, p), axis=(at,), keepdims=True)
    picked = take_along(d, reshape(i, shape=column), axis=at)
    return [
        reshape(sub(picked, mean), shape=g.shape),
        neg(mul(reshape(g, shape=column), mul(p, sub(d, mean)))) if wanted[1] else None,
        None,
    ]


log_softmax_at_grad = TABLE["log_softmax_at_grad"] = Primitive(
    "log_softmax_at_grad", K.log_softmax_at_grad, lambda g, x, i: (x.shape, x.dtype), _at_grad_vjps, out="keyword"
)

# attention: q, k, v as (batch, length, heads, size), and perhaps a mask as (batch, heads, targets, sources) or 1 for any of
# these. `scale` multiplies the products, `fill` takes the place of those that are hidden.


def _attention_vjps(
    g: Tensor, y: Tensor, q: Tensor, k: Tensor, v: Tensor, *mask: Tensor, wanted: list, **params: Any
) -> list:
    flat = attention_grad(g, y, q, k, v, *mask, **params)
    return [*_in_parts(flat, q, k, v), *[None] * len(mask)]


def _in_parts(flat: Tensor, *like: Tensor) -> list[Tensor]:
    """The pieces of a vector, in the shapes of these."""
    parts, start = [], 0
    for x in like:
        stop = start + product(x.shape)
        parts.append(reshape(slice_(flat, index=(slice(start, stop, 1),)), shape=x.shape))
        start = stop
    return parts


def _heads_first(x: Tensor) -> Tensor:
    return transpose(x, axes=(0, 2, 1, 3))


def _seen(scores: Tensor, mask: tuple, causal: bool) -> Tensor | None:
    """Where attention looks, or None if everywhere."""
    if not causal:
        return mask[0] if mask else None
    targets, sources = (
        bind(arange, start=0, stop=d, step=1, shape=(d,), dtype=np.dtype("int32")) for d in scores.shape[2:]
    )
    before = greater_equal(column(targets), row(sources))
    return logical_and(mask[0], before) if mask else before


def _attention_grad_vjps(
    g: Tensor, r: Tensor, dy: Tensor, y: Tensor, q: Tensor, k: Tensor, v: Tensor, *mask: Tensor, wanted: list,
    scale: float, causal: bool, fill: float,
) -> list:  # fmt: skip
    """The second derivative, by ordinary primitives: the matrices of all weights stand in memory here.

    With P = softmax(S), A = dy vᵀ and rows(X) = sums of rows of X, the first was dS = P * (A - rows(P * A)), dq = dS k,
    dk = dSᵀ q and dv = Pᵀ dy. y is taken as the function of q, k and v that it is, so there is nothing for it alone.
    """
    dy, q, k, v, cq, ck, cv = (_heads_first(x) for x in (dy, q, k, v, *_in_parts(g, q, k, v)))
    factor = scalar(q, scale)
    scores = matmul(mul(q, factor), swap(k))
    seen = _seen(scores, mask, causal)

    def visible(x: Tensor) -> Tensor:
        return x if seen is None else select(seen, x, scalar(x, 0))

    def centred(p: Tensor, x: Tensor) -> Tensor:
        return mul(p, sub(x, sum_(mul(p, x), axis=(3,), keepdims=True)))

    p = softmax(scores if seen is None else select(seen, scores, scalar(scores, fill)), axis=3)
    a = matmul(dy, swap(v))
    ds = mul(visible(centred(p, a)), factor)
    x = visible(mul(add(matmul(cq, swap(k)), matmul(q, swap(ck))), factor))  # for dS
    b = centred(p, x)  # for A
    weighted = sum_(mul(p, x), axis=(3,), keepdims=True)
    mean = sum_(mul(p, a), axis=(3,), keepdims=True)
    cp = add(matmul(dy, swap(cv)), sub(mul(x, sub(a, mean)), mul(a, weighted)))  # for P
    cs = mul(visible(centred(p, cp)), factor)
    return [
        _heads_first(add(matmul(p, cv), matmul(b, v))),
        None,
        _heads_first(add(matmul(cs, k), matmul(ds, ck))),
        _heads_first(add(matmul(swap(cs), q), matmul(swap(ds), cq))),
        _heads_first(matmul(swap(b), dy)),
        *[None] * len(mask),
    ]


attention = TABLE["attention"] = Primitive("attention", K.attention, S.attention, _attention_vjps, out="keyword")
attention_grad = TABLE["attention_grad"] = Primitive(
    "attention_grad", K.attention_grad, S.attention_grad, _attention_grad_vjps, out="keyword"
)

# normalization of rows, along the last of two axes or more
center_rows = prim(  # less their mean, which is its own adjoint
    "center_rows", K.center_rows, S.like, lambda g, y, x: center_rows(g), out="keyword", inplace=(0,), pointwise="rows"
)


def _inverse_rms_vjp(g: Tensor, y: Tensor, x: Tensor, epsilon: float) -> Tensor:
    cube = mul(y, mul(y, y))
    return mul(x, neg(div(mul(g, cube), number(x.shape[-1], x.dtype))))


inverse_rms_rows = prim(  # 1 / sqrt(mean(x * x) + epsilon)
    "inverse_rms_rows", K.inverse_rms_rows, lambda x, epsilon: ((*x.shape[:-1], 1), x.dtype), _inverse_rms_vjp,
    out="keyword", pointwise="rows",
)  # fmt: skip
# x * r, where r is inverse_rms_rows(x). The gradient of x is that of both, which is cheaper than the two; so r gets none
unit_rows = prim(
    "unit_rows", K.unit_rows, S.like, lambda g, y, x, r: unit_rows_grad(g, y, r), zero,
    out="keyword", inplace=(0,), pointwise="rows",
)  # fmt: skip


def _row_mean(a: Tensor, b: Tensor) -> Tensor:
    return div(row_dot(a, b, keepdims=True), number(a.shape[-1], a.dtype))


def _unit_grad_in_y(g: Tensor, z: Tensor, dy: Tensor, y: Tensor, r: Tensor) -> Tensor:
    scaled = mul(g, r)
    return neg(add(mul(scaled, _row_mean(dy, y)), mul(dy, _row_mean(scaled, y))))


def _unit_grad_in_r(g: Tensor, z: Tensor, dy: Tensor, y: Tensor, r: Tensor) -> Tensor:
    return row_dot(g, sub(dy, mul(y, _row_mean(dy, y))), keepdims=True)


unit_rows_grad = prim(  # r * (dy - y * mean(dy * y))
    "unit_rows_grad", K.unit_rows_grad, S.like,
    lambda g, z, dy, y, r: unit_rows_grad(g, y, r), _unit_grad_in_y, _unit_grad_in_r,
    out="keyword", inplace=(0,), pointwise="rows",
)  # fmt: skip


def _channel_moments_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    # ((x - mean) * 2 * g1 + g0) / n, said as x * a + b, so that it needs nothing of the size of x but x
    n = number(product(x.shape[:-1]), x.dtype)
    mean, of_mean, of_variance = _row_of(y, 0), _row_of(g, 0), mul(_row_of(g, 1), scalar(g, 2))
    return add(mul(x, div(of_variance, n)), div(sub(of_mean, mul(of_variance, mean)), n))


def _row_of(x: Tensor, i: int) -> Tensor:
    return reshape(slice_(x, index=(slice(i, i + 1, 1), slice(0, x.shape[1], 1))), shape=x.shape[1:])


channel_moments = prim(  # mean and variance over all axes but the last, as the rows of (2, channels)
    "channel_moments", K.channel_moments, lambda x: ((2, x.shape[-1]), x.dtype), _channel_moments_vjp, out="keyword"
)

# convolution and its two adjoints: each is differentiated by the other two; channels last, explicit padding
conv = prim(
    "conv", K.conv, S.conv,
    lambda g, y, x, w, **p: conv_input_grad(g, w, input_shape=x.shape, **p),
    lambda g, y, x, w, **p: conv_kernel_grad(x, g, kernel_shape=w.shape, **p),
    out="keyword",
)  # fmt: skip
conv_input_grad = prim(
    "conv_input_grad", K.conv_input_grad, S.conv_input_grad,
    lambda g, y, dy, w, input_shape, **p: conv(g, w, **p),
    lambda g, y, dy, w, input_shape, **p: conv_kernel_grad(g, dy, kernel_shape=w.shape, **p),
    out="keyword",
)  # fmt: skip
conv_kernel_grad = prim(
    "conv_kernel_grad", K.conv_kernel_grad, S.conv_kernel_grad,
    lambda g, y, x, dy, kernel_shape, **p: conv_input_grad(dy, g, input_shape=x.shape, **p),
    lambda g, y, x, dy, kernel_shape, **p: conv(x, g, **p),
    out="keyword",
)  # fmt: skip
max_pool = prim("max_pool", K.max_pool, S.pool, lambda g, y, x, **p: max_pool_grad(g, x, y, **p), out="keyword")
max_pool_grad = prim(
    "max_pool_grad", K.max_pool_grad, S.pool_grad,
    lambda g, r, dy, x, y, **p: max_pool_gather(g, x, y, **p), zero, zero, out="keyword",
)  # fmt: skip
max_pool_gather = prim(
    "max_pool_gather", K.max_pool_gather, lambda g, x, y, **p: (y.shape, y.dtype),
    lambda g, r, dd, x, y, **p: max_pool_grad(g, x, y, **p), zero, zero,
)  # fmt: skip
avg_pool = prim(
    "avg_pool", K.avg_pool, S.pool,
    lambda g, y, x, **p: avg_pool_grad(g, shape=x.shape, **p), out="keyword",
)  # fmt: skip
avg_pool_grad = prim(
    "avg_pool_grad", K.avg_pool_grad, lambda g, shape, **p: (shape, g.dtype),
    lambda g, r, dy, shape, **p: avg_pool(g, **p), out="keyword",
)  # fmt: skip

# -- random: drawn from a state of two words, (seed, counter) ---------------------------------------------------------

random_uniform = prim("random_uniform", K.random_uniform, S.explicit, zero, out="keyword")
random_normal = prim("random_normal", K.random_normal, S.explicit, zero, out="keyword")
random_truncated = prim("random_truncated", K.random_truncated, S.explicit, zero, out="keyword")
random_mask = prim(  # a number with probability `keep`, else 0
    "random_mask", K.random_mask, lambda s, shape, keep, value, dtype: (shape, np.dtype(dtype)), out="keyword"
)
random_int = prim("random_int", K.random_int, S.explicit)
random_permutation = prim("random_permutation", K.random_permutation, lambda s, n: ((n,), S.INT))
random_gamma = prim("random_gamma", K.random_gamma, lambda s, alpha, shape: (shape, alpha.dtype), zero, zero)
random_binomial = prim("random_binomial", K.random_binomial, lambda s, n, p, shape: (shape, p.dtype), zero, zero, zero)

# -- complex numbers: the gradient of z is dL/d(re z) + i dL/d(im z) --------------------------------------------------


def _complex_spec(a: Any, b: Any) -> tuple:
    return broadcast_shapes(a.shape, b.shape), np.dtype("complex128" if a.dtype == "float64" else "complex64")


def _part_spec(z: Any) -> tuple:
    return z.shape, np.dtype("float64" if z.dtype == "complex128" else "float32")


complex_ = prim(
    "complex", K.complex_, _complex_spec, lambda g, z, a, b: real(g), lambda g, z, a, b: imag(g), broadcast=True
)
real = prim("real", K.real, _part_spec, lambda g, y, z: complex_(g, full_like(g, 0)))
imag = prim("imag", K.imag, _part_spec, lambda g, y, z: complex_(full_like(g, 0), g))
conj = prim("conj", np.conjugate, S.like, lambda g, y, z: conj(g))


def _count(x: Tensor, axes: tuple) -> Tensor:
    return number(product([x.shape[a] for a in axes]), x.dtype)


fft = prim("fft", K.fft, S.like, lambda g, y, x, axes: mul(ifft(g, axes=axes), _count(x, axes)))
ifft = prim("ifft", K.ifft, S.like, lambda g, y, x, axes: div(fft(g, axes=axes), _count(x, axes)))

# -- rarely needed ----------------------------------------------------------------------------------------------------

nextafter = binary("nextafter", np.nextafter, lambda g, z, x, y: g, zero)
signbit = unary("signbit", np.signbit, spec=S.comparison)
gcd = binary("gcd", np.gcd)
lcm = binary("lcm", np.lcm)
bessel_i0 = unary("bessel_i0", K.bessel_i0, lambda g, y, x: mul(g, bessel_i1(x)))


def _bessel_i1_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    origin = equal(x, scalar(x, 0))
    mean = select(origin, full_like(x, 0.5), div(y, select(origin, full_like(x, 1), x)))  # i1(x) / x
    return mul(g, sub(bessel_i0(x), mean))


bessel_i1 = unary("bessel_i1", K.bessel_i1, _bessel_i1_vjp)
searchsorted = prim("searchsorted", K.searchsorted, lambda s, v, side: (v.shape, S.INT))


def _combine_vjps(g: Tensor, y: Tensor, x: Tensor, v: Tensor, *indices: Tensor, wanted: list, how: str) -> list:
    # the gradient of a maximum or minimum goes, in equal shares, to whoever holds it
    axes = tuple(range(len(indices)))
    if how == "mul":
        gx, gv = mul(g, div(y, x)), div(gather(mul(g, y), *indices, axes=axes), v)
    else:
        holds_x = cast(equal(x, y), dtype=g.dtype)
        holds_v = cast(equal(v, gather(y, *indices, axes=axes)), dtype=g.dtype)
        share = div(g, maximum(add(holds_x, scatter_add(holds_v, *indices, shape=x.shape)), scalar(g, 1)))
        gx, gv = mul(share, holds_x), mul(gather(share, *indices, axes=axes), holds_v)
    return [gx, gv, *[None] * len(indices)]


scatter_combine = TABLE["scatter_combine"] = Primitive(
    "scatter_combine", K.scatter_combine, lambda x, v, *i, how: (x.shape, x.dtype), _combine_vjps
)

# -- linear algebra over the last two axes ----------------------------------------------------------------------------


def _square(a: Any) -> tuple:
    if len(a.shape) < 2 or not agree(a.shape[-1], a.shape[-2]):
        raise ValueError(f"Expected square matrices in the last two dimensions. Received: shape {a.shape}")
    return a.shape, a.dtype


def triangle(x: Tensor, lower: bool, diagonal: float = 1) -> Tensor:
    """The lower or upper triangle, its diagonal times a factor."""
    n, m = x.shape[-2:]
    weights = np.tri(n, m, -1) if lower else np.tri(m, n, -1).T
    return mul(x, Tensor((weights + diagonal * np.eye(n, m)).astype(x.dtype)))


def _on_diagonal(v: Tensor) -> Tensor:
    """Vectors as diagonal matrices."""
    n = v.shape[-1]
    return mul(reshape(v, shape=(*v.shape, 1)), Tensor(np.eye(n, dtype=v.dtype)))


def column(v: Tensor) -> Tensor:
    return reshape(v, shape=(*v.shape, 1))


def row(v: Tensor) -> Tensor:
    return reshape(v, shape=(*v.shape[:-1], 1, v.shape[-1]))


def _cholesky_vjp(g: Tensor, y: Tensor, a: Tensor) -> Tensor:
    inner = triangle(matmul(swap(y), g), True, 0.5)
    back = inv(y)
    out = matmul(swap(back), matmul(inner, back))
    return mul(add(out, swap(out)), scalar(out, 0.5))


cholesky = prim("cholesky", K.cholesky, _square, _cholesky_vjp)
inv = prim("inv", K.inv, _square, lambda g, y, a: neg(matmul(swap(y), matmul(g, swap(y)))))


def _solve_spec(a: Any, b: Any) -> tuple:
    _square(a)
    if len(b.shape) < 2 or not agree(a.shape[-1], b.shape[-2]):
        raise ValueError(f"Incompatible shapes between `a` and `b`: {a.shape} and {b.shape}.")
    return (*broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype


solve = prim(
    "solve", K.solve, _solve_spec,
    lambda g, y, a, b: unbroadcast(neg(matmul(solve(swap(a), g), swap(y))), a.shape),
    lambda g, y, a, b: unbroadcast(solve(swap(a), g), b.shape),
)  # fmt: skip
det = prim(
    "det", K.det, lambda a: (_square(a)[0][:-2], a.dtype), lambda g, y, a: mul(cofactors(a), column(column(g)))
)


def _cofactors_vjp(g: Tensor, y: Tensor, a: Tensor) -> Tensor:
    """By the minors and their cofactors, so that singular matrices are right to all orders; large ones by the inverse."""
    n = int(a.shape[-1])
    if n == 1:
        return full_like(a, 0)
    if n > 12:
        back = swap(inv(a))
        inner = sum_(mul(g, y), axis=(len(a.shape) - 2, len(a.shape) - 1), keepdims=True)
        return sub(mul(back, inner), matmul(y, matmul(swap(g), back)))
    rest = Tensor(np.array([[j for j in range(n) if j != i] for i in range(n)], "int32"))
    lead = len(a.shape) - 2
    order = (*range(lead), lead, lead + 2, lead + 1, lead + 3)
    rows = take(a, rest, axis=lead)  # (…, n, n - 1, n)
    minors = transpose(take(rows, rest, axis=lead + 2), axes=order)  # (…, n, n, n - 1, n - 1)
    signs = Tensor(((-1.0) ** np.add.outer(np.arange(n), np.arange(n))).astype(a.dtype))
    back = transpose(mul(cofactors(minors), column(column(mul(g, signs)))), axes=order)
    return take_grad(take_grad(back, rest, shape=rows.shape, axis=lead + 2), rest, shape=a.shape, axis=lead)


cofactors = prim("cofactors", K.cofactors, _square, _cofactors_vjp)


def _or_zeros(g: Any, y: Tensor) -> Tensor:
    return full_like(y, 0) if g is None else g


slogdet = prim(
    "slogdet", K.slogdet, lambda a: [(_square(a)[0][:-2], a.dtype)] * 2,
    lambda g, y, a: mul(swap(inv(a)), column(column(_or_zeros(g[1], y[1])))), several=True,
)  # fmt: skip


def _gaps(w: Tensor, other: Tensor) -> Tensor:
    """1 / (w_j - other_i), and 0 on the diagonal."""
    eye = Tensor(np.eye(w.shape[-1], dtype=w.dtype))
    return mul(reciprocal(add(sub(row(w), column(other)), eye)), sub(scalar(w, 1), eye))


def _eigh_vjp(g: tuple, y: tuple, a: Tensor) -> Tensor:
    w, v = y
    inner = _on_diagonal(_or_zeros(g[0], w))
    if g[1] is not None:
        inner = add(inner, mul(_gaps(w, w), matmul(swap(v), g[1])))
    out = matmul(v, matmul(inner, swap(v)))
    return mul(add(out, swap(out)), scalar(out, 0.5))


eigh = prim(
    "eigh", K.eigh, lambda a: [(_square(a)[0][:-1], a.dtype), (a.shape, a.dtype)], _eigh_vjp, several=True
)


def _eig_spec(a: Any) -> list:
    kind = np.dtype("complex128" if a.dtype in ("float64", "complex128") else "complex64")
    return [(_square(a)[0][:-1], kind), (a.shape, kind)]


eig = prim("eig", K.eig, _eig_spec, several=True)


def _qr_spec(a: Any, mode: str) -> list:
    m, n = a.shape[-2:]
    k = m if mode == "complete" else min(m, n)
    return [((*a.shape[:-1], k), a.dtype), ((*a.shape[:-2], k, n), a.dtype)]


def _qr_vjp(g: tuple, y: tuple, a: Tensor, mode: str) -> Tensor:
    q, r = y
    gq, gr = (_or_zeros(d, t) for d, t in zip(g, y, strict=True))
    rows, columns = (int(d) for d in a.shape[-2:])
    if rows < columns:  # Q is that of the first columns, and the rest of R is Q' times the other columns
        rest = gr.shape[-1] - rows
        gq = add(gq, matmul(_columns_of(a, rows, rest), swap(_columns_of(gr, rows, rest))))
        first = _qr_back(q, _columns_of(r, 0, rows), gq, _columns_of(gr, 0, rows))
        return concat(first, matmul(q, _columns_of(gr, rows, rest)), axis=len(a.shape) - 1)
    if rows == columns or mode == "reduced":
        return _qr_back(q, r, gq, gr)
    # of the columns of Q that complete it, what turns them towards the others counts
    inner, outer = _columns_of(q, 0, columns), _columns_of(q, columns, rows - columns)
    r, gr = swap(_columns_of(swap(r), 0, columns)), swap(_columns_of(swap(gr), 0, columns))
    turned = matmul(outer, matmul(swap(_columns_of(gq, columns, rows - columns)), inner))
    return sub(_qr_back(inner, r, _columns_of(gq, 0, columns), gr), matmul(turned, swap(inv(r))))


def _qr_back(q: Tensor, r: Tensor, gq: Tensor, gr: Tensor) -> Tensor:
    """The gradient where R is square (Walter and Lehmann, 2018)."""
    m = sub(matmul(r, swap(gr)), matmul(swap(gq), q))
    lower = triangle(m, True)
    mirrored = add(lower, swap(triangle(m, True, 0)))
    return matmul(add(gq, matmul(q, mirrored)), swap(inv(r)))


def _columns_of(x: Tensor, start: int, count: int) -> Tensor:
    return slice_(x, index=(*[slice(0, d, 1) for d in x.shape[:-1]], slice(start, start + count, 1)))


qr = prim("qr", K.qr, _qr_spec, _qr_vjp, several=True)


def _svd_spec(a: Any, full: bool) -> list:
    m, n = a.shape[-2:]
    k = min(m, n)
    lead = tuple(a.shape[:-2])
    return [((*lead, m, m if full else k), a.dtype), ((*lead, k), a.dtype), ((*lead, n if full else k, n), a.dtype)]


def _svd_vjp(g: tuple, y: tuple, a: Tensor, full: bool) -> Tensor:
    u, s, vh = y
    k = s.shape[-1]
    if full and (g[0] is not None or g[2] is not None):
        raise NotImplementedError("The gradient of the singular vectors needs svd(…, full_matrices=False).")
    if full:
        u, s, vh = svd(a, full=False)
    core = _on_diagonal(_or_zeros(g[1], s))
    squares = mul(s, s)
    gaps = _gaps(squares, squares)
    out = None
    rows, columns = a.shape[-2:]
    if g[0] is not None:
        ug = mul(gaps, matmul(swap(u), g[0]))
        core = add(core, mul(add(ug, swap(ug)), row(s)))
        if not same(rows, k):
            rest = sub(g[0], matmul(u, matmul(swap(u), g[0])))
            out = matmul(div(rest, row(s)), vh)
    if g[2] is not None:
        vg = mul(gaps, matmul(vh, swap(g[2])))
        core = add(core, mul(column(s), add(vg, swap(vg))))
    total = matmul(u, matmul(core, vh))
    if out is not None:
        total = add(total, out)
    if g[2] is not None and not same(columns, k):
        gv = swap(g[2])
        rest = sub(gv, matmul(swap(vh), matmul(vh, gv)))
        total = add(total, matmul(u, swap(div(rest, row(s)))))
    return total


svd = prim("svd", K.svd, _svd_spec, _svd_vjp, several=True)


def _singular_values_vjp(g: Tensor, y: Tensor, a: Tensor) -> Tensor:
    u, _, vh = svd(a, full=False)
    return matmul(mul(u, row(g)), vh)


singular_values = prim(
    "singular_values", K.singular_values, lambda a: ((*a.shape[:-2], min(a.shape[-2:])), a.dtype), _singular_values_vjp
)
pivots_to_rows = prim("pivots_to_rows", K.pivots_to_rows, lambda p, rows: ((*p.shape[:-1], rows), S.INT))


def _square_part(x: Tensor, k: int, n: int) -> Tensor:
    """The first k columns of x, completed to n by those of the identity."""
    widths = (*[(0, 0)] * (len(x.shape) - 1), (0, n - k))
    return add(pad(_columns_of(x, 0, k), widths=widths), Tensor(np.diag(np.arange(n) >= k).astype(x.dtype)))


def _lu_vjp(g: tuple, y: tuple, a: Tensor) -> Tensor:
    if g[0] is None:
        return full_like(a, 0)
    rows, columns = (int(d) for d in a.shape[-2:])
    k = min(rows, columns)
    eye = Tensor(np.eye(rows, columns, dtype=a.dtype))
    lower = _square_part(add(triangle(y[0], True, 0), eye), k, rows)
    upper = swap(_square_part(swap(triangle(y[0], False)), k, columns))
    inner = add(triangle(matmul(swap(lower), g[0]), True, 0), triangle(matmul(g[0], swap(upper)), False))
    permuted = matmul(swap(inv(lower)), matmul(inner, swap(inv(upper))))
    order = argsort(pivots_to_rows(y[1], rows=rows), axis=len(a.shape) - 2)  # where each row has gone
    return take_along(permuted, broadcast_to(column(order), shape=a.shape), axis=len(a.shape) - 2)


lu = prim(
    "lu", K.lu, lambda a: [(a.shape, a.dtype), ((*a.shape[:-2], min(a.shape[-2:])), S.INT)], _lu_vjp, several=True
)
