"""Models to be shown, made with Keras or with kerasish, and what a printed summary says."""

import numpy as np


def subclassed(k):
    class Pair(k.Model):
        def __init__(self):
            super().__init__(name="pair")
            self.first, self.second = k.layers.Dense(2, name="first"), k.layers.Dense(3000, name="second")

        def call(self, x):
            return self.second(self.first(x))

    return Pair()


def called(k):
    model = subclassed(k)
    model(np.ones((1, 2), "float32"))
    return model


def stack(k):
    layers = [k.layers.Dense(3, name="d"), k.layers.Dropout(0.5, name="drop"), k.layers.BatchNormalization(name="norm")]
    return k.Sequential([k.Input((4,)), *layers], name="stack")


def unbuilt(k):
    return k.Sequential([k.layers.Dense(3, name="d"), k.layers.GaussianNoise(0.1, name="noise")], name="s")


def branches(k):
    x = k.Input((4,), name="x")
    y = k.layers.Add(name="add")([stack(k)(x), k.layers.Dense(3, name="side")(x)])
    return k.Model(x, k.layers.Dense(1, name="a_name_that_is_much_longer_than_others")(y), name="branches")


def deep(k):
    x = k.Input((4,), name="outer")
    return k.Model(x, branches(k)(x), name="deep")


def frozen(k):
    model = branches(k)
    model.layers[1].trainable = False
    return model


def trained(k):
    model = stack(k)
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4), "float32"), np.ones((4, 3), "float32"), verbose=0)
    return model


def shared(k):
    x, layer = k.Input((4,), name="x"), k.layers.Dense(4, name="shared")
    return k.Model(x, layer(layer(x)), name="twice")


def operations(k):
    x = k.Input((4,), name="x")
    return k.Model(x, k.ops.relu(x * 2.0) + 1.0, name="operations")


def states(k):
    x = k.Input((None, 2), name="x")
    return k.Model(x, k.layers.LSTM(3, return_state=True, name="lstm")(x), name="states")


def half(k):
    return k.Sequential([k.Input((4,)), k.layers.Dense(2, name="half", dtype="float16")], name="half")


def partly_frozen(k):
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(2, name="d"), k.layers.Dense(2, name="e")], name="inner")
    inner.layers[0].trainable = False
    norm = k.layers.Normalization(mean=0.0, variance=1.0, name="norm")
    return k.Sequential([k.Input((4,)), norm, inner], name="outer")


def deep_unbuilt(k):
    return k.Sequential([k.Sequential([k.layers.Dense(2, name="d")], name="inner")], name="outer")


MODELS = {
    m.__name__: m
    for m in (
        subclassed, called, stack, unbuilt, branches, deep, frozen, trained, shared, operations, states, half,
        partly_frozen, deep_unbuilt,
    )
}  # fmt: skip
OPTIONS = {
    "plain": {},
    "nested": {"expand_nested": True},
    "trainable": {"show_trainable": True},
    "both": {"expand_nested": True, "show_trainable": True},
}


def text_of(model, **options):
    parts = []
    model.summary(print_fn=lambda text, line_break=True: parts.append(text), **options)
    assert len(parts) == 1
    return parts[0]


def cells(text):
    """The rows of a printed table, and the lines around it, with cells that were wrapped put together again."""
    rows, current = [], None
    for line in text.splitlines():
        if line[:1] in "│┃" and line:
            parts = [part.strip() for part in line.strip("│┃").replace("┃", "│").split("│")]
            current = parts if current is None else [f"{a} {b}".strip() for a, b in zip(current, parts, strict=True)]
            continue
        if current is not None:
            rows.append(current)
            current = None
        if line.strip() and line[0] not in "┏┡├└":
            rows.append([line.strip()])
    return rows
