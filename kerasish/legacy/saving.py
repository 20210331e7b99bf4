"""`keras.legacy.saving`: configs of the form that `.h5` files hold, a class name and a config and nothing else."""

from typing import Any

from kerasish.base.registry import export, get_registered_name
from kerasish.saving import serialization


@export("keras.legacy.saving.serialize_keras_object")
def serialize_keras_object(instance: Any) -> Any:
    """The class name and config of an object, the name of a function, or None for None.

    >>> from kerasish.initializers import Zeros
    >>> serialize_keras_object(Zeros())
    {'class_name': 'Zeros', 'config': {}}
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": get_registered_name(type(instance)), "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(f"Cannot serialize {instance} because it doesn't implement `get_config()`.")


@export("keras.legacy.saving.deserialize_keras_object")
def deserialize_keras_object(
    identifier: Any, module_objects: Any = None, custom_objects: Any = None, printable_module_name: str = "object"
) -> Any:
    """What a config of the older form describes. module_objects: classes and functions by name, besides custom ones."""
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        if "class_name" not in identifier or "config" not in identifier:
            raise ValueError(
                f"Improper config format for {identifier}. Expecting python dict contains `class_name` and `config` as keys"
            )
        name = identifier["class_name"]
    elif isinstance(identifier, str):
        name = identifier
    elif callable(identifier):
        return identifier
    else:
        raise ValueError(f"Could not interpret serialized {printable_module_name}: {identifier}")
    found = serialization.deserialize_keras_object(
        identifier, custom_objects=custom_objects, module_objects=module_objects or {}
    )
    if isinstance(found, str):
        raise ValueError(
            f"Unknown {printable_module_name}: '{name}'. Pass it in `custom_objects`, or open a "
            "`keras.saving.custom_object_scope` that has it."
        )
    return found
