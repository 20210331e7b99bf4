"""The programs in docs/programs are those that training makes."""

import importlib.util
import pathlib

import pytest

DOCS = pathlib.Path(__file__).parents[2] / "docs"
spec = importlib.util.spec_from_file_location("make_programs", DOCS / "make_programs.py")
make_programs = importlib.util.module_from_spec(spec)


@pytest.mark.slow
def test_the_pages_are_in_step():
    spec.loader.exec_module(make_programs)
    for name in make_programs.NAMES:
        assert (DOCS / "programs" / f"{name}.md").read_text() == make_programs.page(name), "run docs/make_programs.py"
