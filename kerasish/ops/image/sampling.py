"""Values between the pixels: images looked up at given places, and the transformations made of that."""

import functools
from typing import Any

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import floats, tensor
from kerasish.ops.image.filters import blurred
from kerasish.ops.image.layout import as_batch, of_image_rank
from kerasish.ops.numpy.creation import counting
from kerasish.ops.numpy.shaping import reshaped
from kerasish.ops.op import op
from kerasish.ops.seeds import draw_seed

ORDERS = {"nearest": 0, "bilinear": 1}
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")

# -- looking up -------------------------------------------------------------------------------------------------------


def _int(x: Tensor, value: int) -> Tensor:
    return P.scalar(x, value)


def _mirrored(i: Tensor, n: int) -> Tensor:
    """Indices of an axis that goes back and forth: … 2 1 0 1 2 … n-1 n-2 …"""
    if n == 1:
        return P.full_like(i, 0)
    last = n - 1
    return P.abs_(P.sub(P.mod(P.add(i, _int(i, last)), _int(i, 2 * last)), _int(i, last)))


def _reflected(i: Tensor, n: int) -> Tensor:
    """Indices of an axis that goes back and forth with its ends doubled: … 1 0 0 1 … n-1 n-1 …"""
    double = _mirrored(P.add(P.mul(i, _int(i, 2)), _int(i, 1)), 2 * n + 1)
    return P.floordiv(P.sub(double, _int(i, 1)), _int(i, 2))


def _inside(i: Tensor, n: int, fill_mode: str) -> Tensor:
    """Indices moved into the axis as the mode says."""
    if fill_mode == "wrap":
        return P.mod(i, _int(i, n))
    if fill_mode == "mirror":
        return _mirrored(i, n)
    if fill_mode == "reflect":
        return _reflected(i, n)
    return P.minimum(P.maximum(i, _int(i, 0)), _int(i, n - 1))


def _away_from_zero(x: Tensor) -> Tensor:
    """The nearest whole number; halves go away from zero."""
    return P.mul(P.sign(x), P.floor(P.add(P.abs_(x), P.scalar(x, 0.5))))


def _neighbours(place: Tensor, order: int) -> list[tuple[Tensor, Tensor | None]]:
    """The whole places around one coordinate, each with its weight (None: the only one)."""
    if order == 0:
        return [(P.cast(_away_from_zero(place), dtype=np.dtype("int32")), None)]
    low = P.floor(place)
    upper = P.sub(place, low)
    i = P.cast(low, dtype=np.dtype("int32"))
    return [(i, P.sub(P.scalar(upper, 1), upper)), (P.add(i, _int(i, 1)), upper)]


def sampled(
    x: Tensor, lead: list[Tensor], places: list[Tensor], order: int, fill_mode: str, fill_value: Any
) -> Tensor:
    """x[*lead, *places] with places between the pixels; trailing axes of x come along whole.

    lead:   whole-number indices of the first axes of x, which broadcast against the places.
    places: a coordinate for each of the axes that follow.
    """
    k, n = len(lead), len(places)
    sizes = [d.__index__() for d in x.shape[k : k + n]]
    trailing = x.ndim - k - n
    corners: list[tuple[list, Tensor | None, Tensor | None]] = [([], None, None)]
    for place, size in zip(places, sizes, strict=True):
        grown = []
        for i, w in _neighbours(place, order):
            seen = None
            if fill_mode == "constant":
                seen = P.logical_and(P.greater_equal(i, _int(i, 0)), P.less(i, _int(i, size)))
            i = _inside(i, size, fill_mode)
            for index, weight, valid in corners:
                both = w if weight is None else P.mul(weight, w) if w is not None else weight
                known = seen if valid is None else P.logical_and(valid, seen) if seen is not None else valid
                grown.append(([*index, i], both, known))
        corners = grown

    def spread(v: Tensor) -> Tensor:
        return reshaped(v, (*v.shape, *[1] * trailing))

    parts = []
    for index, weight, valid in corners:
        value = P.gather(x, *lead, *index, axes=tuple(range(k + n)))
        if valid is not None:
            outside = P.broadcast_to(tensor(fill_value, x.dtype), shape=value.shape)
            value = P.select(P.broadcast_to(spread(valid), shape=value.shape), value, outside)
        if weight is not None:
            value = P.mul(tensor(value, weight.dtype), spread(weight))
        parts.append(value)
    total = functools.reduce(P.add, parts)
    if total.dtype == x.dtype:
        return total
    return tensor(_away_from_zero(total) if x.dtype.kind in "iu" else total, x.dtype)


def _checked(order: Any, fill_mode: str, name: str = "interpolation") -> int:
    if name == "interpolation":
        if order not in ORDERS:
            raise ValueError(
                f"Invalid value for argument `interpolation`. Expected of one {set(ORDERS)}. "
                f"Received: interpolation={order}"
            )
        order = ORDERS[order]
    elif order not in (0, 1):
        raise ValueError(f"Invalid value for argument `order`. Expected one of {[0, 1]}. Received: order={order}")
    if fill_mode not in FILL_MODES:
        raise ValueError(
            f"Invalid value for argument `fill_mode`. Expected of one {set(FILL_MODES)}. Received: fill_mode={fill_mode}"
        )
    return int(order)


def _places_dtype(x: Tensor) -> np.dtype:
    """Coordinates are computed in the images' own precision, but never in less than single."""
    return np.dtype("float64") if x.dtype == "float64" else np.dtype("float32")


@op(tensors="inputs coordinates")
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """The values of `inputs` at coordinates (rank of inputs, …): the nearest ones (order 0) or linear mixtures (1).

    fill_mode: what lies outside: "constant" (`fill_value`), "nearest", "wrap", "mirror" or "reflect".
    """
    x = tensor(inputs)
    at = floats(coordinates)
    if not at.ndim or at.shape[0] != x.ndim:
        raise ValueError(
            "First dim of `coordinates` must be the same as the rank of `inputs`. Received inputs with shape: "
            f"{tuple(x.shape)} and coordinate leading dim of {at.shape[0] if at.ndim else None}"
        )
    if at.ndim < 2:
        raise ValueError(
            f"Invalid coordinates rank: expected at least rank 2. Received input with shape: {tuple(at.shape)}"
        )
    order = _checked(order, fill_mode, "order")
    whole = tuple(slice(0, d, 1) for d in at.shape[1:])
    places = [P.reshape(P.slice_(at, index=(slice(i, i + 1, 1), *whole)), shape=at.shape[1:]) for i in range(x.ndim)]
    return sampled(x, [], places, order, fill_mode, fill_value)


# -- transformations --------------------------------------------------------------------------------------------------


def _grid(height: Any, width: Any, dtype: np.dtype) -> tuple[Tensor, Tensor]:
    """The row and column numbers of every pixel, as (1, height, 1) and (1, 1, width)."""
    return (
        reshaped(counting(height, dtype), (1, height, 1)),
        reshaped(counting(width, dtype), (1, 1, width)),
    )


def _numbers(x: Tensor) -> list[Tensor]:
    """The columns of (batch, k), each as (batch, 1, 1)."""
    n, k = x.shape
    return [P.reshape(P.slice_(x, index=(slice(0, n, 1), slice(i, i + 1, 1))), shape=(n, 1, 1)) for i in range(k)]


def _looked_up(x: Tensor, rows: Tensor, columns: Tensor, order: int, fill_mode: str, fill_value: Any) -> Tensor:
    """A batch (n, h, w, c) at the rows and columns (n, h, w)."""
    image = reshaped(counting(x.shape[0]), (x.shape[0], 1, 1))
    return sampled(x, [image], [rows, columns], order, fill_mode, fill_value)


@op
def affine_transform(
    images: Any, transform: Any, interpolation: str = "bilinear", fill_mode: str = "constant", fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Each new pixel (x, y) is the old one at (a0 x + a1 y + a2, b0 x + b1 y + b2).

    transform: [a0, a1, a2, b0, b1, b2, 0, 0], or such a row for each image.
    """
    order = _checked(interpolation, fill_mode)
    x = of_image_rank(images)
    t = tensor(transform, _places_dtype(x))
    if t.ndim not in (1, 2):
        raise ValueError(
            "Invalid transform rank: expected rank 1 (single transform) or rank 2 (batch of transforms). "
            f"Received input with shape: transform.shape={tuple(t.shape)}"
        )
    batch, back = as_batch(x, data_format)
    if t.ndim == 1:
        t = reshaped(t, (1, *t.shape))
    a0, a1, a2, b0, b1, b2 = _numbers(t)[:6]
    row, column = _grid(batch.shape[1], batch.shape[2], t.dtype)
    columns = P.add(P.add(P.mul(a0, column), P.mul(a1, row)), a2)
    rows = P.add(P.add(P.mul(b0, column), P.mul(b1, row)), b2)
    return back(_looked_up(batch, rows, columns, order, fill_mode, fill_value))


def homography(start: Tensor, end: Tensor) -> Tensor:
    """(batch, 8): the projection that takes the end points (batch, 4, 2) to the start points.

    (x, y) goes to (h0 x + h1 y + h2, h3 x + h4 y + h5) / (h6 x + h7 y + 1).
    """
    n = start.shape[0]

    def column(t: Tensor, i: int) -> Tensor:
        return P.slice_(t, index=(slice(0, n, 1), slice(0, 4, 1), slice(i, i + 1, 1)))

    u, v, x, y = column(start, 0), column(start, 1), column(end, 0), column(end, 1)
    one, zero = P.full_like(x, 1), P.full_like(x, 0)
    upper = P.concat(x, y, one, zero, zero, zero, P.neg(P.mul(u, x)), P.neg(P.mul(u, y)), axis=2)
    lower = P.concat(zero, zero, zero, x, y, one, P.neg(P.mul(v, x)), P.neg(P.mul(v, y)), axis=2)
    h = P.solve(P.concat(upper, lower, axis=1), P.concat(u, v, axis=1))
    return reshaped(h, (n, 8))


@op
def perspective_transform(
    images: Any, start_points: Any, end_points: Any, interpolation: str = "bilinear", fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """The images pulled so that four points (x, y) of each come to lie at four others.

    start_points, end_points: (4, 2), or (batch, 4, 2).
    """
    order = _checked(interpolation, "constant")
    x = of_image_rank(images)
    start, end = (tensor(p, _places_dtype(x)) for p in (start_points, end_points))
    for name, p in (("start_points", start), ("end_points", end)):
        if p.ndim not in (2, 3) or tuple(p.shape[-2:]) != (4, 2):
            raise ValueError(
                f"Invalid {name} shape: expected (4,2) for a single image or (N,4,2) for a batch. "
                f"Received shape: {tuple(p.shape)}"
            )
    if start.ndim != end.ndim or tuple(start.shape) != tuple(end.shape):
        raise ValueError(
            "start_points and end_points must have the same shape. Received "
            f"start_points.shape={tuple(start.shape)}, end_points.shape={tuple(end.shape)}"
        )
    if start.ndim == 2:
        start, end = (reshaped(p, (1, 4, 2)) for p in (start, end))
    batch, back = as_batch(x, data_format)
    h0, h1, h2, h3, h4, h5, h6, h7 = _numbers(homography(start, end))
    row, column = _grid(batch.shape[1], batch.shape[2], start.dtype)
    depth = P.add(P.add(P.mul(h6, column), P.mul(h7, row)), P.scalar(h6, 1))
    columns = P.div(P.add(P.add(P.mul(h0, column), P.mul(h1, row)), h2), depth)
    rows = P.div(P.add(P.add(P.mul(h3, column), P.mul(h4, row)), h5), depth)
    return back(_looked_up(batch, rows, columns, order, "constant", fill_value))


def displaced(
    images: Tensor, field: Tensor, interpolation: str, fill_mode: str, fill_value: Any, data_format: str | None
) -> Tensor:
    """Images with every pixel taken from beside it: (n, h, w, 2) of shifts to the right and down."""
    batch, back = as_batch(images, data_format)
    n, height, width, _ = field.shape
    whole = (slice(0, n, 1), slice(0, height, 1), slice(0, width, 1))
    dx, dy = (P.reshape(P.slice_(field, index=(*whole, slice(i, i + 1, 1))), shape=(n, height, width)) for i in (0, 1))
    row, column = _grid(height, width, field.dtype)
    order = _checked(interpolation, fill_mode)
    return back(_looked_up(batch, P.add(row, dy), P.add(column, dx), order, fill_mode, fill_value))


@op(tensors="images")
def elastic_transform(
    images: Any, alpha: float = 20.0, sigma: float = 5.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
    fill_value: float = 0.0, seed: Any = None, data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Images distorted by a random field of displacements, smooth over `sigma` pixels (Simard et al. 2003)."""
    _checked(interpolation, fill_mode)
    x = of_image_rank(images)
    dtype = _places_dtype(x)
    sigma = float(sigma)
    n, height, width, _ = as_batch(x, data_format)[0].shape
    field = P.random_normal(draw_seed(seed), shape=(n, height, width, 2), dtype=dtype)
    size = int(6 * sigma) | 1
    field = blurred(P.mul(field, P.scalar(field, sigma)), (size, size), (sigma, sigma))
    return displaced(x, P.mul(field, tensor(alpha, dtype)), interpolation, fill_mode, fill_value, data_format)
