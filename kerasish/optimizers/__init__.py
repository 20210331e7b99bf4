"""`keras.optimizers`."""

from typing import Any

from kerasish.base.registry import export
from kerasish.optimizers import schedules
from kerasish.optimizers.loss_scale import LossScaleOptimizer
from kerasish.optimizers.more_rules import Adadelta, Adafactor, Ftrl, Lamb, Nadam
from kerasish.optimizers.optimizer import Optimizer
from kerasish.optimizers.rules import SGD, Adagrad, Adam, Adamax, AdamW, Lion, RMSprop
from kerasish.saving.lookup import lookup_functions

_get, serialize, deserialize = lookup_functions("optimizers", Optimizer)
export("keras.optimizers.serialize")(serialize)
export("keras.optimizers.deserialize")(deserialize)


@export("keras.optimizers.get")
def get(identifier: Any) -> Optimizer:
    """An optimizer from a name (in any case), a config or an optimizer."""
    found = _get(identifier.lower() if isinstance(identifier, str) else identifier)
    if not isinstance(found, Optimizer):
        raise ValueError(f"Could not interpret optimizer identifier: {identifier}")
    return found


__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "LossScaleOptimizer",
    "Nadam", "Optimizer", "RMSprop", "deserialize", "get", "schedules", "serialize",
]  # fmt: skip
