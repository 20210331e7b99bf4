"""The call of a layer: what it takes, and the outermost one in progress, which decides for the layers inside."""

import functools
import inspect
import threading
from typing import Any, Callable

import numpy as np

from kerasish import ops
from kerasish.base import tree
from kerasish.engine.dims import Dim
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import Variable
from kerasish.ops.symbolic import KerasTensor


class Call:
    """What the outermost call in progress in a thread decides for the layers inside: the training mode."""

    def __init__(self, training: Any = None) -> None:
        self.training = training


calls = threading.local()  # its `now` is a Call, or None outside of all calls; `sketching`: variables' values do not matter


@functools.lru_cache(maxsize=4096)
def signature_of(fn: Callable) -> tuple[tuple[str, ...], bool, bool]:
    """The names of a call's parameters (without self), and whether `training` and `mask` are among them."""
    parameters = inspect.signature(fn).parameters
    names = tuple(n for n, p in parameters.items() if n != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
    return names, "training" in names, "mask" in names


@functools.lru_cache(maxsize=4096)
def masked_arguments(fn: Callable) -> tuple[tuple[int, str], ...]:
    """The positions and names of a call's parameters for whose masks it has parameters too: `query` and `query_mask`."""
    names = signature_of(fn)[0]
    return tuple((i, name) for i, name in enumerate(names) if f"{name}_mask" in names)


@functools.lru_cache(maxsize=4096)
def training_default(fn: Callable) -> Any:
    """What a call takes for its argument `training` if nobody says anything; None if it has no such argument."""
    parameter = inspect.signature(fn).parameters.get("training")
    return None if parameter is None or parameter.default is parameter.empty else parameter.default


def shape_of(x: Any) -> Any:
    """The shape of a tensor with None for sizes that are not known yet."""
    return tuple(None if isinstance(d, Dim) else d for d in x.shape)


def is_tensor(x: Any) -> bool:
    return isinstance(x, (Tensor, KerasTensor, Variable, np.ndarray))


def converted(x: Any) -> Any:
    return tree.map_structure(
        lambda v: ops.convert_to_tensor(v) if isinstance(v, np.ndarray) and v.dtype.kind not in "SUO" else v, x
    )
