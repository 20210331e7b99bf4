"""Dtype policies: in which dtype a layer keeps its variables, and in which it computes."""

from typing import Any

from kerasish.base import config
from kerasish.base.registry import export
from kerasish.engine.variable import _dtype_name


@export("keras.DTypePolicy", "keras.dtype_policies.DTypePolicy", "keras.mixed_precision.Policy")
class DTypePolicy:
    """A policy by name: a dtype for everything, or "mixed_float16" / "mixed_bfloat16".

    >>> DTypePolicy("mixed_float16").compute_dtype
    'float16'
    """

    def __init__(self, name: str | None = None, source_name: str | None = None):
        name = config.floatx() if name is None else name
        if not isinstance(name, str):
            raise TypeError(f"'name' must be a string, such as 'mixed_float16'. Received: name={name}")
        self._name = name
        self._source_name = source_name
        if name.startswith("mixed_"):
            if name not in ("mixed_float16", "mixed_bfloat16"):
                raise ValueError(f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid: 'mixed_float16', 'mixed_bfloat16'.")
            self._compute_dtype, self._variable_dtype = name.removeprefix("mixed_"), "float32"
        else:
            try:
                self._compute_dtype = self._variable_dtype = _dtype_name(name)
            except ValueError:
                raise ValueError(f"Cannot convert '{name}' to a DTypePolicy: it is no dtype's name.") from None

    @property
    def name(self) -> str:
        return self._name

    @property
    def compute_dtype(self) -> str:
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self._variable_dtype

    @property
    def quantization_mode(self) -> None:
        return None

    def get_config(self) -> dict:
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict) -> "DTypePolicy":
        return cls(**config)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'

    def __eq__(self, other: Any) -> bool:
        return type(other) is type(self) and other._name == self._name

    def __hash__(self) -> int:
        return hash(self._name)


_global: list[DTypePolicy] = []


@export("keras.config.dtype_policy", "keras.mixed_precision.dtype_policy", "keras.mixed_precision.global_policy")
def dtype_policy() -> DTypePolicy:
    """The policy that layers have unless they are given one."""
    return _global[0] if _global else DTypePolicy(config.floatx())


@export("keras.config.set_dtype_policy", "keras.mixed_precision.set_dtype_policy", "keras.mixed_precision.set_global_policy")
def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers made from now on: a DTypePolicy or its name."""
    _global[:] = [get(policy)]


@export("keras.dtype_policies.get")
def get(identifier: Any) -> DTypePolicy:
    """A DTypePolicy from a policy, a name or a config."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return DTypePolicy(**identifier.get("config", identifier))
    return DTypePolicy(identifier if isinstance(identifier, str) else _dtype_name(identifier))


@export("keras.dtype_policies.serialize")
def serialize(policy: DTypePolicy) -> dict:
    """The policy's config, as it stands in files."""
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": policy.get_config(),
        "registered_name": None,
    }


@export("keras.dtype_policies.deserialize")
def deserialize(config: Any, custom_objects: Any = None) -> DTypePolicy:
    """The policy of a config."""
    return get(config)
