"""Mistakes that users make, in `keras` or in us: each function is handed the module and must raise."""

import numpy as np

X, Y = np.ones((8, 3), "float32"), np.zeros((8, 1), "float32")


def model(keras, **options):
    m = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    m.compile(**{"optimizer": "sgd", "loss": "mse", **options})
    return m


def uncompiled(keras):
    return keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])


def unbuilt(keras):
    m = keras.Sequential([keras.layers.Dense(1)])
    return m


def two_inputs(keras):
    a, b = keras.layers.Input((3,), name="a"), keras.layers.Input((2,), name="b")
    m = keras.Model([a, b], keras.layers.Dense(1)(keras.layers.Concatenate()([a, b])))
    m.compile("sgd", "mse")
    return m


CASES = {
    # shapes
    "wrong number of features": lambda k: model(k).fit(np.ones((8, 4), "float32"), Y, verbose=0),
    "wrong rank": lambda k: model(k).predict(np.ones((8, 3, 3, 3), "float32"), verbose=0),
    "a vector where rows are expected": lambda k: model(k)(np.ones(3, "float32")),
    "training without an optimizer": lambda k: model(k, optimizer=None).fit(X, Y, verbose=0),
    "x and y of different lengths": lambda k: model(k).fit(X, Y[:5], verbose=0),
    "sample weights of another length": lambda k: model(k).fit(X, Y, sample_weight=np.ones(5), verbose=0),
    "targets that do not fit the outputs": lambda k: model(k, loss="categorical_crossentropy").fit(X, np.ones((8, 4)), verbose=0),
    "one of two inputs": lambda k: two_inputs(k).predict(X, verbose=0),
    "convolution over too few axes": lambda k: k.layers.Conv2D(2, 3)(np.ones((2, 4, 4), "float32")),
    "kernel larger than its input": lambda k: k.layers.Conv2D(2, 5)(np.ones((1, 3, 3, 1), "float32")),
    "concatenation of different shapes": lambda k: k.layers.Concatenate()([np.ones((2, 3, 1)), np.ones((2, 4, 1))]),
    "addition of different shapes": lambda k: k.layers.Add()([np.ones((2, 3)), np.ones((2, 4))]),
    "one input to add": lambda k: k.layers.Add()([np.ones((2, 3))]),
    "reshape to another size": lambda k: k.layers.Reshape((4,))(np.ones((2, 3))),
    "weights of another shape": lambda k: model(k).set_weights([np.ones((4, 1)), np.ones(1)]),
    "too few weights": lambda k: model(k).set_weights([np.ones((3, 1))]),
    # dtypes and values
    "strings as features": lambda k: model(k).fit(np.array([["a", "b", "c"]] * 8), Y, verbose=0),
    "objects as features": lambda k: model(k).fit(np.array([[None, 1, 2]] * 8, dtype=object), Y, verbose=0),
    "an unknown dtype": lambda k: k.layers.Dense(1, dtype="float99"),
    # unbuilt and uncompiled
    "fit without compile": lambda k: uncompiled(k).fit(X, Y, verbose=0),
    "evaluate without compile": lambda k: uncompiled(k).evaluate(X, Y, verbose=0),
    "train_on_batch without compile": lambda k: uncompiled(k).train_on_batch(X, Y),
    "count_params of an unbuilt layer": lambda k: k.layers.Dense(1).count_params(),
    "weights loaded into an unbuilt model": lambda k: unbuilt(k).load_weights("nowhere.weights.h5"),
    "input of an unbuilt model": lambda k: unbuilt(k).inputs[0],
    # names and arguments
    "an unknown loss": lambda k: model(k, loss="mean_sqared_error").fit(X, Y, verbose=0),
    "an unknown optimizer": lambda k: model(k, optimizer="adamm"),
    "an unknown metric": lambda k: model(k, metrics=["acuracy"]).fit(X, Y, verbose=0),
    "an unknown activation": lambda k: k.layers.Dense(1, activation="rellu"),
    "an unknown initializer": lambda k: k.layers.Dense(1, kernel_initializer="glorot"),
    "an unknown regularizer": lambda k: k.layers.Dense(1, kernel_regularizer="l3"),
    "an unknown argument of a layer": lambda k: k.layers.Dense(1, unit=3),
    "an unknown padding": lambda k: k.layers.Conv2D(1, 3, padding="full"),
    "an unknown data format": lambda k: k.layers.Conv2D(1, 3, data_format="channels"),
    "units that are not positive": lambda k: k.layers.Dense(-1),
    "filters that are not positive": lambda k: k.layers.Conv2D(0, 3),
    "a rate above one": lambda k: k.layers.Dropout(1.5),
    "an unknown reduction": lambda k: k.losses.MeanSquaredError(reduction="median"),
    "loss weights of another number": lambda k: model(k, loss_weights=[1.0, 2.0]).fit(X, Y, verbose=0),
    "a list of losses for one output": lambda k: model(k, loss=["mse", "mae"]).fit(X, Y, verbose=0),
    "no loss at all": lambda k: model(k, loss=None).fit(X, Y, verbose=0),
    "a validation split that leaves nothing": lambda k: model(k).fit(X, Y, validation_split=1.0, verbose=0),
    "a validation split of a generator": lambda k: model(k).fit(iter([(X, Y)]), validation_split=0.5, verbose=0),
    "targets beside a generator": lambda k: model(k).fit(iter([(X, Y)]), Y, verbose=0),
    "an empty data set": lambda k: model(k).fit(X[:0], Y[:0], verbose=0),
    "a layer by a wrong name": lambda k: model(k).get_layer("missing"),
    "a layer by a wrong index": lambda k: model(k).get_layer(index=7),
    "a file that is not there": lambda k: k.models.load_model("missing.keras"),
    "a file of no known kind": lambda k: k.models.load_model("model.xyz"),
    "saving without an extension": lambda k: model(k).save("model"),
    "weights without their extension": lambda k: model(k).save_weights("weights.txt"),
    "something else than a layer": lambda k: k.Sequential([k.layers.Input((3,)), 3]),
    "a model of no tensors": lambda k: k.Model(3, 4),
    "an output that does not come from the inputs": lambda k: k.Model(k.layers.Input((3,)), k.layers.Dense(1)(k.layers.Input((3,)))),
    "a symbolic tensor as a number": lambda k: float(k.layers.Input((3,))),
    "two layers of one name": lambda k: k.Sequential([k.layers.Input((3,)), k.layers.Dense(1, name="a"), k.layers.Dense(1, name="a")]),
}
