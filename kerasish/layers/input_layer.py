"""Input: where a functional model begins."""

from typing import Any

from kerasish import dtype_policies
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.ops.symbolic import KerasTensor, Node


@export("keras.layers.InputLayer")
class InputLayer(Layer):
    """The layer behind an `Input`."""

    def __init__(
        self, shape: Any = None, batch_size: int | None = None, dtype: Any = None, sparse: Any = None,
        ragged: Any = None, batch_shape: Any = None, input_tensor: Any = None, optional: bool = False,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name)
        if shape is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
        if shape is None and batch_shape is None and input_tensor is None:
            raise ValueError("You must pass a `shape` argument.")
        if input_tensor is not None and batch_shape is None and shape is None:
            batch_shape = input_tensor.shape
        if batch_shape is None:
            if isinstance(shape, int):
                raise ValueError(f"Invalid shape: {shape}. A shape is a tuple such as ({shape},).")
            batch_shape = (batch_size, *shape)
        self._batch_shape = tuple(batch_shape)
        self._input_dtype = str(dtype) if dtype is not None else config.floatx()
        self.optional, self.sparse, self.ragged = optional, bool(sparse), bool(ragged)
        self.built = True
        self.dtype_policy = dtype_policies.get(config.floatx())
        output = KerasTensor(self._batch_shape, dtype=self._input_dtype, name=self.name)
        Node(self, (), {}, output)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("An InputLayer is not called.")

    @property
    def batch_shape(self) -> tuple:
        return self._batch_shape

    @property
    def dtype(self) -> str:
        return self._input_dtype

    def get_config(self) -> dict:
        return {
            "batch_shape": self._batch_shape,
            "dtype": self._input_dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


@export("keras.layers.Input", "keras.Input")
def Input(
    shape: Any = None, batch_size: int | None = None, dtype: Any = None, sparse: Any = None, ragged: Any = None,
    batch_shape: Any = None, name: str | None = None, tensor: Any = None, optional: bool = False,
) -> KerasTensor:  # fmt: skip
    """A symbolic tensor of this shape (without the batch axis) to build a model from.

    >>> Input((3,)).shape
    (None, 3)
    """
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged, batch_shape=batch_shape,
        name=name, input_tensor=tensor, optional=optional,
    )  # fmt: skip
    return layer.output
