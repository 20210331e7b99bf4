"""The update rules: for each optimizer its slots and one step."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.optimizers.optimizer import Optimizer, weighted_sum


def _f(x: Any, like: Any) -> Any:
    return ops.cast(x, like._dtype)


@export("keras.optimizers.SGD")
class SGD(Optimizer):
    """Gradient descent, with momentum if asked for: m ← momentum·m − lr·g; w ← w + m (Nesterov looks ahead).

    >>> SGD(0.1, momentum=0.9).get_config()["momentum"]
    0.9
    """

    elementwise = True
    _fields = ("momentum", "nesterov")

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, weight_decay: Any = None,
        clipnorm: Any = None, clipvalue: Any = None, global_clipnorm: Any = None, use_ema: bool = False,
        ema_momentum: float = 0.99, ema_overwrite_frequency: Any = None, loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None, name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError("`momentum` must be a float between [0, 1].")
        self.momentum, self.nesterov = momentum, nesterov

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum else []

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if not self.momentum:
            variable.assign(weighted_sum(-learning_rate, gradient, 1, variable))
            return
        m = self.momentums[self._get_variable_index(variable)]
        step = m.assign(weighted_sum(-learning_rate, gradient, self.momentum, m))
        if self.nesterov:
            variable.assign(variable + (step * self.momentum - gradient * learning_rate))
        else:
            variable.assign(variable + step)


@export("keras.optimizers.RMSprop")
class RMSprop(Optimizer):
    """Divides by a running root mean square of the gradients (Tieleman and Hinton 2012).

    >>> RMSprop().get_config()["rho"]
    0.9
    """

    elementwise = True
    _fields = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
        centered: bool = False, weight_decay: Any = None, clipnorm: Any = None, clipvalue: Any = None,
        global_clipnorm: Any = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: Any = None, loss_scale_factor: Any = None, gradient_accumulation_steps: Any = None,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)
        self._velocities = self.add_optimizer_variables(var_list, "velocity")
        self._momentums = self.add_optimizer_variables(var_list, "momentum") if self.momentum > 0 else []
        self._average_gradients = self.add_optimizer_variables(var_list, "average_gradient") if self.centered else []

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        v = self._velocities[i]
        square = v.assign(weighted_sum(1 - self.rho, ops.square(gradient), self.rho, v))
        if self.centered:
            a = self._average_gradients[i]
            mean = a.assign(weighted_sum(1 - self.rho, gradient, self.rho, a))
            square = square - ops.square(mean)
        step = gradient / ops.sqrt(square + self.epsilon)
        if self.momentum > 0:
            m = self._momentums[i]
            variable.assign(variable - m.assign(weighted_sum(learning_rate, step, self.momentum, m)))
        else:
            variable.assign(weighted_sum(-learning_rate, step, 1, variable))


@export("keras.optimizers.Adam")
class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba 2014).

    >>> Adam().get_config()["beta_2"]
    0.999
    """

    elementwise = True
    _fields = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        amsgrad: bool = False, weight_decay: Any = None, clipnorm: Any = None, clipvalue: Any = None,
        global_clipnorm: Any = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: Any = None, loss_scale_factor: Any = None, gradient_accumulation_steps: Any = None,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(var_list, ["momentum", "velocity"])
        self._velocity_hats = self.add_optimizer_variables(var_list, "velocity_hat") if self.amsgrad else []

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        step = _f(self.iterations + 1, variable)
        p1, p2 = (ops.power(_f(b, variable), step) for b in (self.beta_1, self.beta_2))
        alpha = learning_rate * ops.sqrt(1 - p2) / (1 - p1)
        m, v = self._momentums[i], self._velocities[i]
        mean = m.assign(weighted_sum(1 - self.beta_1, gradient, self.beta_1, m))
        square = v.assign(weighted_sum(1 - self.beta_2, ops.square(gradient), self.beta_2, v))
        if self.amsgrad:
            top = self._velocity_hats[i]
            square = top.assign(ops.maximum(top, square))
        variable.assign(weighted_sum(-alpha, mean / (ops.sqrt(square) + self.epsilon), 1, variable))


@export("keras.optimizers.AdamW")
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017).

    >>> AdamW().weight_decay
    0.004
    """

    def __init__(
        self, learning_rate: Any = 0.001, weight_decay: float = 0.004, beta_1: float = 0.9, beta_2: float = 0.999,
        epsilon: float = 1e-7, amsgrad: bool = False, clipnorm: Any = None, clipvalue: Any = None,
        global_clipnorm: Any = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: Any = None, loss_scale_factor: Any = None, gradient_accumulation_steps: Any = None,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        if self.weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")


@export("keras.optimizers.Adagrad")
class Adagrad(Optimizer):
    """Divides by the root of the sum of all squared gradients (Duchi et al. 2011).

    >>> Adagrad().get_config()["initial_accumulator_value"]
    0.1
    """

    elementwise = True
    _fields = ("initial_accumulator_value", "epsilon")

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7,
        weight_decay: Any = None, clipnorm: Any = None, clipvalue: Any = None, global_clipnorm: Any = None,
        use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None, gradient_accumulation_steps: Any = None, name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)
        start = lambda shape, dtype=None: ops.full(shape, self.initial_accumulator_value, dtype)  # noqa: E731
        self._accumulators = self.add_optimizer_variables(var_list, ["accumulator"], [start])[0]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        a = self._accumulators[self._get_variable_index(variable)]
        total = a.assign(a + ops.square(gradient))
        variable.assign(variable - learning_rate * gradient / ops.sqrt(total + self.epsilon))


@export("keras.optimizers.Adamax")
class Adamax(Optimizer):
    """Adam with the infinity norm (Kingma and Ba 2014).

    >>> Adamax().get_config()["epsilon"]
    1e-07
    """

    elementwise = True
    _fields = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        weight_decay: Any = None, clipnorm: Any = None, clipvalue: Any = None, global_clipnorm: Any = None,
        use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None, gradient_accumulation_steps: Any = None, name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)
        self._m, self._u = self.add_optimizer_variables(var_list, ["momentum", "norm"])

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        p1 = ops.power(_f(self.beta_1, variable), _f(self.iterations + 1, variable))
        m, u = self._m[i], self._u[i]
        mean = m.assign(weighted_sum(1 - self.beta_1, gradient, self.beta_1, m))
        norm = u.assign(ops.maximum(u * self.beta_2, ops.abs(gradient)))
        variable.assign(variable - (learning_rate * mean) / ((1 - p1) * (norm + self.epsilon)))


@export("keras.optimizers.Lion")
class Lion(Optimizer):
    """Steps by the sign of an interpolated momentum (Chen et al. 2023).

    >>> Lion().get_config()["beta_2"]
    0.99
    """

    elementwise = True
    _fields = ("beta_1", "beta_2")

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99,
        weight_decay: Any = None, clipnorm: Any = None, clipvalue: Any = None, global_clipnorm: Any = None,
        use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: Any = None,
        loss_scale_factor: Any = None, gradient_accumulation_steps: Any = None, name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.beta_1, self.beta_2 = beta_1, beta_2
        if beta_1 <= 0 or beta_1 > 1:
            raise ValueError(f"`beta_1` must be between ]0, 1]. Otherwise, the optimizer degenerates to SignSGD. Received: beta_1={beta_1}.")

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums = self.add_optimizer_variables(var_list, "momentum")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        m = self._momentums[self._get_variable_index(variable)]
        variable.assign(variable - learning_rate * ops.sign(m * self.beta_1 + gradient * (1 - self.beta_1)))
        m.assign(weighted_sum(1 - self.beta_2, gradient, self.beta_2, m))
