"""The functional graph: symbolic tensors, the operations that made them, and the nodes that join the two."""

from typing import Any, Callable, Iterable, NamedTuple

import numpy as np

from kerasish.base import config, tree
from kerasish.base.naming import auto_name
from kerasish.base.registry import export
from kerasish.engine.remat import current_scope, remat
from kerasish.engine.tensor import Tensor, TensorSpec
from kerasish.engine.trace import infer


class KerasHistory(NamedTuple):
    """Where a symbolic tensor comes from: an operation, which of its calls, which of that call's results."""

    operation: Any
    node_index: int
    tensor_index: int


@export("keras.KerasTensor")
class KerasTensor:
    """A tensor of a model that is being described: a shape (None where unknown) and a dtype, no numbers.

    >>> KerasTensor((None, 3)).shape
    (None, 3)
    """

    __array_priority__ = 102

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        del kwargs
        self.record_history = record_history
        self._shape = tuple(shape)
        self._dtype = str(dtype) if dtype is not None else config.floatx()
        self._sparse = bool(sparse)
        self._ragged = bool(ragged)
        self.name = name or auto_name("keras_tensor")

    @property
    def shape(self) -> tuple:
        return self._shape

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def sparse(self) -> bool:
        return self._sparse

    @property
    def ragged(self) -> bool:
        return self._ragged

    @property
    def ragged_rank(self) -> None:
        """There are no ragged tensors here."""
        return None

    @property
    def row_splits_dtype(self) -> None:
        """There are no ragged tensors here."""
        return None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse={self.sparse}, name={self.name}>"

    def _no_value(self, what: str, kind: type[Exception] = ValueError) -> Exception:
        return kind(
            f"A KerasTensor is symbolic: it has a shape and a dtype, but no value, so it can't be {what}. Use keras.ops "
            f"or layers on it, and build a model from its inputs to its outputs. Received: {self!r}"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._no_value("converted to a NumPy array")

    def __bool__(self) -> bool:
        raise self._no_value("used as a boolean", TypeError)

    def __int__(self) -> int:
        raise self._no_value("converted to an int")

    def __float__(self) -> float:
        raise self._no_value("converted to a float")

    def __iter__(self) -> Any:
        raise self._no_value("iterated over", NotImplementedError)

    def __hash__(self) -> int:
        return id(self)


def any_symbolic_tensors(args: Any = None, kwargs: Any = None) -> bool:
    """Whether a KerasTensor is among the arguments, at any depth."""
    for a in args or ():
        if isinstance(a, KerasTensor):
            return True
        if isinstance(a, (list, tuple, dict)) and any(isinstance(x, KerasTensor) for x in tree.flatten(a)):
            return True
    return bool(kwargs) and any_symbolic_tensors(list(kwargs.values()))


class Node:
    """One symbolic call of an operation: its arguments and its results."""

    def __init__(self, operation: "Operation", call_args: tuple, call_kwargs: dict, outputs: Any):
        self.operation = operation
        self.args, self.kwargs = call_args, call_kwargs
        self.input_tensors = [x for x in tree.flatten((call_args, call_kwargs)) if isinstance(x, KerasTensor)]
        self.outputs = tree.flatten(outputs)
        self.outputs_struct = outputs
        if not all(hasattr(t, "_keras_history") for t in self.input_tensors):
            return  # made of a bare KerasTensor, which comes from nowhere: it has a shape, but is no part of a model
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for i, t in enumerate(self.outputs):
            t._keras_history = KerasHistory(operation, index, i)
        for t in self.input_tensors:
            t._keras_history.operation._outbound_nodes.append(self)

    @property
    def parent_nodes(self) -> list["Node"]:
        """The nodes whose results this one takes."""
        histories = [t._keras_history for t in self.input_tensors]
        return [h.operation._inbound_nodes[h.node_index] for h in histories]

    @property
    def is_input(self) -> bool:
        return not self.input_tensors

    def filled(self, values: dict[int, Any]) -> tuple[tuple, dict]:
        """The arguments with values in place of the symbolic tensors."""

        def fill(x: Any) -> Any:
            return values[id(x)] if isinstance(x, KerasTensor) else x

        return tree.map_structure(fill, self.args), tree.map_structure(fill, self.kwargs)

    def __repr__(self) -> str:
        return f"<Node operation={self.operation}, id={id(self)}>"


def to_spec(x: Any) -> Any:
    return TensorSpec(x.shape, x.dtype) if isinstance(x, KerasTensor) else x


def from_spec(x: Any) -> Any:
    if not isinstance(x, TensorSpec):
        return x
    return KerasTensor(x.shape, dtype="string" if x.dtype.kind in "OUS" else x.dtype.name)


@export("keras.Operation", "keras.ops.Operation")
class Operation:
    """Something that can be called on tensors and becomes a node when called on KerasTensors. Layers are operations."""

    def __init__(self, name: str | None = None):
        name = name or auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name} "
                f"(of type {type(name)})"
            )
        self.name = name
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []
        object.__setattr__(self, "_remat", current_scope())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic_tensors(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        if self._remat is None:
            return self.call(*args, **kwargs)
        return self.rematerialized_call(self.call, *args, **kwargs)(*args, **kwargs)

    _remat: Any = None  # the RematScope it was made in

    def rematerialized_call(self, fn: Callable, *args: Any, **kwargs: Any) -> Callable:
        """`fn`, or a part of it, under `remat`: as the `RematScope` says in which this was made, for these arguments."""
        scope = self._remat
        if scope is None or scope.mode == "list_of_layers" and self.name not in scope.layer_names:
            return fn
        if scope.mode == "activations":
            return _activation_again(self, fn)
        if scope.mode == "larger_than" and _largest(self, args, kwargs) <= scope.output_size_threshold:
            return fn
        return self._again(fn)

    def _again(self, layer_call: Callable) -> Callable:
        return remat(layer_call)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """KerasTensors of the shapes and dtypes that `call` would return."""
        args, kwargs = tree.map_structure(to_spec, (args, kwargs))
        return tree.map_structure(from_spec, infer(self.call, *args, **kwargs))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not implement `call()`.")

    def get_config(self) -> dict:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        try:
            return cls(**config)
        except TypeError as e:
            raise TypeError(
                f"Error when deserializing class '{cls.__name__}' using config={config}.\n\nException encountered: {e}"
            ) from e

    @property
    def input(self) -> Any:
        """The symbolic input, if the operation was called once."""
        return self._get("input_tensors")

    @property
    def output(self) -> Any:
        """The symbolic output, if the operation was called once."""
        return self._get("outputs")

    def _get(self, kind: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined "
                f"{'input' if kind == 'input_tensors' else 'output'}."
            )
        if len(self._inbound_nodes) > 1:
            raise ValueError(f"The layer {self.name} has multiple inbound nodes, hence no single input and output.")
        node = self._inbound_nodes[0]
        values = getattr(node, kind) or node.outputs
        return values[0] if len(values) == 1 else values


def _largest(operation: Any, args: tuple, kwargs: dict) -> int:
    """The number of elements of the largest output, sizes that are unknown counted as 1."""

    def symbol(x: Any) -> Any:
        return KerasTensor(tuple(d if isinstance(d, int) else None for d in x.shape), x.dtype) if isinstance(x, Tensor) else x

    outputs = operation.compute_output_spec(*tree.map_structure(symbol, args), **tree.map_structure(symbol, kwargs))
    return max(int(np.prod([d for d in out.shape if d is not None])) for out in tree.flatten(outputs))


def _activation_again(operation: Any, call: Callable) -> Callable:
    activation = getattr(operation, "activation", None)
    if activation is None:
        return call

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        operation.__dict__["activation"] = remat(activation)
        try:
            return call(*args, **kwargs)
        finally:
            operation.__dict__["activation"] = activation

    return wrapped


def is_keras_tensor(x: Any) -> bool:
    """Whether x is symbolic."""
    return isinstance(x, KerasTensor)


def symbolic_leaves(x: Any) -> Iterable[KerasTensor]:
    return (t for t in tree.flatten(x) if isinstance(t, KerasTensor))


__all__ = ["KerasHistory", "KerasTensor", "Node", "Operation", "Tensor", "any_symbolic_tensors", "is_keras_tensor"]
