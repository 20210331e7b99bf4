"""Model: a layer that trains, saves and shows itself; subclassed, or from a graph of layers."""

import inspect
from typing import Any, Callable

import numpy as np

from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.engine.tensor import Tensor, TensorSpec
from kerasish.engine.trace import infer
from kerasish.layers.building import tupled
from kerasish.layers.calls import shape_of, training_default
from kerasish.layers.input_layer import Input, InputLayer
from kerasish.layers.layer import Layer
from kerasish.models.state_tree import get_state_tree, set_state_tree
from kerasish.models.summary import print_summary
from kerasish.ops.function import Function
from kerasish.ops.symbolic import KerasTensor
from kerasish.saving import api as saving_api
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object, to_json
from kerasish.training.trainer import Trainer


def _is_functional(args: tuple, kwargs: dict) -> bool:
    return len(args) >= 2 or "inputs" in kwargs and "outputs" in kwargs


def made_like_functional(cls: type) -> bool:
    """Whether a class is made from inputs, outputs and a name, and so can be made again from its graph alone."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    named = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    passed_on = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return named <= {"inputs", "outputs", "name", "trainable"} and (passed_on or {"inputs", "outputs"} <= named)


@export("keras.Model", "keras.models.Model")
class Model(Trainer, Layer):
    """Layers made into something to train: `Model(inputs, outputs)`, or a subclass with a `call`."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            return object.__new__(Functional)
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any):
        functional = _is_functional(args, kwargs)
        inputs = outputs = None
        if functional:
            given = dict(zip(("inputs", "outputs", "name"), args, strict=False)) | kwargs
            inputs, outputs = given.pop("inputs"), given.pop("outputs")
            kwargs = given
        elif args:
            raise ValueError(f"Model takes `inputs` and `outputs`, or no positional arguments. Received: {args}")
        self._functional: Any = None
        Layer.__init__(self, **kwargs)
        Trainer.__init__(self)
        if functional:
            self._set_graph(inputs, outputs)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        """Make the layers between inputs and outputs this model's."""
        function = Function(inputs, outputs, name=f"{self.name}_graph")
        object.__setattr__(self, "_functional", function)
        for op in function.operations:
            if isinstance(op, Layer):
                self._track(op)
        self.built = True
        object.__setattr__(self, "_build_shapes_dict", {"input_shape": None})  # as in the files of Keras

    def _has_call(self) -> bool:
        return self._functional is not None or type(self).call is not Model.call

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if self._functional is None:
            raise NotImplementedError(
                f"Model {type(self).__name__} does not have a `call()` method implemented. Define one, or make the model "
                "from inputs and outputs."
            )

        def at(op: Any) -> Callable:
            """What the graph says about training holds unless the model is called in a mode."""
            if training is None or not isinstance(op, Layer):
                return op
            return lambda *args, **kwargs: op(*args, **{k: v for k, v in kwargs.items() if k != "training"})

        return self._functional.run(self._standardized(inputs), at)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return self._inferred(args, {k: v for k, v in kwargs.items() if k != "mask"})

    def _standardized(self, inputs: Any, sizes: bool = True) -> list:
        """The inputs in the graph's order, with the ranks it expects, and the sizes."""
        wanted = self._functional.inputs
        struct = self._functional._inputs_struct
        if isinstance(inputs, dict) and not isinstance(struct, dict):
            names = [t._keras_history.operation.name for t in wanted]
            missing = [n for n in names if n not in inputs]
            if missing:
                raise ValueError(f"Missing data for input '{missing[0]}'. Received inputs: {sorted(inputs)}; expected: {names}.")
            flat = [inputs[n] for n in names]
        elif isinstance(inputs, dict):
            flat = tree.flatten({k: inputs[k] for k in struct})
        else:
            flat = tree.flatten(inputs)
        if len(flat) != len(wanted):
            raise ValueError(
                f"Layer '{self.name}' expected {len(wanted)} input(s). Received {len(flat)} instead."
            )
        out = []
        for x, t in zip(flat, wanted, strict=True):
            rank = len(x.shape)
            if rank == len(t.shape) - 1 and t.shape[-1] == 1:
                mask = getattr(x, "_keras_mask", None)
                x = x[..., None] if not isinstance(x, KerasTensor) else KerasTensor((*x.shape, 1), x.dtype)
                if mask is not None:
                    x._keras_mask = mask
            elif rank != len(t.shape) and not (rank == len(t.shape) + 1 and shape_of(x)[-1] == 1):
                raise ValueError(
                    f"Input of layer '{self.name}' is incompatible with the layer: expected shape={t.shape}, found "
                    f"shape={shape_of(x)}"
                )
            for have, want in zip(shape_of(x)[1:], t.shape[1:], strict=False):
                if sizes and have is not None and want is not None and have != want:
                    raise ValueError(
                        f"Input of layer '{self.name}' is incompatible with the layer: expected shape={t.shape}, found "
                        f"shape={shape_of(x)}"
                    )
            out.append(x)
        return out

    # -- structure ----------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers directly in the model."""
        if self._functional is not None:
            return [op for op in self._functional.operations if isinstance(op, Layer)]
        return [layer for layer in self._flatten_layers(include_self=False, recursive=False)]

    @property
    def operations(self) -> list:
        return self._functional.operations if self._functional is not None else []

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list:
        if self._functional is not None:  # the graph's order, then what else is attached
            order = {id(op): i for i, op in enumerate(self._functional.operations)}
            self._layers.sort(key=lambda layer: order.get(id(layer), len(order)))
        return super()._flatten_layers(include_self, recursive)

    @property
    def inputs(self) -> Any:
        return self._tensors("inputs")

    @property
    def outputs(self) -> Any:
        return self._tensors("outputs")

    def _tensors(self, which: str) -> Any:
        if self._functional is not None:
            return getattr(self._functional, which)
        raise AttributeError(
            f"{type(self).__name__} '{self.name}' has no defined {which} yet: only a model that was built, of layers or from "
            f"symbolic tensors, has them. Build it with `build()`, or call it."
        )

    @property
    def input_shape(self) -> Any:
        shapes = [t.shape for t in self._graph("input_shape").inputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        shapes = [t.shape for t in self._graph("output_shape").outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def input(self) -> Any:
        return self._graph("input")._inputs_struct

    @property
    def output(self) -> Any:
        return self._graph("output")._outputs_struct

    @property
    def output_names(self) -> list[str]:
        if self._functional is None:
            return []
        return [t._keras_history.operation.name for t in self._functional.outputs]

    @property
    def input_names(self) -> list[str]:
        return [t._keras_history.operation.name for t in (self._functional.inputs if self._functional is not None else [])]

    def _graph(self, what: str) -> Function:
        if self._functional is None:
            raise AttributeError(f"The layer {self.name} has never been called and thus has no defined {what}.")
        return self._functional

    def _saveable_children(self) -> list[tuple[str, Any]]:
        """The layers are a child like others, at their place among the names; of a graph or a stack, the first."""
        children = super()._saveable_children()
        if self._optimizer is not None:
            children.append(("optimizer", self._optimizer))
        first = self._functional is not None or hasattr(self, "_stack")
        children.append(("layers", self.layers))

        def place(child: tuple[str, Any]) -> str:
            name = child[0]
            return "" if first and name == "layers" else f"~{name}" if name.startswith("_") else name

        return sorted(children, key=place)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its place."""
        if (name is None) == (index is None):
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        if index is not None:
            if len(self.layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} layers."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}.")

    def _build_on(self, x: Any) -> None:
        """Build by tracing the call on the shapes of a batch."""

        def spec(a: Any) -> Any:
            a = a if hasattr(a, "shape") else np.asarray(a)
            return TensorSpec((None, *a.shape[1:]), a.dtype)

        infer(self, tree.map_structure(spec, x))
        if not self.built:
            raise ValueError(f"The model {self.name} could not be built on the batch it was given.")

    def build(self, input_shape: Any) -> None:
        """Make the variables for inputs of this shape."""
        if self._functional is not None or self.built:
            self.built = True
            return
        shape = tupled(input_shape)

        def spec(s: Any) -> TensorSpec:
            return TensorSpec((None, *s[1:]), self.compute_dtype)

        single = isinstance(shape, tuple)
        specs = spec(shape) if single else tree.map_shape_structure(spec, shape)
        try:
            infer(self.call, specs)
        except NotImplementedError:
            raise
        except Exception as e:
            raise ValueError(
                f"Model {self.name} cannot be built by calling it on the shape {input_shape}: {type(e).__name__}: {e}. "
                "Call the model on data instead."
            ) from e
        self.built = True

    def summary(
        self, line_length: int | None = None, positions: Any = None, print_fn: Callable | None = None,
        expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None,
    ) -> None:  # fmt: skip
        """Print the layers with their output shapes and parameter counts, and what memory the variables take.

        line_length:    the width of the table; None for as much as its cells need.
        positions:      where each column ends, as parts of the width or, if the last is above 1, in characters.
        print_fn:       is called once with all of the text, instead of `print`.
        expand_nested:  show the layers of models inside the model, too.
        show_trainable: a column that says whether a layer learns: "Y", "N", or "-" for one without weights.
        layer_range:    the names of the first and the last layer to show.
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, dict]:
        """The values of all variables, as nested dicts by their paths, for each of "trainable_variables",
        "non_trainable_variables", "optimizer_variables" and "metrics_variables".

        value_format: "backend_tensor" or "numpy_array".
        """
        return get_state_tree(self, value_format)

    def set_state_tree(self, state_tree: dict[str, dict]) -> None:
        """Assign the values of a structure from `get_state_tree`, or of a part of it."""
        set_state_tree(self, state_tree)

    # -- saving -------------------------------------------------------------------------------------------------------

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Save to a `.keras` or `.h5` file."""
        saving_api.save_model(self, filepath, overwrite=overwrite, **({"zipped": zipped} if zipped is not None else {}), **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Save the weights to a `.weights.h5` file."""
        saving_api.save_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Load the weights from a `.weights.h5`, `.keras` or `.h5` file."""
        saving_api.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture, and how the model is compiled, as JSON; arguments are those of `json.dumps`."""
        return to_json(serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict:
        if self._functional is None or not made_like_functional(type(self)):
            return super().get_config()
        return graph_config(self)

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        if "layers" in config and "input_layers" in config and "output_layers" in config:
            return graph_from_config(cls, config, custom_objects)
        config = dict(config)
        return super().from_config(config)


@export("keras.src.models.functional.Functional", "keras.models.Functional", "keras.Functional")
class Functional(Model):
    """A model from a graph of layers."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return object.__new__(cls)


# -- the graph in files -----------------------------------------------------------------------------------------------


def _history(t: KerasTensor, node_index: dict) -> list:
    h = t._keras_history
    return [h.operation.name, node_index[(id(h.operation), h.node_index)], h.tensor_index]


def graph_config(model: Model) -> dict:
    """A functional model's config: its layers, how each was called, inputs and outputs."""
    function = model._functional
    nodes = {id(n) for n in function._nodes}
    node_index: dict = {}
    for op in function.operations:
        kept = [i for i, n in enumerate(op._inbound_nodes) if id(n) in nodes]
        node_index.update({(id(op), i): k for k, i in enumerate(kept)})

    def encode(x: Any) -> Any:
        if isinstance(x, KerasTensor):
            return {
                "class_name": "__keras_tensor__",
                "config": {"shape": list(x.shape), "dtype": x.dtype, "keras_history": _history(x, node_index)},
            }
        if isinstance(x, (list, tuple)):
            return [encode(v) for v in x]
        if isinstance(x, dict):
            return {k: encode(v) for k, v in x.items()}
        return serialize_keras_object(x)

    layers = []
    for op in function.operations:
        inbound = []
        for n in op._inbound_nodes:
            if id(n) in nodes and not n.is_input:
                kwargs = {k: encode(v) for k, v in n.kwargs.items()}
                mode = training_default(type(op).call) if isinstance(op, Layer) else None
                if mode is not None:  # Keras writes it
                    kwargs.setdefault("training", mode)
                inbound.append({"args": [encode(a) for a in n.args], "kwargs": kwargs})
        config = serialize_keras_object(op)
        layers.append({**config, "name": op.name, "inbound_nodes": inbound})

    def ends(struct: Any) -> Any:
        out = tree.map_structure(lambda t: tuple(_history(t, node_index)), struct)
        return tree.traverse(lambda x: list(x) if isinstance(x, tuple) and len(x) == 3 and isinstance(x[0], str) else None, out)

    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": ends(function._inputs_struct),
        "output_layers": ends(function._outputs_struct),
    }


def graph_from_config(cls: type, config: dict, custom_objects: Any = None) -> Any:
    """The functional model of a config."""
    made: dict[str, Any] = {}
    for entry in config["layers"]:
        plain = {k: v for k, v in entry.items() if k not in ("inbound_nodes",)}
        name = plain.pop("name", None)
        layer = deserialize_keras_object(plain, custom_objects=custom_objects)
        made[name or layer.name] = layer
    tensors: dict[tuple, KerasTensor] = {}
    first = {name: len(op._inbound_nodes) if not isinstance(op, InputLayer) else 0 for name, op in made.items()}

    def find(history: Any) -> Any:
        name, node, index = history[0], history[1], history[2]
        op = made[name]
        k = first[name] + node
        if k >= len(op._inbound_nodes):
            raise LookupError(name)
        return op._inbound_nodes[k].outputs[index]

    def decode(x: Any) -> Any:
        if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
            return find(x["config"]["keras_history"])
        if isinstance(x, list):
            return [decode(v) for v in x]
        if isinstance(x, dict) and "class_name" not in x:
            return {k: decode(v) for k, v in x.items()}
        return deserialize_keras_object(x, custom_objects=custom_objects) if isinstance(x, dict) else x

    pending = [(e.get("name") or e["config"]["name"], n) for e in config["layers"] for n in e.get("inbound_nodes", [])]
    while pending:
        left = []
        for name, n in pending:
            blocked = any(other == name for other, _ in left)
            try:
                if blocked:
                    raise LookupError(name)
                args = [decode(a) for a in n["args"]]
                kwargs = {k: decode(v) for k, v in n["kwargs"].items()}
            except LookupError:
                left.append((name, n))
                continue
            made[name](*args, **kwargs)
        if len(left) == len(pending):
            raise ValueError(f"The model's config is not connected: layers {[n for n, _ in left]} wait for inputs.")
        pending = left
    del tensors

    def ends(struct: Any) -> Any:
        if isinstance(struct, (list, tuple)) and len(struct) == 3 and isinstance(struct[0], str):
            return find(struct)
        if isinstance(struct, dict):
            return {k: ends(v) for k, v in struct.items()}
        return [ends(s) for s in struct]

    inputs, outputs = ends(config["input_layers"]), ends(config["output_layers"])
    cls = Functional if cls is Model else cls
    model = cls(inputs=inputs, outputs=outputs, name=config.get("name"))
    if config.get("trainable") is False:
        model.trainable = False
    return model


__all__ = ["Functional", "Input", "Model", "Tensor"]
