"""Dtype policies: in which dtype a layer keeps its variables, and in which it computes."""

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from kerasish.base import config
from kerasish.base.registry import export
from kerasish.engine.variable import _dtype_name


@export("keras.DTypePolicy", "keras.dtype_policies.DTypePolicy", "keras.mixed_precision.DTypePolicy", "keras.mixed_precision.Policy")
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
    def from_config(cls, config: dict) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicy) and not isinstance(other, DTypePolicyMap) and other._name == self._name

    def __hash__(self) -> int:
        return hash(self._name)


@export("keras.FloatDTypePolicy", "keras.dtype_policies.FloatDTypePolicy")
class FloatDTypePolicy(DTypePolicy):
    """The older name of a policy that does not quantize: equal to the DTypePolicy of the same name.

    >>> FloatDTypePolicy("float16") == DTypePolicy("float16")
    True
    """

    def __init__(self, name: str | None = None):
        super().__init__(name)


@export("keras.dtype_policies.DTypePolicyMap")
class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Policies by the paths of layers: a layer has the one of its path, of the regular expression that matches all of
    its path, or else the default policy. Two expressions for one path are a ValueError.

    >>> policies = DTypePolicyMap("float32", {"encoder/.*": DTypePolicy("mixed_bfloat16")})
    >>> policies["encoder/dense"].compute_dtype, policies["head"].compute_dtype
    ('bfloat16', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None):
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                "If specified, `policy_map` must be a dict of paths and policies. "
                f"Received: policy_map={policy_map} of type {type(policy_map)}"
            )
        self._given_default = default_policy
        self._default_policy = get(default_policy)
        self._policy_map: dict[str, DTypePolicy] = {key: get(value) for key, value in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        return self._default_policy

    @property
    def name(self) -> str:
        return f"map_{self._default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        return self._default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self._default_policy.variable_dtype

    def __getitem__(self, path: str) -> DTypePolicy:
        if path in self._policy_map:
            return self._policy_map[path]
        matching = [key for key in self._policy_map if re.fullmatch(key, path)]
        if len(matching) > 1:
            raise ValueError(
                f"Path '{path}' matches multiple dtype policy specification keys: {matching}. Please make sure each path "
                "only matches at most one dtype policy specification key in the DTypePolicyMap."
            )
        return self._policy_map[matching[0]] if matching else self._default_policy

    def __setitem__(self, path: str, policy: Any) -> None:
        if path in self._policy_map:
            raise ValueError(
                f"{path} already exist in the DTypePolicyMap with value {self._policy_map[path]}. Please make sure to not use "
                "duplicated keys."
            )
        try:
            self._policy_map[path] = get(policy)
        except Exception as e:
            raise ValueError(
                "Cannot interpret the assigned value by `keras.dtype_policies.get`. "
                f"Received: {policy} of type {type(policy)}"
            ) from e

    def __delitem__(self, path: str) -> None:
        del self._policy_map[path]

    def __contains__(self, path: object) -> bool:
        return path in self._policy_map

    def __len__(self) -> int:
        return len(self._policy_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policy_map)

    def get_config(self) -> dict:
        default = self._given_default
        return {
            "default_policy": default.name if isinstance(default, DTypePolicy) else default,
            "policy_map": {path: serialize(policy) for path, policy in self._policy_map.items()},
        }

    def __repr__(self) -> str:
        mapping = [(path, policy.name) for path, policy in self._policy_map.items()]
        return f"<DTypePolicyMap default_policy={self._default_policy.name}, mapping={mapping}>"

    def __eq__(self, other: Any) -> bool:
        same = isinstance(other, DTypePolicyMap) and other._default_policy == self._default_policy
        return same and other._policy_map == self._policy_map

    def __hash__(self) -> int:
        return id(self)


POLICIES = {cls.__name__: cls for cls in (DTypePolicy, FloatDTypePolicy, DTypePolicyMap)}

_global: list[DTypePolicy] = []


@export("keras.config.dtype_policy", "keras.mixed_precision.dtype_policy", "keras.mixed_precision.global_policy")
def dtype_policy() -> DTypePolicy:
    """The policy that layers have unless they are given one."""
    return _global[0] if _global else DTypePolicy(config.floatx())


@export("keras.config.set_dtype_policy", "keras.mixed_precision.set_dtype_policy", "keras.mixed_precision.set_global_policy")
def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers made from now on: a DTypePolicy or its name."""
    _global[:] = [get(policy)]


def of_path(policy: DTypePolicy, path: str) -> DTypePolicy:
    """The policy that holds for a layer at a path."""
    return policy[path] if isinstance(policy, DTypePolicyMap) else policy


@export("keras.dtype_policies.get")
def get(identifier: Any) -> DTypePolicy:
    """A DTypePolicy from a policy, a name, a dtype or a config."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    try:
        name = _dtype_name(identifier)
    except (TypeError, ValueError):
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy. "
            f"Received: dtype={identifier}"
        ) from None
    return DTypePolicy(name)


@export("keras.dtype_policies.serialize")
def serialize(dtype_policy: DTypePolicy) -> dict:
    """The policy's config, as it stands in files."""
    return {
        "module": "keras.dtype_policies" if isinstance(dtype_policy, DTypePolicyMap) else "keras",
        "class_name": type(dtype_policy).__name__,
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


@export("keras.dtype_policies.deserialize")
def deserialize(config: Any, custom_objects: Any = None) -> DTypePolicy:
    """The policy of a config."""
    if not isinstance(config, dict):
        return get(config)
    cls = POLICIES.get(config.get("class_name", "DTypePolicy"))
    if cls is None:
        raise ValueError(
            f"Unknown dtype policy {config['class_name']!r}: policies that quantize are not supported. Known: {sorted(POLICIES)}"
        )
    return cls.from_config(dict(config.get("config", config)))
