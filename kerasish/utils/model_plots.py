"""A model as a drawing of boxes and arrows, by Graphviz."""

import html
import os
from typing import Any

from kerasish.base.optional import optional
from kerasish.base.registry import export
from kerasish.layers.input_layer import InputLayer
from kerasish.layers.layer import Layer
from kerasish.models import Model, Sequential

LOOK = {"fontname": "Helvetica", "border": "0", "margin": "0"}  # of a node; the boxes are tables inside


@export("keras.utils.model_to_dot")
def model_to_dot(
    model: Any, show_shapes: bool = False, show_dtype: bool = False, show_layer_names: bool = True, rankdir: str = "TB",
    expand_nested: bool = False, dpi: int = 200, subgraph: bool = False, show_layer_activations: bool = False,
    show_trainable: bool = False, splines: str = "ortho", **kwargs: Any,
) -> Any:  # fmt: skip
    """A model's layers as a `pydot.Dot`, one node a layer; with `subgraph=True` as a `pydot.Cluster`.

    rankdir: "TB" draws from top to bottom, "LR" from left to right. expand_nested: draw models inside the model as boxes
    of their layers. The other arguments say what stands in a node, or are Graphviz's own.

    Raises ImportError without the package pydot, ValueError for a model that is not built.
    """
    pydot = optional("pydot", "plot", "model_to_dot")
    _check(model, kwargs)
    show = {
        "names": show_layer_names, "shapes": show_shapes, "dtype": show_dtype, "activations": show_layer_activations,
        "trainable": show_trainable,
    }  # fmt: skip
    graph = pydot.Dot()
    for name, value in (("rankdir", rankdir), ("concentrate", True), ("dpi", dpi), ("splines", splines)):
        graph.set(name, value)
    graph.set_node_defaults(shape="record")
    if subgraph:
        graph = _cluster(pydot, model)
    _fill(pydot, graph, model, expand_nested, show)
    return graph


@export("keras.utils.plot_model")
def plot_model(
    model: Any, to_file: Any = "model.png", show_shapes: bool = False, show_dtype: bool = False,
    show_layer_names: bool = False, rankdir: str = "TB", expand_nested: bool = False, dpi: int = 200,
    show_layer_activations: bool = False, show_trainable: bool = False, splines: str = "ortho", **kwargs: Any,
) -> Any:  # fmt: skip
    """Draw a model (see `model_to_dot`) into a file of the format that its name ends in, such as .png, .svg or .pdf.

    In a notebook the drawing is also shown. ".dot" writes Graphviz's text, and needs only the package pydot; all others
    need the program Graphviz, too, and raise ImportError without it.
    """
    pydot = optional("pydot", "plot", "plot_model")
    dot = model_to_dot(
        model, show_shapes=show_shapes, show_dtype=show_dtype, show_layer_names=show_layer_names, rankdir=rankdir,
        expand_nested=expand_nested, dpi=dpi, show_layer_activations=show_layer_activations,
        show_trainable=show_trainable, splines=splines, **kwargs,
    )  # fmt: skip
    path = os.fspath(to_file)
    kind = os.path.splitext(path)[1].lower().removeprefix(".") or "png"
    if kind == "dot":
        dot.write(path, format="raw")
        return None
    try:
        pydot.Dot().create()
    except OSError as e:
        raise ImportError(
            "`plot_model` needs Graphviz, a program, to be installed: see https://graphviz.org/download/ (on Debian: "
            "`apt install graphviz`). Without it, give a file that ends in `.dot`."
        ) from e
    dot.write(path, format=kind)
    if kind != "pdf":
        try:
            from IPython import display
        except ImportError:
            return None
        return display.Image(filename=path)
    return None


def _check(model: Any, kwargs: dict) -> None:
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the model on a "
            "batch of data."
        )
    if kwargs.pop("layer_range", None) is not None:
        raise ValueError("Argument `layer_range` is no longer supported.")
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments: {kwargs}")


# -- nodes and edges --------------------------------------------------------------------------------------------------


def _cluster(pydot: Any, model: Any) -> Any:
    cluster = pydot.Cluster(style="dashed", graph_name=model.name)
    cluster.set("label", model.name)
    cluster.set("labeljust", "l")
    return cluster


def _is_graph(layer: Any) -> bool:
    return isinstance(layer, Model) and (isinstance(layer, Sequential) or layer._functional is not None)


def _fill(pydot: Any, graph: Any, model: Any, nested: bool, show: dict[str, bool]) -> None:
    if not _is_graph(model):
        graph.add_node(_node(pydot, model, show))
        return
    layers = model.layers if isinstance(model, Sequential) else model.operations
    for layer in layers:
        if nested and _is_graph(layer):
            cluster = _cluster(pydot, layer)
            _fill(pydot, cluster, layer, nested, show)
            graph.add_subgraph(cluster)
        else:
            graph.add_node(_node(pydot, layer, show))
    for source, target in dict.fromkeys(_edges(model, layers, nested)):
        graph.add_edge(pydot.Edge(source, target, penwidth="2"))


def _edges(model: Any, layers: list, nested: bool) -> list[tuple[str, str]]:
    """The names of the nodes that arrows join."""
    if isinstance(model, Sequential):
        return [(_exit(a, 0, nested), _entry(b, 0, nested)) for a, b in zip(layers, layers[1:], strict=False)]
    edges = []
    for node in model._functional._nodes:
        for i, t in enumerate(node.input_tensors):
            source = t._keras_history
            edges.append((_exit(source.operation, source.tensor_index, nested), _entry(node.operation, i, nested)))
    return edges


def _exit(layer: Any, index: int, nested: bool) -> str:
    """The node that the layer's result number `index` comes from."""
    while nested and _is_graph(layer):
        if isinstance(layer, Sequential):
            layer = layer.layers[-1]
        else:
            history = layer.outputs[index]._keras_history
            layer, index = history.operation, history.tensor_index
    return str(id(layer))


def _entry(layer: Any, index: int, nested: bool) -> str:
    """The node that the layer's input number `index` goes to."""
    while nested and _is_graph(layer):
        layer = layer.layers[0] if isinstance(layer, Sequential) else layer.inputs[index]._keras_history.operation
    return str(id(layer))


# -- what stands in a node --------------------------------------------------------------------------------------------


def _node(pydot: Any, layer: Any, show: dict[str, bool]) -> Any:
    kind = html.escape(type(layer).__name__)
    title = f"<b>{html.escape(layer.name)}</b> ({kind})" if show["names"] else f"<b>{kind}</b>"
    rows = [[("black", "white", title)]]
    activation = getattr(layer, "activation", None)
    if show["activations"] and activation is not None:
        name = getattr(activation, "__name__", None) or getattr(activation, "name", str(activation))
        rows.append([("white", "black", f"Activation: <b>{html.escape(str(name))}</b>")])
    facts = []
    node = layer._inbound_nodes[0] if layer._inbound_nodes else None
    if show["shapes"] and not isinstance(layer, InputLayer):
        facts.append(("white", "black", f"Input shape: <b>{_shapes(node and node.input_tensors)}</b>"))
    if show["shapes"]:
        facts.append(("white", "black", f"Output shape: <b>{_shapes(node and node.outputs)}</b>"))
    if show["dtype"]:
        dtypes = dict.fromkeys(str(t.dtype) for t in node.outputs) if node else ["?"]
        facts.append(("white", "black", f"Output dtype: <b>{', '.join(dtypes)}</b>"))
    if show["trainable"] and isinstance(layer, Layer) and layer.weights:
        facts.append(("forestgreen", "white", "<b>Trainable</b>") if layer.trainable else ("firebrick", "white", "<b>Non-trainable</b>"))
    rows += [facts] if facts else []
    return pydot.Node(str(id(layer)), label=f"<{_table(rows)}>", **LOOK)


def _shapes(tensors: Any) -> str:
    if not tensors:
        return "?"
    shapes = [tuple(t.shape) for t in tensors]
    return str(shapes[0] if len(shapes) == 1 else shapes)


def _table(rows: list[list[tuple[str, str, str]]]) -> str:
    """A table in Graphviz's HTML; rows of one cell span all columns."""
    columns = max(map(len, rows))
    out = '<table border="0" cellborder="1" cellspacing="0" cellpadding="8">'
    for row in rows:
        span = f' colspan="{columns}"' if len(row) == 1 else ""
        cells = (f'<td bgcolor="{paper}"{span}><font color="{ink}">{text}</font></td>' for paper, ink, text in row)
        out += f"<tr>{''.join(cells)}</tr>"
    return out + "</table>"
