"""Metric: a number about a model, gathered over batches."""

from typing import Any, Iterator

from kerasish import dtype_policies, initializers, ops
from kerasish.base import config, naming
from kerasish.base.registry import export
from kerasish.engine import StatelessScope, Variable


@export("keras.Metric", "keras.metrics.Metric")
class Metric:
    """Base class. A metric keeps its state in variables, `update_state` adds a batch to it, and `result` reads it.

    dtype: of the computation, and of most variables; a dtype, or a dtype policy, whose compute dtype is meant. Default:
           floatx.
    name:  default: the class name in snake case, made unique.

    A subclass creates its variables with `add_weight` and defines `update_state` and `result`.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest", dtype=None):
    ...         super().__init__(name=name, dtype=dtype)
    ...         self.largest = self.add_weight(name="largest", initializer="zeros")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.largest.assign(ops.maximum(self.largest, ops.max(y_pred)))
    ...     def result(self):
    ...         return self.largest.value
    >>> float(Largest()([0.0, 0.0], [3.0, 5.0]))
    5.0
    """

    def __init__(self, dtype: Any = None, name: str | None = None):
        # not by self.…: these three are what __setattr__ tracks with
        for attribute in ("_variables", "_metrics", "_containers"):
            object.__setattr__(self, attribute, [])
        self.name = name or naming.auto_name(type(self).__name__)
        self._dtype = dtype_policies.get(config.floatx() if dtype is None else dtype).compute_dtype

    @property
    def dtype(self) -> str:
        return self._dtype

    # -- what a subclass defines --------------------------------------------------------------------------------------

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch to the state."""
        raise NotImplementedError(f"{type(self).__name__} does not define `update_state`.")

    def result(self) -> Any:
        """The metric's value for the batches since the last reset: a scalar, an array, or a dictionary of them."""
        raise NotImplementedError(f"{type(self).__name__} does not define `result`.")

    def reset_state(self) -> None:
        """Set every variable to zero."""
        for v in self.variables:
            v.assign(ops.zeros(v.shape, dtype=v.dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch and return the value."""
        self._check_super_called()
        self.update_state(*args, **kwargs)
        return self.result()

    # -- state --------------------------------------------------------------------------------------------------------

    def add_variable(
        self, shape: Any, initializer: Any, dtype: Any = None, aggregation: str = "sum", name: str | None = None
    ) -> Variable:
        """A new variable of the metric, under the metric's name.

        dtype:       default: floatx, whatever the metric's dtype, as in Keras.
        aggregation: how replicas of the variable are combined.
        """
        self._check_super_called()
        with naming.name_scope(self.name.replace("/", ">")):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._track(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """`add_variable` with defaults: a scalar that starts at zero."""
        return self.add_variable(shape, "zeros" if initializer is None else initializer, dtype=dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The metric's own variables in the order of their making, then those of the metrics it holds."""
        for container in self._containers:  # they may have grown since they were assigned
            self._track(container)
        return self._variables + [v for m in self._metrics for v in m.variables]

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(self, "_containers"):
            self._track(value)
        super().__setattr__(name, value)

    def _track(self, value: Any) -> None:
        for item in _leaves(value):
            known = self._variables if isinstance(item, Variable) else self._metrics
            if not any(item is k for k in known):
                known.append(item)
        if isinstance(value, (list, dict, set)) and not any(value is c for c in self._containers):
            if not value or not all(isinstance(item, (int, float)) for item in value):  # not a list of thresholds
                self._containers.append(value)

    def _check_super_called(self) -> None:
        if not hasattr(self, "_containers"):
            raise RuntimeError(
                f"{type(self).__name__}.__init__ did not call `super().__init__()`. Call it first, before any variable "
                "is made."
            )

    # -- state passed in and out --------------------------------------------------------------------------------------

    def stateless_update_state(self, metric_variables: list, *args: Any, **kwargs: Any) -> list:
        """What the variables would hold after `update_state(*args, **kwargs)`, had they held `metric_variables`."""
        with self._holding(metric_variables) as scope:
            self.update_state(*args, **kwargs)
        known = ((v, scope.get_current_value(v)) for v in self.variables)
        return [v.value if value is None else value for v, value in known]

    def stateless_result(self, metric_variables: list) -> Any:
        """What `result()` would be, did the variables hold `metric_variables`."""
        with self._holding(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list:
        """What the variables would hold after `reset_state()`."""
        with self._holding([v.value for v in self.variables]) as scope:
            self.reset_state()
        return [scope.get_current_value(v) for v in self.variables]

    def _holding(self, values: list) -> StatelessScope:
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                "Argument `metric_variables` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().variables. Received a list of length {len(values)}, but the metric has "
                f"{len(variables)} variables: {[v.path for v in variables]}."
            )
        return StatelessScope(state_mapping=list(zip(variables, values, strict=True)))

    # -- configuration ------------------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        """The constructor's arguments, as they are saved."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict) -> "Metric":
        """A metric from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def require_state(metric: Metric, built: bool) -> None:
    """Say what is wrong when the result of a metric is asked for that has seen no batch and so has no variables."""
    if not built:
        raise AttributeError(
            f"{metric!r} has no result yet: its variables take their shape from the first batch. Call `update_state` "
            "before `result`."
        )


def _leaves(value: Any) -> Iterator[Any]:
    """The variables and metrics in `value`, in lists, tuples, sets and dictionaries too."""
    if isinstance(value, (Variable, Metric)):
        yield value
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
