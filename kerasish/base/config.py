"""Global settings: the default float type, epsilon, the image layout, and a few switches."""

from typing import Any

from kerasish.base.registry import export

_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "interactive": True,
    "traceback_filtering": True,
}


@export("keras.config.floatx", "keras.backend.floatx")
def floatx() -> str:
    """The default float dtype, "float32" unless set.

    >>> floatx()
    'float32'
    """
    return _settings["floatx"]


@export("keras.config.set_floatx", "keras.backend.set_floatx")
def set_floatx(value: str) -> None:
    """Set the default float dtype: "bfloat16", "float16", "float32" or "float64"."""
    accepted = {"bfloat16", "float16", "float32", "float64"}
    if value not in accepted:
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of {sorted(accepted)}")
    _settings["floatx"] = str(value)


@export("keras.config.epsilon", "keras.backend.epsilon")
def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless set."""
    return _settings["epsilon"]


@export("keras.config.set_epsilon", "keras.backend.set_epsilon")
def set_epsilon(value: float) -> None:
    """Set `epsilon()`."""
    _settings["epsilon"] = value


@export("keras.config.image_data_format", "keras.backend.image_data_format")
def image_data_format() -> str:
    """The default layout of images: "channels_last" or "channels_first"."""
    return _settings["image_data_format"]


@export("keras.config.set_image_data_format", "keras.backend.set_image_data_format")
def set_image_data_format(data_format: str) -> None:
    """Set the default layout of images."""
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format`, checked; None means the default."""
    if data_format is None:
        return image_data_format()
    data_format = str(data_format).lower()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            "The `data_format` argument must be one of {'channels_first', 'channels_last'}. "
            f"Received: data_format={data_format}"
        )
    return data_format


@export("keras.config.backend", "keras.backend.backend")
def backend() -> str:
    """The name of what computes: always "numpy"."""
    return "numpy"


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
