"""`keras.optimizers.legacy`: the names of Keras 2, which say what to use instead."""

from typing import Any

from kerasish.base.registry import export


class LegacyOptimizer:
    """Cannot be made: an ImportError names the optimizer to use."""

    def __init__(self, *args: Any, **kwargs: Any):
        name = type(self).__name__
        raise ImportError(
            f"`keras.optimizers.legacy` is not supported in Keras 3. Use `keras.optimizers.{name}`, whose slots and "
            "arguments have changed: `decay` is a schedule now (`keras.optimizers.schedules`)."
        )


@export("keras.optimizers.legacy.Adagrad")
class Adagrad(LegacyOptimizer):
    """Use `keras.optimizers.Adagrad`."""


@export("keras.optimizers.legacy.Adam")
class Adam(LegacyOptimizer):
    """Use `keras.optimizers.Adam`."""


@export("keras.optimizers.legacy.Ftrl")
class Ftrl(LegacyOptimizer):
    """Use `keras.optimizers.Ftrl`."""


@export("keras.optimizers.legacy.Optimizer")
class Optimizer(LegacyOptimizer):
    """Use `keras.optimizers.Optimizer`."""


@export("keras.optimizers.legacy.RMSprop")
class RMSprop(LegacyOptimizer):
    """Use `keras.optimizers.RMSprop`."""


@export("keras.optimizers.legacy.SGD")
class SGD(LegacyOptimizer):
    """Use `keras.optimizers.SGD`."""


__all__ = ["SGD", "Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop"]
