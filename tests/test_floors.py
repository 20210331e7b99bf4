"""Imports point down the floors of docs/architecture.md, and stand at the top of the file."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
SOURCES = sorted((ROOT / "kerasish").rglob("*.py"))
FACE = "kerasish/__init__.py"  # stands on all floors; nothing inside may import it


def floor_table() -> dict[str, int]:
    """The floor of each folder or module, as the table in docs/architecture.md has it."""
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    words = [(int(floor), re.findall(r"\w+", names.replace("the rest", ""))) for floor, names in rows]
    return {name: floor for floor, names in words for name in names}


FLOORS = floor_table()
TOP = max(FLOORS.values())
PARTS = {p.stem for p in (ROOT / "kerasish").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()} - {
    "__init__"
}


def floor(part: str) -> int:
    """A part that the table does not name is one of "the rest"."""
    return FLOORS.get(part, TOP)


def part_of(path: str) -> str:
    """The folder or module right under kerasish/: "ops" of "kerasish/ops/nn/losses.py", "random" of "kerasish/random.py"."""
    return path.split("/")[1].removesuffix(".py")


def imported_parts(node: ast.AST, path: str) -> list[str]:
    """The parts of kerasish that a statement or a call imports; "" stands for the face, kerasish/__init__.py."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = path.removesuffix(".py").split("/")[: -node.level]
            base = ".".join([*package, *([base] if base else [])])
        names = [f"kerasish.{alias.name}" for alias in node.names] if base == "kerasish" else [base]
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in ("import_module", "__import__"):
            names = [str(node.args[0].value)]
    parts = [name.split(".") for name in names]
    ours = [[*split, ""][1] for split in parts if split[0] == "kerasish"]
    return [part if part in PARTS else "" for part in ours]


def violations(source: str, path: str) -> list[str]:
    """What is wrong with the imports of a file of kerasish, one line each."""
    tree = ast.parse(source)
    at_top = {id(statement) for statement in tree.body}
    if path == FACE:  # it loads its parts when they are used, and tells type checkers what they are
        at_top |= {id(inner) for s in tree.body if isinstance(s, ast.If) for inner in s.body}
    found = []
    for node in ast.walk(tree):
        for part in imported_parts(node, path):
            where = f"{path}:{node.lineno}"
            if id(node) not in at_top:
                found.append(f"{where}: kerasish.{part} is imported below the top of the file")
            if path == FACE:
                continue
            if part == "":
                found.append(f"{where}: kerasish itself is imported, which stands on everything")
            elif floor(part) > floor(part_of(path)):
                found.append(
                    f"{where}: {part_of(path)} (floor {floor(part_of(path))}) imports {part} (floor {floor(part)})"
                )
    return found


@pytest.mark.parametrize("path", [str(path.relative_to(ROOT)) for path in SOURCES])
def test_imports_point_down(path):
    assert violations((ROOT / path).read_text(), path) == []


def test_the_table_is_read():
    assert {part: FLOORS[part] for part in ("base", "engine", "ops", "random", "losses", "layers", "training", "models")} == {
        "base": 0, "engine": 1, "ops": 2, "random": 3, "losses": 3, "layers": 4, "training": 5, "models": 6,
    }  # fmt: skip
    assert floor("datasets") == floor("utils") == floor("a part the table does not name") == TOP == 7


def test_every_floor_in_the_table_is_real():
    assert set(FLOORS) <= PARTS


ALLOWED = {
    "same floor": ("from kerasish.losses import Loss", "kerasish/metrics/metric.py"),
    "down": ("from kerasish.base.registry import export", "kerasish/engine/core.py"),
    "down, by the package": ("from kerasish import ops", "kerasish/layers/dense.py"),
    "two at once": ("from kerasish import engine, ops", "kerasish/random.py"),
    "relative": ("from . import graph\nfrom ..base import config", "kerasish/engine/core.py"),
    "a subfolder": ("from ...base import config", "kerasish/ops/nn/losses.py"),
    "the face": ("from kerasish import models, ops", FACE),
    "optional package where it is used": ("def f():\n    import pandas", "kerasish/ops/core.py"),
    "another package of similar name": ("import kerasish_extras", "kerasish/base/config.py"),
    "the rest on the rest": ("from kerasish import utils", "kerasish/datasets/iris.py"),
}
REFUSED = {
    "up": ("from kerasish.layers import Dense", "kerasish/engine/core.py"),
    "up, by the package": ("from kerasish import layers", "kerasish/ops/core.py"),
    "up, plain": ("import kerasish.models.model as m", "kerasish/training/trainer.py"),
    "up, second name": ("from kerasish import base, models", "kerasish/losses/loss.py"),
    "up, relative": ("from ..layers import Dense", "kerasish/ops/core.py"),
    "up, relative, subfolder": ("from ...layers import Dense", "kerasish/ops/nn/losses.py"),
    "up, module": ("from kerasish import losses", "kerasish/ops/math.py"),
    "up to the rest": ("from kerasish.utils import to_categorical", "kerasish/models/model.py"),
    "the face": ("import kerasish", "kerasish/utils/naming.py"),
    "a name of the face": ("from kerasish import Variable", "kerasish/layers/layer.py"),
    "in a function": ("def f():\n    from kerasish import base", "kerasish/layers/layer.py"),
    "in a class": ("class A:\n    import kerasish.base", "kerasish/layers/layer.py"),
    "in a try": ("try:\n    from kerasish import base\nexcept ImportError:\n    pass", "kerasish/layers/layer.py"),
    "under a condition": ("if TYPE_CHECKING:\n    from kerasish import base", "kerasish/layers/layer.py"),
    "in a function of the face": ("def f():\n    from kerasish import base", FACE),
    "by a call": ("import importlib\nm = importlib.import_module('kerasish.base')", "kerasish/layers/layer.py"),
    "by the built-in": ("m = __import__('kerasish.base')", "kerasish/layers/layer.py"),
}  # fmt: skip


@pytest.mark.parametrize("case", ALLOWED)
def test_checker_allows(case):
    assert violations(*ALLOWED[case]) == []


@pytest.mark.parametrize("case", REFUSED)
def test_checker_refuses(case):
    assert violations(*REFUSED[case])
