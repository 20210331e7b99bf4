"""The losses as functions: a value per sample from `y_true` and `y_pred`."""

from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base.config import epsilon
from kerasish.base.registry import export
from kerasish.engine.tensor import Tensor
from kerasish.losses.loss import squeeze_or_expand_to_same_rank


def _names(name: str, *aliases: str) -> Any:
    """A loss that is a metric as well."""
    paths = [f"keras.{kind}.{n}" for n in (name, *aliases) for kind in ("losses", "metrics")]
    return export(*paths)


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


@_names("mean_squared_error", "mse", "MSE")
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """mean((y_true - y_pred)²) over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@_names("mean_absolute_error", "mae", "MAE")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """mean|y_true - y_pred| over the last axis."""
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@_names("mean_absolute_percentage_error", "mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 * mean|(y_true - y_pred) / y_true|."""
    y_true, y_pred = _pair(y_true, y_pred)
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), epsilon())), axis=-1)


@_names("mean_squared_logarithmic_error", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """mean((log(y_true + 1) - log(y_pred + 1))²)."""
    y_true, y_pred = _pair(y_true, y_pred)
    a, b = (ops.log(ops.maximum(y, epsilon()) + 1.0) for y in (y_pred, y_true))
    return ops.mean(ops.square(a - b), axis=-1)


@_names("huber", "huber_loss")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Half the square where the error is within delta, linear beyond."""
    y_true, y_pred = _pair(y_true, y_pred)
    error = ops.abs(y_true - y_pred)
    return ops.mean(
        ops.where(error <= delta, 0.5 * ops.square(error), delta * error - 0.5 * delta * delta), axis=-1
    )


@_names("log_cosh", "logcosh")
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """mean(log(cosh(y_pred - y_true)))."""
    y_true, y_pred = _pair(y_true, y_pred)
    x = y_pred - y_true
    return ops.mean(x + ops.softplus(-2.0 * x) - float(np.log(2.0)), axis=-1)


def _signed(y_true: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; other labels as they are."""
    zero, one = ops.equal(y_true, 0), ops.equal(y_true, 1)
    binary = ops.all(ops.logical_or(zero, one))
    return ops.where(binary, 2.0 * y_true - 1.0, y_true)


@_names("hinge")
def hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)) for labels -1 and 1 (or 0 and 1)."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = _signed(ops.cast(y_true, y_pred.dtype))
    return ops.mean(ops.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


@_names("squared_hinge")
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """The mean of the squared hinge."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = _signed(ops.cast(y_true, y_pred.dtype))
    return ops.mean(ops.square(ops.maximum(1.0 - y_true * y_pred, 0.0)), axis=-1)


@_names("categorical_hinge")
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(neg - pos + 1, 0), pos of the true class and neg the largest of the others."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    pos = ops.sum(y_true * y_pred, axis=-1)
    neg = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(neg - pos + 1.0, 0.0)


@_names("kl_divergence", "KLD", "kld", "kullback_leibler_divergence")
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """sum(y_true * log(y_true / y_pred))."""
    y_true, y_pred = _pair(y_true, y_pred)
    y_true, y_pred = ops.clip(y_true, epsilon(), 1), ops.clip(y_pred, epsilon(), 1)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


@_names("poisson")
def poisson(y_true: Any, y_pred: Any) -> Any:
    """mean(y_pred - y_true * log(y_pred))."""
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + epsilon()), axis=-1)


@export("keras.losses.cosine_similarity")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """-sum(l2_norm(y_true) * l2_norm(y_pred))."""
    y_true, y_pred = _pair(y_true, y_pred)
    return -ops.sum(ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis)


def check_smoothing(label_smoothing: Any) -> None:
    """ValueError unless labels can be smoothed by so much."""
    number = isinstance(label_smoothing, (int, float)) and not isinstance(label_smoothing, bool)
    if not number or not 0 <= label_smoothing <= 1:
        raise ValueError(f"`label_smoothing` must be in [0, 1]. Received: label_smoothing={label_smoothing!r}")


@_names("binary_crossentropy")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Cross-entropy of 0/1 labels, averaged over the axis."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


@_names("binary_focal_crossentropy")
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross-entropy that weighs easy samples less (Lin et al. 2017)."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    bce = ops.binary_crossentropy(y_true, y_pred)
    p = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    loss = ops.power(1.0 - p, gamma) * bce
    if apply_class_balancing:
        loss = loss * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return ops.mean(loss, axis=axis)


@_names("categorical_crossentropy")
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Cross-entropy of one-hot labels (or distributions)."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@_names("categorical_focal_crossentropy")
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Categorical cross-entropy that weighs easy samples less."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    p = ops.clip(p, epsilon(), 1.0 - epsilon())
    return ops.sum(-y_true * ops.log(p) * ops.power(1.0 - p, gamma) * alpha, axis=axis)


@_names("sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """Cross-entropy of integer labels; places with the label `ignore_class` count nothing."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    valid = ops.not_equal(y_true, ops.cast(ignore_class, y_true.dtype))
    y_true = y_true * ops.cast(valid, y_true.dtype)
    values = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    values = ops.where(valid, values, ops.zeros_like(values))
    values._keras_mask = valid
    return values


@export("keras.losses.categorical_generalized_cross_entropy")
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """(1 - p**q) / q of the probability p given to the integer label, between cross-entropy and MAE (Zhang and Sabuncu 2018)."""
    if not 0 < q < 1:
        raise ValueError("q must be in the interval (0, 1)")
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    chosen = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
    return (1.0 - ops.power(ops.sum(y_pred * chosen, axis=-1), q)) / q


@export("keras.losses.dice")
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """1 - 2 * overlap / (sum of both), over the axes or everything."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    overlap = ops.sum(y_true * y_pred, axis=axis)
    return 1 - ops.divide(2.0 * overlap, ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis) + epsilon())


@export("keras.losses.tversky")
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """Dice with weights for false negatives (alpha, as Keras computes it) and false positives (Salehi et al. 2017)."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    overlap = ops.sum(y_true * y_pred, axis=axis)
    wrong = ops.sum((1 - y_true) * y_pred, axis=axis)
    missed = ops.sum((1 - y_pred) * y_true, axis=axis)
    return 1 - ops.divide(overlap, overlap + missed * alpha + wrong * beta + epsilon())


@export("keras.losses.circle")
def circle(
    y_true: Any, y_pred: Any, ref_labels: Any = None, ref_embeddings: Any = None, remove_diagonal: bool = True,
    gamma: float = 80, margin: float = 0.4,
) -> Any:  # fmt: skip
    """Circle loss of normalized embeddings with integer labels, pair by pair (Sun et al. 2020)."""
    embeddings = ops.convert_to_tensor(y_pred)
    labels = ops.reshape(ops.cast(y_true, "int32"), (-1, 1))
    others = embeddings if ref_embeddings is None else ops.cast(ref_embeddings, embeddings.dtype)
    other_labels = labels if ref_labels is None else ops.reshape(ops.cast(ref_labels, "int32"), (-1, 1))
    same = ops.equal(labels, ops.transpose(other_labels))
    similar, apart = ops.cast(same, embeddings.dtype), ops.cast(ops.logical_not(same), embeddings.dtype)
    if remove_diagonal and ref_embeddings is None:
        places = ops.cumsum(ops.ones_like(labels), axis=0)  # and not ops.eye, so that one program serves all batch sizes
        similar = similar * ops.cast(ops.not_equal(places, ops.transpose(places)), embeddings.dtype)
    # cosine distances of pairs that belong together should be below the margin, of others above 1 - margin
    d = ops.maximum(1.0 - ops.matmul(embeddings, ops.transpose(others)), 0.0)
    pull, push = ops.maximum(margin + d, 0.0), ops.maximum(1 + margin - d, 0.0)
    nothing = -6e4 if embeddings.dtype == "float16" else -1e9  # as low as the dtype goes, and finite for gradients
    together = ops.where(similar > 0, gamma * pull * (d - margin), nothing)
    separate = ops.where(apart > 0, gamma * push * (1 - margin - d), nothing)
    values = ops.softplus(ops.logsumexp(together, axis=1) + ops.logsumexp(separate, axis=1))
    if isinstance(values, Tensor):
        values._keras_mask = values > 0  # rows without a pair of each kind do not count
    return values


@export("keras.losses.ctc")
def ctc(y_true: Any, y_pred: Any) -> Any:
    """Connectionist temporal classification of label sequences padded with 0; y_pred (batch, time, classes) are logits."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) != 2:
        raise ValueError(f"Targets `y_true` must be a tensor of shape `(batch_size, max_length)`. Received: y_true.shape={y_true.shape}")
    if len(y_pred.shape) != 3:
        raise ValueError(
            "Logits `y_pred` must be a tensor of shape `(batch_size, max_length, num_classes)`. Received: "
            f"y_pred.shape={y_pred.shape}"
        )
    labels = ops.cast(y_true, "int32")
    batch, time = y_pred.shape[0], y_pred.shape[1]
    times = ops.cast(ops.ones((batch,)), "int32") * ops.cast(time, "int32")
    lengths = ops.cast(ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=-1), "int32")
    return ops.ctc_loss(labels, y_pred, lengths, times, mask_index=0)
