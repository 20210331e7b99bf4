"""Learning-rate schedules: the rate as a function of the step."""

import math
from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.saving.lookup import lookup_functions


@export("keras.optimizers.schedules.LearningRateSchedule")
class LearningRateSchedule:
    """The base: `schedule(step)` is the learning rate.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 / 2**step
    >>> Halving()(1)
    0.05
    """

    _fields: tuple = ()

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`.")

    def get_config(self) -> dict:
        if not self._fields:
            raise NotImplementedError(
                f"Learning rate schedule '{type(self).__name__}' must override `get_config()` in order to be serializable."
            )
        return {f: getattr(self, f) for f in self._fields}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        return cls(**config)


def _float(step: Any) -> Any:
    return ops.cast(step, "float32")


@export("keras.optimizers.schedules.ExponentialDecay")
class ExponentialDecay(LearningRateSchedule):
    """initial * rate ** (step / decay_steps).

    >>> float(ExponentialDecay(1.0, 10, 0.5)(20))
    0.25
    """

    _fields = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
        name: str = "ExponentialDecay",
    ):  # fmt: skip
        if decay_steps <= 0:
            raise ValueError(f"Argument `decay_steps` must be > 0. Received: decay_steps={decay_steps}")
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def _progress(self, step: Any) -> Any:
        p = _float(step) / self.decay_steps
        return ops.floor(p) if self.staircase else p

    def __call__(self, step: Any) -> Any:
        return self.initial_learning_rate * ops.power(ops.cast(self.decay_rate, "float32"), self._progress(step))


@export("keras.optimizers.schedules.InverseTimeDecay")
class InverseTimeDecay(ExponentialDecay):
    """initial / (1 + rate * step / decay_steps).

    >>> float(InverseTimeDecay(1.0, 10, 0.5)(20))
    0.5
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):  # fmt: skip
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Any) -> Any:
        return self.initial_learning_rate / (1.0 + self.decay_rate * self._progress(step))


@export("keras.optimizers.schedules.PiecewiseConstantDecay")
class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i] up to boundaries[i], the last value after that.

    >>> float(PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])(15))
    0.5
    """

    _fields = ("boundaries", "values", "name")

    def __init__(self, boundaries: Any, values: Any, name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"The length of boundaries should be 1 less than the length of values. Received: boundaries={boundaries} "
                f"of length {len(boundaries)}, and values={values} of length {len(values)}."
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        rate = ops.cast(self.values[-1], "float32")
        for b, v in zip(self.boundaries[::-1], self.values[-2::-1], strict=True):
            rate = ops.where(step <= b, ops.cast(v, "float32"), rate)
        return rate


@export("keras.optimizers.schedules.PolynomialDecay")
class PolynomialDecay(LearningRateSchedule):
    """From initial to end over decay_steps as (1 - step / decay_steps) ** power.

    >>> float(PolynomialDecay(1.0, 10, 0.0)(5))
    0.5
    """

    _fields = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, end_learning_rate: float = 0.0001, power: float = 1.0,
        cycle: bool = False, name: str = "PolynomialDecay",
    ):  # fmt: skip
        if decay_steps <= 0:
            raise ValueError(f"Argument `decay_steps` must be > 0. Received: decay_steps={decay_steps}")
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def __call__(self, step: Any) -> Any:
        step, steps = _float(step), ops.cast(self.decay_steps, "float32")
        if self.cycle:
            steps = steps * ops.where(step == 0, 1.0, ops.ceil(step / self.decay_steps))
        else:
            step = ops.minimum(step, steps)
        left = ops.power(1.0 - step / steps, self.power)
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate


@export("keras.optimizers.schedules.CosineDecay")
class CosineDecay(LearningRateSchedule):
    """Half a cosine wave from initial to alpha * initial, after a linear warmup if one is asked for.

    >>> round(float(CosineDecay(1.0, 10)(5)), 4)
    0.5
    """

    _fields = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, alpha: float = 0.0, name: str = "CosineDecay",
        warmup_target: float | None = None, warmup_steps: float = 0,
    ):  # fmt: skip
        if decay_steps <= 0:
            raise ValueError(f"Argument `decay_steps` must be > 0. Received: decay_steps={decay_steps}")
        self.initial_learning_rate, self.decay_steps, self.alpha, self.name = initial_learning_rate, decay_steps, alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def _decay(self, step: Any, start: float) -> Any:
        done = ops.minimum(step, float(self.decay_steps)) / self.decay_steps
        return start * ((1 - self.alpha) * 0.5 * (1.0 + ops.cos(math.pi * done)) + self.alpha)

    def __call__(self, step: Any) -> Any:
        step = _float(step)
        if self.warmup_target is None:
            return self._decay(step, self.initial_learning_rate)
        rise = self.initial_learning_rate + (self.warmup_target - self.initial_learning_rate) * step / self.warmup_steps
        return ops.where(step < self.warmup_steps, rise, self._decay(step - self.warmup_steps, self.warmup_target))


@export("keras.optimizers.schedules.CosineDecayRestarts")
class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decays one after the other, each t_mul times as long and starting m_mul times as high.

    >>> float(CosineDecayRestarts(1.0, 10, m_mul=0.5)(10))
    0.5
    """

    _fields = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self, initial_learning_rate: float, first_decay_steps: float, t_mul: float = 2.0, m_mul: float = 1.0,
        alpha: float = 0.0, name: str = "SGDRDecay",
    ):  # fmt: skip
        if first_decay_steps <= 0:
            raise ValueError(f"Argument `first_decay_steps` must be > 0. Received: first_decay_steps={first_decay_steps}")
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: Any) -> Any:
        done = _float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            i = ops.floor(done)
            done = done - i
        else:
            i = ops.floor(ops.log(1.0 - done * (1.0 - self.t_mul)) / math.log(self.t_mul))
            r = ops.power(ops.cast(self.t_mul, "float32"), i)
            done = (done - (1.0 - r) / (1.0 - self.t_mul)) / r
        m = ops.power(ops.cast(self.m_mul, "float32"), i)
        decayed = (1 - self.alpha) * 0.5 * m * (1.0 + ops.cos(math.pi * done)) + self.alpha
        return self.initial_learning_rate * decayed


serialize, deserialize = lookup_functions("optimizers.schedules", LearningRateSchedule)[1:]

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip
