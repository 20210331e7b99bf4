"""A layer as what files hold of it: its config, and its own variables."""

import functools
import inspect
from typing import Any

from kerasish import dtype_policies
from kerasish.base.registry import canonical_path
from kerasish.layers.tracking import TrackedDict, TrackedList
from kerasish.saving.serialization import serialize_keras_object


class Storable:
    """The part of Layer that is written to files and read from them."""

    def get_config(self) -> dict:
        """What the constructor needs to make the layer again."""
        base = {"name": self.name, "trainable": self.trainable, "dtype": dtype_policies.serialize(self.dtype_policy)}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = serialize_keras_object(self.activity_regularizer)
        cls, args, kwargs = self._constructed
        if cls.__init__ is _layer_class(cls).__init__:
            return base
        if canonical_path(cls) is not None:
            return {**base, **{k: self._config_value(k) for k in _own_parameters(cls)}}
        if type(self).get_config is not Storable.get_config:
            return base
        # a user's layer without get_config: the arguments it was made with, if they can be written down
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        bound = inspect.signature(cls.__init__).bind(None, *args, **kwargs)
        bound.apply_defaults()
        own = {p.name: bound.arguments[p.name] for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        rest = [p for p in parameters if p.kind is p.VAR_KEYWORD]
        if rest:  # what is passed on to Layer, which writes its own arguments in `base`
            own |= bound.arguments[rest[0].name]
        positional = any(bound.arguments[p.name] for p in parameters if p.kind is p.VAR_POSITIONAL)
        known = {k: v for k, v in base.items() if rest or k in own}
        if positional or not all(_is_basic(v) for k, v in own.items() if k not in known):
            raise NotImplementedError(
                f"Object {cls.__name__} was created by passing non-serializable argument values in `__init__()`, and "
                "therefore the object must override `get_config()` in order to be serializable. Please implement it."
            )
        return {**own, **known}

    def _config_value(self, name: str) -> Any:
        value = getattr(self, name)
        if isinstance(value, (TrackedList, TrackedDict)):
            value = list(value) if isinstance(value, TrackedList) else dict(value)
        if isinstance(value, (int, float, str, bool, type(None), tuple, list)) and _is_basic(value):
            return value
        if inspect.isfunction(value) and canonical_path(value) is not None:
            return value.__name__
        return serialize_keras_object(value)

    @classmethod
    def from_config(cls, config: dict) -> Any:
        config = dict(config)
        dtype = config.get("dtype")
        if isinstance(dtype, dict):
            config["dtype"] = dtype_policies.get(dtype)
        try:
            return cls(**config)
        except Exception as e:
            raise TypeError(
                f"Error when deserializing class '{cls.__name__}' using config={config}.\n\nException encountered: {e}"
            ) from e

    _not_saved = frozenset((
        "_layers", "_metrics", "_trainable_variables", "_non_trainable_variables", "_seed_generators", "_losses",
        "_constructed", "_functional", "_stack", "_compile_args", "_compiled_loss", "_compiled_metrics", "_loss_tracker",
        "_functions", "_optimizer", "_training_epochs", "_inbound_nodes", "_outbound_nodes", "_build_shapes_dict",
        "history",
    ))  # fmt: skip

    def _saveable_children(self) -> list[tuple[str, Any]]:
        """What the layer owns, by attribute, in the order files have."""
        names = sorted(self.__dict__, key=lambda n: f"~{n}" if n.startswith("_") else n)
        return [(n, self.__dict__[n]) for n in names if n not in self._not_saved]

    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own variables into a dictionary-like store."""
        for i, v in enumerate((*self._trainable_variables, *self._non_trainable_variables)):
            store[f"{i}"] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the layer's own variables from a store."""
        own = (*self._trainable_variables, *self._non_trainable_variables)
        if len(store.keys()) != len(own):
            if not own and not self.built:
                raise ValueError(
                    f"Layer '{self.name}' was never built and thus it doesn't have any variables. However the weights "
                    f"file lists {len(store.keys())} variables for this layer. Build the layer before loading."
                )
            raise ValueError(
                f"Layer '{self.name}' expected {len(own)} variables, but received {len(store.keys())} variables during "
                f"loading. Expected: {[v.name for v in own]}"
            )
        for i, v in enumerate(own):
            v.assign(store[f"{i}"])


def _layer_class(cls: type) -> type:
    """Layer, among the bases of a layer's class: what its constructor takes, all layers have."""
    return next(base for base in cls.__mro__ if Storable in base.__bases__)


def _is_basic(x: Any) -> bool:
    if isinstance(x, dict):
        return all(isinstance(k, str) and _is_basic(v) for k, v in x.items())
    if isinstance(x, (list, tuple)):
        return all(map(_is_basic, x))
    return x is None or isinstance(x, (bool, int, float, str))


@functools.lru_cache(maxsize=1024)
def _own_parameters(cls: type) -> tuple[str, ...]:
    """The constructor's parameters that are the layer's own, in order, inherited ones first."""
    generic = _layer_class(cls).__mro__
    names: dict[str, None] = {}
    for base in reversed(cls.__mro__):
        init = base.__dict__.get("__init__")
        if init is None or base in generic:
            continue
        for p in inspect.signature(init).parameters.values():
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in ("self", "name", "trainable", "dtype"):
                names[p.name] = None
    hidden = getattr(cls, "_not_in_config", ())
    return tuple(n for n in names if n not in hidden)
