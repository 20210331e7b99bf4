"""Function: the operations between symbolic inputs and outputs, ready to run on tensors."""

from typing import Any, Callable

from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.ops.symbolic import KerasTensor, Node, Operation


@export("keras.Function")
class Function(Operation):
    """Computes `outputs` from `inputs`, both structures of KerasTensors."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None):
        super().__init__(name=name)
        self._set_graph(inputs, outputs)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs, self._outputs = tree.flatten(inputs), tree.flatten(outputs)
        if not self._inputs:
            raise ValueError(f"`inputs` argument cannot be empty. Received:\ninputs={inputs}\noutputs={outputs}")
        if not self._outputs:
            raise ValueError(f"`outputs` argument cannot be empty. Received:\ninputs={inputs}\noutputs={outputs}")
        self._nodes, self._operations = map_graph(self._inputs, self._outputs)

    @property
    def operations(self) -> list[Operation]:
        return list(self._operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        return self._outputs

    def compute_output_spec(self, inputs: Any) -> Any:
        return self.run(inputs, lambda op: op.compute_output_spec)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of these shapes."""
        given = tree.flatten(tree.map_shape_structure(KerasTensor, input_shape))
        symbols = [KerasTensor(s.shape, dtype=t.dtype) for s, t in zip(given, self._inputs, strict=True)]
        outputs = self.compute_output_spec(tree.pack_sequence_as(self._inputs_struct, symbols))
        return tree.map_structure(lambda t: tuple(t.shape), outputs)

    def call(self, inputs: Any) -> Any:
        return self.run(inputs, lambda op: op)

    def run(self, inputs: Any, call: Callable[[Operation], Callable]) -> Any:
        """Go through the graph; `call(operation)` gives what is called at each node."""
        values = {id(t): v for t, v in zip(self._inputs, tree.flatten(inputs), strict=True)}
        for node in self._nodes:
            if node.is_input or all(id(o) in values for o in node.outputs):
                continue
            args, kwargs = node.filled(values)
            out = call(node.operation)(*args, **kwargs)
            for t, v in zip(node.outputs, tree.flatten(out), strict=True):
                values[id(t)] = v
        return tree.map_structure(lambda t: values[id(t)], self._outputs_struct)


def map_graph(inputs: list, outputs: list) -> tuple[list[Node], list[Operation]]:
    """The nodes between inputs and outputs in the order to run them, and their operations in Keras's order of layers.

    Keras sorts layers by their distance from the outputs, the farthest first, and in the order found where equal.
    """
    for t in inputs:
        if not isinstance(t, KerasTensor):
            raise ValueError(f"All `inputs` values must be KerasTensors. Received: inputs={inputs} including invalid {t!r}")
    for t in outputs:
        if not isinstance(t, KerasTensor):
            raise ValueError(
                f"All `outputs` values must be KerasTensors. Received: outputs={outputs} including invalid {t!r}"
            )
    stop = {id(t) for t in inputs}
    order: list[Node] = []
    done: set[int] = set()
    op_order: dict[int, int] = {}

    def visit(t: KerasTensor) -> None:
        if not hasattr(t, "_keras_history"):
            raise ValueError(f"{t!r} was not made by an operation: the graph from inputs to outputs is disconnected.")
        history = t._keras_history
        node = history.operation._inbound_nodes[history.node_index]
        if id(node) in done:
            return
        done.add(id(node))
        op_order.setdefault(id(node.operation), len(op_order))
        if id(t) not in stop:
            if node.is_input:
                raise ValueError(
                    f"`inputs` not connected to `outputs`: the outputs depend on {t!r}, which is not among the inputs."
                )
            for x in node.input_tensors:
                visit(x)
        order.append(node)

    for t in outputs:
        visit(t)
    for t in inputs:  # inputs that nothing uses belong to the model, too
        visit(t)

    depth: dict[int, int] = {}
    op_depth: dict[int, int] = {}
    ends = {id(t) for t in inputs}
    for node in reversed(order):
        d = max(depth.get(id(node), 0), op_depth.get(id(node.operation), 0))
        depth[id(node)] = op_depth[id(node.operation)] = d
        if any(id(o) in ends for o in node.outputs):
            continue
        for parent in node.parent_nodes:
            depth[id(parent)] = max(depth.get(id(parent), 0), d + 1)
    for t in inputs:
        op = t._keras_history.operation
        if not op._inbound_nodes[t._keras_history.node_index].is_input:
            continue
        op_depth.setdefault(id(op), 0)
    ops = {id(n.operation): n.operation for n in order}
    inputs_first = {id(t._keras_history.operation): i for i, t in enumerate(inputs)}
    top = max(op_depth.values(), default=0)

    def rank(op: Operation) -> tuple:
        return (-op_depth[id(op)] if id(op) in op_depth else -top, op_order[id(op)])

    del inputs_first
    operations = sorted(ops.values(), key=rank)
    names = [op.name for op in operations]
    repeated = {n for n in names if names.count(n) > 1}
    if repeated:
        raise ValueError(
            f'The name "{sorted(repeated)[0]}" is used {names.count(sorted(repeated)[0])} times in the model. '
            "All operation names should be unique."
        )
    return order, operations
