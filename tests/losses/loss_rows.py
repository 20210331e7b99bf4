"""Losses in all their options, in `keras` or in us: the tests and tests/golden/make_losses.py."""

import numpy as np

rng = np.random.RandomState(8)
N, C = 6, 4


def softmaxed(x):
    e = np.exp(x)
    return (e / e.sum(-1, keepdims=True)).astype("float32")


REAL = (rng.normal(size=(N, C)).astype("float32"), rng.normal(size=(N, C)).astype("float32"))
POSITIVE = tuple(rng.uniform(0.1, 2, (N, C)).astype("float32") for _ in range(2))
SIGNS = (np.sign(REAL[0]), REAL[1])
BITS = (rng.randint(0, 2, (N, C)).astype("float32"), rng.uniform(0.05, 0.95, (N, C)).astype("float32"))
LOGITS = (BITS[0], REAL[1] * 3)
CLASSES = rng.randint(0, C, N)
ONE_HOT = (np.eye(C, dtype="float32")[CLASSES], softmaxed(REAL[0]))
ONE_HOT_LOGITS = (ONE_HOT[0], REAL[0] * 3)
SPARSE = (CLASSES.astype("int32"), ONE_HOT[1])
SPARSE_LOGITS = (CLASSES.astype("int32"), ONE_HOT_LOGITS[1])
SPREAD = (softmaxed(REAL[1]), softmaxed(REAL[0]))
EMBEDDED = (np.array([0, 1, 0, 2, 1, 0], "int32"), REAL[0] / np.linalg.norm(REAL[0], axis=-1, keepdims=True))
SPEECH = (np.array([[1, 2, 0], [3, 1, 1], [2, 0, 0]], "int32"), rng.normal(size=(3, 8, 5)).astype("float32"))

ROWS = {
    "MeanSquaredError": ({}, REAL), "MeanAbsoluteError": ({}, REAL), "MeanAbsolutePercentageError": ({}, POSITIVE),
    "MeanSquaredLogarithmicError": ({}, POSITIVE), "Huber": ({}, REAL), "Huber 0.3": ({"delta": 0.3}, REAL),
    "LogCosh": ({}, REAL), "Hinge": ({}, SIGNS), "Hinge of bits": ({}, BITS), "SquaredHinge": ({}, SIGNS),
    "CategoricalHinge": ({}, ONE_HOT), "KLDivergence": ({}, SPREAD), "Poisson": ({}, POSITIVE),
    "CosineSimilarity": ({}, REAL), "CosineSimilarity by column": ({"axis": 0}, REAL),
    "BinaryCrossentropy": ({}, BITS), "BinaryCrossentropy of logits": ({"from_logits": True}, LOGITS),
    "BinaryCrossentropy smoothed": ({"label_smoothing": 0.1}, BITS),
    "BinaryFocalCrossentropy": ({}, BITS),
    "BinaryFocalCrossentropy balanced": ({"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "from_logits": True}, LOGITS),
    "CategoricalCrossentropy": ({}, ONE_HOT), "CategoricalCrossentropy of logits": ({"from_logits": True}, ONE_HOT_LOGITS),
    "CategoricalCrossentropy smoothed": ({"label_smoothing": 0.2}, ONE_HOT),
    "CategoricalFocalCrossentropy": ({}, ONE_HOT),
    "CategoricalFocalCrossentropy of logits": ({"from_logits": True, "alpha": 0.4, "gamma": 1.0, "label_smoothing": 0.1}, ONE_HOT_LOGITS),
    "SparseCategoricalCrossentropy": ({}, SPARSE), "SparseCategoricalCrossentropy of logits": ({"from_logits": True}, SPARSE_LOGITS),
    "SparseCategoricalCrossentropy but one": ({"ignore_class": 1}, SPARSE),
    "Dice": ({}, BITS), "Dice by row": ({"axis": -1}, BITS), "Tversky": ({}, BITS), "Tversky by row": ({"alpha": 0.3, "beta": 0.8, "axis": -1}, BITS),
    "Circle": ({}, EMBEDDED), "Circle wide": ({"gamma": 8.0, "margin": 0.2, "remove_diagonal": False}, EMBEDDED),
    "CategoricalGeneralizedCrossEntropy": ({}, SPARSE), "CategoricalGeneralizedCrossEntropy 0.2": ({"q": 0.2}, SPARSE),
    "CTC": ({}, SPEECH),
}  # fmt: skip
REDUCTIONS = ("sum_over_batch_size", "sum", "mean_with_sample_weight", None)


def make(keras, name, **more):
    return getattr(keras.losses, name.split()[0])(**ROWS[name][0], **more)


def cases(keras, name):
    """The values of a loss under every reduction, plain, weighted and masked, as {title: array}."""
    y_true, y_pred = ROWS[name][1]
    shape = np.shape(make(keras, name, reduction=None)(y_true, y_pred))
    weights = np.random.RandomState(2).uniform(0.5, 2, shape).astype("float32") if shape else None
    mask = np.arange(int(np.prod(shape))).reshape(shape) % 3 != 1 if shape else None
    found = {}
    for reduction in REDUCTIONS:
        loss = make(keras, name, reduction=reduction)
        found[f"{reduction}"] = loss(y_true, y_pred)
        if shape:
            found[f"{reduction} weighted"] = loss(y_true, y_pred, sample_weight=weights)
            masked = keras.ops.convert_to_tensor(y_pred)
            try:
                masked._keras_mask = keras.ops.convert_to_tensor(mask)
            except AttributeError:  # this backend's arrays take no attributes
                continue
            found[f"{reduction} masked"] = loss(y_true, masked)
            found[f"{reduction} masked and weighted"] = loss(y_true, masked, sample_weight=weights)
    return {k: np.asarray(v) for k, v in found.items()}
