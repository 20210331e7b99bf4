"""Every form in which compile takes losses, metrics and weights, in `keras` or in us: a fit's history and evaluate's list.

Used by the tests, by tests/golden/make_compile.py, and beside an installed Keras. A case that must fail gives the type of
the error.
"""

import numpy as np

rng = np.random.RandomState(4)
X = rng.normal(size=(13, 3)).astype("float32")
ONE = rng.normal(size=(13, 1)).astype("float32")
HOT = np.eye(3, dtype="float32")[rng.randint(0, 3, 13)]
BIT = (X[:, :1] > 0).astype("float32")
WEIGHT = np.linspace(0.1, 2, 13).astype("float32")


def start(model):
    """Give a model the same weights in every library."""
    numbers = np.random.RandomState(5)
    for w in model.weights:
        w.assign(numbers.normal(size=w.shape) * 0.4)
    return model


def single(k, name=None):
    x = k.Input((3,))
    return start(k.Model(x, k.layers.Dense(1, activation="sigmoid", name=name or "only")(x)))


def classes(k):
    x = k.Input((3,))
    return start(k.Model(x, k.layers.Dense(3, activation="softmax", name="classes")(x)))


def pair(k):
    x = k.Input((3,))
    return start(k.Model(x, [k.layers.Dense(1, name="a")(x), k.layers.Dense(3, activation="softmax", name="b")(x)]))


def named(k):
    x = k.Input((3,))
    return start(k.Model(x, {"first": k.layers.Dense(1, name="a")(x), "second": k.layers.Dense(3, name="b")(x)}))


def nested(k):
    x = k.Input((3,))
    a, b, c = (k.layers.Dense(n, name=name)(x) for name, n in (("a", 1), ("b", 3), ("c", 1)))
    return start(k.Model(x, {"p": [a, b], "q": c}))


def subclassed(k, outputs):
    """A model of its own class, whose outputs have no names; it is built by fit."""

    class Mine(k.Model):
        def __init__(self):
            super().__init__()
            self.a = k.layers.Dense(1, kernel_initializer=k.initializers.Constant(0.3), name="a")
            self.b = k.layers.Dense(3, kernel_initializer=k.initializers.Constant(0.2), name="b")

        def call(self, x):
            return outputs(self.a(x), self.b(x))

    return Mine()


def run(k, model, x, y, sample_weight=None, **options):
    model.compile(**{"optimizer": "sgd", **options})
    history = model.fit(x, y, batch_size=5, epochs=2, verbose=0, shuffle=False, sample_weight=sample_weight)
    found = {name: values for name, values in history.history.items()}
    evaluated = model.evaluate(x, y, batch_size=5, verbose=0, sample_weight=sample_weight)
    named_values = model.evaluate(x, y, batch_size=5, verbose=0, sample_weight=sample_weight, return_dict=True)
    return found | {"evaluate": np.ravel(evaluated).tolist()} | {f"dict {n}": v for n, v in named_values.items()}


def on(make, y, sample_weight=None, **options):
    """A case: a model, its targets, and arguments of compile, where functions of the library are called with it."""

    def case(k):
        given = {n: v(k) if callable(v) else v for n, v in options.items()}
        return run(k, make(k), X, y, sample_weight, **given)

    return case


A_B = [ONE, HOT]
DICT = {"a": ONE, "b": HOT}
FIRST_SECOND = {"first": ONE, "second": HOT}
TREE = {"p": [ONE, HOT], "q": BIT}


def gap(y_true, y_pred):
    return (y_true - y_pred) ** 2


CASES = {
    # one output
    "loss as an object": on(single, BIT, loss=lambda k: k.losses.BinaryCrossentropy(label_smoothing=0.1)),
    "loss as a function": on(single, BIT, loss=lambda k: gap),
    "loss by its class's name": on(single, BIT, loss="MeanSquaredError"),
    "loss in a list of one": on(single, BIT, loss=["mse"]),
    "loss in a dict of one": on(single, BIT, loss={"only": "mse"}),
    "loss that is ce, binary": on(single, BIT, loss="ce"),
    "loss that is crossentropy, categorical": on(classes, HOT, loss="crossentropy"),
    "loss that is crossentropy, sparse": on(classes, HOT.argmax(1), loss="crossentropy"),
    "loss weight of one output": on(single, BIT, loss="mse", loss_weights=0.3),
    "loss weight of one output in a list": on(single, BIT, loss="mse", loss_weights=[0.3]),
    "loss weight of one output in a dict": on(single, BIT, loss={"only": "mse"}, loss_weights={"only": 0.3}),
    "metric names are as given": on(single, BIT, loss="mse", metrics=["mse", "MAE", "acc", "AUC", "mean_absolute_error"]),
    "a class's name as metric": on(single, BIT, loss="mse", metrics=["MeanSquaredError", "BinaryAccuracy"]),
    "metrics by object and function": on(single, BIT, loss="mse", metrics=lambda k: [k.metrics.MeanAbsoluteError(), gap, k.metrics.Precision(name="p")]),
    "a loss object as metric": on(single, BIT, loss="mse", metrics=lambda k: [k.losses.MeanSquaredError()]),
    "metric and weighted metric": on(single, BIT, loss="mse", metrics=["mae"], weighted_metrics=["mae", "mse"], sample_weight=WEIGHT),
    "metrics in a dict of one": on(single, BIT, loss="mse", metrics={"only": ["mae", "mse"]}),
    "metrics in a list in a list": on(single, BIT, loss="mse", metrics=[["mae", "mse"]]),
    "metrics as a tuple": on(single, BIT, loss="mse", metrics=("mae",)),
    "accuracy, categorical": on(classes, HOT, loss="categorical_crossentropy", metrics=["accuracy"]),
    "accuracy, sparse": on(classes, HOT.argmax(1), loss="sparse_categorical_crossentropy", metrics=["accuracy"]),
    "accuracy, sparse in a column": on(classes, HOT.argmax(1)[:, None], loss="sparse_categorical_crossentropy", metrics=["accuracy"]),
    "accuracy, binary without an axis": on(single, BIT[:, 0], loss="mse", metrics=["accuracy"]),
    "weights without weighted metrics": on(single, BIT, loss="mse", metrics=["mae"], sample_weight=WEIGHT),
    "no loss but metrics": on(single, BIT, loss=None, metrics=["mae"]),
    # two outputs
    "two: losses in a list": on(pair, A_B, loss=["mse", "categorical_crossentropy"]),
    "two: losses in a dict": on(pair, A_B, loss={"a": "mse", "b": "categorical_crossentropy"}),
    "two: losses in a dict, other order, weights": on(pair, A_B, loss={"b": "categorical_crossentropy", "a": "mse"}, loss_weights={"b": 0.2, "a": 3.0}),
    "two: targets in a dict": on(pair, DICT, loss={"a": "mse", "b": "categorical_crossentropy"}, metrics={"b": ["acc"], "a": "mae"}),
    "two: one loss for both": on(pair, A_B, loss="mse", metrics=["mae", "mse"]),
    "two: one loss, metrics of one": on(pair, A_B, loss="mse", metrics=[["mae", "mse"], None]),
    "two: a hole in the losses": on(pair, A_B, loss=["mse", None], metrics=[None, ["accuracy"]]),
    "two: a hole in the dict": on(pair, A_B, loss={"a": None, "b": "mse"}),
    "two: a hole and as many targets": on(pair, [ONE], loss=["mse", None]),
    "two: weights in a list": on(pair, A_B, loss=["mse", "mse"], loss_weights=[0.5, 2]),
    "two: tuples": on(pair, tuple(A_B), loss=("mse", "mse"), metrics=(("mae",), ("mse",))),
    "two: sample weights": on(pair, A_B, loss=["mse", "mse"], weighted_metrics=[["mae"], ["mae"]], sample_weight=[WEIGHT, WEIGHT[::-1]]),
    "two: a sample weight for both": on(pair, A_B, loss=["mse", "mse"], weighted_metrics=[["mae"], ["mae"]], sample_weight=WEIGHT),
    "two: metric and weighted metric": on(pair, A_B, loss="mse", metrics=[["mae"], ["mae"]], weighted_metrics=[["mae"], ["mae"]], sample_weight=[WEIGHT, WEIGHT]),
    "two: losses as objects": on(pair, A_B, loss=lambda k: [k.losses.Huber(), k.losses.CategoricalCrossentropy()]),
    # outputs in a dict
    "dict: one loss": on(named, FIRST_SECOND, loss="mse", metrics={"first": "mae", "second": ["mse", "mae"]}),
    "dict: losses": on(named, FIRST_SECOND, loss={"first": "mse", "second": "mae"}, loss_weights={"first": 1.0, "second": 0.1}),
    "dict: a part of the losses": on(named, FIRST_SECOND, loss={"first": "mse"}),
    # nested outputs
    "nested: one loss": on(nested, TREE, loss="mse"),
    "nested: losses": on(nested, TREE, loss={"p": ["mse", "mae"], "q": "mse"}, loss_weights={"p": [1.0, 2.0], "q": 0.5}),
    "nested: metrics": on(nested, TREE, loss="mse", metrics={"p": [["mae"], ["mse", "mae"]], "q": ["mse"]}),
    "nested: a hole": on(nested, TREE, loss={"p": ["mse", None], "q": "mse"}),
    # a class of its own
    "own: one output": on(lambda k: subclassed(k, lambda a, b: a), ONE, loss="mse", metrics=["mae"]),
    "own: a dict": on(lambda k: subclassed(k, lambda a, b: {"u": b, "t": a}), {"t": ONE, "u": HOT}, loss={"t": "mse", "u": "mae"}, metrics={"t": ["mae"]}),
}


# JAX sorts a step's results by name, and Keras lists evaluate's numbers from them: of an output's metrics that were given
# in another order, the list has another order (and one number twice, if two metrics share a name). Ours is as given.
SORTED_BY_JAX = ("metric and weighted metric", "two: metric and weighted metric", "dict: one loss", "nested: metrics")


def compared(name, keys):
    """The keys of a case's results that are compared with Keras on JAX."""
    return [key for key in keys if not (key == "evaluate" and name in SORTED_BY_JAX)]


def failing(make, y, sample_weight=None, **options):
    case = on(make, y, sample_weight, **options)

    def named_error(k):
        try:
            case(k)
        except Exception as error:
            return {"error": type(error).__name__}
        return {"error": None}

    return named_error


ERRORS = {
    "loss dict with an unknown name": failing(pair, A_B, loss={"a": "mse", "z": "mse"}),
    "loss dict for dict outputs, unknown name": failing(named, FIRST_SECOND, loss={"first": "mse", "third": "mse"}),
    "loss dict for dict outputs, by the layers' names": failing(named, FIRST_SECOND, loss={"a": "mse", "b": "mse"}),
    "metrics dict with an unknown name": failing(pair, A_B, loss="mse", metrics={"z": "mae"}),
    "metrics that are no list": failing(single, BIT, loss="mse", metrics="mae"),
    "weighted metrics that are no list": failing(single, BIT, loss="mse", weighted_metrics="mae"),
    "loss weights of a wrong type": failing(single, BIT, loss="mse", loss_weights="0.1"),
    "loss weights of another number": failing(pair, A_B, loss=["mse", "mse"], loss_weights=[1.0]),
    "metrics in a list of another length": failing(pair, A_B, loss="mse", metrics=[["mae"], ["mae"], ["mae"]]),
    "fewer targets than outputs": failing(pair, [ONE], loss=["mse", "mse"]),
    "targets in another structure": failing(pair, {"x": ONE, "y": HOT}, loss=["mse", "mse"]),
    "an unknown loss": failing(single, BIT, loss="mse2"),
    "an unknown metric": failing(single, BIT, loss="mse", metrics=["nonsense"]),
    "a loss that is a number": failing(single, BIT, loss=3),
    "steps_per_execution of nothing": failing(single, BIT, loss="mse", steps_per_execution=0),
    "an unknown argument": failing(single, BIT, loss="mse", lr=0.1),
}
