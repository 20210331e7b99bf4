"""BackupAndRestore: killed anywhere, resumed to the same bits."""

import json
import os
import warnings

import numpy as np
import pytest

from kerasish.callbacks import (
    BackupAndRestore,
    Callback,
    CallbackList,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from kerasish.data import ArrayBatches, Epochs


class Killed(BaseException):
    pass


class Optimizer:
    built = True

    def __init__(self):
        self.learning_rate = 0.5


class Model:
    """A model of one weight, with a loop that keeps the protocol of callbacks/README.md."""

    built = True

    def __init__(self):
        self.optimizer = Optimizer()
        self.weight = np.zeros(3, "float64")
        self.total = 0.0
        self.history = None
        self.metrics = []
        self.trainable_variables = []
        self.stop_training = False
        self.trace = []
        self._initial_epoch = None

    def save_weights(self, path, overwrite=True):
        with open(path, "wb") as file:
            np.save(file, np.append(self.weight, self.optimizer.learning_rate))

    def load_weights(self, path):
        with open(path, "rb") as file:
            *weight, self.optimizer.learning_rate = np.load(file)
        self.weight = np.array(weight)

    def save(self, path, overwrite=True):
        self.trace.append(("save", os.path.basename(path)))

    def get_weights(self):
        return [self.weight]

    def set_weights(self, weights):
        self.weight = np.array(weights[0])

    def get_training_state(self):
        return {"data": self._epochs.get_state(), "total": np.array(self.total)}

    def set_training_state(self, state):
        self._epochs.set_state(state["data"])
        self.total = float(state["total"])

    def fit(self, callbacks, epochs=4, initial_epoch=0):
        self._epochs = Epochs(ArrayBatches(np.arange(12.0), batch_size=3, shuffle=True, seed=11))
        both = CallbackList(callbacks, add_history=True, model=self, epochs=epochs, steps=4, verbose=0)
        both.on_train_begin()
        for epoch in range(self._initial_epoch or initial_epoch, epochs):
            if self.stop_training:
                break
            step = self._epochs.first_step
            if step == 0:
                self.total = 0.0
            both.on_epoch_begin(epoch)
            for x, _, _ in self._epochs.epoch():
                self.weight = self.weight * 0.9 + self.optimizer.learning_rate * x.sum()
                self.total += float(x[0])
                self.trace.append((epoch, step, float(self.weight[0])))
                both.on_train_batch_end(step, {"loss": self.total})
                step += 1
            both.on_epoch_end(epoch, {"loss": [5.0, 6.0, 7.0, 8.0][epoch], "total": self.total})
        both.on_train_end()
        return self


class Kill(Callback):
    """Kills the run when its n-th hook is called."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def _tick(self, *_):
        self.left -= 1
        if self.left == 0:
            raise Killed

    on_epoch_begin = on_train_batch_end = on_epoch_end = _tick


def others():
    return [
        EarlyStopping(monitor="loss", patience=3, restore_best_weights=True),
        ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2),
        ModelCheckpoint("{epoch}-{batch}.keras", save_freq=5),
    ]


def resume_all(directory, after, **options):
    """A run that is killed after so many hooks, and taken up again; what it does from the last backup on."""
    model = Model()
    try:
        model.fit([BackupAndRestore(directory, **options), *others(), Kill(after)])
    except Killed:
        pass
    else:
        return None
    model = Model()
    return model.fit([BackupAndRestore(directory, **options), *others(), Kill(-1)])


@pytest.mark.parametrize("save_freq, double", [("epoch", False), ("epoch", True), (1, False), (3, True)])
def test_a_killed_run_resumes_to_the_same_bits(save_freq, double, tmp_path):
    whole = Model().fit([*others(), Kill(-1)])
    after = 0
    resumed = whole
    while resumed is not None:
        after += 1
        resumed = resume_all(tmp_path / "backup", after, save_freq=save_freq, double_checkpoint=double)
        if resumed is not None:
            np.testing.assert_array_equal(resumed.weight, whole.weight)
            assert resumed.optimizer.learning_rate == whole.optimizer.learning_rate
            assert resumed.trace == whole.trace[len(whole.trace) - len(resumed.trace) :]
            if save_freq == 1:
                hooks = "(....)" * 4  # of Kill, which comes before the backup
                batches = [entry for entry in resumed.trace if entry[0] != "save"]
                assert len(batches) == 16 - hooks[: after - 1].count(".")
            assert not (tmp_path / "backup").exists()
    assert after == 25  # 4 epochs of 6 hooks


def test_a_run_that_was_stopped_and_then_killed_stays_stopped(tmp_path):
    class KillAtEnd(Callback):
        is_deadly = True

        def on_train_end(self, logs=None):
            if KillAtEnd.is_deadly:
                raise Killed

    def fit():
        stop = EarlyStopping(monitor="loss", patience=1, restore_best_weights=True)
        return Model().fit([KillAtEnd(), BackupAndRestore(tmp_path), stop])

    with pytest.raises(Killed):
        fit()
    KillAtEnd.is_deadly = False
    resumed = fit()
    assert resumed.trace == []  # and yet the best weights are found again
    np.testing.assert_array_equal(resumed.weight, Model().fit([], epochs=1).weight)


def test_a_finished_run_cleans_up_only_what_is_its_own(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    Model().fit([BackupAndRestore(tmp_path)])
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_backups_may_be_kept(tmp_path):
    Model().fit([BackupAndRestore(tmp_path, delete_checkpoint=False)])
    assert sorted(os.listdir(tmp_path)) == ["backup-4.npy", "backup-4.weights.h5", "training_metadata.json"]
    metadata = json.loads((tmp_path / "training_metadata.json").read_text())
    assert (metadata["epoch"], metadata["batch"]) == (4, 0)
    again = Model().fit([BackupAndRestore(tmp_path, delete_checkpoint=False)], epochs=4)
    assert again.trace == []  # nothing was left to do


def killed(directory, after=15, **options):
    with pytest.raises(Killed):
        Model().fit([BackupAndRestore(directory, **options), Kill(after)])


def test_the_backup_before_the_last_is_used_if_the_last_is_damaged(tmp_path):
    killed(tmp_path, double_checkpoint=True)
    assert sorted(os.listdir(tmp_path)) == [
        *(f"backup-{n}.{end}" for n in (1, 2) for end in ("npy", "weights.h5")),
        "training_metadata.json",
        "training_metadata.json.bkp",
    ]
    (tmp_path / "backup-2.weights.h5").write_bytes(b"")
    with pytest.warns(UserWarning, match="the one before it"):
        resumed = Model().fit([BackupAndRestore(tmp_path), Kill(-1)])
    assert resumed.trace == Model().fit([Kill(-1)]).trace[4:]


def test_a_damaged_backup_without_another_is_an_error(tmp_path):
    killed(tmp_path)
    (tmp_path / "backup-2.weights.h5").unlink()
    with pytest.raises(FileNotFoundError):
        Model().fit([BackupAndRestore(tmp_path), Kill(-1)])


@pytest.mark.parametrize("moment", ["weights", "metadata", "replace"])
def test_a_kill_while_saving_leaves_the_last_backup_whole(moment, tmp_path, monkeypatch):
    killed(tmp_path, after=8)

    def kill(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "weights":
            half = lambda self, path, overwrite=True: open(path, "wb").close() or kill()  # noqa: E731
            patch.setattr(Model, "save_weights", half)
        else:
            patch.setattr(*{"metadata": (json, "dump"), "replace": (os, "replace")}[moment], kill)
        with pytest.raises(Killed):
            Model().fit([BackupAndRestore(tmp_path), Kill(-1)])
    resumed = Model().fit([BackupAndRestore(tmp_path), Kill(-1)])
    assert resumed.trace == Model().fit([Kill(-1)]).trace[4:]
    assert not os.path.exists(tmp_path)


def test_a_run_that_keras_began_goes_on(tmp_path):
    Model().save_weights(tmp_path / "latest.weights.h5")
    (tmp_path / "training_metadata.json").write_text('{"epoch": 3, "batch": 0}')
    assert [entry[0] for entry in Model().fit([BackupAndRestore(tmp_path)]).trace] == [3] * 4


def test_other_callbacks_than_before_start_afresh(tmp_path):
    killed(tmp_path)
    with pytest.warns(UserWarning, match="not those of the interrupted run"):
        Model().fit([BackupAndRestore(tmp_path), EarlyStopping(monitor="loss", patience=5)])


def test_callbacks_without_memory_may_come_and_go(tmp_path):
    killed(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Model().fit([BackupAndRestore(tmp_path), LearningRateScheduler(lambda epoch, rate: rate)])


def test_a_model_without_training_state_resumes_at_the_epoch(tmp_path):
    class Plain(Model):
        get_training_state = set_training_state = property()

    with pytest.raises(Killed):
        Plain().fit([BackupAndRestore(tmp_path, save_freq=1), Kill(9)])
    resumed = Plain().fit([BackupAndRestore(tmp_path, save_freq=1), Kill(-1)])
    assert [entry[:2] for entry in resumed.trace] == [(e, s) for e in (1, 2, 3) for s in range(4)]


def test_a_backup_names_only_its_own_files(tmp_path):
    (tmp_path / "training_metadata.json").write_text('{"epoch": 1, "batch": 0, "weights": "../elsewhere"}')
    with pytest.raises(ValueError, match="outside its directory"):
        Model().fit([BackupAndRestore(tmp_path)])


def test_pickles_are_not_read(tmp_path):
    killed(tmp_path)
    with open(tmp_path / "backup-2.npy", "wb") as file:
        np.save(file, np.array([object()]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        Model().fit([BackupAndRestore(tmp_path), Kill(-1)])


def test_nothing_is_restored_where_there_is_no_backup(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(Model().fit([BackupAndRestore(tmp_path / "new")]).trace) == 16


def test_the_model_must_be_built(tmp_path):
    model = Model()
    model.built = False
    with pytest.raises(ValueError, match="built before"):
        model.fit([BackupAndRestore(tmp_path)])


def test_the_optimizer_is_built_before_its_state_is_loaded(tmp_path):
    killed(tmp_path)
    model, built = Model(), []
    model.optimizer.built = False
    model.optimizer.build = built.append
    model.fit([BackupAndRestore(tmp_path), Kill(-1)])
    assert built == [model.trainable_variables]


@pytest.mark.parametrize("arguments", [dict(backup_dir=""), dict(backup_dir="x", save_freq="batch")], ids=str)
def test_errors(arguments):
    with pytest.raises(ValueError, match="Received|empty"):
        BackupAndRestore(**arguments)
