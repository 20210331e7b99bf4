"""What the recorded scenarios do not reach: files, servers, moving averages, and what is said."""

import http.server
import json
import os
import threading
import urllib.parse
import warnings

import numpy as np
import pytest
from callback_scenarios import FakeModel

from kerasish import callbacks
from kerasish.callbacks.monitor import MonitorCallback


def attach(callback, model=None, epochs=5):
    callback.set_params({"epochs": epochs, "steps": None, "verbose": 0})
    callback.set_model(model or FakeModel())
    callback.on_train_begin()
    return callback


# -- which way is better ------------------------------------------------------------------------------------------


class Metric:
    def __init__(self, name, direction=None, metrics=None):
        self.name = name
        if direction:
            self._direction = direction
        if metrics is not None:
            self.metrics = metrics


# name: (monitor, the model's metrics, which way is better)
DIRECTIONS = {
    "loss": ("loss", [], "min"),
    "validation loss": ("val_loss", [], "min"),
    "metric, up": ("acc", [Metric("acc", "up")], "max"),
    "metric, down": ("val_mae", [Metric("mae", "down")], "min"),
    "metric in a container": ("val_acc", [Metric("compile_metrics", metrics=[Metric("acc", "up")])], "max"),
    "another metric": ("acc", [Metric("mae", "down")], None),
    "metric without direction": ("acc", [Metric("acc")], None),
}


@pytest.mark.parametrize("name", DIRECTIONS)
def test_auto_mode(name):
    monitor, metrics, expected = DIRECTIONS[name]
    model = FakeModel()
    model.metrics = metrics
    callback = MonitorCallback(monitor)
    callback.set_model(model)
    if expected is None:
        with pytest.raises(ValueError, match="mode='max'"):
            callback._set_monitor_op()
    else:
        callback._set_monitor_op()
        assert callback._is_improvement(2.0, 1.0) == (expected == "max")
        assert callback._is_improvement(1.0, 2.0) == (expected == "min")
        assert not callback._is_improvement(float("nan"), 1.0)


# -- what is printed ----------------------------------------------------------------------------------------------

SAID = {
    "EarlyStopping": (
        dict(monitor="loss", verbose=1, restore_best_weights=True),
        ["Epoch 2: early stopping", "Restoring model weights from the end of the best epoch: 1."],
    ),
    "ReduceLROnPlateau": (
        dict(monitor="loss", verbose=1, patience=1, factor=0.5),
        ["Epoch 2: ReduceLROnPlateau reducing learning rate to 0.05."],
    ),
    "LearningRateScheduler": (
        dict(schedule=lambda epoch, rate: 0.25, verbose=1),
        [f"Epoch {n}: LearningRateScheduler setting learning rate to 0.25." for n in (1, 2)],
    ),
    "ModelCheckpoint": (
        dict(filepath="m.keras", monitor="loss", save_best_only=True, verbose=1),
        [
            "Epoch 1: loss improved from None to 1.00000, saving model to m.keras",
            "Epoch 1: finished saving model to m.keras",
            "Epoch 2: loss did not improve from 1.00000",
        ],
    ),
}


@pytest.mark.parametrize("verbose", [0, 1])
@pytest.mark.parametrize("name", SAID)
def test_what_is_said(name, verbose, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, expected = SAID[name]
    callback = attach(getattr(callbacks, name)(**{**arguments, "verbose": verbose}))
    for epoch, loss in enumerate((1.0, 2.0)):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": loss})
    callback.on_train_end()
    assert capsys.readouterr().out.splitlines() == (expected if verbose else [])


# -- files --------------------------------------------------------------------------------------------------------


def write_csv(path, epochs, **options):
    callback = attach(callbacks.CSVLogger(path, **options))
    for epoch in epochs:
        callback.on_epoch_end(epoch, {"loss": float(epoch), "val_loss": 0.5})
        assert path.read_text().endswith("0.5\n")  # on disk at once
    callback.on_train_end()
    return path.read_text()


def test_csv_replaces_or_appends(tmp_path):
    path = tmp_path / "log.csv"
    assert write_csv(path, [0, 1]) == "epoch,loss,val_loss\n0,0.0,0.5\n1,1.0,0.5\n"
    assert write_csv(path, [2], append=True) == "epoch,loss,val_loss\n0,0.0,0.5\n1,1.0,0.5\n2,2.0,0.5\n"
    assert write_csv(path, [0]) == "epoch,loss,val_loss\n0,0.0,0.5\n"
    assert write_csv(tmp_path / "new.csv", [3], append=True) == "epoch,loss,val_loss\n3,3.0,0.5\n"


def test_csv_may_be_used_again(tmp_path):
    callback = callbacks.CSVLogger(tmp_path / "log.csv")
    for logs in ({"loss": 1.0}, {"acc": 2.0}):
        attach(callback)
        callback.on_epoch_end(0, logs)
        callback.on_train_end()
    assert (tmp_path / "log.csv").read_text() == "epoch,acc,val_acc\n0,2.0,NA\n"


def test_checkpoints_make_their_directory_and_refuse_to_be_one(tmp_path):
    callback = attach(callbacks.ModelCheckpoint(tmp_path / "new" / "{epoch}.keras"))
    callback.on_epoch_end(0, {})
    assert (tmp_path / "new").is_dir()
    os.mkdir(tmp_path / "new" / "2.keras")
    with pytest.raises(OSError, match="directory of that name"):
        callback.on_epoch_end(1, {})


def test_checkpoints_of_batches_know_the_best(tmp_path):
    model = FakeModel()
    callback = attach(
        callbacks.ModelCheckpoint(tmp_path / "{batch}.keras", monitor="loss", save_best_only=True, save_freq=1), model
    )
    callback.on_epoch_begin(0)
    for batch, loss in enumerate((3.0, 4.0, 2.0)):
        callback.on_train_batch_end(batch, {"loss": loss})
    assert model.events == ["save 1.keras", "save 3.keras"]


def test_checkpoints_need_a_single_number(tmp_path):
    callback = attach(callbacks.ModelCheckpoint(tmp_path / "m.keras", monitor="loss", save_best_only=True))
    with pytest.warns(UserWarning, match="no single number"):
        callback.on_epoch_end(0, {"loss": np.ones(2)})


# -- moving averages -----------------------------------------------------------------------------------------------


class Weight:
    def __init__(self, value):
        self.value = np.array([value])

    def __array__(self, dtype=None, copy=None):
        return self.value

    def assign(self, value):
        self.value = np.array(value)


class Averaging:
    use_ema = True

    def __init__(self):
        self._trainable_variables = [Weight(1.0), Weight(2.0)]
        self._model_variables_moving_average = [Weight(10.0), Weight(20.0)]

    def state(self):
        return [
            [float(variable.value[0]) for variable in variables]
            for variables in (self._trainable_variables, self._model_variables_moving_average)
        ]


class Scaling:
    """An optimizer around another."""

    def __init__(self, inner):
        self.inner_optimizer = inner


class Several:
    def __init__(self, *optimizers):
        self.optimizers = optimizers


class Plain:
    use_ema = False


WRAPPINGS = {
    "alone": lambda inner: inner,
    "scaled": Scaling,
    "among others": lambda inner: Several(Plain(), inner),
}
APART, SWAPPED, BOTH = [[1.0, 2.0], [10.0, 20.0]], [[10.0, 20.0], [1.0, 2.0]], [[10.0, 20.0], [10.0, 20.0]]

# hook, its arguments, and where the averages are afterwards
IN_TURN = {
    False: [
        ("on_epoch_begin", (0,), APART),
        ("on_test_begin", (), SWAPPED),
        ("on_test_end", (), APART),
        ("on_epoch_end", (0,), APART),
        ("on_predict_begin", (), SWAPPED),
        ("on_predict_end", (), APART),
    ],
    True: [
        ("on_epoch_begin", (0,), APART),
        ("on_test_begin", (), SWAPPED),
        ("on_test_end", (), APART),
        ("on_epoch_end", (0,), SWAPPED),
        ("on_epoch_begin", (1,), APART),
        ("on_epoch_end", (1,), BOTH),  # the last: what fit is about to copy into the weights
    ],
}


@pytest.mark.parametrize("swap_on_epoch", [False, True])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_averages_are_where_they_should_be(wrapping, swap_on_epoch):
    inner = Averaging()
    model = FakeModel(WRAPPINGS[wrapping](inner))
    callback = attach(callbacks.SwapEMAWeights(swap_on_epoch), model, epochs=2)
    for hook, arguments, expected in IN_TURN[swap_on_epoch]:
        getattr(callback, hook)(*arguments)
        assert inner.state() == expected, hook


@pytest.mark.parametrize("optimizer", [Plain(), Several(Plain()), Scaling(Plain())], ids=["alone", "several", "scaled"])
def test_averages_must_be_there(optimizer):
    with pytest.raises(ValueError, match="use_ema=True"):
        attach(callbacks.SwapEMAWeights(), FakeModel(optimizer)).on_test_begin()


# -- a server -------------------------------------------------------------------------------------------------------


@pytest.fixture
def server():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, dict(self.headers), body))
            self.send_response(500 if "refuse" in self.path else 200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}", received
        finally:
            httpd.shutdown()
            thread.join()


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor(server, as_json):
    root, received = server
    callback = attach(callbacks.RemoteMonitor(root, send_as_json=as_json, headers={"X-Run": "7"}))
    callback.on_epoch_end(3, {"loss": np.float32(0.5), "acc": np.array(0.25)})
    (path, headers, body), = received
    assert path == "/publish/epoch/end/" and headers["X-Run"] == "7"
    assert headers["Content-Type"] == ("application/json" if as_json else "application/x-www-form-urlencoded")
    text = body if as_json else urllib.parse.parse_qs(body)["data"][0]
    assert json.loads(text) == {"epoch": 3, "loss": 0.5, "acc": 0.25}


UNREACHABLE = {
    "nobody there": lambda root: dict(root="http://127.0.0.1:9"),
    "refused": lambda root: dict(root=root, path="/refuse"),
    "no web address": lambda root: dict(root="file:///etc"),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_server_out_of_reach_is_a_warning(server, name):
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor"):
        attach(callbacks.RemoteMonitor(**UNREACHABLE[name](server[0]))).on_epoch_end(0, {})


# -- the rest -------------------------------------------------------------------------------------------------------


def test_lambda_callbacks_take_every_hook():
    seen = []
    hooks = [name for name in vars(callbacks.Callback) if name.startswith("on_")]
    callback = callbacks.LambdaCallback(**{name: lambda *args, name=name: seen.append(name) for name in hooks})
    for name in hooks:
        getattr(callback, name)(0, {})
    assert seen == hooks


def test_an_error_inside_a_schedule_is_not_swallowed():
    def schedule(epoch, rate):
        return rate + "text"

    with pytest.raises(TypeError, match="unsupported operand"):
        attach(callbacks.LearningRateScheduler(schedule)).on_epoch_begin(0)


def test_a_schedule_may_be_written_in_c():
    model = FakeModel()
    attach(callbacks.LearningRateScheduler(np.maximum), model).on_epoch_begin(0)
    assert model.optimizer.learning_rate == pytest.approx(0.1)


def test_best_weights_are_copies():
    model = FakeModel()
    callback = attach(callbacks.EarlyStopping(monitor="loss", restore_best_weights=True, patience=5), model)
    callback.on_epoch_end(0, {"loss": 1.0})
    model.weights += 5  # as an optimizer does, in place
    callback.on_train_end()
    assert model.weights.tolist() == [0.0]


def test_unknown_modes_are_reported_where_they_were_written():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        callbacks.EarlyStopping(mode="best")
    assert caught[0].filename == __file__
