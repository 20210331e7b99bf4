"""Every callback, as one would use it in a fit: played with Keras and with kerasish alike."""

from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5], [0.0]], "float32") + 1).astype("float32")


@dataclass
class Row:
    """A callback: how it is made from keras and a folder, and what it may do."""

    make: Callable[[Any, Any], Any]
    optimizer: dict = field(default_factory=dict)  # arguments of SGD
    quiet: bool = True  # leaves the history of a fit as it would be without it
    epochs: int = 4  # how many of four are run
    files: tuple[str, ...] = ()  # what is in the folder after it


def schedule(epoch, rate):
    return rate * 0.5


ROWS = {
    "BackupAndRestore": Row(lambda k, d: k.callbacks.BackupAndRestore(d / "backup")),
    "Callback": Row(lambda k, d: k.callbacks.Callback()),
    "CSVLogger": Row(lambda k, d: k.callbacks.CSVLogger(str(d / "log.csv")), files=("log.csv",)),
    "EarlyStopping": Row(lambda k, d: k.callbacks.EarlyStopping("loss", min_delta=100.0, patience=2, restore_best_weights=True), epochs=3),
    "History": Row(lambda k, d: k.callbacks.History()),
    "LambdaCallback": Row(lambda k, d: k.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)),
    "LearningRateScheduler": Row(lambda k, d: k.callbacks.LearningRateScheduler(schedule), quiet=False),
    "ModelCheckpoint": Row(
        lambda k, d: k.callbacks.ModelCheckpoint(str(d / "{epoch}.weights.h5"), save_weights_only=True),
        files=("1.weights.h5", "2.weights.h5", "3.weights.h5", "4.weights.h5"),
    ),
    "ProgbarLogger": Row(lambda k, d: k.callbacks.ProgbarLogger()),
    "ReduceLROnPlateau": Row(lambda k, d: k.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=100.0), quiet=False),
    "SwapEMAWeights": Row(
        lambda k, d: k.callbacks.SwapEMAWeights(swap_on_epoch=True), optimizer={"use_ema": True, "ema_momentum": 0.5}, quiet=False
    ),
    "TensorBoard": Row(lambda k, d: k.callbacks.TensorBoard(str(d)), files=("events", "events")),
    "TerminateOnNaN": Row(lambda k, d: k.callbacks.TerminateOnNaN()),
}
# Whose work is to do with other things than a fit: servers, lists of callbacks
ELSEWHERE = {"CallbackList", "RemoteMonitor", "MonitorCallback", "OrbaxCheckpoint"}


def model_for(k, row, **options):
    model = k.Sequential([k.Input((4,)), k.layers.Dense(3, activation="tanh", name="a"), k.layers.Dense(1, name="b")])
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    model.compile(k.optimizers.SGD(0.05, momentum=0.5, **row.optimizer), "mse", metrics=["mae"], **options)
    return model


def fit(k, row, callbacks, model=None, **options):
    """The history, as lists; and the model."""
    model = model or model_for(k, row, **options)
    history = model.fit(
        X, Y, batch_size=16, epochs=4, shuffle=False, verbose=0, validation_data=(X[:10], Y[:10]), callbacks=callbacks
    )
    return history.history, model


def files_in(folder):
    names = sorted(p.name for p in folder.rglob("*") if p.is_file())
    return ["events" if "tfevents" in name else name for name in names]
