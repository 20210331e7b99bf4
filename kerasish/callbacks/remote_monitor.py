"""RemoteMonitor: tell a server of each epoch."""

import json
import warnings
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np

from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback

_TIMEOUT = 10  # seconds; a server that hangs must not stop the training


@export("keras.callbacks.RemoteMonitor")
class RemoteMonitor(Callback):
    """Posts the logs of each epoch, and its number, to `root + path` as JSON.

    field: name of the form field that holds the JSON; unused with `send_as_json`.
    headers: additional HTTP headers.
    send_as_json: post the JSON itself, as application/json, instead of a form.

    A server that cannot be reached, or that refuses, leads to a warning.

    >>> RemoteMonitor(root="http://localhost:9000").path
    '/publish/epoch/end/'
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ):
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        values = {"epoch": epoch, **(logs or {})}
        text = json.dumps({name: _plain(value) for name, value in values.items()})
        if self.send_as_json:
            body, kind = text, "application/json"
        else:
            body, kind = urlencode({self.field: text}), "application/x-www-form-urlencoded"
        import urllib.request  # also loads http, email and ssl, which few programs need

        try:
            if urlsplit(self.root).scheme not in ("http", "https"):
                raise ValueError("the address must begin with http:// or https://")
            request = urllib.request.Request(
                self.root + self.path, body.encode(), {"Content-Type": kind, **(self.headers or {})}
            )
            urllib.request.urlopen(request, timeout=_TIMEOUT).close()
        except (OSError, ValueError) as error:  # URLError and timeouts are OSErrors
            warnings.warn(f"Could not reach RemoteMonitor root server at {self.root}: {error}", stacklevel=2)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, (np.ndarray, np.generic)) else value
