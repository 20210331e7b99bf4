"""docs/ops.md is what its script would write now."""

import importlib.util
import pathlib

from kerasish.ops.op import OPS

DOCS = pathlib.Path(__file__).parents[2] / "docs"


def test_the_table_of_ops_is_fresh():
    spec = importlib.util.spec_from_file_location("make_ops_table", DOCS / "make_ops_table.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = (DOCS / "ops.md").read_text()
    assert script.table() == text, "run docs/make_ops_table.py"
    assert set(OPS) < set(script.public())
    assert not set(script.DIFFERENCES) - set(script.public())
