"""Epochs: resuming in the middle, hooks, and ends."""

import json
import warnings

import numpy as np
import pytest

from kerasish.data import ArrayBatches, Epochs, PyDataset, as_batches


class Recorded(PyDataset):
    """Batches of one row, which shuffle themselves between epochs."""

    def __init__(self, num_batches=5, **options):
        super().__init__(**options)
        self._num_batches = num_batches
        self.order = list(range(num_batches or 100))
        self.calls = []

    @property
    def num_batches(self):
        return self._num_batches

    def __getitem__(self, index):
        return np.array([self.order[index % len(self.order)]]), np.array([index])

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")
        self.order = self.order[1:] + self.order[:1]

    def get_state(self):
        return {"order": self.order}

    def set_state(self, state):
        self.order = state["order"]


def counting():
    for index in range(1000):
        yield np.array([index]), np.array([index])


# name: (data, steps_per_epoch); data made anew, as after a restart
RESUMABLE = {
    "arrays": (lambda: as_batches(np.arange(23), batch_size=4), None),
    "arrays shuffled": (lambda: as_batches(np.arange(23), batch_size=4, shuffle=True), None),
    "arrays shuffled, spanning": (lambda: as_batches(np.arange(23), batch_size=4, shuffle=True), 4),
    "arrays shuffled in batches": (lambda: as_batches(np.arange(23), batch_size=4, shuffle="batch"), 4),
    "generator": (lambda: as_batches(counting()), 4),
    "iterable": (lambda: as_batches([(np.array([i]), np.array([i])) for i in range(6)].__iter__()), 2),
    "PyDataset": (lambda: as_batches(Recorded()), None),
    "PyDataset shuffled": (lambda: as_batches(Recorded(), shuffle=True), None),
    "PyDataset shuffled, spanning": (lambda: as_batches(Recorded(), shuffle=True), 3),
    "PyDataset with threads": (lambda: as_batches(Recorded(workers=3), shuffle=True), 3),
    "PyDataset without end": (lambda: as_batches(Recorded(num_batches=None, workers=2)), 3),
}


def run(epochs, count, stop=None):
    """The batches of `count` epochs, each with its step; after `stop` of them, the state instead of the rest."""
    seen = []
    for _ in range(count):
        step = epochs.first_step
        for x, *_ in epochs.epoch():
            seen.append((step, x.tolist()))
            step += 1
            if len(seen) == stop:
                return seen, json.loads(json.dumps(epochs.get_state()))
    return seen, json.loads(json.dumps(epochs.get_state()))


@pytest.mark.parametrize("name", RESUMABLE)
def test_a_killed_run_resumes_with_the_same_batches(name):
    make, steps = RESUMABLE[name]
    total = 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that data ran out
        np.random.seed(0)
        uninterrupted, _ = run(Epochs(make(), steps), total)
        for stop in range(1, len(uninterrupted)):
            np.random.seed(0)
            seen, state = run(Epochs(make(), steps), total, stop)
            resumed = Epochs(make(), steps)
            resumed.set_state(state)
            rest, _ = run(resumed, 1)
            expected = uninterrupted[stop:]
            new_epoch = [i for i, (step, _) in enumerate(expected) if step == 0 and i + stop > 0]
            first = expected[: new_epoch[0]] if new_epoch else expected
            assert seen == uninterrupted[:stop]
            assert rest == first


@pytest.mark.parametrize("name", RESUMABLE)
def test_a_run_resumes_between_epochs(name):
    make, steps = RESUMABLE[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.seed(0)
        first = Epochs(make(), steps)
        run(first, 2)
        state = json.loads(json.dumps(first.get_state()))
        expected, _ = run(first, 2)
        resumed = Epochs(make(), steps)
        resumed.set_state(state)
        assert run(resumed, 2)[0] == expected
        first.close()
        resumed.close()


def test_hooks_surround_each_epoch():
    data = Recorded(3)
    epochs = Epochs(as_batches(data))
    for _ in epochs.epoch():
        data.calls.append("batch")
    for _ in epochs.epoch():
        break  # left early: the end is told all the same
    assert data.calls == ["begin", "batch", "batch", "batch", "end", "begin", "end"]


def test_leaving_early_starts_a_new_pass():
    epochs = Epochs(ArrayBatches(np.arange(6), batch_size=2))
    next(epochs.epoch())
    assert len(list(epochs.epoch())) == 3


def test_num_batches_is_learned():
    class Unsized:
        def __iter__(self):
            return iter([(np.ones(2), np.ones(2))] * 4)

    epochs = Epochs(as_batches(Unsized()))
    assert epochs.num_batches is None
    next(epochs.epoch())
    assert epochs.num_batches is None
    list(epochs.epoch())
    assert epochs.num_batches == 4 and not epochs.exhausted
    assert Epochs(as_batches(Unsized()), steps_per_epoch=3).num_batches == 3


def test_passes_of_unknown_size_that_end_with_an_epoch():
    class Unsized:
        def __iter__(self):
            return iter([(np.ones(2), np.ones(2))] * 4)

    epochs = Epochs(as_batches(Unsized()), steps_per_epoch=2)
    assert [len(list(epochs.epoch())) for _ in range(6)] == [2] * 6


def test_a_size_that_is_not_kept_is_noticed():
    class Liar:
        def __iter__(self):
            return iter([(np.ones(2), np.ones(2))] * 2)

        def __len__(self):
            return 3

    with pytest.warns(UserWarning, match="ran out of data"):
        assert len(list(Epochs(as_batches(Liar())).epoch())) == 2


def test_spent_generators():
    epochs = Epochs(as_batches((np.ones(2), np.ones(2)) for _ in range(3)))
    assert len(list(epochs.epoch())) == 3
    assert epochs.exhausted
    with pytest.warns(UserWarning, match="ran out of data"):
        assert list(epochs.epoch()) == []


def test_no_batch_at_all():
    with pytest.raises(ValueError, match="no batch"):
        list(Epochs(as_batches(Recorded(0))).epoch())


@pytest.mark.parametrize("steps", [0, -1])
def test_steps_must_be_positive(steps):
    with pytest.raises(ValueError, match="steps_per_epoch"):
        Epochs(ArrayBatches(np.ones(3)), steps_per_epoch=steps)
