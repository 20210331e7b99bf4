"""What the gradients of ops are tested on: the rows of `op_cases`, and rows of ties, kinks and ends (`KINKS`).

`tests/golden/make_gradients.py` records what JAX makes of the same objective, in float64, to order two.
"""

import json
import pathlib
import re
from typing import Any, Callable

import numpy as np
from op_cases import ARRAYS, CASES

INF, NAN = np.inf, np.nan

# further inputs, in which something is equal, zero or missing
KINK_ARRAYS = {
    "TIE": np.array([[1.0, 3.0, 3.0, -2.0], [2.0, 2.0, 2.0, 2.0], [-1.0, 0.0, 0.0, -1.0]], "float32"),
    "TIE2": np.array([[1.0, 2.0, 3.0, -2.0], [2.0, 1.0, 2.0, 5.0], [0.0, 0.0, -1.0, -1.0]], "float32"),
    "ZERO": np.array([[0.0, 1.0, -1.0], [2.0, 0.0, 0.0]], "float32"),
    "NIL": np.zeros((2, 3), "float32"),
    "POLES": np.array([-1.0, 0.0, 1.0], "float32"),
    "ENDS": np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0], "float32"),
    "HOLE": np.array([[0.0, 4.0, -4.0], [1.0, 0.25, -1.0]], "float32"),
    "GAP": np.array([[1.0, NAN, 3.0, 3.0], [0.25, 0.5, NAN, 0.5]], "float32"),
    "FAR": np.array([-100.0, -30.0, 30.0, 100.0], "float32"),
    "WHOLE": np.array([[-2.0, -0.5, 0.5], [1.5, 2.5, 3.0]], "float32"),
    "EMPTY": np.zeros((0, 3), "float32"),
    "POINT": np.array(0.7, "float32"),
    "PIX": np.array([[[[1.0], [1.0], [0.0]], [[1.0], [1.0], [0.0]], [[0.0], [2.0], [2.0]]]], "float32"),
    "SING": np.array([[1.0, 2.0], [2.0, 4.0]], "float32"),
    "DIAG2": np.array([[2.0, 0.0], [0.0, 3.0]], "float32"),
    "INDEX": np.array([0, 1, 1, 0], "int32"),
}

KINKS = """
abs(ZERO)
sign(ZERO)
relu(ZERO)
relu6(ENDS)
leaky_relu(ENDS)
elu(ENDS)
selu(ENDS)
celu(ENDS)
softsign(ENDS)
hard_sigmoid(ENDS)
hard_silu(ENDS)
hard_tanh(ENDS)
hard_shrink(ENDS)
soft_shrink(ENDS)
threshold(ENDS, 0.5, 0.0)
sparse_plus(ENDS)
sparse_sigmoid(ENDS)
sparsemax(ENDS)
squareplus(ENDS)
tanh_shrink(ENDS)
gelu(ENDS)
gelu(FAR)
softplus(FAR)
log_sigmoid(FAR)
sigmoid(FAR)
silu(FAR)
softmax(FAR)
log_softmax(FAR)
logsumexp(FAR)
sqrt(ZERO * ZERO)
sqrt(NIL)
rsqrt(POINT)
cbrt(POINT)
square(ZERO)
power(ZERO, 2)
power(ZERO, 0)
power(ZERO, 3)
power(ZERO, 1)
power(abs(ZERO), 1.5)
power(NIL, NIL)
power(POINT, 0.0)
max(TIE)
max(TIE, axis=1)
max(TIE, axis=-1, keepdims=True)
max(TIE, initial=3.0)
max(NIL)
min(TIE)
min(TIE, axis=1)
min(TIE, initial=-2.0)
amax(TIE, axis=0)
amin(TIE, axis=0)
ptp(TIE, axis=1)
maximum(TIE, TIE2)
maximum(ZERO, 0)
maximum(ZERO, POLES)
minimum(TIE, TIE2)
minimum(ZERO, 0.0)
fmax(TIE, TIE2)
fmin(TIE, TIE2)
fmax(GAP, 0.5)
fmin(GAP, 0.5)
clip(ENDS, -1.0, 1.0)
clip(ENDS, -0.5, 6)
clip(ZERO, 0, 1)
clip(TIE, TIE2, 3.0)
sort(TIE)
sort(TIE, axis=0)
sort(NIL)
top_k(TIE, 2)
top_k(TIE, 1)
median(TIE)
median(TIE, axis=1)
quantile(TIE, 0.5, axis=1)
quantile(TIE, 0.3, axis=0)
quantile(TIE, 0.4, axis=1, method="nearest")
quantile(TIE, 0.4, axis=1, method="midpoint")
nanmedian(GAP, axis=1)
nanquantile(GAP, 0.3, axis=1)
nansum(GAP)
nanmean(GAP, axis=1)
nanvar(GAP, axis=1)
nanstd(GAP, axis=1)
nanmax(GAP, axis=1)
nanmin(GAP, axis=1)
nanprod(GAP, axis=1)
nancumsum(GAP, axis=1)
nancumprod(GAP, axis=1)
nan_to_num(GAP)
prod(ZERO)
prod(ZERO, axis=0)
prod(ZERO, axis=1)
prod(NIL)
prod(POLES)
cumprod(POLES)
cumprod(ZERO, axis=1)
norm(NIL)
norm(NIL, axis=1)
norm(ZERO, axis=0)
norm(ZERO, ord=1, axis=1)
norm(ZERO, ord=3, axis=1)
norm(ZERO, ord=float("inf"), axis=1)
norm(ZERO, ord=-float("inf"), axis=1)
norm(TIE, ord=float("inf"), axis=1)
norm(TIE, ord=1, axis=(0, 1))
norm(TIE, ord=0, axis=1)
normalize(NIL)
normalize(ZERO)
normalize(ZERO, order=1)
std(NIL)
std(TIE, axis=1)
var(TIE, axis=1)
where(HOLE > 0, sqrt(HOLE), 0.0)
where(HOLE > 0, log(HOLE), HOLE)
where(HOLE > 0, sqrt(where(HOLE > 0, HOLE, 1.0)), 0.0)
where(HOLE != 0, 1.0 / HOLE, 0.0)
divide_no_nan(HOLE, ZERO)
divide(POLES, ZERO[0] + 2)
reciprocal(ZERO + 3)
floor(WHOLE)
ceil(WHOLE)
round(WHOLE)
trunc(WHOLE)
floor_divide(WHOLE, 2.0)
mod(WHOLE, 2.0)
mod(3.0, WHOLE)
fmod(WHOLE, 2.0)
fmod(3.0, WHOLE)
heaviside(ZERO, 0.5)
arctan2(ZERO, POLES + 3)
arctan2(POLES, NIL)
hypot(ZERO, POLES)
hypot(NIL, NIL)
logaddexp(TIE, TIE)
logaddexp(TIE, TIE2)
logaddexp(POINT, FAR)
logaddexp2(TIE, TIE2)
sinc(ZERO)
i0(ZERO)
angle(ZERO)
arccos(POLES * 0.5)
arccosh(ENDS + 4.5)
erfinv(POLES * 0.5)
max_pool(PIX, 2, strides=1)
max_pool(PIX, 2, strides=1, padding="same")
average_pool(PIX, 2, strides=1, padding="same")
adaptive_max_pool(PIX, 2)
segment_max(TIE[:, 0], convert_to_tensor([0, 0, 1]), num_segments=3)
segment_max(TIE[1], INDEX, num_segments=3)
segment_min(TIE[1], INDEX, num_segments=3)
segment_prod(ZERO[1], INDEX[:3], num_segments=2)
segment_sum(TIE[1], INDEX, num_segments=3)
scatter_update(TIE, [[0, 1], [1, 2]], ZERO[0, :2], reduction="max")
scatter_update(TIE, [[1, 1], [1, 1]], ZERO[1, :2], reduction="max")
scatter_update(TIE, [[1, 1], [0, 2]], ZERO[1, :2], reduction="min")
scatter_update(ZERO, [[0, 0], [1, 0]], POLES[1:], reduction="mul")
scatter_update(ZERO, [[0, 0], [1, 0]], POLES[1:])
take(TIE, INDEX, axis=1)
take_along_axis(TIE[:1], INDEX[None], axis=1)
get_item(TIE, (slice(None), INDEX))
cross(ZERO, POLES)
cdist(ZERO, ZERO)
cdist(NIL, ZERO)
det(SING)
inv(DIAG2)
eigh(DIAG2)
svd(DIAG2, full_matrices=False)[1]
svd(DIAG2, compute_uv=False)
norm(DIAG2, ord=2)
norm(DIAG2, ord="nuc")
cholesky(DIAG2)
det(NIL[:, :2])
slogdet(DIAG2)
qr(DIAG2)
pinv(DIAG2)
binary_crossentropy(ZERO[0] * 0, POLES * 0.5 + 0.5)
binary_crossentropy(POLES * 0.5 + 0.5, POLES, from_logits=True)
binary_crossentropy(PROB, FAR[:3] * NIL + FAR[:3], from_logits=True)
categorical_crossentropy(PROB, POLES * NIL + abs(POLES))
categorical_crossentropy(PROB, NIL, from_logits=True)
sparse_categorical_crossentropy(INDEX[:2], PROB)
log_softmax(NIL)
softmax(NIL)
layer_normalization(NIL)
rms_normalization(NIL)
batch_normalization(NIL, POLES, POLES * POLES, -1)
l2_normalize_rows(NIL)
cumsum(EMPTY, axis=0)
sum(EMPTY)
sum(EMPTY, axis=0)
mean(EMPTY, axis=1)
prod(EMPTY, axis=0)
max(EMPTY, axis=1)
exp(EMPTY)
add(EMPTY, POLES)
multiply(EMPTY, POLES)
matmul(EMPTY, ZERO[0])
matmul(EMPTY, transpose(ZERO))
matmul(transpose(EMPTY), EMPTY)
einsum("ij,kj->ik", EMPTY, ZERO)
concatenate([EMPTY, ZERO])
stack([EMPTY, EMPTY])
split(EMPTY, 3, axis=1)
sort(EMPTY, axis=0)
softmax(EMPTY)
logsumexp(EMPTY, axis=1)
pad(EMPTY, ((1, 1), (0, 0)))
reshape(EMPTY, (3, 0))
norm(EMPTY, axis=1)
take(EMPTY, INDEX, axis=1)
where(EMPTY > 0, EMPTY, 1.0)
exp(POINT)
multiply(POINT, ZERO)
sum(POINT)
max(POINT)
reshape(POINT, (1, 1))
cumsum(POINT)
sort(reshape(POINT, (1,)))
expand_dims(POINT, 0)
broadcast_to(POINT, (2, 3))
stack([POINT, POINT])
power(POINT, POINT)
maximum(POINT, POINT)
outer(POINT, POLES)
tensordot(POINT, POINT, axes=0)
""".strip().split("\n")
KINKS = [k for k in dict.fromkeys(KINKS) if not k.startswith("l2_normalize_rows")]

ALL_ARRAYS = {**ARRAYS, **KINK_ARRAYS}
ALL_CASES = list(dict.fromkeys((*CASES, *KINKS)))
# rows of op_cases that say nothing about gradients: half precision, and data whose NaNs reach every result
SKIPPED_ARRAYS = {"H", "N"}


def inputs_of(case: str, kinds: str = "f") -> list[str]:
    """The names of the arrays of these kinds that the row uses."""
    words = set(re.findall(r"\b[A-Z][A-Z0-9]*\b", case))
    return [n for n in ALL_ARRAYS if n in words and ALL_ARRAYS[n].dtype.kind in kinds]


def has_inputs(case: str) -> bool:
    return bool(inputs_of(case)) and not SKIPPED_ARRAYS & set(inputs_of(case))


def values_of(case: str) -> list[np.ndarray]:
    return [ALL_ARRAYS[n].astype("float64") for n in inputs_of(case)]


def read_gradients() -> dict[str, Any]:
    """By row: what JAX gave, or the type of its error. First the gradients of all inputs, then their derivatives."""
    file = np.load(pathlib.Path(__file__).parent.parent / "golden" / "gradients.npz")
    found, at, values = {}, 0, file["values"]
    for case, shapes in json.loads(bytes(file["index"])).items():
        if isinstance(shapes, str):
            found[case] = shapes
            continue
        found[case] = []
        for shape in shapes:
            n = int(np.prod(shape))
            found[case].append(values[at : at + n].reshape(shape))
            at += n
    return found


def directions_of(case: str) -> list[np.ndarray]:
    """Where to go from the inputs, for derivatives along a line."""
    return [np.random.default_rng(3 + i).normal(size=x.shape) for i, x in enumerate(values_of(case))]


def objective(case: str, ops: Any, constants: dict[str, Any], flatten: Callable) -> Callable:
    """A smooth scalar function of what the row returns, of the arrays named by `inputs_of`, with the ops given."""
    names = inputs_of(case)
    scope = {n: getattr(ops, n) for n in dir(ops) if not n.startswith("_")}
    if case.startswith("get_item"):
        scope["slice"] = slice

    def function(*xs: Any) -> Any:
        total = None
        leaves = flatten(eval(case, {**scope, **constants, **dict(zip(names, xs, strict=True))}))
        for i, leaf in enumerate(leaves):
            leaf = ops.convert_to_tensor(leaf)
            if "complex" in str(leaf.dtype):
                leaf = ops.add(ops.real(leaf), ops.multiply(ops.imag(leaf), 0.7))
            if "float" not in str(leaf.dtype):
                continue
            weights = np.random.default_rng(i).uniform(0.5, 1.5, tuple(leaf.shape))
            part = ops.sum(ops.add(ops.multiply(leaf, ops.convert_to_tensor(weights)), ops.multiply(ops.square(leaf), 0.3)))
            total = part if total is None else ops.add(total, part)
        return total

    return function
