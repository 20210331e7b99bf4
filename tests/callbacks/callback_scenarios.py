"""Runs of callbacks over given logs, on a model that only records; played with Keras and with kerasish alike."""

import os
import warnings

import numpy as np


class FakeOptimizer:
    def __init__(self, learning_rate=0.1, name="sgd"):
        self.learning_rate = learning_rate
        self.name = name


class FakeCombination:
    def __init__(self, *optimizers):
        self.optimizers = list(optimizers)


class FakeModel:
    """Has what callbacks use of a model, and writes down what they do to it."""

    def __init__(self, optimizer=None):
        self.optimizer = optimizer or FakeOptimizer()
        self.stop_training = False
        self.metrics = []
        self.events = []
        self.weights = np.zeros(1, "float32")

    def get_weights(self):
        return [self.weights]

    def set_weights(self, weights):
        self.weights = weights[0]
        self.events.append(f"set_weights {float(weights[0][0])}")

    def save(self, path, overwrite=True):
        self.events.append(f"save {os.path.basename(path)}")

    def save_weights(self, path, overwrite=True):
        self.events.append(f"save_weights {os.path.basename(path)}")

    def rates(self):
        optimizers = getattr(self.optimizer, "optimizers", [self.optimizer])
        return [round(float(optimizer.learning_rate), 9) for optimizer in optimizers]


def loss(*values):
    return [{"loss": value} for value in values]


def both(*pairs):
    return [{"loss": a, "val_loss": b} for a, b in pairs]


PLATEAU = loss(1.0, 0.5, 0.6, 0.49, 0.5, 0.5, 0.51, 0.52, 0.4, 0.41, 0.42, 0.43)

# name: (class, arguments, logs of each epoch[, batches in each epoch])
SCENARIOS = {
    "stop, no patience": ("EarlyStopping", dict(monitor="loss"), PLATEAU),
    "stop, patience": ("EarlyStopping", dict(monitor="loss", patience=3), PLATEAU),
    "stop, min_delta": ("EarlyStopping", dict(monitor="loss", patience=2, min_delta=0.2), PLATEAU),
    "stop, negative min_delta": ("EarlyStopping", dict(monitor="loss", patience=2, min_delta=-0.2), PLATEAU),
    "stop, mode max": ("EarlyStopping", dict(monitor="loss", mode="max", patience=1), PLATEAU),
    "stop, mode min": ("EarlyStopping", dict(monitor="acc", mode="min", patience=1), [{"acc": a} for a in (1, 2, 3)]),
    "stop, baseline": ("EarlyStopping", dict(monitor="loss", baseline=0.45, patience=3), PLATEAU),
    "stop, baseline beaten": ("EarlyStopping", dict(monitor="loss", baseline=0.7, patience=3), PLATEAU),
    "stop, late start": ("EarlyStopping", dict(monitor="loss", start_from_epoch=6), PLATEAU),
    "stop, restore": ("EarlyStopping", dict(monitor="loss", patience=2, restore_best_weights=True), PLATEAU),
    "stop, restore, not stopped": (
        "EarlyStopping",
        dict(monitor="loss", patience=20, restore_best_weights=True),
        PLATEAU,
    ),
    "stop, restore, baseline": (
        "EarlyStopping",
        dict(monitor="loss", patience=2, baseline=0.1, restore_best_weights=True),
        PLATEAU,
    ),
    "stop, restore, NaN": (
        "EarlyStopping",
        dict(monitor="loss", patience=1, restore_best_weights=True),
        loss(float("nan"), 1.0, 2.0),
    ),
    "stop, validation": ("EarlyStopping", dict(), both((1, 1), (0.5, 2), (0.4, 0.5))),
    "stop, missing": ("EarlyStopping", dict(monitor="val_loss", patience=1), PLATEAU[:4]),
    "stop, unknown mode": ("EarlyStopping", dict(monitor="loss", mode="best"), PLATEAU[:4]),
    "stop, undecided": ("EarlyStopping", dict(monitor="score"), [{"score": 1.0}]),
    "reduce": ("ReduceLROnPlateau", dict(monitor="loss", factor=0.5, patience=2), PLATEAU),
    "reduce, no patience": ("ReduceLROnPlateau", dict(monitor="loss", factor=0.1, patience=0), PLATEAU),
    "reduce, cooldown": ("ReduceLROnPlateau", dict(monitor="loss", factor=0.5, patience=1, cooldown=2), PLATEAU),
    "reduce, min_lr": ("ReduceLROnPlateau", dict(monitor="loss", factor=0.1, patience=1, min_lr=0.005), PLATEAU),
    "reduce, min_delta": ("ReduceLROnPlateau", dict(monitor="loss", patience=1, min_delta=0.5), PLATEAU),
    "reduce, mode max": ("ReduceLROnPlateau", dict(monitor="loss", patience=2, mode="max"), PLATEAU),
    "reduce, missing": ("ReduceLROnPlateau", dict(patience=1), PLATEAU[:3]),
    "reduce, bad factor": ("ReduceLROnPlateau", dict(factor=1.0), []),
    "reduce, several": ("ReduceLROnPlateau", dict(monitor="loss", factor=0.5, patience=2), PLATEAU),
    "schedule": ("LearningRateScheduler", dict(schedule=lambda epoch, rate: rate * 0.5), PLATEAU[:3]),
    "schedule of the epoch": ("LearningRateScheduler", dict(schedule=lambda epoch: 1.0 / (epoch + 1)), PLATEAU[:3]),
    "schedule in NumPy": ("LearningRateScheduler", dict(schedule=lambda epoch, rate: np.float32(rate)), PLATEAU[:2]),
    "schedule, several": ("LearningRateScheduler", dict(schedule=lambda epoch, rate: rate * 0.5), PLATEAU[:2]),
    "schedule of ints": ("LearningRateScheduler", dict(schedule=lambda epoch, rate: 1), PLATEAU[:2]),
    "checkpoint": ("ModelCheckpoint", dict(filepath="model.keras"), PLATEAU[:3]),
    "checkpoint, names": (
        "ModelCheckpoint",
        dict(filepath="{epoch:02d}-{val_loss:.2f}.keras"),
        both((1, 2), (0.5, 1), (0.4, 0.5)),
    ),
    "checkpoint, h5": ("ModelCheckpoint", dict(filepath="model.h5"), PLATEAU[:2]),
    "checkpoint, weights": ("ModelCheckpoint", dict(filepath="m.weights.h5", save_weights_only=True), PLATEAU[:2]),
    "checkpoint, best": (
        "ModelCheckpoint",
        dict(filepath="{epoch}.keras", monitor="loss", save_best_only=True),
        PLATEAU,
    ),
    "checkpoint, best, max": (
        "ModelCheckpoint",
        dict(filepath="{epoch}.keras", monitor="loss", save_best_only=True, mode="max"),
        PLATEAU,
    ),
    "checkpoint, threshold": (
        "ModelCheckpoint",
        dict(filepath="{epoch}.keras", monitor="loss", save_best_only=True, initial_value_threshold=0.5),
        PLATEAU,
    ),
    "checkpoint, best, missing": ("ModelCheckpoint", dict(filepath="{epoch}.keras", save_best_only=True), PLATEAU[:2]),
    "checkpoint, batches": (
        "ModelCheckpoint",
        dict(filepath="{epoch}-{batch}.keras", save_freq=3),
        PLATEAU[:4],
        [0, 1, 2, 3, 4],
    ),
    "checkpoint, several batches a step": (
        "ModelCheckpoint",
        dict(filepath="{epoch}-{batch}.keras", save_freq=5),
        PLATEAU[:4],
        [2, 5, 8, 9],
    ),
    "checkpoint, bad ending": ("ModelCheckpoint", dict(filepath="model"), []),
    "checkpoint, bad ending for weights": ("ModelCheckpoint", dict(filepath="m.h5", save_weights_only=True), []),
    "checkpoint, bad frequency": ("ModelCheckpoint", dict(filepath="model.keras", save_freq="batch"), []),
    "checkpoint, bad name": ("ModelCheckpoint", dict(filepath="{acc}.keras"), PLATEAU[:1]),
    "csv": ("CSVLogger", dict(filename="log.csv"), both((1, 2), (0.5, 1))),
    "csv, separator": ("CSVLogger", dict(filename="log.csv", separator=";"), both((1, 2), (0.5, 1))),
    "csv, sometimes validation": ("CSVLogger", dict(filename="log.csv"), [*loss(1.0), *both((0.5, 1.25))]),
    "csv, values of many kinds": (
        "CSVLogger",
        dict(filename="log.csv"),
        [{"a": np.float32(0.5), "b": [1, 2], "c": "text", "d": np.array(2.0), "e": np.array([1.5])}],
    ),
    "nan": ("TerminateOnNaN", dict(), PLATEAU[:2], [0, 1]),
    "nan found": ("TerminateOnNaN", dict(), loss(1.0, float("nan"), 1.0), [0, 1]),
    "nan, infinity": ("TerminateOnNaN", dict(), loss(1.0, float("-inf"), 1.0), [0, 1]),
    "nan, raised": ("TerminateOnNaN", dict(raise_error=True), loss(1.0, float("nan")), [0, 1]),
    "history": ("History", dict(), both((1, 2), (0.5, 1))),
}


def play(callbacks, name, directory):
    """Play a scenario with the classes of a `keras.callbacks` and return all that can be seen of it."""
    kind, arguments, epochs, *batches = SCENARIOS[name]
    arguments = dict(arguments)
    for path in ("filename", "filepath"):
        if path in arguments:
            arguments[path] = os.path.join(directory, arguments[path])
    several = FakeCombination(FakeOptimizer(0.1, "one"), FakeOptimizer(0.2, "two"))
    model = FakeModel(several if "several" in name and "batches" not in name else None)
    seen = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            callback = getattr(callbacks, kind)(**arguments)
            callback.set_params({"epochs": len(epochs), "steps": None, "verbose": 0})
            callback.set_model(model)
            callback.on_train_begin()
            for epoch, logs in enumerate(epochs):
                logs = dict(logs)
                callback.on_epoch_begin(epoch)
                model.weights = model.weights + 1
                for batch in batches[0] if batches else ():
                    callback.on_train_batch_begin(batch)
                    callback.on_train_batch_end(batch, dict(logs))
                callback.on_epoch_end(epoch, logs)
                rates = {key: round(value, 9) for key, value in logs.items() if key.startswith("learning_rate")}
                seen.append([model.events, model.rates(), rates, model.stop_training])
                model.events = []
                if model.stop_training:
                    break
            callback.on_train_end()
            seen.append(model.events)
        except (ValueError, KeyError, RuntimeError) as error:
            seen.append(type(error).__name__)
    result = {"seen": seen, "warnings": len(caught)}
    if kind == "CSVLogger":
        with open(arguments["filename"], newline="") as file:
            result["file"] = file.read()
    if kind == "History":
        result["history"] = [callback.epoch, callback.history]
    return result
