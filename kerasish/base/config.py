"""Global settings, `keras.config`: the default float type, epsilon, the image layout, and a few switches."""

import os
from typing import Any

from kerasish.base.registry import export

FLOATX = ("bfloat16", "float16", "float32", "float64")
DATA_FORMATS = ("channels_first", "channels_last")


def _limit(variable: str) -> int | None:
    value = os.environ.get(variable)
    return int(value) if value else None


_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "max_epochs": _limit("KERAS_MAX_EPOCHS"),
    "max_steps_per_epoch": _limit("KERAS_MAX_STEPS_PER_EPOCH"),
    "interactive": True,
    "traceback_filtering": True,
    "flash_attention": None,
}


# -- numbers and layouts ----------------------------------------------------------------------------------------------


@export("keras.config.floatx", "keras.backend.floatx")
def floatx() -> str:
    """The default float dtype, "float32" unless set.

    >>> floatx()
    'float32'
    """
    return _settings["floatx"]


@export("keras.config.set_floatx", "keras.backend.set_floatx")
def set_floatx(value: str) -> None:
    """Set the default float dtype: "bfloat16", "float16", "float32" or "float64", else ValueError.

    float16 on a CPU halves memory and costs time; for training, a dtype policy is usually the better way.
    """
    if value not in FLOATX:
        raise ValueError(f"Unknown `floatx` value: {value!r}. Expected one of {', '.join(FLOATX)}, as a string.")
    _settings["floatx"] = str(value)


@export("keras.config.epsilon", "keras.backend.epsilon")
def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless set."""
    return _settings["epsilon"]


@export("keras.config.set_epsilon", "keras.backend.set_epsilon")
def set_epsilon(value: float) -> None:
    """Set `epsilon()`. As in Keras, the value is not checked."""
    _settings["epsilon"] = value


@export("keras.config.image_data_format", "keras.backend.image_data_format")
def image_data_format() -> str:
    """The default layout of images: "channels_last" (unless set) or "channels_first"."""
    return _settings["image_data_format"]


@export("keras.config.set_image_data_format", "keras.backend.set_image_data_format")
def set_image_data_format(data_format: str) -> None:
    """Set the default layout of images: "channels_last" or "channels_first", in any case, else ValueError."""
    _settings["image_data_format"] = _checked_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format` in lower case, or ValueError; None means the default.

    >>> standardize_data_format(None), standardize_data_format("Channels_First")
    ('channels_last', 'channels_first')
    """
    return image_data_format() if data_format is None else _checked_data_format(data_format)


def _checked_data_format(data_format: Any) -> str:
    lowered = str(data_format).lower()
    if lowered not in DATA_FORMATS:
        raise ValueError(
            f"The `data_format` argument must be one of {', '.join(DATA_FORMATS)}. Received: data_format={data_format!r}"
        )
    return lowered


# -- what computes ----------------------------------------------------------------------------------------------------


@export("keras.config.backend", "keras.backend.backend")
def backend() -> str:
    """The name of what computes: always "numpy"."""
    return "numpy"


@export("keras.config.set_backend")
def set_backend(backend: str) -> None:
    """Accept "numpy", the only backend there is; ValueError for any other."""
    if backend != "numpy":
        raise ValueError(f"Unable to set the backend to {backend!r}: this library computes on 'numpy' and nothing else.")


@export("keras.config.is_nnx_enabled")
def is_nnx_enabled() -> bool:
    """Whether variables are Flax NNX variables: never."""
    return False


@export("keras.config.enable_flash_attention")
def enable_flash_attention() -> None:
    """Leave it to the library how attention is computed (the default)."""
    _settings["flash_attention"] = None


@export("keras.config.disable_flash_attention")
def disable_flash_attention() -> None:
    """Ask for attention in its textbook form."""
    _settings["flash_attention"] = False


@export("keras.config.is_flash_attention_enabled")
def is_flash_attention_enabled() -> bool | None:
    """False after `disable_flash_attention()`, None otherwise."""
    return _settings["flash_attention"]


# -- how long and how loud --------------------------------------------------------------------------------------------


@export("keras.config.max_epochs")
def max_epochs() -> int | None:
    """The most epochs that any `fit` runs, or None for no limit; at first the environment's KERAS_MAX_EPOCHS."""
    return _settings["max_epochs"]


@export("keras.config.set_max_epochs")
def set_max_epochs(max_epochs: int | None) -> None:
    """Set `max_epochs()`: for a quick run of a script that is written for a long one."""
    _settings["max_epochs"] = max_epochs


@export("keras.config.max_steps_per_epoch")
def max_steps_per_epoch() -> int | None:
    """The most steps of an epoch, or None for no limit; at first the environment's KERAS_MAX_STEPS_PER_EPOCH."""
    return _settings["max_steps_per_epoch"]


@export("keras.config.set_max_steps_per_epoch")
def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Set `max_steps_per_epoch()`."""
    _settings["max_steps_per_epoch"] = max_steps_per_epoch


@export("keras.config.enable_interactive_logging")
def enable_interactive_logging() -> None:
    """Draw progress bars on standard output (the default)."""
    _settings["interactive"] = True


@export("keras.config.disable_interactive_logging")
def disable_interactive_logging() -> None:
    """Send progress to `logging` instead of drawing it."""
    _settings["interactive"] = False


@export("keras.config.is_interactive_logging_enabled")
def is_interactive_logging_enabled() -> bool:
    """Whether progress bars are drawn."""
    return _settings["interactive"]


@export("keras.config.enable_traceback_filtering")
def enable_traceback_filtering() -> None:
    """Leave the library's own frames out of tracebacks (the default)."""
    _settings["traceback_filtering"] = True


@export("keras.config.disable_traceback_filtering")
def disable_traceback_filtering() -> None:
    """Show the library's own frames in tracebacks."""
    _settings["traceback_filtering"] = False


@export("keras.config.is_traceback_filtering_enabled")
def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks leave the library's frames out."""
    return _settings["traceback_filtering"]
