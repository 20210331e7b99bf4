"""The library's own exception types. Everything else raises Python's, of the type Keras raises."""


class TracingError(TypeError):
    """The number behind a traced tensor was asked for while its program was being recorded."""


class NeedsSize(TracingError):
    """The length of a symbolic axis was needed as a number; the tracer then records again with the concrete sizes."""


class NonDifferentiableError(ValueError):
    """A gradient was asked for through an operation that has none."""


class UnsafeFileError(ValueError):
    """A file holds something that a saved model has no need of and that could do harm."""
