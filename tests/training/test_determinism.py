"""A seed gives the same bits in every fresh process, with any number of workers and threads. See docs/determinism.md."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = pathlib.Path(__file__).with_name("determinism_script.py")


def digest(mode="static", feed="arrays", workers=1, threads="2", own_threads="2", hash_seed="0"):
    """What a training run in a process of its own comes to."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": hash_seed,
        "KERASISH_NUM_THREADS": own_threads,
        **{name: threads for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")},
    }
    run = subprocess.run(
        [sys.executable, str(SCRIPT), mode, feed, str(workers)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


# name: runs whose bits are equal
EQUAL = {
    "run after run, static": [{}, {"hash_seed": "1"}],
    "run after run, eagerly": [{"mode": "eager"}, {"mode": "eager", "hash_seed": "1"}],
    "run after run, with large products": [{"mode": "wide"}, {"mode": "wide", "hash_seed": "1"}],
    "one BLAS thread or two, static": [{}, {"threads": "1"}],
    "one BLAS thread or two, eagerly": [{"mode": "eager"}, {"mode": "eager", "threads": "1"}],
    "one thread of ours or two": [{}, {"own_threads": "1"}],
    "one worker or four, threads": [{"feed": "threads"}, {"feed": "threads", "workers": 4}],
    "one worker or four, processes": [{"feed": "processes"}, {"feed": "processes", "workers": 4}],
}


@pytest.fixture(scope="module")
def digests():
    found = {}

    def get(options):
        key = tuple(sorted(options.items()))
        if key not in found:
            found[key] = digest(**options)
        return found[key]

    return get


QUICK = ("run after run, static", "one worker or four, threads")


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in EQUAL])
def test_the_same_bits(name, digests):
    one, other = (digests(options) for options in EQUAL[name])
    assert one == other and len(one) == 64
