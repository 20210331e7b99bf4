"""Config: settings as attributes."""

import json
from typing import Any

from kerasish.base.registry import export


@export("keras.utils.Config")
class Config:
    """Settings by name, as attributes and as items, which can be frozen.

    >>> config = Config(units=3)
    >>> config.rate = 0.5
    >>> config.as_dict(), config["units"]
    ({'units': 3, 'rate': 0.5}, 3)
    """

    def __init__(self, **kwargs: Any):
        object.__setattr__(self, "_config", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    def _change(self) -> dict:
        if self._frozen:
            raise ValueError("Cannot mutate attribute(s) because the config is frozen. Call `unfreeze()` first.")
        return self._config

    def freeze(self) -> None:
        """Let nothing be changed from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        return self._frozen

    def as_dict(self) -> dict:
        return dict(self._config)

    def to_json(self) -> str:
        return json.dumps(self._config)

    def keys(self) -> Any:
        return self._config.keys()

    def values(self) -> Any:
        return self._config.values()

    def items(self) -> Any:
        return self._config.items()

    def get(self, *args: Any) -> Any:
        return self._config.get(*args)

    def pop(self, *args: Any) -> Any:
        return self._change().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        self._change().update(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_config"][name]
        except KeyError:
            raise AttributeError(f"Unknown attribute: '{name}'.") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._change()[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._config:
            raise AttributeError(f"Unknown attribute: '{name}'.")
        del self._change()[name]

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._change()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._change()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._config

    def __iter__(self) -> Any:
        return iter(sorted(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"
