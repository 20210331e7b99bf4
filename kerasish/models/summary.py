"""model.summary(): the layers as a table."""

import itertools
import math
from typing import Any, Callable

import numpy as np

from kerasish.layers.layer import Layer

LONGEST = {"Output Shape": 34, "Connected to": 34}  # where the width of the table is not given, these wrap
RIGHT = {"Param #"}
# Where the columns end, as parts of `line_length`
POSITIONS = {
    ("Layer (type)", "Output Shape", "Param #"): (0.45, 0.80, 1.0),
    ("Layer (type)", "Output Shape", "Param #", "Trainable"): (0.40, 0.72, 0.89, 1.0),
    ("Layer (type)", "Output Shape", "Param #", "Connected to"): (0.30, 0.56, 0.74, 1.0),
    ("Layer (type)", "Output Shape", "Param #", "Connected to", "Trainable"): (0.27, 0.50, 0.66, 0.89, 1.0),
}


def print_summary(
    model: Any, line_length: int | None = None, positions: Any = None, print_fn: Callable | None = None,
    expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None,
) -> None:  # fmt: skip
    """Print the table of a model's layers, and how much memory its variables take.

    line_length:    the width of the table; None for as much as its cells need.
    positions:      where each column ends, as parts of the width or, if the last is above 1, in characters.
    print_fn:       is called once with all of the text, instead of `print`.
    expand_nested:  show the layers of models inside the model, too.
    show_trainable: a column that says whether a layer learns: "Y", "N", or "-" for one without weights.
    layer_range:    the names of the first and the last layer to show.
    """
    function = model._functional
    nodes = function._nodes if function is not None and not hasattr(model, "_stack") else []
    head = ["Layer (type)", "Output Shape", "Param #"]
    head += [] if is_chain(nodes) else ["Connected to"]
    head += ["Trainable"] if show_trainable else []
    kept = {id(node) for node in nodes}
    rows = []
    for layer in _in_range(list(model.operations or model.layers) if nodes else model.layers, layer_range):
        rows += _rows(layer, head, kept, expand_nested, 0)
    out = [f'Model: "{model.name}"', *_table(head, rows, _widths(head, rows, line_length, positions)), *_totals(model)]
    (print_fn or print)("\n".join(out) + "\n")


def is_chain(nodes: list) -> bool:
    """Whether each operation is called once, on the result of the one before it."""
    consumed = [id(t._keras_history.operation) for node in nodes for t in node.input_tensors]
    called = [id(node.operation) for node in nodes]
    return (
        all(len(node.input_tensors) <= 1 for node in nodes)
        and len(set(consumed)) == len(consumed)
        and len(set(called)) == len(called)
        and sum(node.is_input for node in nodes) <= 1
    )


def _in_range(layers: list, layer_range: Any) -> list:
    if layer_range is None:
        return layers
    if not isinstance(layer_range, (list, tuple)) or len(layer_range) != 2:
        raise ValueError(
            "layer_range must be a list or tuple of length 2: the names of the first and the last layer. "
            f"Received: layer_range = {layer_range}"
        )
    places = [next((i for i, layer in enumerate(layers) if layer.name == name), None) for name in layer_range]
    if None in places:
        raise ValueError(
            f"Passed layer_names do not match the layer names in the model. Received: {layer_range}. "
            f"The model has: {[layer.name for layer in layers]}"
        )
    first, last = sorted(places)  # type: ignore[type-var]
    return layers[first : last + 1]


# -- cells ------------------------------------------------------------------------------------------------------------


def _rows(layer: Any, head: list[str], kept: set[int], nested: bool, depth: int) -> list[list[str]]:
    cells = {
        "Layer (type)": f"{'   ' * depth}{'└ ' if depth else ''}{layer.name} ({type(layer).__name__})",
        "Output Shape": _output_shape(layer),
        "Param #": _count(layer),
        "Connected to": _sources(layer, kept),
        "Trainable": _learns(layer),
    }
    rows = [[cells[name] for name in head]]
    if nested and hasattr(layer, "layers"):
        for inner in layer.layers:
            rows += _rows(inner, head, kept, nested, depth + 1)
    return rows


def _output_shape(layer: Any) -> str:
    if layer._inbound_nodes:
        shapes = [tuple(t.shape) for t in layer._inbound_nodes[-1].outputs]
        return str(shapes[0] if len(shapes) == 1 else shapes)
    if getattr(layer, "_build_shapes_dict", None):
        try:
            shape = layer.compute_output_shape(*layer._build_shapes_dict.values())
        except Exception:  # a layer that can't tell its shape without data
            return "?"
        return str(tuple(shape) if isinstance(shape, list) and not isinstance(shape[0], (list, tuple)) else shape)
    return "?"


def _count(layer: Any) -> str:
    if not isinstance(layer, Layer):
        return "0"
    if not layer.built and (type(layer).build is not Layer.build or layer._layers):
        return "0 (unbuilt)"
    return f"{_size(layer.weights)[0]:,}"


def _sources(layer: Any, kept: set[int]) -> str:
    histories = [t._keras_history for node in layer._inbound_nodes if id(node) in kept for t in node.input_tensors]
    return ", ".join(f"{h.operation.name}[{h.node_index}][{h.tensor_index}]" for h in histories) or "-"


def _learns(layer: Any) -> str:
    if not isinstance(layer, Layer) or not layer.weights:
        return "-"
    return "Y" if layer.trainable else "N"


# -- lines ------------------------------------------------------------------------------------------------------------


def _widths(head: list[str], rows: list[list[str]], line_length: int | None, positions: Any) -> list[int]:
    """The widths of the columns' text; a bar and two spaces come with each."""
    if line_length is None and positions is None:
        needed = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        return [min(width, LONGEST.get(name, width)) for name, width in zip(head, needed, strict=True)]
    ends = list(positions) if positions is not None else list(POSITIONS[tuple(head)])
    if len(ends) < len(head):
        raise IndexError(f"`positions` should say where each of {head} ends. Received: positions={positions}")
    if ends[-1] <= 1:
        ends = [int(end * (line_length or 100)) for end in ends]
    return [max(end - start - 3, 1) for start, end in itertools.pairwise([1, *ends[: len(head)]])]


def _table(head: list[str], rows: list[list[str]], widths: list[int]) -> list[str]:
    def rule(left: str, line: str, middle: str, right: str) -> str:
        return left + middle.join(line * (width + 2) for width in widths) + right

    def lines(cells: list[str], bar: str) -> list[str]:
        parts = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
        out = []
        for row in itertools.zip_longest(*parts, fillvalue=""):
            padded = [_aligned(part, width, name) for part, width, name in zip(row, widths, head, strict=True)]
            out.append(f"{bar} " + f" {bar} ".join(padded) + f" {bar}")
        return out

    out = [rule("┏", "━", "┳", "┓"), *lines(head, "┃"), rule("┡", "━", "╇", "┩")]
    for i, row in enumerate(rows):
        out += [rule("├", "─", "┼", "┤")] if i else []
        out += lines(row, "│")
    return [*out, rule("└", "─", "┴", "┘")]


def _aligned(text: str, width: int, column: str) -> str:
    if column == "Trainable":
        return text.center(width)
    return text.rjust(width) if column in RIGHT else text.ljust(width)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width`, broken at spaces; a word that is longer is cut, with an ellipsis."""
    if len(text) <= width:
        return [text]
    indent = text[: len(text) - len(text.lstrip())]
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width and lines[-1].strip():
            lines[-1] += f" {word}"
        else:
            lines.append(word if lines else indent + word)
    return [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines]


# -- sums -------------------------------------------------------------------------------------------------------------


def _size(variables: list) -> tuple[int, float]:
    n = sum(math.prod(v.shape) for v in variables)
    return n, sum(math.prod(v.shape) * np.dtype(v._dtype).itemsize for v in variables)


def _bytes(n: float) -> str:
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if n < 1024 or unit == "TB":
            return f"{n:.2f} {unit}"
        n /= 1024
    return ""


def _totals(model: Any) -> list[str]:
    train, frozen = _size(model.trainable_weights), _size(model.non_trainable_weights)
    optimizer = _size(model.optimizer.variables) if model.compiled and model.optimizer.built else (0, 0.0)
    total = (train[0] + frozen[0] + optimizer[0], train[1] + frozen[1] + optimizer[1])
    lines = {"Total": total, "Trainable": train, "Non-trainable": frozen}
    if optimizer[0]:
        lines["Optimizer"] = optimizer
    return [f" {name} params: {count:,} ({_bytes(size)})" for name, (count, size) in lines.items()]
