"""One library in a process of its own, that measures what it is told: started by run.py, which talks to it by lines of JSON.

    child.py LIBRARY WORKLOAD          LIBRARY: kerasish, jax, tensorflow, torch (Keras on that backend) or sklearn
"""

import json
import os
import resource
import sys
import time
from typing import Any, Callable

library, workload = sys.argv[1:3]
if library in ("jax", "tensorflow", "torch"):
    os.environ["KERAS_BACKEND"] = library
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def seconds_of(function: Callable, least: float = 0.0) -> float:
    """Seconds that a call takes, on average over as many as fill `least` seconds."""
    start, calls = time.perf_counter(), 0
    while True:
        function()
        calls += 1
        taken = time.perf_counter() - start
        if taken >= least:
            return taken / calls


class Keras:
    """A workload in a library that speaks Keras."""

    def __init__(self, keras: Any, build: Callable):
        self.model, self.x, self.y, self.batch = build(keras)
        self.steps = len(self.x) // self.batch
        self.row = self.x[:1].copy()
        self.seconds = 0.3
        for _ in range(2):
            self.step()
        self.rounds = max(1, round(self.seconds / (self.step() * self.steps)))
        self.predict()
        self.call()

    def step(self) -> float:
        """Seconds per training step through fit."""
        epochs = getattr(self, "rounds", 1)
        start = time.perf_counter()
        self.model.fit(self.x, self.y, batch_size=self.batch, epochs=epochs, verbose=0)
        return (time.perf_counter() - start) / (epochs * self.steps)

    def predict(self) -> float:
        """Seconds of predict on one row."""
        return seconds_of(lambda: self.model.predict(self.row, verbose=0), 0.05)

    def call(self) -> float:
        """Seconds of the model called on one row."""
        return seconds_of(lambda: self.model(self.row), 0.05)


class ScikitLearn(Keras):
    """W6 in scikit-learn."""

    def __init__(self, keras: Any, build: Callable):
        import sklearn.neural_network as nn
        import workloads

        _, self.x, self.y, self.batch = build(_Nothing())
        self.steps, self.row, self.rounds = len(self.x) // self.batch, self.x[:1].copy(), 1
        self.model = nn.MLPClassifier(
            (64, 64), batch_size=self.batch, max_iter=1, warm_start=True, tol=0, n_iter_no_change=10**6
        )
        assert build is workloads.tabular, "scikit-learn has no such model"
        import warnings

        warnings.simplefilter("ignore")
        self.step()

    def step(self) -> float:
        rounds = 3
        start = time.perf_counter()
        for _ in range(rounds):
            self.model.fit(self.x, self.y)
        return (time.perf_counter() - start) / (rounds * self.steps)

    def predict(self) -> float:
        return seconds_of(lambda: self.model.predict(self.row), 0.05)

    call = predict


class _Nothing:
    """A Keras in which everything does nothing: for the data alone."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self


def main() -> None:
    import workloads

    build = workloads.WORKLOADS[workload]
    if library == "sklearn":
        subject: Keras = ScikitLearn(None, build)
    elif library == "kerasish":
        import kerasish

        subject = Keras(kerasish, build)
    else:
        import keras

        subject = Keras(keras, build)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        what = line.strip()
        if what == "memory":
            print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), flush=True)
        else:
            print(json.dumps(getattr(subject, what)()), flush=True)


main()
