"""A test leaves the library's global state as it found it, or fails."""

import pathlib

import numpy as np
import pytest

from kerasish import dtype_policies
from kerasish.base import config, naming, registry

config.disable_traceback_filtering()  # who reads a failing test wants to see everything; tests of filtering turn it on


def global_state() -> dict[str, object]:
    """What a test must not leak, by name."""
    return {
        **{f"config {name}": value for name, value in config._settings.items()},
        "dtype policy": dtype_policies.dtype_policy().name,
        "custom objects": dict(registry._custom),
        "names of custom objects": dict(registry._custom_names),
        "open custom object scopes": dict(registry.scoped_objects()),
        "open name scopes": list(naming._scopes()),
        "NumPy's floating-point error handling": np.geterr(),
    }


def restore(state: dict[str, object]) -> None:
    """Undo what a test leaked, so that it fails alone. A policy that was set to the default follows floatx again."""
    for name in config._settings:
        config._settings[name] = state[f"config {name}"]
    dtype_policies._global.clear()
    if dtype_policies.dtype_policy().name != state["dtype policy"]:
        dtype_policies.set_dtype_policy(state["dtype policy"])
    for table, name in ((registry._custom, "custom objects"), (registry._custom_names, "names of custom objects")):
        table.clear()
        table.update(state[name])
    registry._scoped.objects = state["open custom object scopes"]
    naming._scopes()[:] = state["open name scopes"]
    np.seterr(**state["NumPy's floating-point error handling"])


def leaks(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """One line for each thing that differs."""
    return [f"{name}: {before[name]!r} became {after[name]!r}" for name in before if before[name] != after[name]]


@pytest.fixture(autouse=True)
def nothing_leaks():
    before = global_state()
    yield
    found = leaks(before, global_state())
    restore(before)
    if found:
        pytest.fail("the test left global state changed:\n" + "\n".join(found), pytrace=False)


def pytest_ignore_collect(collection_path: pathlib.Path, config: pytest.Config) -> bool | None:
    """Without `-m parity`, the tests that need Keras are not even imported, so none is reported as skipped."""
    unwanted = "not parity" in config.option.markexpr
    return True if unwanted and collection_path.name == "parity" and collection_path.is_dir() else None
