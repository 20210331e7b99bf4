"""MultiOptimizer: different optimizers for different variables."""

import re
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from kerasish.base.registry import export
from kerasish.engine.variable import Variable
from kerasish.optimizers.loss_scale import LossScaleOptimizer
from kerasish.optimizers.optimizer import Optimizer
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.optimizers.OptimizerMap")
class OptimizerMap(MutableMapping):
    """Optimizers by paths of variables, or by regular expressions that match whole paths; the default for the rest.

    A path that is a key goes before expressions; one that several expressions match is a ValueError.

    >>> from kerasish.optimizers.rules import SGD, Adam
    >>> optimizers = OptimizerMap(SGD(), {"encoder/.*": Adam()})
    >>> optimizers["encoder/dense/kernel"].name.split("_")[0], optimizers["encoder"].name.split("_")[0]
    ('adam', 'sgd')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"default_optimizer must be a Keras Optimizer instance. Received: {default_optimizer}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"optimizer_map must be a dictionary. Received: {optimizer_map}")
        self._default_optimizer = default_optimizer
        self._optimizer_map = optimizer_map or {}

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of paths that nothing matches."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        matching = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"Multiple optimizers assigned to variable {key}: it is matched by {matching}. Make the expressions exclude "
                "one another, or give the path itself as a key."
            )
        return self._optimizer_map[matching[0]] if matching else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if key in self._optimizer_map:
            raise ValueError(
                f"'{key}' already exists in the OptimizerMap with value {self._optimizer_map[key]}. Delete it first."
            )
        if not isinstance(key, str):
            raise ValueError(f"key must be a string. Received: {key}")
        _checked(optimizer, key)
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        return self[variable.path]

    def get_config(self) -> dict:
        return {
            "default_optimizer": serialize_keras_object(self._default_optimizer),
            "optimizer_map": serialize_keras_object(self._optimizer_map),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> "OptimizerMap":
        names = ("default_optimizer", "optimizer_map")
        return cls(**{k: deserialize_keras_object(config[k], custom_objects=custom_objects) for k in names})


@export("keras.optimizers.MultiOptimizer")
class MultiOptimizer(Optimizer):
    """One optimizer made of several, each for variables of its own.

    optimizer_map:     an OptimizerMap, or a function that gives the optimizer of a variable.
    loss_scale_factor: of all of them, whatever their own was.

    Each has its own learning rate, found under `optimizers`; the whole has none.

    >>> from kerasish.optimizers.rules import SGD, Adam
    >>> optimizer = MultiOptimizer(OptimizerMap(SGD(), {"encoder/.*": Adam()}))
    >>> [type(o).__name__ for o in optimizer.optimizers]
    ['Adam', 'SGD']
    """

    def __init__(
        self, optimizer_map: OptimizerMap | Callable[[Variable], Optimizer], loss_scale_factor: float | None = None,
        name: str | None = None,
    ):  # fmt: skip
        self._inner: list[Optimizer] = []
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._include(optimizer)

    def _include(self, optimizer: Optimizer) -> int:
        """The place of an optimizer among the others."""
        for i, known in enumerate(self._inner):
            if known is optimizer:
                return i
        optimizer.loss_scale_factor = self.loss_scale_factor
        self._inner.append(optimizer)
        return len(self._inner) - 1

    def build(self, var_list: Any) -> None:
        if self.built:
            return
        self._owner: dict[int, int] = {}
        for v in var_list:
            self._owner[id(v)] = self._include(_checked(self._optimizer_map(v), v.path))
        for optimizer, members in self._shared(var_list):
            optimizer.build(members)
        super().build(var_list)

    def _shared(self, variables: Any) -> list[tuple[Optimizer, list]]:
        """The optimizers that have some of these variables, with those."""
        parts: list[list] = [[] for _ in self._inner]
        for v in variables:
            parts[self._owner[id(v)]].append(v)
        return [(o, part) for o, part in zip(self._inner, parts, strict=True) if part]

    def _make_arenas(self) -> None:
        for optimizer in self._inner:
            optimizer._make_arenas()

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers: those of the map in its order, then the default, then what a function gave."""
        return self._inner

    @property
    def variables(self) -> list[Variable]:
        """Its own step and rate, then the variables of each optimizer."""
        return [*self._variables, *(v for optimizer in self._inner for v in optimizer.variables)]

    @property
    def learning_rate(self) -> Any:
        """None of its own: an AttributeError."""
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on the individual "
            "sub-optimizers instead: `[o.learning_rate for o in optimizer.optimizers]`."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the individual sub-optimizers instead."
        )

    @property
    def loss_scale_factor(self) -> float | None:
        """What the loss is multiplied by, and gradients divided by."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self._inner:
            optimizer.loss_scale_factor = value

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        grads = list(grads)
        if not grads:
            return
        if trainable_variables is None and not self.built:
            raise ValueError(
                "When passing `grads` without `variables`, the optimizer must already be built on a list of variables. Call "
                "`optimizer.build(trainable_variables)` first."
            )
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        if not self.built:
            self.build(variables)
        if not len(grads) == len(variables) == len(self._owner):
            raise ValueError(
                f"Gradients must match trainable variables one-to-one. Received {len(grads)} gradients for "
                f"{len(self._owner)} variables."
            )
        gradient_of = {id(v): g for v, g in zip(variables, grads, strict=True)}
        for optimizer, members in self._shared(variables):
            optimizer.apply([gradient_of[id(v)] for v in members], members)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Any) -> None:
        for optimizer, members in self._shared(var_list):
            optimizer.finalize_variable_values(members)

    def set_weights(self, weights: Any) -> None:
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. Please call "
                "`optimizer.build(trainable_variables)` to create the optimizer weights before calling `set_weights()`."
            )
        for v, w in zip(self.variables, weights, strict=True):
            v.assign(w)

    def get_config(self) -> dict:
        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> "MultiOptimizer":
        made = deserialize_keras_object(config["optimizer_map"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer_map": made})


def _checked(optimizer: Any, key: str) -> Optimizer:
    """An optimizer that may be one of several, or ValueError."""
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"optimizer must be a Keras Optimizer instance. Received for '{key}': {optimizer}")
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise ValueError(
            f"optimizer cannot be {type(optimizer).__name__}: it stands for others. Received for '{key}': {optimizer}"
        )
    return optimizer
