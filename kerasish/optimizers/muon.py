"""Muon: steps of matrices made orthogonal."""

import re
from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.engine.variable import Variable
from kerasish.optimizers.optimizer import Optimizer, weighted_sum


@export("keras.optimizers.Muon")
class Muon(Optimizer):
    """Steps matrices by the orthogonal factor of their momentum (Jordan et al. 2024), and all else by AdamW.

    exclude_layers, exclude_embeddings: which matrices AdamW steps, too: those whose path has a match of one of these
                   regular expressions, and those with "embedding" in it.
    adam_lr_ratio: AdamW's rate, as a share of `learning_rate`; `adam_weight_decay` is its decay.
    ns_steps, muon_a, muon_b, muon_c: how many Newton-Schulz iterations find the factor, and their coefficients.
    rms_rate:      what the root mean square of a step is brought to, for rates to be those of Adam (Liu et al. 2025);
                   None leaves steps as they are.

    >>> Muon(0.02).get_config()["ns_steps"]
    5
    """

    _fields = (
        "adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c", "adam_lr_ratio", "momentum",
        "ns_steps", "nesterov", "exclude_embeddings", "adam_weight_decay", "rms_rate",
    )  # fmt: skip

    def __init__(
        self, learning_rate: Any = 0.001, adam_beta_1: float = 0.9, adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004, epsilon: float = 1e-7, weight_decay: Any = 0.004, clipnorm: Any = None,
        clipvalue: Any = None, global_clipnorm: Any = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: Any = None, loss_scale_factor: Any = None, gradient_accumulation_steps: Any = None,
        name: str | None = None, exclude_layers: list[str] | None = None, exclude_embeddings: bool = True,
        muon_a: float = 3.4445, muon_b: float = -4.7750, muon_c: float = 2.0315, adam_lr_ratio: float = 1,
        momentum: float = 0.95, ns_steps: int = 5, nesterov: bool = True, rms_rate: float | None = 0.2, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or []), exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c, self.ns_steps = muon_a, muon_b, muon_c, ns_steps
        self.momentum, self.nesterov, self.rms_rate = momentum, nesterov, rms_rate

    def _uses_adam(self, variable: Variable) -> bool:
        """Whether a variable is one that AdamW steps."""
        if len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def _weight_decay_of(self, variable: Variable) -> float | None:
        if self.weight_decay is None and self.adam_weight_decay is None or not self._use_weight_decay(variable):
            return None
        return self.adam_weight_decay if self._uses_adam(variable) else self.weight_decay

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums: list[Variable | None] = []
        self._velocities: list[Variable | None] = []
        for v in var_list:  # a variable's slots side by side, as in Keras's files
            overwritten = v.overwrite_with_gradient
            adam = not overwritten and self._uses_adam(v)
            self._momentums.append(None if overwritten else self.add_variable_from_reference(v, "momentum"))
            self._velocities.append(self.add_variable_from_reference(v, "velocity") if adam else None)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        m, v = self._momentums[i], self._velocities[i]
        if v is None:
            self._muon_step(gradient, variable, learning_rate, m)
        else:
            self._adam_step(gradient, variable, learning_rate * self.adam_lr_ratio, m, v)

    def _muon_step(self, gradient: Any, variable: Variable, rate: Any, m: Any) -> None:
        mean = m.assign(m * self.momentum + gradient)
        step = rate * self._orthogonal(gradient + self.momentum * mean if self.nesterov else mean)
        if self.rms_rate is not None:
            step = step * max(variable.shape) ** 0.5 * self.rms_rate
        variable.assign(variable - step)

    def _adam_step(self, gradient: Any, variable: Variable, rate: Any, m: Any, v: Any) -> None:
        dtype = variable._dtype
        step = ops.cast(self.iterations + 1, dtype)
        p1, p2 = (ops.power(ops.cast(b, dtype), step) for b in (self.adam_beta_1, self.adam_beta_2))
        mean = m.assign(weighted_sum(1 - self.adam_beta_1, gradient, self.adam_beta_1, m))
        square = v.assign(weighted_sum(1 - self.adam_beta_2, ops.square(gradient), self.adam_beta_2, v))
        alpha = rate * ops.sqrt(1 - p2) / (1 - p1)
        variable.assign(weighted_sum(-alpha, mean / (ops.sqrt(square) + self.epsilon), 1, variable))

    def _orthogonal(self, x: Any) -> Any:
        """About the nearest matrix with orthonormal rows (or columns, if there are fewer), by Newton-Schulz iterations."""
        tall = x.shape[0] > x.shape[1]
        x = ops.transpose(x) if tall else x
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            product = ops.matmul(x, ops.transpose(x))
            x = self.muon_a * x + ops.matmul(self.muon_b * product + self.muon_c * ops.matmul(product, product), x)
        return ops.transpose(x) if tall else x
