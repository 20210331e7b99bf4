"""The state of a layer: what is tracked as part of it, its variables and their values, dtypes and losses."""

from contextlib import nullcontext
from typing import Any, Iterator

import numpy as np

from kerasish import dtype_policies
from kerasish.base import naming, tree
from kerasish.base.registry import get_registered_object, resolve
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import Variable, is_float
from kerasish.layers.calls import calls
from kerasish.layers.tracking import contents, tracked
from kerasish.metrics.metric import Metric
from kerasish.random import SeedGenerator
from kerasish.saving.serialization import deserialize_keras_object


class State:
    """The part of Layer that holds state."""

    def _track_init(self) -> None:
        if "_layers" not in self.__dict__:
            put = object.__setattr__
            put(self, "_layers", [])
            put(self, "_metrics", [])
            put(self, "_trainable_variables", [])
            put(self, "_non_trainable_variables", [])
            put(self, "_seed_generators", [])
            put(self, "_losses", [])
            put(self, "_locked", False)
            put(self, "_path", None)

    # -- tracking -----------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if "_layers" not in self.__dict__ and isinstance(value, (State, Variable, Metric, SeedGenerator, list, dict)):
            if not name.startswith("_"):
                self._track_init()
        if "_layers" in self.__dict__:
            value = tracked(self, value)
            old = self.__dict__.get(name)
            object.__setattr__(self, name, value)
            if old is not None and old is not value:
                self._untrack(old)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        old = self.__dict__.get(name)
        object.__delattr__(self, name)
        self._untrack(old)

    def _lists(self, value: Any) -> Iterator[list]:
        if isinstance(value, Variable):
            yield self._trainable_variables if value.trainable else self._non_trainable_variables
        elif isinstance(value, State):
            yield self._layers
        elif isinstance(value, Metric):
            yield self._metrics
        elif isinstance(value, SeedGenerator):
            yield self._seed_generators

    def _track(self, value: Any) -> None:
        """Remember a variable, layer, metric or seed generator that became part of this layer."""
        if isinstance(value, Variable) and any(v is value for v in (*self._trainable_variables, *self._non_trainable_variables)):
            return  # where it is: freezing the layer does not move it from one list to the other
        for kept in self._lists(value):
            if not any(v is value for v in kept):
                if self._locked and isinstance(value, (Variable, State)):
                    raise ValueError(
                        "You cannot add new elements of state (variables or sub-layers) to a layer that is already "
                        "built. All state must be created in the `__init__()` method or in the `build()` method."
                    )
                kept.append(value)
                if isinstance(value, Variable) and not self.__dict__.get("_trainable", True):
                    value.trainable = False  # though it counts as one that may be trained, when the layer is thawed

    def _untrack(self, value: Any) -> None:
        """Forget what was in an attribute or container of this layer, unless it is in another one, too."""
        gone = {id(v) for v in contents(value) if isinstance(v, (State, Variable, Metric, SeedGenerator))}
        if not gone:
            return
        for name, other in self.__dict__.items():
            if name not in self._not_saved:
                gone.difference_update(map(id, contents(other)))
        for kept in (
            self._trainable_variables, self._non_trainable_variables, self._layers, self._metrics, self._seed_generators
        ):  # fmt: skip
            kept[:] = [v for v in kept if id(v) not in gone]

    # -- variables ----------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        *,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a variable of this layer. `initializer`: a name, an Initializer, or a function of shape and dtype."""
        self._check_super_called()
        if isinstance(shape, str):
            raise ValueError(
                f"`name` must be passed as a keyword argument. Received: add_weight({shape!r}, ...). "
                f"Use: add_weight(shape=..., name={shape!r})."
            )
        if isinstance(shape, (int, np.integer)):
            raise ValueError(f"Cannot convert {shape!r} to a shape. A shape is a tuple: pass shape=({shape},).")
        dtype = dtype if dtype is not None else self.variable_dtype
        if getattr(calls, "sketching", False):
            initializer = "zeros"  # so that no random numbers are drawn
        elif initializer is None:
            initializer = "glorot_uniform" if is_float(dtype) else "zeros"
        with naming.name_scope(self.name) if not naming.current_path().endswith(self.name) else nullcontext():
            variable = Variable(
                named_part("initializers", initializer),
                shape=() if shape is None else shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = named_part("regularizers", regularizer)
        variable.constraint = named_part("constraints", constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._track(variable)
        return variable

    def add_variable(
        self, shape: Any, initializer: Any, dtype: Any = None, trainable: bool = True, autocast: bool = True,
        regularizer: Any = None, constraint: Any = None, name: str | None = None,
    ) -> Variable:  # fmt: skip
        """`add_weight`, with all arguments by place too."""
        return self.add_weight(
            shape, initializer, dtype, trainable=trainable, autocast=autocast, regularizer=regularizer,
            constraint=constraint, name=name,
        )  # fmt: skip

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Not in Keras 3 any more: says what to do instead."""
        raise NotImplementedError(
            "Layer `add_metric()` method is deprecated. Pass metrics to `Model.compile(metrics=[...])`, or make them in "
            "`__init__()` or `build()` and call their `update_state()` in `call()`."
        )

    def _check_super_called(self) -> None:
        if "_called" not in self.__dict__:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the first statement in the "
                "`__init__()` method. Go add it!"
            )

    @property
    def trainable(self) -> bool:
        """Whether the variables are trained; setting it sets it for all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        object.__setattr__(self, "_trainable", value)
        for v in self._trainable_variables:
            v.trainable = value
        for layer in self._layers:
            layer.trainable = value

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list["State"]:
        out, seen, stack = [], set(), [self] if include_self else list(self._layers)
        while stack:
            layer = stack.pop(0)
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            out.append(layer)
            if recursive or (include_self and layer is self):
                stack = list(layer._layers) + stack
        return out

    @property
    def variables(self) -> list[Variable]:
        """All variables, seeds included; those of metrics are `metrics_variables`."""
        found: dict[int, Variable] = {}
        for layer in self._flatten_layers():
            seeds = [seed.state for seed in layer._seed_generators]
            for v in (*layer._trainable_variables, *layer._non_trainable_variables, *seeds):
                found.setdefault(id(v), v)
        return list(found.values())

    @property
    def weights(self) -> list[Variable]:
        """The variables that make up the layer: not seeds, not metrics."""
        found: dict[int, Variable] = {}
        for layer in self._flatten_layers():
            for v in (*layer._trainable_variables, *layer._non_trainable_variables):
                found.setdefault(id(v), v)
        return list(found.values())

    @property
    def trainable_variables(self) -> list[Variable]:
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        return [v for v in self.variables if not v.trainable] if self.trainable else self.variables

    @property
    def trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def metrics(self) -> list[Metric]:
        return [m for layer in self._flatten_layers() for m in layer._metrics]

    @property
    def metrics_variables(self) -> list[Variable]:
        return [v for m in self.metrics for v in m.variables]

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`, as arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: list) -> None:
        """Set the values of `weights` from arrays of the same shapes, in the same order."""
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length {len(weights)}, "
                f"but the layer was expecting {len(own)} weights."
            )
        for v, w in zip(own, weights, strict=True):
            if tuple(v.shape) != tuple(np.shape(w)):
                raise ValueError(
                    f"Layer {self.name} weight shape {v.shape} is not compatible with provided weight shape {np.shape(w)}."
                )
        for v, w in zip(own, weights, strict=True):
            v.assign(w)

    def count_params(self) -> int:
        """The number of scalars in `weights`."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You can build it "
                f"manually via: `layer.build(input_shape)`."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    # -- dtypes -------------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> str:
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return dtype_policies.of_path(self.dtype_policy, self.path).compute_dtype

    @property
    def variable_dtype(self) -> str:
        return dtype_policies.of_path(self.dtype_policy, self.path).variable_dtype

    @property
    def input_dtype(self) -> str:
        return self.compute_dtype

    @property
    def path(self) -> str:
        return self._path or self.name

    # -- losses -------------------------------------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add a scalar (or several) to what is minimised, during `call`."""
        for x in tree.flatten(loss):
            if callable(x) and not isinstance(x, Tensor):
                x = x()
            self._losses.append(x)

    @property
    def losses(self) -> list:
        """The losses added in the last call, and the regularization of the trainable variables."""
        out = [x for layer in self._flatten_layers() for x in layer._losses]
        for v in self.trainable_weights:
            if v.regularizer is not None:
                out.append(v.regularizer(v))
        return out

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()


def named_part(kind: str, identifier: Any) -> Any:
    """An initializer, regularizer or constraint from its name or config."""
    if identifier is None or (callable(identifier) and not isinstance(identifier, (type, str))):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, dict):
        return deserialize_keras_object(identifier)
    found = resolve(kind, identifier) or get_registered_object(identifier)
    if found is None:
        raise ValueError(f"Could not interpret {kind[:-1]} identifier: {identifier}")
    return found() if isinstance(found, type) else found
