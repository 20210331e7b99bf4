"""The table of layers: the rows of all families."""

import importlib
import pathlib

HERE = pathlib.Path(__file__).parent
FAMILIES = sorted(path.stem.removeprefix("rows_") for path in HERE.glob("rows_*.py"))
ROWS = {family: importlib.import_module(f"rows_{family}").ROWS for family in FAMILIES}
