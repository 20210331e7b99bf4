"""ScheduleFreeAdamW: averages in place of a schedule."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.optimizers.optimizer import Optimizer, weighted_sum


@export("keras.optimizers.ScheduleFreeAdamW")
class ScheduleFreeAdamW(Optimizer):
    """AdamW that needs no schedule, as it averages its own steps (Defazio et al. 2024).

    A slot z makes Adam's steps without momentum; x is the mean of what z was; the variable, where gradients are taken,
    is between them: `beta_1 * x + (1 - beta_1) * z`.

    warmup_steps: over how many steps the rate rises from zero.

    >>> ScheduleFreeAdamW(warmup_steps=10).get_config()["learning_rate"]
    0.0024999999441206455
    """

    elementwise = True
    _fields = ("beta_1", "beta_2", "epsilon", "warmup_steps")

    def __init__(
        self, learning_rate: Any = 0.0025, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8,
        warmup_steps: int = 0, weight_decay: Any = None, clipnorm: Any = None, clipvalue: Any = None,
        global_clipnorm: Any = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: Any = None, loss_scale_factor: Any = None, gradient_accumulation_steps: Any = None,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon, self.warmup_steps = beta_1, beta_2, epsilon, warmup_steps

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(var_list, ["momentum", "velocity"])
        for z, v in zip(self._momentums, var_list, strict=True):
            if z is not None:
                z.assign(v)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        z, v = self._momentums[i], self._velocities[i]
        b1, b2 = (ops.cast(b, variable._dtype) for b in (self.beta_1, self.beta_2))
        step = ops.cast(self.iterations + 1, variable._dtype)
        if self.warmup_steps > 0:
            learning_rate = learning_rate * ops.minimum(step / self.warmup_steps, 1.0)
        # x is not kept: it is what the variable and z say it is
        x = (variable - (1 - b1) * z) / b1
        square = v.assign(weighted_sum(1 - b2, ops.square(gradient), b2, v))
        scale = ops.sqrt(square / (1 - ops.power(b2, step))) + self.epsilon
        moved = z.assign(z - learning_rate * gradient / scale)
        x = x + (moved - x) / step
        variable.assign(b1 * x + (1 - b1) * moved)
