"""LossScaleOptimizer: gradients of half precision kept from vanishing."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.optimizers.optimizer import Optimizer
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.optimizers.LossScaleOptimizer", "keras.mixed_precision.LossScaleOptimizer")
class LossScaleOptimizer(Optimizer):
    """Another optimizer, on gradients of a loss that was scaled up so that float16 can hold them.

    The scale is halved after a step whose gradients overflowed (which is left out), and doubled after
    `dynamic_growth_steps` steps without one.

    >>> from kerasish.optimizers.rules import SGD
    >>> float(LossScaleOptimizer(SGD()).scale_loss(2.0))
    65536.0
    """

    def __init__(
        self, inner_optimizer: Any, initial_scale: float = 2.0**15, dynamic_growth_steps: int = 2000,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set `loss_scale_factor` directly on "
                "the `inner_optimizer`."
            )
        if not isinstance(inner_optimizer, Optimizer):
            raise ValueError(f"`inner_optimizer` must be an optimizer. Received: {inner_optimizer}")
        super().__init__(learning_rate=0.0, name=name, **kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        # here and not in build, since the loss is scaled before gradients build the slots
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable((), dtype="float32", name="dynamic_scale")
        self.dynamic_scale.assign(initial_scale)

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        self._trainable_variables = list(var_list)
        self._index = {id(v): i for i, v in enumerate(var_list)}
        self.inner_optimizer.build(var_list)
        self.built = True

    @property
    def variables(self) -> list:
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def scale_loss(self, loss: Any) -> Any:
        return loss * self.dynamic_scale

    def check_finite(self, grads: Any) -> Any:
        """Whether no gradient has an element that is infinite or not a number, as a tensor."""
        finite = ops.convert_to_tensor(True)
        for g in grads:
            if g is not None:
                finite = ops.logical_and(finite, ops.all(ops.isfinite(g)))
        return finite

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        grads = list(grads)
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        if not self.built:
            self.build(variables)
        self.inner_optimizer._make_arenas()

        def usual() -> None:
            scale = ops.convert_to_tensor(self.dynamic_scale)
            unscaled = [None if g is None else g / ops.cast(scale, g.dtype) for g in grads]
            self.inner_optimizer.apply(unscaled, variables)
            grown = ops.equal(self.step_counter, self.dynamic_growth_steps - 1)
            self.dynamic_scale.assign(ops.where(grown, scale * 2.0, scale))
            self.step_counter.assign(ops.where(grown, 0, self.step_counter + 1))

        def overflowed() -> None:
            self.dynamic_scale.assign(self.dynamic_scale / 2.0)
            self.step_counter.assign(0)

        ops.cond(self.check_finite(grads), lambda: (usual(), 0)[1], lambda: (overflowed(), 0)[1])

    def finalize_variable_values(self, var_list: Any) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict:
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        config = dict(config)
        inner = deserialize_keras_object(config.pop("inner_optimizer"), custom_objects=custom_objects)
        return cls(inner, **config)
