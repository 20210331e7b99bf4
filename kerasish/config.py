"""`keras.config`."""


__all__ = [name for name in dir() if not name.startswith("_")]  # noqa: PLE0605
