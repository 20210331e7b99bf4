"""`keras.legacy`."""

from kerasish.legacy import saving

__all__ = ["saving"]
