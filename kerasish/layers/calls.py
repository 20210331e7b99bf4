"""The outermost call of a layer that is in progress in a thread, and what it decides for the layers inside."""

import threading
from typing import Any


class Call:
    """What the outermost call in progress decides for the layers inside: the training mode."""

    def __init__(self, training: Any = None) -> None:
        self.training = training


calls = threading.local()  # its `now` is a Call, or None outside of all calls
