"""model_to_dot, plot_model and History.plot."""

import sys

import drawing_fakes
import numpy as np
import pytest

import kerasish as keras
from kerasish import layers


@pytest.fixture
def pydot(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydot", drawing_fakes)
    return drawing_fakes


@pytest.fixture
def pyplot(monkeypatch):
    pyplot = drawing_fakes.Pyplot()
    monkeypatch.setitem(sys.modules, "matplotlib", drawing_fakes)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    return pyplot


def stack(name="stack"):
    dense = layers.Dense(3, activation="relu", name=f"{name}_dense")
    return keras.Sequential([keras.Input((4,)), dense, layers.Dropout(0.5, name=f"{name}_drop")], name=name)


def joined():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    frozen = layers.Dense(3, name="frozen", trainable=False)
    return keras.Model([a, b], layers.Add(name="add")([stack()(a), frozen(b)]), name="joined")


def deep():
    x = keras.Input((4,), name="x")
    return keras.Model(x, joined()([x, x]), name="deep")


def calculated():
    x = keras.Input((4,), name="x")
    return keras.Model(x, x * x, name="square")


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)


def subclassed():
    model = Subclassed()
    model(np.ones((1, 2), "float32"))
    return model


ARROWS = {
    "a stack": (stack, {}, [("stack_dense (Dense)", "stack_drop (Dropout)")]),
    "a graph": (joined, {}, [
        ("a (InputLayer)", "stack (Sequential)"), ("b (InputLayer)", "frozen (Dense)"),
        ("stack (Sequential)", "add (Add)"), ("frozen (Dense)", "add (Add)"),
    ]),
    "a graph in a graph": (deep, {}, [("x (InputLayer)", "joined (Functional)")]),
    "expanded": (joined, {"expand_nested": True}, [
        ("a (InputLayer)", "stack_dense (Dense)"), ("b (InputLayer)", "frozen (Dense)"),
        ("stack_dense (Dense)", "stack_drop (Dropout)"), ("stack_drop (Dropout)", "add (Add)"), ("frozen (Dense)", "add (Add)"),
    ]),
    "expanded twice": (deep, {"expand_nested": True}, [
        ("a (InputLayer)", "stack_dense (Dense)"), ("b (InputLayer)", "frozen (Dense)"), ("x (InputLayer)", "a (InputLayer)"),
        ("x (InputLayer)", "b (InputLayer)"), ("stack_dense (Dense)", "stack_drop (Dropout)"),
        ("stack_drop (Dropout)", "add (Add)"), ("frozen (Dense)", "add (Add)"),
    ]),
    "operations": (calculated, {}, [("x (InputLayer)", "multiply (Multiply)")]),
    "a class": (subclassed, {}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", ARROWS)
def test_arrows(case, pydot):
    make, options, wanted = ARROWS[case]
    keras.utils.clear_session()
    assert sorted(keras.utils.model_to_dot(make(), **options).arrows()) == sorted(wanted)


def texts(model, **options):
    return [node.text for node in keras.utils.model_to_dot(model, **options).all_nodes()]


def test_what_stands_in_nodes(pydot):
    shown = texts(joined(), show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True)
    ends = ["Output shape: (None, 3)", "Output dtype: float32"]
    assert shown == [
        ["a (InputLayer)", "Output shape: (None, 4)", "Output dtype: float32"],
        ["b (InputLayer)", "Output shape: (None, 4)", "Output dtype: float32"],
        ["stack (Sequential)", "Input shape: (None, 4)", *ends, "Trainable"],
        ["frozen (Dense)", "Activation: linear", "Input shape: (None, 4)", *ends, "Non-trainable"],
        ["add (Add)", "Input shape: [(None, 3), (None, 3)]", *ends],
    ]
    assert texts(joined(), show_layer_names=False)[-1] == ["Add"]
    assert texts(subclassed(), show_shapes=True) == [["own (Subclassed)", "Input shape: ?", "Output shape: ?"]]


def test_names_are_escaped(pydot):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="<b>")])
    assert "<b>&lt;b&gt;</b> (Dense)" in keras.utils.model_to_dot(model).nodes[0].attributes["label"]


def test_the_look(pydot):
    dot = keras.utils.model_to_dot(joined(), rankdir="LR", dpi=96, splines="curved", expand_nested=True)
    assert dot.attributes == {"rankdir": "LR", "concentrate": True, "dpi": 96, "splines": "curved"}
    assert dot.node_defaults == {"shape": "record"}
    (cluster,) = dot.clusters
    assert (cluster.name, cluster.attributes) == ("stack", {"style": "dashed", "label": "stack", "labeljust": "l"})
    assert isinstance(keras.utils.model_to_dot(stack(), subgraph=True), pydot.Cluster)


REFUSED = {
    "not built": (lambda: keras.Sequential([layers.Dense(2)]), {}, "has not yet been built"),
    "layer_range": (stack, {"layer_range": ["a", "b"]}, "no longer supported"),
    "unknown": (stack, {"color": 1}, "Unrecognized keyword arguments: {'color': 1}"),
}


@pytest.mark.parametrize("draw", [keras.utils.model_to_dot, keras.utils.plot_model])
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, draw, pydot):
    make, options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        draw(make(), **options)


@pytest.mark.parametrize("draw", [keras.utils.model_to_dot, keras.utils.plot_model])
def test_pydot_is_asked_for(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match=rf"install pydot for `{draw.__name__}`.*kerasish\[plot\]"):
        draw(stack())


def test_graphviz_is_asked_for(pydot):
    with pytest.raises(ImportError, match="needs Graphviz"):
        keras.utils.plot_model(stack(), "model.png")


FILES = {"model.png": "png", "model.SVG": "svg", "model": "png", "model.pdf": "pdf", "model.dot": "raw"}


@pytest.mark.parametrize("path", FILES)
def test_formats(path, pydot, monkeypatch):
    written = []
    monkeypatch.setattr(pydot.Graph, "create", lambda self: b"")
    monkeypatch.setattr(pydot.Graph, "write", lambda self, path, format: written.append((path, format)))
    monkeypatch.setitem(sys.modules, "IPython", None)
    assert keras.utils.plot_model(stack(), path) is None
    assert written == [(path, FILES[path])]


# -- History.plot -----------------------------------------------------------------------------------------------------


def history(**values):
    history = keras.callbacks.History()
    history.on_train_begin()
    for epoch in range(3):
        history.on_epoch_end(epoch, {name: value / (epoch + 1) for name, value in values.items()})
    return history


def test_curves(pyplot):
    axes = history(loss=1.0, acc=0.5, val_loss=2.0, val_acc=0.4).plot(path="curves.png")
    assert [[(line.label, line.style, line.color) for line in panel.lines] for panel in axes] == [
        [("loss", "-", "C0"), ("val_loss", "--", "C0")], [("acc", "-", "C0"), ("val_acc", "--", "C0")]
    ]  # fmt: skip
    assert (axes[0].lines[0].x, axes[0].lines[0].y) == ([1, 2, 3], [1.0, 0.5, 1 / 3])
    assert pyplot.figures[0].saved == [("curves.png", {})] and axes[0].label == "epoch"


def test_chosen_curves(pyplot):
    recorded = history(loss=1.0, acc=0.5, val_loss=2.0)
    assert [line.label for line in recorded.plot("acc").lines] == ["acc"]
    assert [line.label for line in recorded.plot("loss").lines] == ["loss", "val_loss"]
    assert [line.label for line in recorded.plot("loss", "val_loss").lines] == ["loss", "val_loss"]
    given = drawing_fakes.Axes()
    assert recorded.plot(ax=given) is given
    assert [line.label for line in given.lines] == ["loss", "val_loss", "acc"]


def test_a_metric_of_validation_alone(pyplot):
    assert [line.label for line in history(val_f1=1.0).plot().lines] == ["val_f1"]


def test_nothing_to_plot(pyplot):
    with pytest.raises(ValueError, match="no epoch has ended"):
        keras.callbacks.History().plot()
    with pytest.raises(ValueError, match=r"\['mae'\] were recorded. Recorded: \['loss'\]"):
        history(loss=1.0).plot("mae")


def test_matplotlib_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"install matplotlib for `History.plot`.*kerasish\[plot\]"):
        history(loss=1.0).plot()
