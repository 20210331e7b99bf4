"""Whole fits in every form of compile and fit, in `keras` or in us: the tests and tests/golden/make_fits.py."""

import numpy as np

X = np.random.RandomState(0).normal(size=(20, 3)).astype("float32")
Y = (X @ np.ones((3, 1)) > 0).astype("float32")
BOTH = [X[:, :1], np.eye(2)[(X[:, 0] > 0).astype(int)].astype("float32")]
WEIGHTS = np.linspace(0.5, 2, 20)


def start(model):
    rng = np.random.RandomState(1)
    for w in model.weights:
        w.assign(rng.normal(size=w.shape) * 0.3)
    return model


def one(k, **options):
    layers = k.layers
    model = start(k.Sequential([layers.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1, activation="sigmoid")]))
    model.compile(**{"optimizer": "sgd", "loss": "mse", **options})
    return model


def two(k, **options):
    x = k.Input((3,))
    model = start(k.Model(x, [k.layers.Dense(1, name="a")(x), k.layers.Dense(2, name="b", activation="softmax")(x)]))
    model.compile(**{"optimizer": "sgd", **options})
    return model


def masked(k):
    layers = k.layers
    model = start(k.Sequential([layers.Input((4, 3)), layers.Masking(), layers.LSTM(2, return_sequences=True), layers.Dense(1)]))
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    return model


def steps_seen(k):
    seen = []
    watch = k.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(batch), on_train_batch_end=lambda batch, logs: seen.append(batch)
    )
    one(k, steps_per_execution=2).fit(X, Y, batch_size=5, verbose=0, callbacks=[watch])
    return {"batches": seen}


def fit(model, x, y, **options):
    return model.fit(x, y, **{"batch_size": 8, "verbose": 0, "shuffle": False, **options}).history


PADDED = np.concatenate([X.reshape(5, 4, 3), np.zeros((2, 4, 3), "float32")])[:6].copy()
PADDED[2, 2:] = 0

CASES = {
    "names of metrics": lambda k: fit(one(k, metrics=["mse", "MAE", "accuracy"]), X, Y),
    "metrics of all kinds": lambda k: fit(one(k, metrics=[k.metrics.MeanSquaredError(name="q"), "mae", lambda a, b: k.ops.mean(a - b)]), X, Y),
    "weights and weighted metrics": lambda k: fit(
        one(k, loss="binary_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy", "mse"]), X, Y,
        sample_weight=WEIGHTS, validation_split=0.25),
    "weights of classes": lambda k: fit(one(k, loss="binary_crossentropy", metrics=["acc", "AUC"]), X, Y, batch_size=6, class_weight={0: 1.0, 1: 3.0}),
    "two outputs": lambda k: fit(
        two(k, loss=["mse", "categorical_crossentropy"], loss_weights=[1.0, 0.5], metrics=[["mae"], ["accuracy"]]), X, BOTH,
        validation_data=(X, BOTH)),
    "two outputs by name": lambda k: fit(
        two(k, loss={"a": "mse", "b": "categorical_crossentropy"}, metrics={"b": "accuracy"}), X, {"a": BOTH[0], "b": BOTH[1]}),
    "one loss of two": lambda k: fit(two(k, loss=["mse", None], metrics=[None, "accuracy"]), X, BOTH),
    "one loss for two": lambda k: fit(two(k, loss="mse"), X, BOTH),
    "several steps at once": lambda k: fit(one(k, steps_per_execution=2), X, Y, batch_size=4, epochs=2),
    "batches that callbacks see": steps_seen,
    "validation now and then": lambda k: fit(one(k), X, Y, epochs=4, validation_data=(X, Y), validation_freq=2),
    "validation at epochs": lambda k: fit(one(k), X, Y, epochs=4, validation_data=(X, Y, WEIGHTS), validation_freq=[1, 4], validation_batch_size=3),
    "from a later epoch": lambda k: fit(one(k), X, Y, epochs=4, initial_epoch=2),
    "fewer steps than data": lambda k: fit(one(k), X, Y, batch_size=4, steps_per_epoch=2, epochs=2),
    "no scaling, no jit": lambda k: fit(one(k, optimizer="adam", jit_compile=False, auto_scale_loss=False), X, Y),
    "no loss": lambda k: fit(one(k, loss=None, metrics=["mae"]), X, Y),
    "masks": lambda k: fit(masked(k), PADDED, np.ones((6, 4, 1)), batch_size=4),
    "masks and weights": lambda k: fit(masked(k), PADDED, np.ones((6, 4, 1)), batch_size=4, sample_weight=np.arange(24.0).reshape(6, 4)),
    "evaluate": lambda k: one(k, metrics=["mae"]).evaluate(X, Y, batch_size=7, verbose=0, return_dict=True),
    "evaluate with weights": lambda k: one(k, weighted_metrics=["mae"]).evaluate(X, Y, batch_size=7, verbose=0, sample_weight=WEIGHTS, return_dict=True),
    "evaluate some steps": lambda k: {"list": one(k, metrics=["mae"]).evaluate(X, Y, batch_size=5, steps=2, verbose=0)},
    "single batches": lambda k: (lambda m: {
        "train": m.train_on_batch(X, Y), "test": m.test_on_batch(X, Y), "again": list(m.train_on_batch(X, Y, return_dict=True).values()),
    })(one(k, metrics=["mae"])),
    "a batch with weights": lambda k: {"train": one(k, weighted_metrics=["mae"]).train_on_batch(X, Y, sample_weight=WEIGHTS),
                                       "classes": one(k).train_on_batch(X, Y, class_weight={0: 2.0, 1: 0.5})},
    "predict": lambda k: {"sums": [float(np.sum(p)) for p in two(k, loss="mse").predict(X, batch_size=7, verbose=0)]},
}
