"""What scripts tell other backends: where to compute, and what to compute twice to save memory. Here, one answer each."""

from contextlib import contextmanager
from typing import Any, Callable, Iterator

from kerasish.base.registry import export

REMAT_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


@export("keras.device")
@contextmanager
def device(device_name: str) -> Iterator[None]:
    """Compute on "cpu" or "cpu:0" inside a `with` block, which is where everything is computed.

    Raises ValueError for what is no name of a device, RuntimeError for a device that is not there.

    >>> with device("cpu:0"):
    ...     pass
    """
    if not isinstance(device_name, str):
        raise ValueError(
            f"Invalid value for argument `device_name`. Expected a string like 'cpu:0'. Received: device_name='{device_name}'"
        )
    if device_name.lower() not in ("cpu", "cpu:0"):
        raise RuntimeError(f"There is no device {device_name!r}: this library computes on 'cpu:0' and nowhere else.")
    yield


@export("keras.remat")
def remat(f: Callable) -> Callable:
    """`f` itself. Elsewhere, what `f` computed is forgotten and computed again for the gradient, to the same numbers;
    here memory is planned when a training step becomes a program.

    >>> remat(abs)(-2)
    2
    """
    return f


@export("keras.RematScope")
class RematScope:
    """A `with` block around layers that other backends compute twice (see `remat`); accepted, and changes nothing.

    Raises ValueError for a mode that Keras does not have.

    >>> with RematScope(mode="activations"):
    ...     pass
    """

    def __init__(self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Any = None):
        if mode not in REMAT_MODES:
            raise ValueError(f"Invalid mode '{mode}'. Supported modes are: {REMAT_MODES}")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = layer_names or []

    def __enter__(self) -> "RematScope":
        return self

    def __exit__(self, *exc: object) -> None:
        pass
