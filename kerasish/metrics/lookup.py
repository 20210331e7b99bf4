"""`get`, `serialize` and `deserialize` of metrics.

Unlike a loss, a metric's name always means a class: "mean_squared_error" is MeanSquaredError, not the function.
"""

import inspect
from typing import Any

from kerasish.base.naming import to_snake_case
from kerasish.base.registry import export, exported
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object

ALIASES = {
    "bce": "BinaryCrossentropy",
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
}


def named_classes() -> dict[str, type]:
    """The metrics by their class names, these in snake case, and the aliases in small and capital letters."""
    classes = {name: obj for name, obj in exported("keras.metrics").items() if inspect.isclass(obj)}
    classes = {cls.__name__: cls for cls in classes.values()}
    names = {to_snake_case(name): cls for name, cls in classes.items()}
    for alias, name in ALIASES.items():
        names[alias] = names[alias.upper()] = classes[name]
    return {**names, **classes}


@export("keras.metrics.serialize")
def serialize(metric: Any) -> Any:
    """The config of a metric, from which `deserialize` makes it again.

    >>> serialize(deserialize("mse"))["class_name"]
    'MeanSquaredError'
    """
    return serialize_keras_object(metric)


@export("keras.metrics.deserialize")
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric that a config or a name stands for.

    custom_objects: your classes and functions by the names that the config uses.
    """
    return deserialize_keras_object(config, module_objects=named_classes(), custom_objects=custom_objects)


@export("keras.metrics.get")
def get(identifier: Any) -> Any:
    """A metric from a name, a config, a class, a function of `y_true` and `y_pred`, or a metric; None stays None.

    Raises ValueError for what is none of these.

    >>> get("AUC").num_thresholds
    200
    """
    if identifier is None:
        return None
    obj = deserialize(identifier) if isinstance(identifier, (str, dict)) else identifier
    if not callable(obj):
        raise ValueError(
            f"Could not interpret metric identifier: {identifier!r}. Expected the name of a metric such as "
            "'mean_squared_error', its config, a function, or a Metric."
        )
    return obj() if inspect.isclass(obj) else obj
