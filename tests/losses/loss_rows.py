"""Losses in all their options, in `keras` or in us: the tests and tests/golden/make_losses.py."""

import numpy as np

N, C = 6, 4


def softmaxed(x):
    e = np.exp(x)
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def data(kind, seed=8, n=N):
    """Targets and predictions for n samples."""
    rng = np.random.RandomState(seed)
    real = (rng.normal(size=(n, C)).astype("float32"), rng.normal(size=(n, C)).astype("float32"))
    positive = tuple(rng.uniform(0.1, 2, (n, C)).astype("float32") for _ in range(2))
    bits = (rng.randint(0, 2, (n, C)).astype("float32"), rng.uniform(0.05, 0.95, (n, C)).astype("float32"))
    classes = rng.randint(0, C, n)
    one_hot, guess = np.eye(C, dtype="float32")[classes], softmaxed(real[0])
    norms = np.linalg.norm(real[0], axis=-1, keepdims=True)
    return {
        "real": real,
        "real series": tuple(np.stack([x, 0.5 * x[::-1]], axis=1) for x in real),
        "positive": positive,
        "signs": (np.sign(real[0]), real[1]),
        "bits": bits,
        "logits": (bits[0], real[1] * 3),
        "one hot": (one_hot, guess),
        "one hot, logits": (one_hot, real[0] * 3),
        "sparse": (classes.astype("int32"), guess),
        "sparse column": (classes.astype("int32")[:, None], guess),
        "sparse series": (np.stack([classes, classes[::-1]], 1).astype("int32"), np.stack([guess, guess[::-1]], 1)),
        "sparse, logits": (classes.astype("int32"), real[0] * 3),
        "spread": (softmaxed(real[1]), guess),
        "embedded": (np.resize([0, 1, 0, 2, 1, 0], n).astype("int32"), real[0] / norms),
        "speech": (
            np.resize([[1, 2, 0], [3, 1, 1], [2, 0, 0]], (n, 3)).astype("int32"),
            rng.normal(size=(n, 8, 5)).astype("float32"),
        ),
    }[kind]


ROWS = {
    "MeanSquaredError": ({}, "real"), "MeanAbsoluteError": ({}, "real"), "MeanAbsolutePercentageError": ({}, "positive"),
    "MeanSquaredLogarithmicError": ({}, "positive"), "Huber": ({}, "real"), "Huber 0.3": ({"delta": 0.3}, "real"),
    "LogCosh": ({}, "real"), "Hinge": ({}, "signs"), "Hinge of bits": ({}, "bits"), "SquaredHinge": ({}, "signs"),
    "CategoricalHinge": ({}, "one hot"), "KLDivergence": ({}, "spread"), "Poisson": ({}, "positive"),
    "CosineSimilarity": ({}, "real"), "CosineSimilarity by column": ({"axis": 0}, "real"),
    "BinaryCrossentropy": ({}, "bits"), "BinaryCrossentropy of logits": ({"from_logits": True}, "logits"),
    "BinaryCrossentropy smoothed": ({"label_smoothing": 0.1}, "bits"),
    "BinaryFocalCrossentropy": ({}, "bits"),
    "BinaryFocalCrossentropy balanced": ({"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "from_logits": True}, "logits"),
    "CategoricalCrossentropy": ({}, "one hot"), "CategoricalCrossentropy of logits": ({"from_logits": True}, "one hot, logits"),
    "CategoricalCrossentropy smoothed": ({"label_smoothing": 0.2}, "one hot"),
    "CategoricalFocalCrossentropy": ({}, "one hot"),
    "CategoricalFocalCrossentropy of logits": ({"from_logits": True, "alpha": 0.4, "gamma": 1.0, "label_smoothing": 0.1}, "one hot, logits"),
    "SparseCategoricalCrossentropy": ({}, "sparse"), "SparseCategoricalCrossentropy of logits": ({"from_logits": True}, "sparse, logits"),
    "SparseCategoricalCrossentropy but one": ({"ignore_class": 1}, "sparse"),
    "Dice": ({}, "bits"), "Dice by row": ({"axis": -1}, "bits"), "Tversky": ({}, "bits"), "Tversky by row": ({"alpha": 0.3, "beta": 0.8, "axis": -1}, "bits"),
    "Circle": ({}, "embedded"), "Circle wide": ({"gamma": 8.0, "margin": 0.2, "remove_diagonal": False}, "embedded"),
    "CategoricalGeneralizedCrossEntropy": ({}, "sparse"), "CategoricalGeneralizedCrossEntropy 0.2": ({"q": 0.2}, "sparse"),
    "CTC": ({}, "speech"),
    "MeanSquaredError of series": ({}, "real series"), "CosineSimilarity of series": ({"axis": 1}, "real series"),
    "SparseCategoricalCrossentropy of columns": ({}, "sparse column"),
    "SparseCategoricalCrossentropy of series": ({"ignore_class": 2}, "sparse series"),
    "Dice of series": ({"axis": (1, 2)}, "real series"),
}  # fmt: skip
# losses that find themselves what does not count; of everything at once; across the batch
OWN_MASK = {name for name, (options, _) in ROWS.items() if "ignore_class" in options or name.startswith("Circle")}
WHOLE = {"Dice", "Tversky"}
ACROSS = {"CosineSimilarity by column"}
REDUCTIONS = ("sum_over_batch_size", "sum", "mean_with_sample_weight", None)


def make(keras, name, **more):
    return getattr(keras.losses, name.split()[0])(**ROWS[name][0], **more)


def inputs(name, **more):
    return data(ROWS[name][1], **more)


def cases(keras, name, **more):
    """The values of a loss under every reduction, plain, weighted and masked, as {title: array}."""
    y_true, y_pred = inputs(name, **more)
    shape = np.shape(make(keras, name, reduction=None)(y_true, y_pred))
    rng = np.random.RandomState(2)
    weights = {"weighted": rng.uniform(0.5, 2, shape).astype("float32")}
    if shape:
        weights["weighted by row"] = rng.uniform(0.5, 2, (shape[0], *[1] * (len(shape) - 1))).astype("float32")
        weights["weighted by column"] = rng.uniform(0.5, 2, (shape[0], 1)).astype("float32")
    mask = np.arange(int(np.prod(shape))).reshape(shape) % 3 != 1
    found = {}
    for reduction in REDUCTIONS:
        loss = make(keras, name, reduction=reduction)
        found[f"{reduction}"] = loss(y_true, y_pred)
        if not shape:
            continue
        for title, weight in weights.items():
            found[f"{reduction} {title}"] = loss(y_true, y_pred, sample_weight=weight)
        for title, weight in {"masked": None, "masked and weighted": weights["weighted"]}.items():
            found[f"{reduction} {title}"] = loss(y_true, with_mask(keras, y_pred, mask), sample_weight=weight)
    return {k: np.asarray(v) for k, v in found.items()}


def with_mask(keras, x, mask):
    """A tensor that carries a mask."""
    x, mask = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(mask)
    if hasattr(keras, "src"):  # JAX's arrays take no attributes: Keras keeps a table of them
        keras.src.backend.set_keras_mask(x, mask)
    else:
        x._keras_mask = mask
    return x
