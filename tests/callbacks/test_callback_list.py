"""CallbackList, the hooks it calls, and the logs it hands out."""

import copy
import json
import pickle

import numpy as np
import pytest

from kerasish import callbacks as module
from kerasish.base.registry import lookup
from kerasish.callbacks import Callback, CallbackList, History, LambdaCallback, ModelCheckpoint, ProgbarLogger
from kerasish.callbacks.logs import LazyLogs, pythonify_logs

BATCH_HOOKS = [f"on_{phase}_batch_{end}" for phase in ("train", "test", "predict") for end in ("begin", "end")]
PHASE_HOOKS = [f"on_{phase}_{end}" for phase in ("train", "test", "predict") for end in ("begin", "end")]
EPOCH_HOOKS = ["on_epoch_begin", "on_epoch_end"]
ALL_HOOKS = [*BATCH_HOOKS, *PHASE_HOOKS, *EPOCH_HOOKS]


class Model:
    history = None
    built = True


def recording(*hooks):
    """A callback that overrides these hooks and notes its calls."""
    calls = []

    def make(hook):
        return lambda self, *args: calls.append((hook, *args))

    return type("Recording", (Callback,), {hook: make(hook) for hook in hooks})(), calls


@pytest.mark.parametrize("hook", ALL_HOOKS)
def test_each_hook_reaches_each_callback_in_order(hook):
    (one, calls_one), (two, calls_two) = recording(*ALL_HOOKS), recording(*ALL_HOOKS)
    both = CallbackList([one, two], model=Model())
    args = () if hook in PHASE_HOOKS else (3,)
    getattr(both, hook)(*args, {"b": np.float32(0.5), "a": 1})
    assert calls_one == calls_two == [(hook, *args, {"b": 0.5, "a": 1.0})]
    if hook not in ("on_predict_batch_end",):
        assert [type(value) for value in calls_one[0][-1].values()] == [float, float]


@pytest.mark.parametrize("hook", [*ALL_HOOKS, "on_batch_begin", "on_batch_end"])
def test_logs_may_be_left_out_and_hooks_may_be_missing(hook):
    both = CallbackList([Callback()], model=Model())
    getattr(both, hook)(*(() if hook in PHASE_HOOKS else (0,)))
    one, calls = recording(hook)
    getattr(CallbackList([one], model=Model()), hook)(*(() if hook in PHASE_HOOKS else (0,)))
    assert calls == [(hook, *(() if hook in PHASE_HOOKS else (0,)), {})]


@pytest.mark.parametrize("hook", BATCH_HOOKS)
def test_wants_batches_only_if_a_hook_is_overridden(hook):
    phase = hook.split("_")[1]
    assert not CallbackList([Callback(), History()], add_progbar=False).wants_batches(phase)
    listening = CallbackList([recording(hook)[0]])
    assert [listening.wants_batches(p) for p in ("train", "test", "predict")] == [
        p == phase for p in ("train", "test", "predict")
    ]


WANTING = {
    "on_batch_end": (lambda: recording("on_batch_end")[0], True),
    "on_batch_begin": (lambda: recording("on_batch_begin")[0], True),
    "lambda": (lambda: LambdaCallback(on_train_batch_end=lambda batch, logs: None), True),
    "lambda by name": (lambda: LambdaCallback(on_batch_end=lambda batch, logs: None), True),
    "lambda of epochs": (lambda: LambdaCallback(on_epoch_end=lambda epoch, logs: None), False),
    "checkpoint of epochs": (lambda: ModelCheckpoint("m.keras"), False),
    "checkpoint of batches": (lambda: ModelCheckpoint("m.keras", save_freq=3), True),
}


@pytest.mark.parametrize("name", WANTING)
def test_who_wants_training_batches(name):
    make, wants = WANTING[name]
    assert CallbackList(make()).wants_batches("train") == wants


def test_on_batch_is_another_name_for_on_train_batch():
    one, calls = recording("on_batch_begin", "on_batch_end")
    both = CallbackList([one])
    both.on_train_batch_begin(1)
    both.on_train_batch_end(2, {"loss": 1})
    both.on_batch_end(3)
    assert calls == [("on_batch_begin", 1, {}), ("on_batch_end", 2, {"loss": 1.0}), ("on_batch_end", 3, {})]


def test_logs_of_an_epoch_are_shared_and_history_comes_last():
    class Adds(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["extra"] = 7.0

    model = Model()
    both = CallbackList([[Adds()], recording()[0]], add_history=True, model=model)
    both.on_train_begin()
    both.on_epoch_end(0, {"loss": 1.0})
    assert model.history.history == {"loss": [1.0], "extra": [7.0]}
    assert isinstance(both.callbacks[-1], History) and len(both.callbacks) == 3


def test_histories_and_bars_are_not_doubled():
    mine = History(), ProgbarLogger()
    both = CallbackList(list(mine), add_history=True, add_progbar=True, verbose=0, epochs=1, steps=1)
    assert both.callbacks == list(mine)


def test_params_and_model_reach_the_callbacks():
    one, model = Callback(), Model()
    CallbackList([one], model=model, epochs=3, steps=None, verbose=2)
    assert one.model is model and one.params == {"epochs": 3, "steps": None, "verbose": 2}


def test_outputs_of_predictions_stay_arrays():
    one, calls = recording("on_predict_batch_end")
    outputs = np.ones((1, 1))
    CallbackList([one]).on_predict_batch_end(0, {"outputs": outputs})
    assert calls[0][2]["outputs"] is outputs


# -- logs -----------------------------------------------------------------------------------------------------------


def counted():
    calls = []

    def compute():
        calls.append(1)
        return {"loss": np.float32(0.5), "acc": 1}

    return compute, calls


def test_batch_logs_are_not_computed_unless_read():
    compute, calls = counted()
    seen = []
    both = CallbackList([LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))])
    both.on_train_batch_end(0, compute)
    assert (seen, calls) == ([0], [])


def test_batch_logs_are_computed_once_for_all_readers():
    compute, calls = counted()
    read = []
    reader = LambdaCallback(on_train_batch_end=lambda batch, logs: read.append(logs["loss"]))
    CallbackList([reader, reader]).on_train_batch_end(0, compute)
    assert (read, calls) == ([0.5, 0.5], [1])


def test_batch_logs_that_are_kept_are_computed_before_the_next_batch():
    now = {"loss": 1.0}
    kept = []
    both = CallbackList([LambdaCallback(on_train_batch_end=lambda batch, logs: kept.append(logs))])
    both.on_train_batch_end(0, lambda: dict(now))
    now["loss"] = 2.0
    both.on_train_batch_end(1, lambda: dict(now))
    now["loss"] = 3.0
    assert [logs["loss"] for logs in kept] == [1.0, 2.0]


READS = {
    "getitem": lambda logs: logs["loss"],
    "get": lambda logs: logs.get("loss"),
    "in": lambda logs: "loss" in logs,
    "len": len,
    "bool": bool,
    "iter": list,
    "reversed": lambda logs: list(reversed(logs)),
    "keys": lambda logs: list(logs.keys()),
    "values": lambda logs: list(logs.values()),
    "items": lambda logs: list(logs.items()),
    "repr": repr,
    "str": str,
    "equal": lambda logs: logs == {"acc": 1.0, "loss": 0.5},
    "equal, reflected": lambda logs: {"acc": 1.0, "loss": 0.5} == logs,
    "not equal": lambda logs: logs != {"acc": 1.0},
    "dict": dict,
    "stars": lambda logs: {**logs},
    "call": lambda logs: (lambda **kwargs: kwargs)(**logs),
    "format": lambda logs: "{loss:.2f}".format(**logs),
    "format_map": lambda logs: "{loss:.2f}".format_map(logs),
    "percent": lambda logs: "%(loss).2f" % logs,
    "or": lambda logs: logs | {"x": 1},
    "or, reflected": lambda logs: {"x": 1} | logs,
    "update of another": lambda logs: (lambda d: (d.update(logs), d)[1])({}),
    "copy": lambda logs: logs.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda logs: pickle.loads(pickle.dumps(logs)),
    "json": lambda logs: json.loads(json.dumps(logs)),
    "sorted": sorted,
    "match": lambda logs: _match(logs),
    "setitem": lambda logs: (logs.__setitem__("x", 1), dict(logs))[1],
    "setdefault": lambda logs: (logs.setdefault("loss", 9), dict(logs)),
    "update": lambda logs: (logs.update(x=1), dict(logs))[1],
    "pop": lambda logs: (logs.pop("loss"), dict(logs)),
    "popitem": lambda logs: (logs.popitem(), dict(logs)),
    "del": lambda logs: (logs.__delitem__("loss"), dict(logs))[1],
    "clear": lambda logs: (logs.clear(), dict(logs))[1],
    "ior": lambda logs: dict(logs.__ior__({"x": 1})),
}


def _match(logs):
    match logs:
        case {"loss": loss}:
            return loss
    return None


@pytest.mark.parametrize("name", READS)
def test_lazy_logs_are_as_good_as_a_dict(name):
    read = READS[name]
    assert read(LazyLogs(lambda: {"acc": 1.0, "loss": 0.5})) == read({"acc": 1.0, "loss": 0.5})


PYTHONIFIED = {
    "empty": (None, {}),
    "sorted": ({"b": 1, "a": 2}, {"a": 2.0, "b": 1.0}),
    "numpy": ({"a": np.float32(0.5), "b": np.array(2), "c": np.array([3])}, {"a": 0.5, "b": 2.0, "c": 3.0}),
    "nested": ({"b": {"c": 1, "a": 2}, "d": 3}, {"a": 2.0, "c": 1.0, "d": 3.0}),
    "text": ({"a": "1.5"}, {"a": "1.5"}),
    "other": ({"a": [1, 2]}, {"a": [1, 2]}),
}


@pytest.mark.parametrize("name", PYTHONIFIED)
def test_pythonify(name):
    given, expected = PYTHONIFIED[name]
    result = pythonify_logs(given)
    assert result == expected and list(result) == list(expected)


@pytest.mark.parametrize("name", module.__all__)
def test_public_names(name):
    assert lookup(f"keras.callbacks.{name}") is getattr(module, name)
