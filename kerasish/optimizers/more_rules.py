"""Further update rules: those with several slots, with factors, or with norms of whole variables."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.engine.variable import Variable
from kerasish.optimizers.optimizer import Optimizer, weighted_sum


def _f(x: Any, like: Any) -> Any:
    return ops.cast(x, like._dtype)


@export("keras.optimizers.Nadam")
class Nadam(Optimizer):
    """Adam with Nesterov momentum (Dozat 2015).

    >>> Nadam(0.01).get_config()["beta_1"]
    0.9
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
        self._momentums, self._velocities = self.add_optimizer_variables(var_list, ["momentum", "velocity"])
        # the product of the momentum's schedule so far
        self._u_product = Variable(1.0, dtype=var_list[0]._dtype if var_list else "float32", trainable=False)
        self._variables.append(self._u_product)

    def _schedule(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * ops.power(ops.cast(0.96, step.dtype), step))

    def _apply(self, grads: list, variables: list) -> None:
        step = _f(self.iterations + 1, self._u_product)
        self._u_product.assign(self._u_product * self._schedule(step))
        super()._apply(grads, variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        step = _f(self.iterations + 1, variable)
        now, coming = self._schedule(step), self._schedule(step + 1)
        product = _f(self._u_product, variable)
        m, v = self._momentums[i], self._velocities[i]
        mean = m.assign(weighted_sum(1 - self.beta_1, gradient, self.beta_1, m))
        square = v.assign(weighted_sum(1 - self.beta_2, ops.square(gradient), self.beta_2, v))
        ahead = coming * mean / (1 - product * coming) + (1 - now) * gradient / (1 - product)
        scale = square / (1 - ops.power(_f(self.beta_2, variable), step))
        variable.assign(variable - ahead * learning_rate / (ops.sqrt(scale) + self.epsilon))


@export("keras.optimizers.Adadelta")
class Adadelta(Optimizer):
    """Steps scaled by running means of past steps and gradients (Zeiler 2012).

    >>> Adadelta(1.0).get_config()["rho"]
    0.95
    """

    elementwise = True
    _fields = ("rho", "epsilon")

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, weight_decay: Any = None,
        clipnorm: Any = None, clipvalue: Any = None, global_clipnorm: Any = None, use_ema: bool = False,
        ema_momentum: float = 0.99, ema_overwrite_frequency: Any = None, loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None, name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.rho, self.epsilon = rho, epsilon

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)
        names = ["accumulated_grad", "accumulated_delta_var"]
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(var_list, names)

    def update_step(self, grad: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        grads, steps = self._accumulated_grads[i], self._accumulated_delta_vars[i]
        rho, e = self.rho, self.epsilon
        mean = grads.assign(weighted_sum(1 - rho, ops.square(grad), rho, grads))
        delta = -(ops.sqrt(steps + e) * grad / ops.sqrt(mean + e))
        steps.assign(weighted_sum(1 - rho, ops.square(delta), rho, steps))
        variable.assign(weighted_sum(learning_rate, delta, 1, variable))


@export("keras.optimizers.Ftrl")
class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al. 2013).

    >>> Ftrl(0.01).get_config()["learning_rate_power"]
    -0.5
    """

    elementwise = True
    _fields = (
        "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
        "l2_shrinkage_regularization_strength", "beta",
    )  # fmt: skip

    def __init__(
        self, learning_rate: Any = 0.001, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0, beta: float = 0.0, weight_decay: Any = None,
        clipnorm: Any = None, clipvalue: Any = None, global_clipnorm: Any = None, use_ema: bool = False,
        ema_momentum: float = 0.99, ema_overwrite_frequency: Any = None, loss_scale_factor: Any = None,
        gradient_accumulation_steps: Any = None, name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        for value, what, wrong in (
            (initial_accumulator_value, "initial_accumulator_value", initial_accumulator_value < 0),
            (learning_rate_power, "learning_rate_power", learning_rate_power > 0),
            (l1_regularization_strength, "l1_regularization_strength", l1_regularization_strength < 0),
            (l2_regularization_strength, "l2_regularization_strength", l2_regularization_strength < 0),
            (l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength < 0),
        ):
            if wrong:
                sign = "negative or zero" if what == "learning_rate_power" else "positive or zero"
                raise ValueError(f"`{what}` needs to be {sign}. Received: {what}={value}.")
        self.learning_rate_power, self.initial_accumulator_value = learning_rate_power, initial_accumulator_value
        self.l1_regularization_strength, self.l2_regularization_strength = l1_regularization_strength, l2_regularization_strength
        self.l2_shrinkage_regularization_strength, self.beta = l2_shrinkage_regularization_strength, beta

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)

        def start(shape: Any, dtype: Any = None) -> Any:
            return ops.full(shape, self.initial_accumulator_value, dtype)

        self._accumulators, self._linears = self.add_optimizer_variables(var_list, ["accumulator", "linear"], [start, "zeros"])

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        a, linear = self._accumulators[i], self._linears[i]
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2.0 * learning_rate)
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * variable
        total = a + ops.square(gradient)
        grown = ops.power(total, power)
        z = linear.assign(linear + shrunk - (grown - ops.power(a, power)) / learning_rate * variable)
        a.assign(total)
        variable.assign((ops.clip(z, -l1, l1) - z) / (grown / learning_rate + 2 * l2))


@export("keras.optimizers.Lamb")
class Lamb(Optimizer):
    """Adam's step for each variable in proportion to the variable's norm (You et al. 2019).

    >>> Lamb().get_config()["epsilon"]
    1e-07
    """

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
        self._momentums, self._velocities = self.add_optimizer_variables(var_list, ["momentum", "velocity"])

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        step = _f(self.iterations + 1, variable)
        p1, p2 = (ops.power(_f(b, variable), step) for b in (self.beta_1, self.beta_2))
        m, v = self._momentums[i], self._velocities[i]
        mean = m.assign(weighted_sum(1 - self.beta_1, gradient, self.beta_1, m)) / (1 - p1)
        square = v.assign(weighted_sum(1 - self.beta_2, ops.square(gradient), self.beta_2, v)) / (1 - p2)
        change = mean / (ops.sqrt(square) + self.epsilon)
        of_weights, of_change = ops.sqrt(ops.sum(ops.square(variable))), ops.sqrt(ops.sum(ops.square(change)))
        usable = ops.logical_and(of_weights > 0, of_change > 0)
        ratio = ops.where(usable, of_weights / ops.where(usable, of_change, 1.0), 1.0)
        variable.assign(variable - ops.cast(ratio, variable._dtype) * learning_rate * change)


@export("keras.optimizers.Adafactor")
class Adafactor(Optimizer):
    """Adam's second moment kept as row and column means, for little memory (Shazeer and Stern 2018).

    >>> Adafactor().get_config()["relative_step"]
    True
    """

    _fields = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")

    def __init__(
        self, learning_rate: Any = 0.001, beta_2_decay: float = -0.8, epsilon_1: float = 1e-30, epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0, relative_step: bool = True, weight_decay: Any = None, clipnorm: Any = None,
        clipvalue: Any = None, global_clipnorm: Any = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: Any = None, loss_scale_factor: Any = None, gradient_accumulation_steps: Any = None,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)
        self._r, self._c, self._v = [], [], []
        for v in var_list:
            if len(v.shape) < 2:  # nothing to factor: place holders, as in Keras's files
                for slots in (self._r, self._c):
                    slots.append(Variable(0.0, name=v.name, trainable=False))
                    self._variables.append(slots[-1])
            else:
                self._r.append(self.add_variable(v.shape[:-1], name=v.name))
                self._c.append(self.add_variable(v.shape[:-2] + v.shape[-1:], name=v.name))
            self._v.append(self.add_variable_from_reference(v, "velocity"))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        r, c, v = self._r[i], self._c[i], self._v[i]
        step = _f(self.iterations + 1, variable)
        slow = 1 / ops.sqrt(step)
        if not callable(self._learning_rate) and self.relative_step:
            learning_rate = ops.minimum(learning_rate, slow)
        rate = ops.maximum(_f(self.epsilon_2, variable), _root_mean_square(variable)) * ops.minimum(learning_rate, slow)
        square = ops.square(gradient) + self.epsilon_1
        keep = 1 - ops.power(step, self.beta_2_decay)
        if len(variable.shape) >= 2:
            rows = r.assign(keep * r + (1 - keep) * ops.mean(square, axis=-1))
            columns = c.assign(keep * c + (1 - keep) * ops.mean(square, axis=-2))
            share = rows / ops.mean(rows, axis=-1, keepdims=True)
            second = v.assign(ops.expand_dims(share, -1) * ops.expand_dims(columns, -2))
        else:
            second = v.assign(keep * v + (1 - keep) * square)
        change = gradient / ops.sqrt(second)
        change = change / ops.maximum(_f(1.0, variable), _root_mean_square(change) / self.clip_threshold)
        variable.assign(variable - rate * change)


def _root_mean_square(x: Any) -> Any:
    return ops.sqrt(ops.mean(ops.square(x)))
