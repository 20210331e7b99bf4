"""The Keras 3 API, trainable on nothing but NumPy: `import kerasish as keras`."""

from kerasish import (
    activations,
    callbacks,
    constraints,
    datasets,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
)  # fmt: skip
from kerasish.base import config, tree
from kerasish.base.naming import name_scope
from kerasish.dtype_policies import DTypePolicy
from kerasish.engine import GradientTape, StatelessScope, Tensor, Variable, grad, jvp, value_and_grad
from kerasish.initializers import Initializer
from kerasish.layers import Input, InputSpec, Layer
from kerasish.losses import Loss
from kerasish.metrics import Metric
from kerasish.models import Functional, Model, Sequential
from kerasish.ops.function import Function
from kerasish.ops.symbolic import KerasTensor, Operation
from kerasish.optimizers import Optimizer
from kerasish.regularizers import Regularizer

__version__ = "0.1.0"
__all__ = [name for name in dir() if not name.startswith("_")]  # noqa: PLE0605
