"""Keras on JAX keeps every function that it compiled: a whole run would take many gigabytes."""

import sys

import pytest


@pytest.fixture(autouse=True, scope="module")
def forget_compiled_functions():
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
