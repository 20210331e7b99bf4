"""The Keras 3 API, trainable on nothing but NumPy: `import kerasish as keras`.

Importing it costs next to nothing: its parts are loaded when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from kerasish.base import registry

if TYPE_CHECKING:  # what __getattr__ finds, for type checkers and editors
    from kerasish import (
        activations as activations, callbacks as callbacks, config as config, constraints as constraints, datasets as datasets,
        distillation as distillation, dtype_policies as dtype_policies, initializers as initializers, layers as layers, losses as losses,
        metrics as metrics, models as models, ops as ops, optimizers as optimizers, preprocessing as preprocessing,
        random as random, regularizers as regularizers, saving as saving, utils as utils,
    )  # fmt: skip
    from kerasish.base import tree as tree
    from kerasish.base.naming import name_scope as name_scope
    from kerasish.dtype_policies import DTypePolicy as DTypePolicy
    from kerasish.engine import (
        GradientTape as GradientTape, StatelessScope as StatelessScope, Tensor as Tensor, Variable as Variable,
        grad as grad, jvp as jvp, value_and_grad as value_and_grad,
    )  # fmt: skip
    from kerasish.initializers import Initializer as Initializer
    from kerasish.layers import Input as Input, InputSpec as InputSpec, Layer as Layer
    from kerasish.losses import Loss as Loss
    from kerasish.metrics import Metric as Metric
    from kerasish.models import Functional as Functional, Model as Model, Sequential as Sequential
    from kerasish.ops.function import Function as Function
    from kerasish.ops.symbolic import KerasTensor as KerasTensor, Operation as Operation
    from kerasish.optimizers import Optimizer as Optimizer
    from kerasish.regularizers import Regularizer as Regularizer

__version__ = "0.1.0"

# The parts, and where the names come from that stand in Keras's top module
PARTS = (
    "activations", "callbacks", "config", "constraints", "datasets", "distillation", "dtype_policies", "initializers", "layers",
    "losses", "metrics", "models", "ops", "optimizers", "preprocessing", "random", "regularizers", "saving", "utils",
)  # fmt: skip
NAMES = {
    "base": ("tree",),
    "base.naming": ("name_scope",),
    "dtype_policies": ("DTypePolicy",),
    "engine": ("GradientTape", "StatelessScope", "Tensor", "Variable", "grad", "jvp", "value_and_grad"),
    "initializers": ("Initializer",),
    "layers": ("Input", "InputSpec", "Layer"),
    "losses": ("Loss",),
    "metrics": ("Metric",),
    "models": ("Functional", "Model", "Sequential"),
    "ops.function": ("Function",),
    "ops.symbolic": ("KerasTensor", "Operation"),
    "optimizers": ("Optimizer",),
    "regularizers": ("Regularizer",),
}
_HOME = {name: f"{__name__}.{module}" for module, names in NAMES.items() for name in names}

__all__ = sorted([*PARTS, *_HOME])  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in PARTS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _load_all() -> None:
    for part in PARTS:
        importlib.import_module(f"{__name__}.{part}")


registry.load_all = _load_all  # what no part loaded so far has may be in another
