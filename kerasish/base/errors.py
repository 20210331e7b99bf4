"""The library's own exception types. Everything else raises Python's, of the type Keras raises."""


class TracingError(TypeError):
    """The number behind a traced tensor was asked for while its program was being recorded."""


class NeedsSize(TracingError):
    """The length of a symbolic axis was needed as a number; the tracer then records again with the concrete sizes."""


class NonDifferentiableError(ValueError):
    """A gradient was asked for through an operation that has none."""


class InputError(ValueError, TypeError):
    """What an op was given does not go together. Keras raises ValueErrors of its own and leaves what it does not look at to
    its backend, which on JAX raises TypeErrors: code that expects either finds this."""


class AxisError(ValueError, IndexError):
    """An axis that a tensor does not have; both types for the same reason (as NumPy's exception of this name)."""


class UnsafeFileError(ValueError):
    """A file holds something that a saved model has no need of and that could do harm."""
