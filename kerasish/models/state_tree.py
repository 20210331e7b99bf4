"""All that a model holds, as nested dicts by the paths of its variables."""

from typing import Any

import numpy as np

from kerasish import ops

KINDS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")
FORMATS = {"backend_tensor": ops.convert_to_tensor, "numpy_array": lambda variable: np.array(variable)}


def _variables(model: Any, kind: str) -> list:
    if kind == "optimizer_variables":
        return model.optimizer.variables if model.optimizer is not None else []
    return getattr(model, kind)


def get_state_tree(model: Any, value_format: str = "backend_tensor") -> dict[str, dict]:
    """Each kind of variables as a tree: kernel and bias in {"model": {"dense": …}}."""
    if value_format not in FORMATS:
        raise ValueError(
            f"Invalid `value_format` argument. Expected one of {sorted(FORMATS)}. Received: value_format={value_format}"
        )
    return {kind: _tree(_variables(model, kind), FORMATS[value_format]) for kind in KINDS}


def _tree(variables: list, value: Any) -> dict:
    tree: dict[str, Any] = {}
    for variable in variables:
        *scopes, name = variable.path.split("/")
        inner = tree
        for scope in scopes:
            inner = inner.setdefault(scope, {})
            if not isinstance(inner, dict):
                raise ValueError(f"The path '{variable.path}' leads through another variable. Give layers names of their own.")
        if name in inner:
            raise ValueError(f"Two variables have the path '{variable.path}'. Give layers names of their own.")
        inner[name] = value(variable)
    return tree


def set_state_tree(model: Any, state_tree: dict[str, dict]) -> None:
    """Assign what stands in a tree from `get_state_tree`, or in a part of one; ValueError for what is not in the model."""
    found = []
    for kind, tree in state_tree.items():
        if kind not in KINDS:
            raise ValueError(f"Unknown kind of variables: '{kind}'. Expected some of {KINDS}.")
        variables = {variable.path: variable for variable in _variables(model, kind)}
        for path, value in _flat(tree, ""):
            if path not in variables:
                raise ValueError(f"The model '{model.name}' has no '{path}' in its {kind}. It has: {list(variables)}")
            found.append((variables[path], value))
    for variable, value in found:  # when all is known to fit
        variable.assign(value)


def _flat(tree: Any, path: str) -> list[tuple[str, Any]]:
    if not isinstance(tree, dict):
        return [(path, tree)]
    return [leaf for name, inner in tree.items() for leaf in _flat(inner, f"{path}/{name}" if path else name)]
