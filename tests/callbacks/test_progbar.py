"""What is shown: on a terminal, and in a file."""

import io
import logging
import re
import subprocess
import sys
import types

import pytest

from kerasish.base import config
from kerasish.base.registry import lookup
from kerasish.callbacks import Callback, CallbackList, messages, progbar
from kerasish.callbacks.messages import open_bars, print_msg
from kerasish.callbacks.progbar import Progbar, format_duration, format_value


class Screen(io.StringIO):
    """A stdout that is a terminal; `lines` is what stands on it."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def lines(self):
        shown = []
        for line in self.getvalue().split("\n"):
            row = ""
            for part in line.split("\r"):
                row = part + row[len(part) :]
            shown.append(row.rstrip())
        return shown


def write_to(stream, monkeypatch):
    """Make the stream the stdout of what we print; pytest takes the real one back between fixture and test."""
    for module in (messages, progbar):
        monkeypatch.setattr(module, "sys", types.SimpleNamespace(stdout=stream, modules=sys.modules))
    return stream


@pytest.fixture
def screen(monkeypatch):
    return write_to(Screen(), monkeypatch)


@pytest.fixture
def page(monkeypatch):
    return write_to(io.StringIO(), monkeypatch)


@pytest.fixture
def no_interaction():
    config.disable_interactive_logging()
    try:
        yield
    finally:
        config.enable_interactive_logging()


class Model:
    history = None


class Talks(Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            print_msg("in between")


def fit(verbose, steps, epochs=2, batches=4, callbacks=()):
    """The calls of a fit; its History."""
    both = CallbackList(
        list(callbacks), add_history=True, add_progbar=verbose != 0, model=Model(), verbose=verbose, epochs=epochs,
        steps=steps,
    )
    both.on_train_begin()
    for epoch in range(epochs):
        both.on_epoch_begin(epoch)
        for batch in range(batches):
            both.on_train_batch_begin(batch)
            both.on_train_batch_end(batch, lambda: {"loss": 9.0})
        both.on_test_begin()
        both.on_test_batch_end(0, {"loss": 8.0})
        both.on_test_end({"loss": 8.0})
        both.on_epoch_end(epoch, {"loss": 0.125, "acc": 0.75, "val_loss": 0.00001})
    both.on_train_end()
    return both.callbacks[0 if not callbacks else 1]


VALUES = r"acc: 0\.7500 - loss: 0\.1250 - val_loss: 1\.0000e-05"
DURATION = r"\d+(s|ms|us)/step"


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
@pytest.mark.parametrize("steps", [4, None])
def test_a_file_gets_one_plain_line_an_epoch(page, verbose, steps):
    fit(verbose, steps)
    text = page.getvalue()
    lines = text.splitlines()
    assert len(lines) == 2 and text.endswith("\n")
    for epoch, line in enumerate(lines):
        assert re.fullmatch(rf"Epoch {epoch + 1}/2 - 4/4 - 0s - {DURATION} - {VALUES}", line)
    assert all(char.isprintable() for char in text.replace("\n", ""))


@pytest.mark.parametrize("verbose", ["auto", 1])
@pytest.mark.parametrize("steps", [4, None])
def test_a_terminal_gets_a_bar_that_ends_with_the_epoch(screen, verbose, steps):
    fit(verbose, steps, callbacks=[Talks()])
    *lines, last = screen.lines()
    assert last == "" and len(lines) == 6
    for epoch in range(2):
        title, message, bar = lines[3 * epoch : 3 * epoch + 3]
        assert title == f"Epoch {epoch + 1}/2"
        assert message == "in between"
        assert re.fullmatch(rf"4/4 █{{20}} 00:00<00:00 {DURATION} - {VALUES}", bar)
    assert not open_bars


def test_verbose_2_is_plain_on_a_terminal_too(screen):
    fit(2, 4)
    assert len(screen.getvalue().splitlines()) == 2 and "\r" not in screen.getvalue()


def test_verbose_0_is_silent(screen):
    fit(0, 4)
    assert screen.getvalue() == ""


def test_a_single_epoch_has_no_title(page):
    fit(1, 4, epochs=1)
    assert re.fullmatch(rf"4/4 - 0s - {DURATION} - {VALUES}\n", page.getvalue())


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_log_gets_the_lines_instead(screen, caplog, no_interaction, verbose):
    with caplog.at_level(logging.INFO, logger="keras"), caplog.at_level(logging.INFO, logger="absl"):
        fit(verbose, 4)
    assert screen.getvalue() == ""
    assert [bool(re.fullmatch(rf"Epoch \d/2 .*{VALUES}", record.message)) for record in caplog.records] == [True] * 2


@pytest.mark.parametrize("phase", ["test", "predict"])
def test_evaluation_and_prediction(page, phase):
    both = CallbackList([], add_progbar=True, model=Model(), verbose="auto", epochs=1, steps=3)
    getattr(both, f"on_{phase}_begin")()
    for batch in range(3):
        getattr(both, f"on_{phase}_batch_end")(batch, {"loss": 0.5} if phase == "test" else {"outputs": [1]})
    getattr(both, f"on_{phase}_end")({"loss": 0.5} if phase == "test" else None)
    ending = r" - loss: 0\.5000" if phase == "test" else ""
    assert re.fullmatch(rf"3/3 - 0s - {DURATION}{ending}\n", page.getvalue())


def test_a_file_costs_nothing_at_the_batches(page):
    both = CallbackList([], add_progbar=True, model=Model(), verbose=1, epochs=1, steps=3)
    assert not both.wants_batches("train")
    assert CallbackList([], add_progbar=True, verbose=1, epochs=1, steps=None).wants_batches("train")


def test_logs_of_batches_are_read_only_when_drawn(screen):
    both = CallbackList([], add_progbar=True, model=Model(), verbose=1, epochs=1, steps=1000)
    reads = []
    both.on_train_begin()
    both.on_epoch_begin(0)
    for batch in range(1000):
        both.on_train_batch_end(batch, lambda: reads.append(1) or {"loss": 1.0})
    both.on_epoch_end(0, {"loss": 1.0})
    assert 1 <= len(reads) < 100


def test_an_evaluation_after_a_fit_with_the_same_logger_is_shown(page):
    both = CallbackList([], add_progbar=True, model=Model(), verbose=2, epochs=1, steps=1)
    both.on_train_begin()
    both.on_epoch_begin(0)
    both.on_epoch_end(0)
    both.on_train_end()
    both.on_test_begin()
    both.on_test_end({"loss": 0.5})
    assert len(page.getvalue().splitlines()) == 2


# name: (arguments, updates as (current, values), values shown at the end)
AVERAGES = {
    "averaged": ({}, [(1, 2.0), (2, 4.0), (3, 6.0)], 6.0),  # the last one is shown as it is
    "not finished": ({"target": 10}, [(1, 2.0), (2, 4.0)], 3.0),
    "weighted by steps": ({"target": 10}, [(1, 1.0), (4, 5.0)], 4.0),
    "stateful": ({"target": 10, "stateful_metrics": ["v"]}, [(1, 2.0), (2, 4.0)], 4.0),
    "stateless others": ({"target": 10, "stateless_metrics": []}, [(1, 2.0), (2, 4.0)], 4.0),
    "stateless": ({"target": 10, "stateless_metrics": ["v"]}, [(1, 2.0), (2, 4.0)], 3.0),
}


@pytest.mark.parametrize("name", AVERAGES)
def test_averages(screen, name):
    arguments, updates, shown = AVERAGES[name]
    bar = Progbar(**{"target": 3, "interval": 0, **arguments})
    for current, value in updates:
        bar.update(current, [("v", value)])
    bar.close()
    assert f"v: {shown:.4f}" in screen.lines()[0]


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_add(page, verbose):
    bar = Progbar(10, verbose=verbose, unit_name="sample")
    for _ in range(5):
        bar.add(2, [("v", 1.0)])
    pattern = r"10/10 - 0s - \d+(s|ms|us)/sample - v: 1\.0000\n"
    assert re.fullmatch(pattern if verbose else "", page.getvalue())


def test_width(screen):
    Progbar(2, width=7).update(2)
    assert "█" * 7 in screen.getvalue() and "█" * 8 not in screen.getvalue()


def test_unknown_target(page):
    Progbar(None).update(7, [("v", 1.0)], finalize=True)
    assert page.getvalue().startswith("7/Unknown - 0s")


def test_both_kinds_of_names_are_refused():
    with pytest.raises(ValueError, match="not both"):
        Progbar(1, stateful_metrics=["a"], stateless_metrics=["b"])


@pytest.mark.parametrize(
    "seconds, text", [(0, "0s"), (2.4, "2s"), (0.015, "15ms"), (0.00008, "80us"), (1e-3, "1ms"), (1, "1s")]
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    "value, text", [(1.0, "1.0000"), (-2.5, "-2.5000"), (0.0, "0.0000e+00"), (1e-4, "1.0000e-04"), ("x", "x")]
)
def test_values(value, text):
    assert format_value(value, 1) == text


def test_messages_survive_a_poor_encoding(monkeypatch):
    raw = io.BytesIO()
    write_to(io.TextIOWrapper(raw, encoding="ascii"), monkeypatch)
    print_msg("█ done")
    assert raw.getvalue() == b"? done\n"


def test_nothing_is_imported_before_a_bar_is_drawn():
    code = (
        "import sys, kerasish.callbacks, kerasish.data\n"
        "from kerasish.callbacks.progbar import Progbar\n"
        "Progbar(2, verbose=1).update(2)\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('tqdm', 'h5py', 'multiprocessing', 'asyncio', 'ssl')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_public_name():
    assert lookup("keras.utils.Progbar") is Progbar
