"""One row a public name of keras.metrics, and how rows are run: by Keras to record numbers, by kerasish to compare."""

import inspect
import warnings
import zlib
from typing import Any, Callable, NamedTuple

import numpy as np

# -- data: kind -> function of (rng, n) -> arguments of update_state --------------------------------------------------


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def _probabilities(rng, *shape):
    """Half of them rounded, so that many lie exactly on thresholds, 0 and 1 included."""
    p = rng.random(shape)
    return np.where(rng.random(shape) < 0.5, p.round(1), p).astype("float32")


def _normal(rng, *shape):
    return rng.normal(size=shape).astype("float32")


def _one_hot(labels, classes):
    return np.eye(classes, dtype="float32")[labels]


DATA: dict[str, Callable] = {
    "values": lambda rng, n: (_normal(rng, n),),
    "value rows": lambda rng, n: (_normal(rng, n, 3),),
    "numbers": lambda rng, n: (_normal(rng, n, 3), _normal(rng, n, 3)),
    "flat numbers": lambda rng, n: (_normal(rng, n), _normal(rng, n, 1)),
    "number series": lambda rng, n: (_normal(rng, n, 5, 3), _normal(rng, n, 5, 3)),
    "integers": lambda rng, n: (rng.integers(1, 5, (n, 3)), rng.integers(1, 5, (n, 3))),
    "positive": lambda rng, n: (
        rng.uniform(0.1, 2, (n, 3)).astype("float32"),
        rng.uniform(0.1, 2, (n, 3)).astype("float32"),
    ),
    "signs": lambda rng, n: (np.sign(_normal(rng, n, 3)), _normal(rng, n, 3)),
    "bits and scores": lambda rng, n: (rng.integers(0, 2, (n, 3)), _normal(rng, n, 3)),
    "ids": lambda rng, n: (rng.integers(0, 3, (n, 1)), rng.integers(0, 3, (n, 1))),
    "flat ids": lambda rng, n: (rng.integers(0, 3, (n,)), rng.integers(0, 3, (n, 1)).astype("float32")),
    "one-hot": lambda rng, n: (_one_hot(rng.integers(0, 4, n), 4), _softmax(_normal(rng, n, 4))),
    "one-hot logits": lambda rng, n: (_one_hot(rng.integers(0, 4, n), 4), _normal(rng, n, 4)),
    "one-hot series": lambda rng, n: (_one_hot(rng.integers(0, 4, (n, 5)), 4), _softmax(_normal(rng, n, 5, 4))),
    "sparse": lambda rng, n: (rng.integers(0, 4, n), _softmax(_normal(rng, n, 4))),
    "sparse column": lambda rng, n: (rng.integers(0, 4, (n, 1)).astype("float32"), _softmax(_normal(rng, n, 4))),
    "sparse logits": lambda rng, n: (rng.integers(0, 4, n), _normal(rng, n, 4)),
    "sparse series": lambda rng, n: (rng.integers(0, 4, (n, 5)), _softmax(_normal(rng, n, 5, 4))),
    "sparse ties": lambda rng, n: (rng.integers(0, 4, n), rng.integers(0, 3, (n, 4)).astype("float32")),
    "sorted ids": lambda rng, n: (rng.integers(0, 4, n), rng.permuted(np.tile(np.arange(4), (n, 1)), axis=1)),
    "binary": lambda rng, n: (rng.integers(0, 2, (n, 1)), _probabilities(rng, n, 1)),
    "flat binary": lambda rng, n: (rng.integers(0, 2, n), _probabilities(rng, n)),
    "mixed rank binary": lambda rng, n: (rng.integers(0, 2, n), _probabilities(rng, n, 1)),
    "binary rows": lambda rng, n: (rng.integers(0, 2, (n, 3)), _probabilities(rng, n, 3)),
    "binary series": lambda rng, n: (rng.integers(0, 2, (n, 5, 3)), _probabilities(rng, n, 5, 3)),
    "binary logits": lambda rng, n: (rng.integers(0, 2, (n, 3)), _normal(rng, n, 3)),
    "out of range": lambda rng, n: (rng.integers(0, 2, (n, 3)), 2 * _normal(rng, n, 3)),
    "no positives": lambda rng, n: (np.zeros((n, 3)), _probabilities(rng, n, 3)),
    "regions": lambda rng, n: (rng.integers(0, 3, (n, 6)), rng.integers(0, 3, (n, 6))),
    "flat regions": lambda rng, n: (rng.integers(0, 3, n), rng.integers(0, 3, n).astype("float32")),
    "one-hot regions": lambda rng, n: (_one_hot(rng.integers(0, 3, (n, 6)), 3), _normal(rng, n, 6, 3)),
    "one-hot regions, ids": lambda rng, n: (_one_hot(rng.integers(0, 3, (n, 6)), 3), rng.integers(0, 3, (n, 6))),
}

# -- scenarios: sizes of the batches, shape of the weights (from that of the last argument), whether masked -----------


class Scenario(NamedTuple):
    sizes: tuple = (8, 8, 5)  # the last batch is ragged
    weight: Callable | None = None
    masked: bool = False


SCENARIOS = {
    "plain": Scenario(),
    "weighted": Scenario(weight=lambda shape: shape[:1]),
    "weighted columns": Scenario(weight=lambda shape: (shape[0], 1)),
    "weighted elements": Scenario(weight=lambda shape: shape),
    "masked": Scenario(masked=True),
    "masked, weighted": Scenario(weight=lambda shape: shape[:1], masked=True),
    "empty batch": Scenario(sizes=(4, 0, 3)),
}


class Row(NamedTuple):
    """A metric class, the arguments of its constructor, and the data it is tried on."""

    cls: str
    data: str
    config: dict = {}

    @property
    def id(self):
        options = ", ".join(f"{k}={getattr(v, '__name__', v)}" for k, v in self.config.items())
        return f"{self.cls}({options}) on {self.data}"


class Fn(NamedTuple):
    """In a config: the function of keras.metrics of this name."""

    name: str

    @property
    def __name__(self):
        return self.name


def _rows():
    def add(cls, *data, **config):
        rows.extend(Row(cls, d, config) for d in data)

    rows: list[Row] = []
    add("Sum", "values", "value rows")
    add("Mean", "values", "value rows")
    add("MeanMetricWrapper", "numbers", fn=Fn("mean_squared_error"), name="wrapped")
    add("MeanMetricWrapper", "binary", fn=Fn("binary_accuracy"), threshold=0.3)

    add("Accuracy", "ids", "flat ids")
    add("BinaryAccuracy", "binary", "flat binary", "binary rows")
    add("BinaryAccuracy", "mixed rank binary", threshold=0.3)
    add("CategoricalAccuracy", "one-hot", "one-hot series")
    add("SparseCategoricalAccuracy", "sparse", "sparse column", "sparse series")
    add("TopKCategoricalAccuracy", "one-hot", "one-hot series", k=2)
    add("TopKCategoricalAccuracy", "one-hot")
    add("SparseTopKCategoricalAccuracy", "sparse", "sparse column", "sparse series", "sparse ties", k=2)
    add("SparseTopKCategoricalAccuracy", "sorted ids", k=2, from_sorted_ids=True)

    for cls in ("MeanSquaredError", "MeanAbsoluteError", "RootMeanSquaredError"):
        add(cls, "numbers", "flat numbers", "number series", "integers")
    add("LogCoshError", "numbers", "number series")
    add("MeanAbsolutePercentageError", "numbers", "positive")
    add("MeanSquaredLogarithmicError", "positive", "integers")
    add("CosineSimilarity", "numbers", "number series")
    add("CosineSimilarity", "number series", axis=1)
    add("R2Score", "numbers")
    add("R2Score", "numbers", class_aggregation="variance_weighted_average")
    add("R2Score", "numbers", class_aggregation=None, num_regressors=2)

    add("PearsonCorrelation", "numbers", "number series", "integers")
    add("PearsonCorrelation", "number series", axis=1)
    add("ConcordanceCorrelation", "numbers", "number series", "integers")
    add("ConcordanceCorrelation", "number series", axis=1)

    for cls in ("Hinge", "SquaredHinge"):
        add(cls, "signs", "bits and scores")
    add("CategoricalHinge", "one-hot logits", "bits and scores")

    add("KLDivergence", "one-hot", "positive")
    add("Poisson", "positive", "integers")
    add("BinaryCrossentropy", "binary", "binary rows")
    add("BinaryCrossentropy", "binary logits", from_logits=True, label_smoothing=0.2)
    add("CategoricalCrossentropy", "one-hot", "one-hot series")
    add("CategoricalCrossentropy", "one-hot logits", from_logits=True, label_smoothing=0.2)
    add("SparseCategoricalCrossentropy", "sparse", "sparse column", "sparse series")
    add("SparseCategoricalCrossentropy", "sparse logits", from_logits=True, ignore_class=1)

    for cls in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"):
        add(cls, "binary", "flat binary", "mixed rank binary", "binary rows", "binary series")
        add(cls, "binary rows", thresholds=0.3)
        add(cls, "binary rows", thresholds=[0.8, 0.2])
        add(cls, "binary rows", thresholds=[0, 0.25, 0.5, 0.75, 1.0])
    for cls in ("Precision", "Recall"):
        add(cls, "binary", "flat binary", "mixed rank binary", "binary rows", "binary series", "out of range")
        add(cls, "binary rows", thresholds=[0.1, 0.7])
        add(cls, "binary rows", thresholds=[0, 0.25, 0.5, 0.75, 1.0])
        add(cls, "binary rows", "binary series", class_id=1)
        add(cls, "binary rows", "binary series", top_k=2)
        add(cls, "binary rows", top_k=2, class_id=2, thresholds=[0.2])

    add("AUC", "binary", "flat binary", "binary rows", "binary series", "out of range", "no positives")
    for curve in ("ROC", "PR", "PRGAIN"):
        for method in ("interpolation", "minoring", "majoring"):
            add("AUC", "binary rows", curve=curve, summation_method=method, num_thresholds=11)
        add("AUC", "binary rows", curve=curve, multi_label=True)
    add("AUC", "binary rows", multi_label=True, num_labels=3, label_weights=[0.5, 2.0, 1.0], num_thresholds=11)
    add("AUC", "binary rows", label_weights=[0.5, 2.0, 1.0], num_thresholds=11)
    add("AUC", "binary rows", thresholds=[0.7, 0.2, 0.3])
    add("AUC", "binary rows", multi_label=True, curve="PR", thresholds=[0.7, 0.2, 0.3])
    add("AUC", "binary rows", thresholds=[0.25, 0.5, 0.75])
    add("AUC", "binary logits", from_logits=True)
    for cls, given in (
        ("SensitivityAtSpecificity", "specificity"),
        ("SpecificityAtSensitivity", "sensitivity"),
        ("PrecisionAtRecall", "recall"),
        ("RecallAtPrecision", "precision"),
    ):
        add(cls, "binary", "binary rows", "no positives", **{given: 0.43})
        add(cls, "binary rows", **{given: 0.97})
        add(cls, "binary rows", **{given: 0.41}, num_thresholds=1)
        add(cls, "binary rows", **{given: 0.41}, num_thresholds=5, class_id=1)

    add("BinaryIoU", "binary rows", "flat binary")
    add("BinaryIoU", "binary rows", target_class_ids=[1], threshold=0.3)
    for dtype in (None, "float32"):
        add("IoU", "regions", "flat regions", num_classes=3, target_class_ids=[0, 2], dtype=dtype)
    add("IoU", "regions", num_classes=4, target_class_ids=[3, 1], ignore_class=2)
    add("IoU", "one-hot regions", num_classes=3, target_class_ids=[1], sparse_y_true=False, sparse_y_pred=False)
    add("MeanIoU", "regions", "flat regions", num_classes=3)
    add("MeanIoU", "regions", num_classes=4, ignore_class=0, dtype="float32")
    add("OneHotIoU", "one-hot regions", num_classes=3, target_class_ids=[0, 1])
    add("OneHotIoU", "one-hot regions, ids", num_classes=3, target_class_ids=[0, 1], sparse_y_pred=True)
    add("OneHotMeanIoU", "one-hot regions", num_classes=3)
    add("OneHotMeanIoU", "one-hot regions", num_classes=3, ignore_class=1)

    for average in (None, "micro", "macro", "weighted"):
        add("FBetaScore", "one-hot", average=average, beta=2.0)
        add("F1Score", "binary rows", average=average, threshold=0.5)
    return rows


ROWS: dict[str, Row] = {row.id: row for row in _rows()}

# function of keras.metrics: (its options, the data it is tried on)
FUNCTIONS: dict[str, tuple[dict, str]] = {
    "binary_accuracy": ({"threshold": 0.3}, "binary rows"),
    "binary_crossentropy": ({"label_smoothing": 0.1}, "binary rows"),
    "binary_focal_crossentropy": ({"apply_class_balancing": True}, "binary rows"),
    "categorical_accuracy": ({}, "one-hot series"),
    "categorical_crossentropy": ({"from_logits": True}, "one-hot logits"),
    "categorical_focal_crossentropy": ({"gamma": 1.5}, "one-hot"),
    "categorical_hinge": ({}, "one-hot logits"),
    "concordance_correlation": ({"axis": 1}, "number series"),
    "hinge": ({}, "signs"),
    "huber": ({"delta": 0.5}, "numbers"),
    "kl_divergence": ({}, "one-hot"),
    "log_cosh": ({}, "numbers"),
    "mean_absolute_error": ({}, "numbers"),
    "mean_absolute_percentage_error": ({}, "positive"),
    "mean_squared_error": ({}, "numbers"),
    "mean_squared_logarithmic_error": ({}, "positive"),
    "pearson_correlation": ({}, "number series"),
    "poisson": ({}, "positive"),
    "sparse_categorical_accuracy": ({}, "sparse series"),
    "sparse_categorical_crossentropy": ({"ignore_class": 1}, "sparse"),
    "sparse_top_k_categorical_accuracy": ({"k": 2}, "sparse series"),
    "squared_hinge": ({}, "bits and scores"),
    "top_k_categorical_accuracy": ({"k": 2}, "one-hot"),
}

# what `get` is asked for; Keras's answers are recorded
IDENTIFIERS = [
    *("mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "bce", "BCE", "accuracy", "Accuracy", "acc"),
    *("mean_squared_error", "MeanSquaredError", "binary_crossentropy", "hinge", "kl_divergence", "poisson"),
    *("crossentropy", "kld", "KLD", "log_cosh", "logcosh", "LogCoshError", "log_cosh_error", "cosine_similarity"),
    *("auc", "AUC", "io_u", "iou", "f1_score", "fbeta_score", "f_beta_score", "r2_score", "mean", "sum", "huber"),
    *("binary_io_u", "precision", "true_positives", "categorical_accuracy", "sparse_categorical_crossentropy"),
    *("binary_focal_crossentropy", "pearson_correlation", "concordance_correlation", "nonsense"),
]

# constructor arguments that are refused
WRONG = [
    ("AUC", {"curve": "nonsense"}),
    ("AUC", {"summation_method": "nonsense"}),
    ("AUC", {"num_thresholds": 1}),
    ("AUC", {"num_labels": 3}),
    ("AUC", {"thresholds": 0.5}),
    ("Precision", {"thresholds": 2.0}),
    ("Recall", {"thresholds": [0.1, -0.1]}),
    ("TruePositives", {"thresholds": [None]}),
    ("TruePositives", {"top_k": 1}),
    ("SensitivityAtSpecificity", {"specificity": 1.5}),
    ("SpecificityAtSensitivity", {"sensitivity": -1}),
    ("PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 0}),
    ("RecallAtPrecision", {"precision": 7}),
    ("RecallAtPrecision", {}),
    ("FBetaScore", {"average": "nonsense"}),
    ("FBetaScore", {"beta": 0.0}),
    ("FBetaScore", {"beta": 1}),
    ("F1Score", {"threshold": 2.0}),
    ("F1Score", {"threshold": 1}),
    ("R2Score", {"class_aggregation": "nonsense"}),
    ("R2Score", {"num_regressors": -1}),
    ("IoU", {"num_classes": 2, "target_class_ids": [2]}),
    ("BinaryIoU", {"target_class_ids": [0, 2]}),
    ("Mean", {"dtype": "nonsense"}),
    ("Mean", {"dtype": 3}),
]

# arguments of update_state that are refused
WRONG_DATA = [
    ("AUC", {"multi_label": True}, (3,), (3,)),
    ("AUC", {}, (4, 2), (4, 3)),
    ("Precision", {"class_id": 1}, (3,), (3,)),
    ("Precision", {"top_k": 9}, (4, 3), (4, 3)),
    ("FBetaScore", {}, (3,), (3,)),
    ("F1Score", {}, (2, 3, 4), (2, 3, 4)),
    ("R2Score", {}, (3,), (3,)),
    ("R2Score", {}, (2, 3, 4), (2, 3, 4)),
]


# the warning of metrics that count in integers when weights are fractions: Keras's, and ours
CUT_OFF = "You are passing weight as `float`|.* cuts off the fractions of weights"

# -- running ----------------------------------------------------------------------------------------------------------


def make(keras: Any, row: Row, **more: Any) -> Any:
    """The row's metric, made with the Keras that is passed."""
    config = {k: getattr(keras.metrics, v.name) if isinstance(v, Fn) else v for k, v in row.config.items()}
    return getattr(keras.metrics, row.cls)(**{**config, **more})


def batches(row: Row, scenario: str, seed: int = 0) -> list[tuple]:
    """(arguments, sample_weight or None, mask or None) of every batch."""
    s = SCENARIOS[scenario]
    rng = np.random.default_rng(zlib.crc32(f"{row.data} {scenario} {seed}".encode()))
    out = []
    for n in s.sizes:
        args = DATA[row.data](rng, n)
        shape = args[-1].shape
        weight = rng.uniform(0, 2, s.weight(shape)).astype("float32") if s.weight else None
        mask = rng.random(shape[:2] if "series" in row.data else shape[:1]) < 0.7 if s.masked else None
        out.append((args, weight, mask))
    return out


def update(keras: Any, metric: Any, batch: tuple) -> None:
    args, weight, mask = batch
    args = [keras.ops.convert_to_tensor(a) for a in args]
    if mask is not None:
        args[-1]._keras_mask = keras.ops.convert_to_tensor(mask)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=CUT_OFF)
        metric.update_state(*args, sample_weight=weight)


def numbers(x: Any) -> np.ndarray:
    return np.asarray(x, "float64").ravel()


def run(keras: Any, row: Row, scenario: str, seed: int = 0) -> np.ndarray | str:
    """The results after every batch and the variables at the end, end to end; or that the data were refused."""
    metric = make(keras, row)
    results = []
    for batch in batches(row, scenario, seed):
        try:
            update(keras, metric, batch)
        except (ValueError, TypeError):
            return "refused"
        results.append(numbers(metric.result()))
    return np.concatenate(results + [numbers(v.numpy()) for v in metric.variables])


def half_precision(keras: Any, row: Row) -> list[str]:
    """The dtypes of the variables and of the result of a metric with dtype float16."""
    metric = make(keras, row, dtype="float16")
    update(keras, metric, batches(row, "plain")[0])
    return [*(str(v.dtype) for v in metric.variables), str(metric.result().dtype)]


def signature(obj: Any) -> list:
    """The parameters' names and defaults."""
    parameters = inspect.signature(obj).parameters.values()
    return [[p.name, repr(p.default) if p.default is not p.empty else None] for p in parameters]


def describe(metric: Any) -> dict:
    """What can be said of a metric in JSON."""
    result = metric.result()
    return {
        "config": {k: np.asarray(v).tolist() if hasattr(v, "dtype") else v for k, v in metric.get_config().items()},
        "variables": [
            [v.name, v.path, list(v.shape), str(v.dtype), v.trainable, v.aggregation] for v in metric.variables
        ],
        "direction": getattr(metric, "_direction", None),
        "result": [list(result.shape), str(result.dtype)],
    }


def call_function(keras: Any, name: str) -> np.ndarray:
    options, data = FUNCTIONS[name]
    args = DATA[data](np.random.default_rng(7), 6)
    return numbers(getattr(keras.metrics, name)(*map(keras.ops.convert_to_tensor, args), **options))


def _builtin(error: Exception) -> str:
    """The error's type, or what it is a subclass of."""
    return next(t.__name__ for t in type(error).__mro__ if t.__module__ == "builtins")


def answer(keras: Any, identifier: Any) -> str:
    """What `get` makes of an identifier: an instance of a class, or an error."""
    try:
        got = keras.metrics.get(identifier)
    except (ValueError, TypeError) as e:
        return _builtin(e)
    return type(got).__name__


def feed_wrong(keras: Any, cls: str, config: dict, true_shape: tuple, pred_shape: tuple) -> None:
    getattr(keras.metrics, cls)(**config).update_state(np.ones(true_shape, "float32"), np.ones(pred_shape, "float32"))


def refusal(make: Callable) -> str:
    """The type of the error that a call raises."""
    try:
        make()
    except Exception as e:  # noqa: BLE001
        return _builtin(e)
    return "accepted"
