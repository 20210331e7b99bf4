"""PyDataset, alone and with workers that raise, die, lag or are left behind."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from kerasish.base.registry import lookup
from kerasish.data import Epochs, PyDataset, as_batches

MODES = {
    "alone": dict(workers=1),
    "threads": dict(workers=3),
    "process": dict(workers=1, use_multiprocessing=True),
    "processes": dict(workers=2, use_multiprocessing=True),
}
PARALLEL = {name: options for name, options in MODES.items() if name != "alone"}


class Numbers(PyDataset):
    """Batch i holds i. `act` runs before each batch is computed."""

    def __init__(self, num_batches=8, act=None, **options):
        super().__init__(**options)
        self._num_batches, self.act, self.offset = num_batches, act, 0

    @property
    def num_batches(self):
        return self._num_batches

    def __getitem__(self, index):
        if self.act is not None:
            self.act(index)
        return np.array([index + self.offset]), np.array([index])


def within(seconds, function):
    """What the function returns or raises, which it must do in time: a hang is a failure, not a standstill."""
    outcome = {}

    def run():
        try:
            outcome["value"] = function()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"still running after {seconds} seconds"
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def values(batches):
    return [int(x[0]) for x, _, _ in batches]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("queue", [1, 2, 20])
def test_order_is_kept(mode, queue):
    data = Numbers(act=lambda index: time.sleep(0.002 * (index % 3)), max_queue_size=queue, **MODES[mode])
    batches = as_batches(data)
    assert within(30, lambda: values(batches.epoch())) == list(range(8))
    assert within(30, lambda: values(batches.epoch(start=5))) == [5, 6, 7]


@pytest.mark.parametrize("mode", MODES)
def test_shuffle_visits_each_batch_once_in_another_order(mode):
    batches = as_batches(Numbers(**MODES[mode]), shuffle=True, seed=1)
    first, second = (within(30, lambda: values(batches.epoch())) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(8))
    assert first != second


@pytest.mark.parametrize("mode", MODES)
def test_epoch_hooks_are_seen_by_workers(mode):
    class Moving(Numbers):
        def on_epoch_begin(self):
            self.offset += 10

        def on_epoch_end(self):
            self.offset += 100

    epochs = Epochs(as_batches(Moving(3, **MODES[mode])))
    assert within(30, lambda: values(epochs.epoch())) == [10, 11, 12]
    assert within(30, lambda: values(epochs.epoch())) == [120, 121, 122]


@pytest.mark.parametrize("mode", MODES)
def test_without_end(mode):
    epochs = Epochs(as_batches(Numbers(None, **MODES[mode])), steps_per_epoch=3)
    assert within(30, lambda: values(epochs.epoch())) == [0, 1, 2]
    assert within(30, lambda: values(epochs.epoch())) == [3, 4, 5]


def test_no_more_is_computed_ahead_than_asked():
    computed = []
    batches = as_batches(Numbers(50, act=computed.append, workers=2, max_queue_size=4)).epoch()
    for done in range(1, 6):
        next(batches)
        time.sleep(0.05)
        assert len(computed) <= done + 4
    batches.close()


def test_threads_are_gone_afterwards():
    batches = as_batches(Numbers(50, workers=3)).epoch()
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("kerasish_data")]


class Unpicklable(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def raise_at_3(error):
    def act(index):
        if index == 3:
            raise error

    return act


# name: (what a worker raises, what arrives)
RAISED = {
    "ValueError": (ValueError("bad row"), (ValueError, "bad row")),
    "KeyError": (KeyError("missing"), (KeyError, "missing")),
    "IndexError": (IndexError("too far"), (IndexError, "too far")),
    "StopIteration": (StopIteration("stop"), (RuntimeError, "StopIteration")),
    "unpicklable": (Unpicklable("one", "two"), ((Unpicklable, RuntimeError), "one")),
}


@pytest.mark.parametrize("mode", PARALLEL)
@pytest.mark.parametrize("name", RAISED)
def test_what_a_worker_raises_ends_the_epoch(name, mode):
    error, (kind, message) = RAISED[name]
    epochs = Epochs(as_batches(Numbers(act=raise_at_3(error), **MODES[mode])))
    seen = []

    def drain():
        for x, _, _ in epochs.epoch():
            seen.append(int(x[0]))

    with pytest.raises(kind, match=message) as caught:
        within(30, drain)
    assert seen == [0, 1, 2]
    told = "".join(getattr(caught.value, "__notes__", [])) + str(caught.value)
    assert "Numbers[3]" in told


def test_an_error_does_not_wait_for_a_worker_that_is_stuck():
    def act(index):
        if index == 1:
            time.sleep(600)
        raise ValueError("first")

    started = time.perf_counter()
    with pytest.raises(ValueError, match="first"):
        within(30, lambda: values(as_batches(Numbers(act=act, workers=2, use_multiprocessing=True)).epoch()))
    assert time.perf_counter() - started < 20


DEATHS = {
    "kill": (lambda: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
    "exit": (lambda: os._exit(3), "status 3"),
    "sys.exit": (lambda: sys.exit(3), "SystemExit"),
}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", DEATHS)
def test_the_death_of_a_worker_ends_the_epoch_and_is_explained(name, workers):
    die, how = DEATHS[name]
    data = Numbers(100, act=lambda index: die() if index == 4 else None, workers=workers, use_multiprocessing=True)
    with pytest.raises(RuntimeError, match=how):
        within(30, lambda: values(Epochs(as_batches(data)).epoch()))


def test_workers_follow_a_killed_parent():
    script = (
        "import os, sys, time, numpy as np\n"
        "from kerasish.data import PyDataset, as_batches\n"
        "class Slow(PyDataset):\n"
        "    num_batches = 100\n"
        "    def __getitem__(self, i):\n"
        "        if i > 1: time.sleep(600)\n"
        "        return np.array([os.getpid()]), np.array([i])\n"
        "batches = as_batches(Slow(workers=2, use_multiprocessing=True)).epoch()\n"
        "print(int(next(batches)[0][0]), int(next(batches)[0][0]), flush=True)\n"
        "next(batches)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with parent.stdout:
        workers = {int(number) for number in parent.stdout.readline().split()}
    parent.kill()
    parent.wait()
    deadline = time.perf_counter() + 20
    while any(_is_running(pid) for pid in workers) and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert workers and not any(_is_running(pid) for pid in workers)


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_random_numbers_do_not_depend_on_the_worker():
    class Noise(Numbers):
        def __getitem__(self, index):
            return np.array([np.random.randint(10**6)]), np.array([random.randrange(10**6)])

    def draw(workers):
        batches = as_batches(Noise(workers=workers, use_multiprocessing=True), seed=3)
        return [(int(x[0]), int(y[0])) for x, y, _ in within(30, lambda: list(batches.epoch()))]

    assert draw(1) == draw(3)
    assert len(set(draw(2))) == 8


BATCHES = {
    "array": (np.ones(2), True),
    "tuple": ((np.ones(2),), True),
    "list": ([np.ones(2), np.ones(2)], True),
    "dict": ({"a": np.ones(2)}, True),
    "triple": ((np.ones(2), np.ones(2), np.ones(2)), True),
    "four": ((np.ones(2),) * 4, False),
    "empty": ((), False),
    "None": (None, False),
    "number": (3.0, False),
}


@pytest.mark.parametrize("name", BATCHES)
def test_batches_are_checked(name):
    batch, is_right = BATCHES[name]

    class Data(PyDataset):
        num_batches = 1

        def __getitem__(self, index):
            return batch

    batches = as_batches(Data()).epoch()
    if is_right:
        x = next(batches)[0]
        assert (x["a"] if isinstance(x, dict) else x).dtype == "float32"
    else:
        with pytest.raises(ValueError, match=r"Data.__getitem__\(\)` must return a tuple"):
            next(batches)


def test_class_weights():
    batches = as_batches(Numbers(3), class_weight={1: 4.0})
    assert [float(w[0]) for _, _, w in batches.epoch()] == [1.0, 4.0, 1.0]


def test_forgotten_constructors():
    class Forgetful(PyDataset):
        def __init__(self):
            pass

        def __len__(self):
            return 2

        def __getitem__(self, index):
            return np.ones(1)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = Forgetful()
        assert (data.workers, data.use_multiprocessing, data.max_queue_size) == (1, False, 10)
    assert len(caught) == 1 and "super().__init__" in str(caught[0].message)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = data.other


def test_what_must_be_defined():
    with pytest.raises(NotImplementedError, match="__getitem__"):
        PyDataset()[0]
    with pytest.raises(NotImplementedError, match="num_batches"):
        _ = PyDataset().num_batches


def test_public_names():
    assert lookup("keras.utils.PyDataset") is lookup("keras.utils.Sequence") is PyDataset
