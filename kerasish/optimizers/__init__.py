"""`keras.optimizers`: what changes weights by their gradients."""

from typing import Any

from kerasish.base.registry import export
from kerasish.optimizers import legacy, schedules
from kerasish.optimizers.loss_scale import LossScaleOptimizer
from kerasish.optimizers.more_rules import Adadelta, Adafactor, Ftrl, Lamb, Nadam
from kerasish.optimizers.multi import MultiOptimizer, OptimizerMap
from kerasish.optimizers.muon import Muon
from kerasish.optimizers.optimizer import Optimizer
from kerasish.optimizers.rules import SGD, Adagrad, Adam, Adamax, AdamW, Lion, RMSprop
from kerasish.optimizers.schedule_free import ScheduleFreeAdamW
from kerasish.saving.lookup import lookup_functions

_get, serialize, deserialize = lookup_functions("optimizers", Optimizer)


@export("keras.optimizers.get")
def get(identifier: Any) -> Optimizer | None:
    """An optimizer from a name (in any case), a config, a class or an optimizer; None stays None."""
    found = _get(identifier)
    if found is not None and not isinstance(found, Optimizer):
        raise ValueError(f"Could not interpret optimizer identifier: {identifier}")
    return found


__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "LossScaleOptimizer",
    "MultiOptimizer", "Muon", "Nadam", "Optimizer", "OptimizerMap", "RMSprop", "ScheduleFreeAdamW", "deserialize", "get",
    "legacy", "schedules", "serialize",
]  # fmt: skip
