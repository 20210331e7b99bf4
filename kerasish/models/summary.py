"""model.summary(): the layers as a table."""

import math
from typing import Any, Callable

import numpy as np


def _size(variables: list) -> tuple[int, float]:
    n = sum(math.prod(v.shape) for v in variables)
    return n, sum(math.prod(v.shape) * np.dtype(v._dtype).itemsize for v in variables)


def _bytes(n: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if n < 1024 or unit == "GB":
            return f"{n:.2f} {unit}"
        n /= 1024
    return ""


def _rows(model: Any, nested: bool, trainable: bool, indent: str, several: bool) -> list[list[str]]:
    rows = []
    for layer in model.layers:
        shape = "?"
        if layer._inbound_nodes:
            outs = layer._inbound_nodes[-1].outputs
            shape = str(outs[0].shape) if len(outs) == 1 else str([o.shape for o in outs])
        count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
        row = [f"{indent}{layer.name} ({type(layer).__name__})", shape, count]
        if several:
            sources = [t._keras_history for n in layer._inbound_nodes for t in n.input_tensors]
            row.append(", ".join(f"{h.operation.name}[{h.node_index}][{h.tensor_index}]" for h in sources) or "-")
        if trainable:
            row.append("Y" if layer.trainable_weights else "N" if layer.weights else "-")
        rows.append(row)
        if nested and hasattr(layer, "layers"):
            rows += _rows(layer, nested, trainable, indent + "    ", several)
    return rows


def print_summary(
    model: Any, line_length: int | None, print_fn: Callable | None, expand_nested: bool, show_trainable: bool, span: Any
) -> None:
    """Print the table; columns are as wide as what stands in them."""
    if not model.built:
        note = "This model has not yet been built. Build it by calling `build()` or by calling it on a batch of data."
        (print_fn or print)(f'Model: "{model.name}"\n{note}')
    function = model._functional
    linear = function is None or all(len(n.input_tensors) <= 1 for n in function._nodes) and len(model.outputs) == 1
    rows = _rows(model, expand_nested, show_trainable, "", not linear)
    if span is not None:
        names = [r[0].split(" ")[0] for r in rows]
        rows = rows[names.index(span[0]) : names.index(span[1]) + 1]
    head = ["Layer (type)", "Output Shape", "Param #"] + ([] if linear else ["Connected to"])
    head += ["Trainable"] if show_trainable else []
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    right = {2}

    def line(cells: list[str]) -> str:
        parts = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "│ " + " │ ".join(parts) + " │"

    bars = ["─" * (w + 2) for w in widths]
    out = [f'Model: "{model.name}"', "┌" + "┬".join(bars) + "┐", line(head), "├" + "┼".join(bars) + "┤"]
    out += [line(r) for r in rows] + ["└" + "┴".join(bars) + "┘"]
    train, frozen = _size(model.trainable_weights), _size(model.non_trainable_weights)
    optimizer = _size(model.optimizer.variables) if model.compiled and model.optimizer.built else (0, 0.0)
    total = (train[0] + frozen[0] + optimizer[0], train[1] + frozen[1] + optimizer[1])
    for name, (n, size) in (("Total", total), ("Trainable", train), ("Non-trainable", frozen)):
        out.append(f" {name} params: {n:,} ({_bytes(size)})")
    if optimizer[0]:
        out.append(f" Optimizer params: {optimizer[0]:,} ({_bytes(optimizer[1])})")
    text = "\n".join(out)
    if print_fn is None:
        print(text)
    else:
        print_fn(text)
