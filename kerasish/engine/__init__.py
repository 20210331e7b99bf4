"""Floor 1: tensors, primitives, gradients, recorded programs, variables. It knows nothing of Keras's layers."""

from kerasish.engine.autodiff import GradientTape, custom_gradient, grad, jvp, value_and_grad, vjp
from kerasish.engine.core import Primitive, bind, context, suspended
from kerasish.engine.dims import Dim
from kerasish.engine.remat import RematScope, remat
from kerasish.engine.tensor import Tensor, TensorSpec, Traced
from kerasish.engine.trace import Trace, infer
from kerasish.engine.variable import (
    Arena,
    AutocastScope,
    StatelessScope,
    SymbolicScope,
    Variable,
    get_stateless_scope,
    in_stateless_scope,
    in_symbolic_scope,
    layout_version,
)

__all__ = [
    "Arena",
    "AutocastScope",
    "Dim",
    "GradientTape",
    "Primitive",
    "RematScope",
    "StatelessScope",
    "SymbolicScope",
    "Tensor",
    "TensorSpec",
    "Trace",
    "Traced",
    "Variable",
    "bind",
    "context",
    "custom_gradient",
    "get_stateless_scope",
    "grad",
    "in_stateless_scope",
    "in_symbolic_scope",
    "infer",
    "jvp",
    "layout_version",
    "remat",
    "suspended",
    "value_and_grad",
    "vjp",
]
