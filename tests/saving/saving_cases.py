"""Values and their configs: one row a kind of value. Read by the tests and by tests/golden/make_saving.py."""

import numpy as np


def named_function(x):
    return x


class Thing:
    """Has a config, and is registered under another name than its own."""

    def __init__(self, size=1):
        self.size = size

    def get_config(self):
        return {"size": self.size, "shape": (None, self.size)}

    @classmethod
    def from_config(cls, config):
        return cls(config.get("size", 1))


class Built(Thing):
    """Has a build config and a compile config, too."""

    built = True

    def get_build_config(self):
        return {"input_shape": (None, 3)}

    def get_compile_config(self):
        return {"optimizer": Thing(2), "loss": "mse"}


class Plain(Thing):
    """Is not registered."""


# name: (function of a namespace that gives the value, whether the value can be made again from its config)
# The namespace is `keras`, or in the tests what stands for it here.
FORMS = {
    "none": (lambda k: None, True),
    "int": (lambda k: 3, True),
    "bool": (lambda k: True, True),
    "float": (lambda k: 2.5, True),
    "text": (lambda k: "ä", True),
    "list": (lambda k: [1, [2, "x"]], True),
    "tuple": (lambda k: (1, (2, None)), True),
    "dict": (lambda k: {"a": (1, 2), "b": {"c": None}}, True),
    "bytes": (lambda k: b"ab", True),
    "slice": (lambda k: slice(1, None, 2), True),
    "slices": (lambda k: (slice(None), ..., None, 2), True),
    "ellipsis": (lambda k: ..., True),
    "numpy float": (lambda k: np.float32(1.5), True),
    "numpy int": (lambda k: np.int64(3), True),
    "numpy bool": (lambda k: np.bool_(True), True),
    "array of rank 0": (lambda k: np.array(2.0), True),
    "array": (lambda k: np.arange(4, dtype="int32").reshape(2, 2), True),
    "bool array": (lambda k: np.array([True, False]), True),
    "half array": (lambda k: np.array([0.5, 2], "float16"), True),
    "tensor": (lambda k: k.ops.convert_to_tensor(np.array([1.0, 2.0], "float32")), True),
    "tensor of rank 0": (lambda k: k.ops.convert_to_tensor(np.array(7, "int32")), True),
    "symbolic tensor": (lambda k: k.KerasTensor((None, 3), dtype="int32"), True),
    "nested": (lambda k: {"a": [np.ones(2, "float32"), slice(0, 1)], "b": (b"x", ...)}, True),
    "registered function": (lambda k: k.registered["function"], True),
    "function": (lambda k: named_function, False),
    "function by attribute": (lambda k: k.activations.relu, True),
    "numpy type": (lambda k: np.float32, False),
    "registered object": (lambda k: Thing(3), True),
    "object with build and compile configs": (lambda k: Built(2), False),
    "unregistered object": (lambda k: Plain(4), False),
    "objects in a dict": (lambda k: {"x": [Thing(1), Thing(2)]}, True),
}

# What has no config: the type of the error
ERRORS = {
    "complex": (lambda k: 1j, TypeError),
    "set": (lambda k: {1, 2}, TypeError),
    "object": (lambda k: object(), TypeError),
    "range": (lambda k: range(3), TypeError),
    "dtype": (lambda k: np.dtype("float32"), TypeError),
    "variable": (lambda k: k.Variable(1.0), TypeError),
    "array of text": (lambda k: np.array(["a"]), ValueError),
}


def register(k):
    """Register the classes and the function with `keras` or with us."""
    k.saving.register_keras_serializable("saving_cases", "AnotherName")(Thing)
    k.saving.register_keras_serializable("saving_cases")(Built)
    k.registered = {"function": k.saving.register_keras_serializable("saving_cases", "fn")(_registered_function)}


def _registered_function(x):
    return x
