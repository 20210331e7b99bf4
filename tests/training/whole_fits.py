"""Whole fits of models of many kinds, in `keras` or in us: history, evaluate, predictions and weights at the end.

Beside an installed Keras in tests/parity; in both modes of ours in tests/training.
"""

import numpy as np

rng = np.random.RandomState(7)
EAGER = False  # whether models run eagerly
N = 22  # with batches of 8, the last one is ragged
X = rng.normal(size=(N, 4)).astype("float32")
Y = np.tanh(X @ rng.normal(size=(4, 2))).astype("float32")
BIT = (X[:, :1] > 0).astype("float32")
CLASS = (X[:, 0] > 0.3).astype("int32") + (X[:, 1] > 0.5).astype("int32")
TOKENS = rng.randint(1, 9, (N, 6)).astype("int32")
for i, length in enumerate(rng.randint(1, 7, N)):
    TOKENS[i, length:] = 0
IMAGES = rng.normal(size=(N, 6, 6, 2)).astype("float32")
WEIGHT = np.linspace(0.2, 2, N).astype("float32")
MORE = rng.normal(size=(9, 4)).astype("float32")
MORE_Y = np.tanh(MORE[:, :2]).astype("float32")


def start(model):
    """Give a model the same weights in every library."""
    numbers = np.random.RandomState(5)
    for w in model.weights:
        if w.dtype.startswith(("float", "bfloat")):
            value = 0.4 * numbers.normal(size=w.shape)
            w.assign(abs(value) + 0.5 if any(part in w.path for part in ("gamma", "variance")) else value)
    return model


def run(k, model, x, y, compiled, **options):
    """Compile, fit, evaluate and predict: every number of it by name."""
    model.compile(**{"optimizer": "sgd", "loss": "mse", "run_eagerly": EAGER, **compiled})
    history = model.fit(x, y, **{"batch_size": 8, "epochs": 3, "verbose": 0, "shuffle": False, **options}).history
    found = {name: np.array(values, "float64") for name, values in history.items()}
    found |= {f"evaluate {n}": np.array(v) for n, v in model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True).items()}
    predicted = model.predict(x, batch_size=8, verbose=0)
    for i, p in enumerate(k.tree.flatten(predicted)):
        found[f"predict {i}"] = np.asarray(p, "float64")
    for i, w in enumerate(model.weights):
        if w.dtype.startswith(("float", "bfloat")):
            found[f"weight {i}"] = np.asarray(k.ops.convert_to_numpy(k.ops.cast(w, "float32")), "float64")
    return found


def mlp(k, **options):
    layers = k.layers
    return start(k.Sequential([layers.Input((4,)), layers.Dense(6, activation="tanh", **options), layers.Dense(2)]))


def words(k, *more, **embedding):
    layers = k.layers
    return start(
        k.Sequential([layers.Input((6,), dtype="int32"), layers.Embedding(9, 5, mask_zero=True, **embedding), *more, layers.Dense(2)])
    )


def image(k):
    layers = k.layers
    return start(
        k.Sequential(
            [layers.Input((6, 6, 2)), layers.Conv2D(3, 3, use_bias=False), layers.BatchNormalization(momentum=0.8),
             layers.Activation("relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(2)]
        )
    )  # fmt: skip


def frozen(k):
    model = image(k)
    model.layers[1].trainable = False
    return model


def dictionaries(k):
    layers = k.layers
    a, b = k.Input((4,), name="numbers"), k.Input((6,), dtype="int32", name="words")
    t = layers.GlobalAveragePooling1D()(layers.Embedding(9, 3, mask_zero=True)(b))
    both = layers.Concatenate()([layers.Dense(3, activation="relu")(a), t])
    return start(k.Model({"numbers": a, "words": b}, {"value": layers.Dense(2, name="value")(both), "bit": layers.Dense(1, "sigmoid", name="bit")(both)}))


def with_added_losses(k):
    class Sparse(k.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * k.ops.mean(k.ops.abs(x)))
            return x

    layers = k.layers
    return start(k.Sequential([layers.Input((4,)), layers.Dense(5, activation="relu", activity_regularizer="l2"), Sparse(), layers.Dense(2)]))


def with_own_loss(k):
    class Model(k.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = k.layers.Dense(5, activation="tanh"), k.layers.Dense(2)
            self.gap = k.metrics.Mean(name="gap")

        def build(self, shape):
            self.hidden.build(shape)
            self.out.build((None, 5))

        def call(self, x):
            return self.out(self.hidden(x))

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = k.ops.mean(k.ops.abs(y - y_pred)) + k.ops.sum(k.ops.square(self.out.kernel)) * 0.01
            self.gap.update_state(loss)
            return loss

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "twice": 2.0 * self.gap.result()}

        @property
        def metrics(self):
            return [*super().metrics, self.gap]

    model = Model()
    model.build((None, 4))
    return start(model)


class Recorder:
    """What callbacks see, beside the history."""

    def __init__(self, k):
        self.values = []
        self.callback = k.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: self.values.extend([float(logs[n]) for n in sorted(logs)]),
            on_train_batch_end=lambda batch, logs: self.values.append(float(logs["loss"])),
        )


def recorded(k):
    recorder = Recorder(k)
    found = run(k, mlp(k), X, Y, {"metrics": ["mae"]}, callbacks=[recorder.callback])
    return found | {"seen": np.array(recorder.values)}


def schedule(name, **arguments):
    return lambda k: run(k, mlp(k), X, Y, {"optimizer": k.optimizers.SGD(getattr(k.optimizers.schedules, name)(**arguments))})


def optimizer(name, **arguments):
    return lambda k: run(k, mlp(k), X, Y, {"optimizer": getattr(k.optimizers, name)(**arguments)})


def excluding(k):
    chosen = k.optimizers.AdamW(0.02, weight_decay=0.1)
    chosen.exclude_from_weight_decay(var_names=["bias"])
    return run(k, mlp(k), X, Y, {"optimizer": chosen})


def callback(make, **options):
    return lambda k: run(k, mlp(k), X, Y, {"optimizer": k.optimizers.SGD(0.3), "metrics": ["mae"]}, callbacks=make(k), epochs=6, **options)


def averaged(k, epochs):
    # evaluated and predicted with the averages
    swap = k.callbacks.SwapEMAWeights(swap_on_epoch=True)
    return run(k, mlp(k), X, Y, {"optimizer": k.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8)}, callbacks=[swap], epochs=epochs, validation_data=(MORE, MORE_Y))


def batches(k):
    class Data(k.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return MORE[3 * i : 3 * i + 3], MORE_Y[3 * i : 3 * i + 3]

    return Data()


def endless():
    while True:
        for i in range(0, 9, 3):
            yield MORE[i : i + 3], MORE_Y[i : i + 3]


def generated(k):
    model = mlp(k)
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=EAGER)
    history = model.fit(endless(), steps_per_epoch=4, epochs=3, verbose=0).history
    return {n: np.array(v) for n, v in history.items()} | {"predict": model.predict(X, verbose=0)}


def alike():
    """The same batch again and again: Keras shows the first two of a generator's once more in every epoch."""
    while True:
        yield MORE, MORE_Y


def precision(policy):
    def case(k):
        k.config.set_dtype_policy(policy)
        try:
            model = mlp(k)
            return run(k, model, X, Y, {"optimizer": k.optimizers.SGD(0.05), "metrics": ["mae"]})
        finally:
            k.config.set_dtype_policy("float32")

    return case


def in_float64(k):
    k.config.set_floatx("float64")
    try:
        return run(k, mlp(k), X.astype("float64"), Y.astype("float64"), {"metrics": ["mae"]})
    finally:
        k.config.set_floatx("float32")


REGULAR = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "kernel_constraint": "max_norm", "bias_constraint": "non_neg"}
STAGES = {"boundaries": [2, 5], "values": [0.3, 0.1, 0.05]}

CASES = {
    "an LSTM over masks": lambda k: run(k, words(k, k.layers.LSTM(4)), TOKENS, Y, {"optimizer": "adam"}),
    "a GRU over masks, with weights": lambda k: run(k, words(k, k.layers.GRU(4)), TOKENS, Y, {"weighted_metrics": ["mae"]}, sample_weight=WEIGHT),
    "a two-way RNN over masks": lambda k: run(k, words(k, k.layers.Bidirectional(k.layers.SimpleRNN(3))), TOKENS, Y, {}),
    "a stack of RNNs over masks": lambda k: run(k, words(k, k.layers.LSTM(4, return_sequences=True), k.layers.GRU(3)), TOKENS, Y, {}),
    "pooling over masks": lambda k: run(k, words(k, k.layers.GlobalAveragePooling1D()), TOKENS, Y, {"metrics": ["mae"]}),
    "dicts in and out": lambda k: run(
        k, dictionaries(k), {"numbers": X, "words": TOKENS}, {"value": Y, "bit": BIT},
        {"loss": {"value": "mse", "bit": "binary_crossentropy"}, "loss_weights": {"value": 1.0, "bit": 0.3}, "metrics": {"bit": ["accuracy"]}},
        validation_split=0.25),
    "batch normalization": lambda k: run(k, image(k), IMAGES, Y, {"optimizer": k.optimizers.SGD(0.05, momentum=0.5)}, validation_data=(IMAGES[:7], Y[:7])),
    "batch normalization, frozen": lambda k: run(k, frozen(k), IMAGES, Y, {"optimizer": k.optimizers.SGD(0.05)}),
    "losses of layers": lambda k: run(k, with_added_losses(k), X, Y, {"metrics": ["mae"]}),
    "a model's own loss": lambda k: run(k, with_own_loss(k), X, Y, {"loss": None}),
    "regularizers and constraints": lambda k: run(k, mlp(k, **REGULAR), X, Y, {}),
    "what callbacks see": recorded,
    "weights of classes": lambda k: run(
        k, start(k.Sequential([k.layers.Input((4,)), k.layers.Dense(3)])), X, CLASS,
        {"loss": k.losses.SparseCategoricalCrossentropy(from_logits=True), "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]},
        class_weight={0: 1.0, 1: 2.0, 2: 0.5}, validation_data=(X[:9], CLASS[:9])),
    "classes, sparse, three metrics": lambda k: run(
        k, start(k.Sequential([k.layers.Input((4,)), k.layers.Dense(3, activation="softmax")])), X, CLASS,
        {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy", k.metrics.SparseTopKCategoricalAccuracy(2)]}),
    "binary metrics": lambda k: run(
        k, start(k.Sequential([k.layers.Input((4,)), k.layers.Dense(1, activation="sigmoid")])), X, BIT,
        {"loss": k.losses.BinaryFocalCrossentropy(), "metrics": [k.metrics.AUC(num_thresholds=20), k.metrics.Precision(), k.metrics.Recall(), k.metrics.F1Score(threshold=0.5)]}),
    # feeding
    "validation from a data set": lambda k: run(k, mlp(k), X, Y, {}, validation_data=batches(k)),
    "validation from a generator": lambda k: run(k, mlp(k), X, Y, {}, validation_data=alike(), validation_steps=2),
    "validation with weights": lambda k: run(k, mlp(k), X, Y, {"weighted_metrics": ["mae"]}, validation_data=(MORE, MORE_Y, np.arange(9.0)), validation_batch_size=2),
    "a generator": generated,
    "more steps than batches": lambda k: run(k, mlp(k), X, Y, {}, steps_per_epoch=2),
    "several steps at once": lambda k: run(k, mlp(k), X, Y, {"steps_per_execution": 3, "metrics": ["mae"]}, batch_size=4),
    # schedules
    "schedule: exponential": schedule("ExponentialDecay", initial_learning_rate=0.2, decay_steps=2, decay_rate=0.7),
    "schedule: staircase": schedule("ExponentialDecay", initial_learning_rate=0.2, decay_steps=2, decay_rate=0.7, staircase=True),
    "schedule: inverse time": schedule("InverseTimeDecay", initial_learning_rate=0.2, decay_steps=2, decay_rate=0.7),
    "schedule: polynomial": schedule("PolynomialDecay", initial_learning_rate=0.2, decay_steps=5, power=2.0, cycle=True),
    "schedule: stages": schedule("PiecewiseConstantDecay", **STAGES),
    "schedule: cosine": schedule("CosineDecay", initial_learning_rate=0.05, decay_steps=6, warmup_target=0.2, warmup_steps=3),
    "schedule: restarts": schedule("CosineDecayRestarts", initial_learning_rate=0.2, first_decay_steps=3),
    # optimizers' common options
    "clipped by value": optimizer("SGD", learning_rate=0.3, clipvalue=0.02),
    "clipped by norm": optimizer("SGD", learning_rate=0.3, clipnorm=0.05),
    "clipped by the norm of all": optimizer("Adam", learning_rate=0.02, global_clipnorm=0.05),
    "averaged weights": optimizer("SGD", learning_rate=0.2, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4),
    "gradients of two steps": optimizer("Adam", learning_rate=0.02, gradient_accumulation_steps=2),
    "scaled loss": optimizer("SGD", learning_rate=0.2, loss_scale_factor=8.0),
    "decay without the biases": excluding,
    # callbacks
    "a rate by epoch": callback(lambda k: [k.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7)]),
    "a rate that waits": callback(lambda k: [k.callbacks.ReduceLROnPlateau(monitor="val_loss", patience=1, factor=0.5, min_delta=0.05)], validation_data=(MORE, MORE_Y)),
    "an early stop": callback(lambda k: [k.callbacks.EarlyStopping(monitor="val_mae", patience=1, min_delta=0.05, restore_best_weights=True)], validation_data=(MORE, MORE_Y)),
    "averages swapped in by epoch": lambda k: averaged(k, 3),
    # dtypes
    "float64": in_float64,
    "mixed_bfloat16": precision("mixed_bfloat16"),
    "mixed_float16": precision("mixed_float16"),
}  # fmt: skip

# What counts as equal: half precision rounds at other places in other libraries
TOLERANCE = {"mixed_bfloat16": 3e-2, "mixed_float16": 3e-3}


def compare(found, want, tolerance):
    """The same names, and the same numbers: their order is not compared, as Keras's is JAX's."""
    assert sorted(found) == sorted(want)
    for name, value in want.items():
        np.testing.assert_allclose(np.ravel(found[name]), np.ravel(value), rtol=tolerance, atol=tolerance / 10, err_msg=name)
