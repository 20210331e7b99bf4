"""Classes as vectors, and the distances between distributions."""

import math
from typing import Any

import numpy as np

from kerasish.base import config
from kerasish.engine import primitives as P
from kerasish.engine.control import repeat
from kerasish.engine.dims import Dim, same_shape
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axis_of, floats, numpy_dtype, tensor
from kerasish.ops.numpy.reductions import mean_of
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op


@op(tensors="x")
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """Vectors with a one at each index, along a new axis; an index out of range gives zeros."""
    if sparse:
        raise ValueError("There are no sparse tensors here. Use sparse=False.")
    index = tensor(x)
    if index.dtype.kind not in "iu":
        index = tensor(index, "int32")
    out = P.one_hot(index, depth=int(num_classes), dtype=numpy_dtype(dtype or config.floatx()))
    at = axis_of(axis, out.ndim)
    order = list(range(out.ndim - 1))
    order.insert(at, out.ndim - 1)
    return permuted(out, tuple(order))


@op(tensors="inputs")
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> Tensor:
    """One vector for each row of indices, with ones at all of them."""
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None:
        raise ValueError("Argument `num_classes` must be provided. Received: num_classes=None")
    index = tensor(inputs)
    hot = one_hot(index, num_classes, axis=axis, dtype=dtype, sparse=sparse)
    along = 1 if index.ndim > 1 else 0
    return (P.any_ if hot.dtype.kind == "b" else P.max_)(hot, axis=(along,))


# -- crossentropy -----------------------------------------------------------------------------------------------------


def _aligned(target: Tensor, output: Tensor) -> None:
    if len(target.shape) != len(output.shape) or any(
        a != b
        for a, b in zip(target.shape, output.shape, strict=True)
        if not isinstance(a, Dim) and not isinstance(b, Dim)
    ):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. "
            f"Received: target.shape={target.shape}, output.shape={output.shape}"
        )


def _clipped(p: Tensor) -> Tensor:
    """Probabilities away from 0 and 1, by epsilon."""
    e = config.epsilon()
    return P.clip(p, low=e, high=1 - e)


def _log_probabilities(output: Tensor, from_logits: bool, axis: int) -> Tensor:
    if from_logits:
        return P.log_softmax(output, axis=axis)
    return P.log(_clipped(P.div(output, P.sum_(output, axis=(axis,), keepdims=True))))


@op
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """-sum(target * log(output)) along the axis of the classes."""
    target, output = floats(target, output)
    _aligned(target, output)
    if output.ndim < 1:
        raise ValueError(
            "Arguments `target` and `output` must be at least rank 1. "
            f"Received: target.shape={target.shape}, output.shape={output.shape}"
        )
    at = axis_of(axis, output.ndim)
    return P.neg(P.sum_(P.mul(target, _log_probabilities(output, from_logits, at)), axis=(at,)))


@op
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """-log(output) of the class that the target says; 0 where there is no such class."""
    output = floats(output)
    target = tensor(target, "int32")
    if target.ndim == output.ndim and not isinstance(target.shape[-1], Dim) and target.shape[-1] == 1:
        target = reshaped(target, target.shape[:-1])
    if output.ndim < 1:
        raise ValueError(f"Argument `output` must be at least rank 1. Received: output.shape={output.shape}")
    at = axis_of(axis, output.ndim)
    lead = (*output.shape[:at], *output.shape[at + 1 :])
    if target.ndim != len(lead) or any(
        a != b for a, b in zip(target.shape, lead, strict=True) if not isinstance(a, Dim) and not isinstance(b, Dim)
    ):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape up until the last dimension: "
            f"target.shape={target.shape}, output.shape={output.shape}"
        )
    if from_logits and at == output.ndim - 1 and output.dtype.name in ("float32", "float64"):
        picked = P.log_softmax_at(output, target)
    else:
        index = P.reshape(target, shape=(*target.shape[:at], 1, *target.shape[at:]))
        picked = P.take_along(_log_probabilities(output, from_logits, at), index, axis=at)
        picked = P.reshape(picked, shape=target.shape)
    classes = P.number(output.shape[at], target.dtype)
    known = P.logical_and(P.greater_equal(target, P.scalar(target, 0)), P.less(target, classes))
    return P.neg(P.select(known, picked, P.scalar(picked, 0)))


@op
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """-(target * log(output) + (1 - target) * log(1 - output)), element by element."""
    target, output = floats(target, output)
    _aligned(target, output)
    if from_logits:
        rest = P.mul(P.sub(P.scalar(target, 1), target), P.softplus(output))
        return P.add(P.mul(target, P.softplus(P.neg(output))), rest)
    p = _clipped(output)
    one = P.scalar(p, 1)
    yes = P.mul(target, P.log(p))
    no = P.mul(P.sub(one, target), P.log(P.sub(one, p)))
    return P.neg(P.add(yes, no))


@op(tensors="x1 x2", class_name="PSNR")
def psnr(x1: Any, x2: Any, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio in decibels of two images of one shape."""
    a, b = floats(x1, x2)
    if not same_shape(a.shape, b.shape):
        raise ValueError(f"Input shapes {a.shape} and {b.shape} must match for PSNR calculation.")
    error = mean_of(P.square(P.sub(a, b)), tuple(range(a.ndim)))
    peak = tensor(20 * math.log10(float(max_val)), a.dtype)
    return P.sub(peak, P.mul(P.log10(error), P.scalar(a, 10)))


@op(tensors="abs_ angle")
def polar(abs_: Any, angle: Any) -> Tensor:
    """The complex number of this absolute value and angle."""
    r, a = floats(abs_, angle)
    return P.complex_(P.mul(r, P.cos(a)), P.mul(r, P.sin(a)))


# -- connectionist temporal classification ----------------------------------------------------------------------------

_LOW = -1e30  # stands for log(0) where a difference of infinities would be NaN


@op(class_name="CTCLoss")
def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Tensor:
    """-log of the probability of the target over all alignments (Graves et al., 2006), one for each of the batch.

    target: (batch, length) labels; output: (batch, time, classes) logits; mask_index: the class of the blank.
    """
    target, logits = tensor(target, "int32"), floats(output)
    if target.ndim != 2 or logits.ndim != 3:
        raise ValueError(
            f"ctc_loss takes targets of rank 2 and outputs of rank 3. Received: {target.shape} and {logits.shape}"
        )
    batch, steps, classes = logits.shape
    n = target.shape[1]
    logp = P.log_softmax(logits, axis=2)
    blank = P.full(shape=(batch, n, 1), value=mask_index, dtype=target.dtype)
    pairs = P.concat(blank, P.reshape(target, shape=(batch, n, 1)), axis=2)
    labels = P.concat(
        P.reshape(pairs, shape=(batch, 2 * n)),
        P.full(shape=(batch, 1), value=mask_index, dtype=target.dtype),
        axis=1,
    )  # blank, label, blank, label, …, blank
    width = 2 * n + 1
    index = P.broadcast_to(P.reshape(labels, shape=(batch, 1, width)), shape=(batch, steps, width))
    emit = P.take_along(logp, index, axis=2)

    def columns(x: Tensor, lo: int, hi: int) -> Tensor:
        return P.slice_(x, index=(slice(0, batch, 1), slice(lo, hi, 1)))

    def shifted(x: Tensor, by: int) -> Tensor:
        low = P.full(shape=(batch, by), value=_LOW, dtype=x.dtype)
        return P.concat(low, columns(x, 0, width - by), axis=1)

    # a blank may be left out between two labels that differ
    differs = P.not_equal(columns(labels, 2, width), columns(labels, 0, width - 2))
    is_label = P.not_equal(columns(labels, 2, width), P.scalar(labels, mask_index))
    skip = P.concat(
        P.full(shape=(batch, 2), value=False, dtype=np.dtype(bool)), P.logical_and(differs, is_label), axis=1
    )
    low = P.full(shape=(batch, width), value=_LOW, dtype=emit.dtype)

    # at time 0 it stands before the first label: one step from there leads to the first blank or the first label
    lengths = P.reshape(tensor(output_length, "int32"), shape=(batch, 1))
    first = P.select(Tensor(np.arange(width) < 2), P.full_like(low, 0), low)

    def step(t: Tensor, alpha: Tensor) -> Tensor:
        stay = P.logaddexp(alpha, shifted(alpha, 1))
        moved = P.logaddexp(stay, P.select(skip, shifted(alpha, 2), low))
        moved = P.select(P.equal(t, P.constant(0, "int32")), first, moved)
        now = P.reshape(P.take(emit, P.reshape(t, shape=(1,)), axis=1), shape=(batch, width))
        return P.select(P.less(t, lengths), P.add(moved, now), alpha)

    alpha = repeat(step, first, steps.__index__())
    end = P.reshape(P.mul(tensor(target_length, "int32"), P.constant(2, "int32")), shape=(batch, 1))
    last = P.take_along(alpha, end, axis=1)
    before = P.take_along(alpha, P.maximum(P.sub(end, P.constant(1, "int32")), P.constant(0, "int32")), axis=1)
    before = P.select(P.greater(end, P.constant(0, "int32")), before, P.full_like(before, _LOW))
    return P.neg(P.reshape(P.logaddexp(last, before), shape=(batch,)))


@op(class_name="CTCDecode")
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple:
    """The most probable label sequences of outputs (batch, time, classes): (paths, batch, length) padded by -1, and
    their scores (batch, paths). Beam search needs the values."""
    logits = floats(inputs)
    lengths = tensor(sequence_lengths, "int32")
    if strategy == "greedy":
        return _greedy(logits, lengths, merge_repeated, mask_index)
    if strategy == "beam_search":
        return _beam_search(np.asarray(logits), np.asarray(lengths), beam_width, top_paths, mask_index)
    raise ValueError(f"Invalid strategy {strategy}. Supported values are 'greedy' and 'beam_search'.")


def _greedy(logits: Tensor, lengths: Tensor, merge_repeated: bool, blank: int) -> tuple:
    batch, steps, classes = logits.shape
    best = P.argmax(logits, axis=2)
    top = P.max_(logits, axis=(2,))
    places = P.reshape(P.arange(start=0, stop=steps, step=1, dtype=np.dtype("int32"), shape=(steps,)), shape=(1, steps))
    inside = P.less(places, P.reshape(lengths, shape=(batch, 1)))
    best = P.select(inside, best, P.full_like(best, blank))
    score = P.neg(P.sum_(P.select(inside, top, P.full_like(top, 0)), axis=(1,), keepdims=True))
    keep = P.not_equal(best, P.scalar(best, blank))
    if merge_repeated:
        rows = slice(0, batch, 1)
        repeated = P.equal(
            P.slice_(best, index=(rows, slice(1, steps, 1))), P.slice_(best, index=(rows, slice(0, steps - 1, 1)))
        )
        first = P.full(shape=(batch, 1), value=False, dtype=np.dtype(bool))
        keep = P.logical_and(keep, P.logical_not(P.concat(first, repeated, axis=1)))
    order = P.argsort(P.logical_not(keep), axis=1)  # what is kept moves to the front, in order
    out = P.take_along(P.select(keep, best, P.full_like(best, -1)), order, axis=1)
    return P.reshape(out, shape=(1, batch, steps)), score


def _beam_search(logits: np.ndarray, lengths: np.ndarray, width: int, paths: int, blank: int) -> tuple:
    top = logits.max(axis=2, keepdims=True)
    logp = logits - top - np.log(np.exp(logits - top).sum(axis=2, keepdims=True))
    batch, steps, _ = logits.shape
    out = np.full((paths, batch, steps), -1, "int32")
    scores = np.full((batch, paths), -np.inf, logits.dtype)
    for b in range(batch):
        for i, (prefix, score) in enumerate(_best_prefixes(logp[b, : lengths[b]], width, blank)[:paths]):
            out[i, b, : len(prefix)] = prefix
            scores[b, i] = score
    return Tensor(out), Tensor(scores)


def _best_prefixes(logp: np.ndarray, width: int, blank: int) -> list:
    """Prefix beam search: every prefix with the log-probabilities that it ends in a blank and in a label."""
    beams: dict[tuple, tuple[float, float]] = {(): (0.0, -np.inf)}
    for row in logp.astype("float64"):
        grown: dict[tuple, list[float]] = {}

        def put(prefix: tuple, slot: int, value: float, grown: dict = grown) -> None:
            cell = grown.setdefault(prefix, [-np.inf, -np.inf])
            cell[slot] = float(np.logaddexp(cell[slot], value))

        for prefix, (ends_blank, ends_label) in beams.items():
            total = float(np.logaddexp(ends_blank, ends_label))
            for c, p in enumerate(row.tolist()):
                if c == blank:
                    put(prefix, 0, total + p)
                elif prefix and prefix[-1] == c:
                    put(prefix, 1, ends_label + p)
                    put((*prefix, c), 1, ends_blank + p)
                else:
                    put((*prefix, c), 1, total + p)
        ranked = sorted(grown.items(), key=lambda item: -np.logaddexp(*item[1]))[:width]
        beams = {prefix: (v[0], v[1]) for prefix, v in ranked}
    return [(prefix, float(np.logaddexp(*v))) for prefix, v in beams.items()]


