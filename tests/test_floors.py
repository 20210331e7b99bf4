"""Imports point down the floors, and stand at the top of the file. See docs/architecture.md."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1] / "kerasish"
FLOORS = {
    "base": 0, "engine": 1, "ops": 2, "random": 3, "activations": 3, "initializers": 3, "regularizers": 3,
    "constraints": 3, "dtype_policies": 3, "losses": 3, "metrics": 3, "optimizers": 3, "saving": 3, "data": 3,
    "callbacks": 3, "layers": 4, "training": 5, "models": 6, "datasets": 7, "utils": 7, "__init__": 8,
}  # fmt: skip


def room(dotted):
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def offences(source, name):
    """Upward imports and imports inside functions, as (line, what)."""
    floor = FLOORS[room(name)]
    tree = ast.parse(source)
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)) for n in ast.walk(f)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                found.append((node.lineno, "relative import"))
                continue
            names = [f"{node.module}.{a.name}" if node.module == "kerasish" else node.module for a in node.names]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        else:
            continue
        for target in names:
            if target.split(".")[0] != "kerasish":
                continue
            if id(node) in inside:
                found.append((node.lineno, f"imports {target} inside a function"))
            elif FLOORS[room(target)] > floor:
                found.append((node.lineno, f"imports {target}, which is above"))
    return found


MODULES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    parts = ["kerasish", *path.relative_to(ROOT).with_suffix("").parts]
    if parts[-1] == "__init__" and len(parts) > 2:
        parts.pop()
    assert offences(path.read_text(), ".".join(parts)) == []


@pytest.mark.parametrize(
    "source, name",
    [
        ("from kerasish.layers import Dense", "kerasish.ops.x"),
        ("from kerasish import models", "kerasish.layers.x"),
        ("def f():\n    from kerasish.base import tree", "kerasish.layers.x"),
        ("from . import y", "kerasish.layers.x"),
    ],
)
def test_the_check_finds_wrong_code(source, name):
    assert offences(source, name)
