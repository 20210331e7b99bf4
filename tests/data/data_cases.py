"""Data as users pass it, row by row; run with Keras to record what it does, and with kerasish to compare."""

import warnings

import numpy as np


def arrays():
    return {"x": np.ones((20, 2), "float32"), "y": np.ones((20, 1), "float32")}


def generator(count):
    def generate():
        for _ in range(count):
            yield np.ones((4, 2), "float32"), np.ones((4, 1), "float32")

    return lambda: {"x": generate()}


def dataset(count, **options):
    def make(base):
        class Dataset(base):
            num_batches = count

            def __getitem__(self, index):
                return np.ones((4, 2), "float32"), np.ones((4, 1), "float32")

        return {"x": Dataset(**options)}

    make.needs_base = True
    return make


# name: (data, batch_size, steps_per_epoch, epochs)
STEP_CASES = {
    "arrays": (arrays, 4, None, 2),
    "arrays, ragged last batch": (arrays, 7, None, 2),
    "arrays, default batch size": (arrays, None, None, 1),
    "arrays, batch size from steps": (arrays, None, 3, 2),
    "arrays, passes span epochs": (arrays, 4, 2, 4),
    "arrays, too many steps": (arrays, 4, 8, 2),
    "arrays, more steps than rows": (arrays, None, 30, 2),
    "arrays, batch size 0 is the default": (arrays, 0, None, 1),
    "generator": (generator(5), None, None, 1),
    "generator of one": (generator(1), None, None, 1),
    "generator, again when spent": (generator(5), None, None, 2),
    "generator, steps": (generator(5), None, 2, 3),
    "generator without end": (generator(10**9), None, 3, 2),
    "dataset": (dataset(5), None, None, 2),
    "dataset, passes span epochs": (dataset(5), None, 2, 3),
    "dataset, too many steps": (dataset(5), None, 8, 2),
    "dataset with threads": (dataset(5, workers=2), None, 2, 3),
    "dataset without end": (dataset(None), None, 3, 2),
}

# What differs from Keras, on purpose: Keras warns at the end of every generator, and then replays its first batches.
STEP_DIFFERENCES = {
    "generator": {"steps": [5], "ran_out": 0},
    "generator of one": {"steps": [1], "ran_out": 0},
    "generator, again when spent": {"steps": [5, 0], "ran_out": 1},
}


def make_data(make, base):
    return make(base) if getattr(make, "needs_base", False) else make()


def keras_steps(keras, name):
    """Steps of each epoch, and the number of warnings that data ran out, of a real `fit`."""
    make, batch_size, steps_per_epoch, epochs = STEP_CASES[name]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    steps = []
    count = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: steps.append(0),
        on_train_batch_end=lambda batch, logs: steps.append(steps.pop() + 1),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(
            **make_data(make, keras.utils.PyDataset),
            batch_size=batch_size,
            steps_per_epoch=steps_per_epoch,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[count],
        )
    return {"steps": steps, "ran_out": sum("ran out of data" in str(w.message) for w in caught)}


CLASS_WEIGHTS = {
    "indices": ([0, 1, 2, 1], {0: 2.0, 1: 3}),
    "float indices": ([0.2, 0.9, 2.0], {0: 2.0, 1: 0.5}),
    "column of indices": ([[0.0], [1.0], [2.0]], {0: 2.0, 2: 0.5}),
    "one-hot": ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], {0: 2.0, 2: 4.0}),
    "negative": ([-1, 0], {-1: 5.0}),
}

DTYPES = ["float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"]
