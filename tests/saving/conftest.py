"""What the tests of saving share."""

import pytest

from kerasish.base import registry


@pytest.fixture
def own_registry():
    """The registry of custom objects, to be filled: as it was, afterwards."""
    tables = (registry._custom, registry._custom_names)
    before = [dict(table) for table in tables]
    yield
    for table, contents in zip(tables, before, strict=True):
        table.clear()
        table.update(contents)
