"""Shape and dtype rules of the primitives. Each takes the arguments (anything with shape and dtype) and parameters."""

from typing import Any, Callable

import numpy as np

from kerasish.engine.dims import Dim, agree, broadcast_shapes, is_symbolic, product

BOOL = np.dtype(bool)
INT = np.dtype("int32")


def like(x: Any, *rest: Any, **params: Any) -> tuple:
    return x.shape, x.dtype


def elementwise(*args: Any, **params: Any) -> tuple:
    return broadcast_shapes(*[a.shape for a in args]), args[0].dtype


def comparison(*args: Any, **params: Any) -> tuple:
    return broadcast_shapes(*[a.shape for a in args]), BOOL


def selection(mask: Any, a: Any, b: Any) -> tuple:
    return broadcast_shapes(mask.shape, a.shape, b.shape), a.dtype


def explicit(*args: Any, shape: tuple, dtype: Any, **params: Any) -> tuple:
    return shape, np.dtype(dtype)


def cast(x: Any, dtype: Any) -> tuple:
    return x.shape, np.dtype(dtype)


def reduced(shape: tuple, axis: tuple, keepdims: bool) -> tuple:
    """The shape after reducing the (non-negative) axes."""
    if keepdims:
        return tuple(1 if i in axis else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axis)


def reduction(dtype: Any = None) -> Callable:
    def rule(x: Any, axis: tuple, keepdims: bool = False) -> tuple:
        return reduced(x.shape, axis, keepdims), np.dtype(dtype) if dtype is not None else x.dtype

    return rule


def arg_reduction(x: Any, axis: int) -> tuple:
    return reduced(x.shape, (axis,), False), INT


def reshape(x: Any, shape: tuple) -> tuple:
    n, m = product(x.shape), product(shape)
    if not (is_symbolic(x.shape) or is_symbolic(shape)) and n != m:
        raise ValueError(f"Cannot reshape a tensor of shape {x.shape} ({n} elements) to {shape} ({m} elements).")
    if is_symbolic(x.shape) or is_symbolic(shape):
        if not agree(n, m):
            raise ValueError(f"Cannot reshape a tensor of shape {x.shape} to {shape}.")
    return shape, x.dtype


def transpose(x: Any, axes: tuple) -> tuple:
    return tuple(x.shape[a] for a in axes), x.dtype


def broadcast_to(x: Any, shape: tuple) -> tuple:
    merged = broadcast_shapes(x.shape, shape)
    if len(merged) != len(shape) or not all(agree(a, b) for a, b in zip(merged, shape, strict=True)):
        raise ValueError(f"Cannot broadcast a tensor of shape {x.shape} to {shape}.")
    return shape, x.dtype


def slice_length(size: Any, s: slice) -> Any:
    """How many elements a normalised slice (start, stop, step all given; see ops.core) takes."""
    if s.step > 0:
        n = s.stop - s.start
        return n if s.step == 1 else -(-n // s.step)
    n = s.start - s.stop if s.stop is not None else s.start + 1
    return -(-n // -s.step)


def slicing(x: Any, index: tuple) -> tuple:
    return tuple(slice_length(d, s) for d, s in zip(x.shape, index, strict=True)), x.dtype


def concat(*xs: Any, axis: int) -> tuple:
    first = xs[0].shape
    total: Any = 0
    for x in xs:
        fits = len(x.shape) == len(first) and all(
            i == axis or agree(a, b) for i, (a, b) in enumerate(zip(x.shape, first, strict=True))
        )
        if not fits:
            raise ValueError(
                f"Cannot concatenate tensors of shapes {[t.shape for t in xs]} along axis {axis}: all other axes must "
                "have equal sizes."
            )
        total = total + x.shape[axis]
    return (*first[:axis], total, *first[axis + 1 :]), xs[0].dtype


def pad(x: Any, widths: tuple, value: Any = 0) -> tuple:
    return tuple(lo + d + hi for d, (lo, hi) in zip(x.shape, widths, strict=True)), x.dtype


def matmul(a: Any, b: Any) -> tuple:
    if len(a.shape) < 2 or len(b.shape) < 2 or not agree(a.shape[-1], b.shape[-2]):
        raise ValueError(
            f"Matrix product of shapes {a.shape} and {b.shape}: the last axis of the first and the second-last of the "
            "second must have equal sizes."
        )
    return (*broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), a.dtype


def take(x: Any, index: Any, axis: int) -> tuple:
    return (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]), x.dtype


def gather(x: Any, *indices: Any, axes: tuple) -> tuple:
    """Advanced indexing with broadcast integer arrays at `axes` (adjacent, from the first); the rest stays."""
    block = broadcast_shapes(*[i.shape for i in indices])
    return (*block, *x.shape[len(axes) :]), x.dtype


def scatter(values: Any, *indices: Any, shape: tuple) -> tuple:
    return shape, values.dtype


def take_along(x: Any, index: Any, axis: int) -> tuple:
    rest = [(a, b) for i, (a, b) in enumerate(zip(x.shape, index.shape, strict=True)) if i != axis]
    merged = list(broadcast_shapes([a for a, _ in rest], [b for _, b in rest]))
    merged.insert(axis, index.shape[axis])
    return tuple(merged), x.dtype


def conv_output(size: Any, kernel: int, stride: int, padding: tuple, dilation: int) -> Any:
    """The length of one spatial axis after a convolution or pooling with explicit padding."""
    reach = (kernel - 1) * dilation + 1
    n = size + (padding[0] + padding[1] - reach)
    if not isinstance(n, Dim) and n < 0:
        return 0
    return n // stride + 1


def conv(x: Any, w: Any, strides: tuple, padding: tuple, dilation: tuple, groups: int) -> tuple:
    spatial = [
        conv_output(*a) for a in zip(x.shape[1:-1], w.shape[:-2], strides, padding, dilation, strict=True)
    ]
    return (x.shape[0], *spatial, w.shape[-1]), x.dtype


def conv_input_grad(dy: Any, w: Any, input_shape: tuple, **params: Any) -> tuple:
    return input_shape, dy.dtype


def conv_kernel_grad(x: Any, dy: Any, kernel_shape: tuple, **params: Any) -> tuple:
    return kernel_shape, x.dtype


def pool(x: Any, size: tuple, strides: tuple, padding: tuple) -> tuple:
    spatial = [
        conv_output(d, k, s, p, 1) for d, k, s, p in zip(x.shape[1:-1], size, strides, padding, strict=True)
    ]
    return (x.shape[0], *spatial, x.shape[-1]), x.dtype


def pool_grad(dy: Any, x: Any, *rest: Any, **params: Any) -> tuple:
    return x.shape, x.dtype


def attention(q: Any, k: Any, v: Any, *mask: Any, **params: Any) -> tuple:
    fits = len(q.shape) == len(k.shape) == len(v.shape) == 4 and all(
        agree(a, b)
        for a, b in [
            (q.shape[0], k.shape[0]), (q.shape[0], v.shape[0]), (k.shape[1], v.shape[1]), (q.shape[2], k.shape[2]),
            (q.shape[2], v.shape[2]), (q.shape[3], k.shape[3]),
        ]
    )  # fmt: skip
    if not fits:
        raise ValueError(
            "Attention needs query, key and value of shapes (batch, targets, heads, size), (batch, sources, heads, size) "
            f"and (batch, sources, heads, any size). Received: {q.shape}, {k.shape} and {v.shape}"
        )
    for m in mask:
        scores = (q.shape[0], q.shape[2], q.shape[1], k.shape[1])
        if len(m.shape) != 4 or not all(agree(a, b) for a, b in zip(broadcast_shapes(m.shape, scores), scores)):
            raise ValueError(f"A mask of shape {m.shape} does not fit the scores, which have the shape {scores}.")
    return (*q.shape[:3], v.shape[3]), q.dtype


def attention_grad(dy: Any, y: Any, q: Any, k: Any, v: Any, *mask: Any, **params: Any) -> tuple:
    return (product(q.shape) + product(k.shape) + product(v.shape),), q.dtype
