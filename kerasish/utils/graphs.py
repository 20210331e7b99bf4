"""Questions about graphs of layers."""

from typing import Any

from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.ops.symbolic import KerasTensor


@export("keras.utils.get_source_inputs")
def get_source_inputs(tensor: Any) -> list[KerasTensor]:
    """The inputs that a symbolic tensor is computed from.

    >>> from kerasish import Input
    >>> x = Input((2,))
    >>> get_source_inputs(x * 2 + x)[0] is x
    True
    """
    found: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    pending = list(tree.flatten(tensor))
    while pending:
        t = pending.pop(0)
        if not hasattr(t, "_keras_history") or id(t) in seen:
            continue
        seen.add(id(t))
        node = t._keras_history.operation._inbound_nodes[t._keras_history.node_index]
        if node.is_input:
            found.update({id(x): x for x in node.outputs})
        else:
            pending += node.input_tensors
    return list(found.values())
