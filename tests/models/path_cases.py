"""Models, and the paths of their variables: those of Keras."""

import numpy as np


def dense(k):
    return k.layers.Dense(3, use_bias=False, name="a")


def late(k):
    return k.Sequential([dense(k)], name="in")


def early(k, *layers, name="s"):
    return k.Sequential([k.Input((4,)), *layers], name=name)


def built(k):
    model = late(k)
    model.build((None, 4))
    return model


def called(k):
    model = late(k)
    model(np.ones((2, 4), "float32"))
    return model


def added(k):
    model = k.Sequential(name="s")
    model.add(k.Input((4,)))
    model.add(dense(k))
    return model


def functional(k):
    x = k.Input((4,))
    return k.Model(x, late(k)(x), name="f")


def subclassed(k):
    class Own(k.Model):
        def __init__(self):
            super().__init__(name="own")
            self.inner, self.last = late(k), k.layers.Dense(2, use_bias=False, name="d")

        def call(self, x):
            return self.last(self.inner(x))

    model = Own()
    model(np.ones((2, 4), "float32"))
    return model


PATHS = {
    "with an input": (lambda k: early(k, dense(k)), ["s/a/kernel"]),
    "built": (built, ["in/a/kernel"]),
    "called": (called, ["in/a/kernel"]),
    "layer by layer": (added, ["s/a/kernel"]),
    "in another": (lambda k: early(k, late(k)), ["s/in/a/kernel"]),
    "in another, built before": (lambda k: early(k, early(k, dense(k), name="in")), ["in/a/kernel"]),
    "in a graph": (functional, ["in/a/kernel"]),
    "in a class": (subclassed, ["own/in/a/kernel", "own/d/kernel"]),
}
