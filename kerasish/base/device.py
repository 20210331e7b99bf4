"""`keras.device`: there is one, the processor that runs NumPy."""

from types import TracebackType

from kerasish.base.registry import export


@export("keras.device")
class device:
    """A block whose tensors live on the named device, which can only be the processor: "cpu" or "cpu:0".

    >>> with device("cpu:0"):
    ...     pass
    """

    def __init__(self, device_name: str):
        if not isinstance(device_name, str):
            raise ValueError(
                "Invalid value for argument `device_name`. Expected a string like 'cpu:0'. "
                f"Received: device_name={device_name!r}"
            )
        kind, _, number = device_name.lower().partition(":")
        if kind != "cpu":
            raise RuntimeError(f"There is no device '{device_name}': everything is computed by NumPy, on 'cpu'.")
        if number not in ("", "0"):
            raise ValueError(f"Device not found: {device_name}. There is 'cpu:0' alone.")

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None
