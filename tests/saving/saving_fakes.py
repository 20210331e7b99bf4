"""Objects that follow the saving protocol and are nothing else: no layer code is needed to test saving."""

import numpy as np

from kerasish.base.registry import register_keras_serializable
from kerasish.engine.variable import Variable
from kerasish.saving import deserialize_keras_object, serialize_keras_object

PACKAGE = "saving_fakes"


class Part:
    """Owns variables, by attribute, and other parts."""

    def __init__(self, name=None):
        self.name = name or type(self).__name__.lower()
        self.built = False
        self._trainable_variables = []
        self._non_trainable_variables = []

    def add(self, name, value, trainable=True):
        variable = Variable(np.asarray(value), name=name, trainable=trainable)
        variable._path = f"{self.name}/{name}"
        (self._trainable_variables if trainable else self._non_trainable_variables).append(variable)
        return variable

    @property
    def trainable_weights(self):
        return list(self._trainable_variables)

    @property
    def non_trainable_weights(self):
        return list(self._non_trainable_variables)

    @property
    def weights(self):
        return self.trainable_weights + self.non_trainable_weights

    trainable_variables = trainable_weights

    def save_own_variables(self, store):
        for i, v in enumerate(self.weights):
            store[str(i)] = v

    def load_own_variables(self, store):
        if len(store.keys()) != len(self.weights):
            raise ValueError(f"{self.name} has {len(self.weights)} variables, the file {len(store.keys())}")
        for i, v in enumerate(self.weights):
            v.assign(store[str(i)])

    # stands for the library's own loader, whose arrays must fit the variables
    load_own_variables.__module__ = "kerasish.fake"

    def _saveable_children(self):
        skip = {"_trainable_variables", "_non_trainable_variables", "name", "built"}
        names = sorted(vars(self), key=lambda n: f"~{n}" if n.startswith("_") else n)
        return [(n, getattr(self, n)) for n in names if n not in skip]

    def get_config(self):
        return {"name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def get_build_config(self):
        return {"input_shape": self.input_shape} if self.built else None

    def build_from_config(self, config):
        self.build(config["input_shape"])


@register_keras_serializable(PACKAGE)
class Dense(Part):
    def __init__(self, units=2, name=None, activation=None):
        super().__init__(name)
        self.units, self.activation = units, activation

    def build(self, input_shape):
        self.input_shape = tuple(input_shape)
        self.built = True
        rng = np.random.default_rng(0)
        self.kernel = self.add("kernel", rng.normal(size=(input_shape[-1], self.units)).astype("float32"))
        self.bias = self.add("bias", np.zeros(self.units, "float32"))

    def get_config(self):
        return {"name": self.name, "units": self.units, "activation": serialize_keras_object(self.activation)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "activation": deserialize_keras_object(config["activation"])})


@register_keras_serializable(PACKAGE)
class Words(Part):
    """Keeps its vocabulary as an asset."""

    def __init__(self, words=(), name=None):
        super().__init__(name)
        self.words = list(words)

    def build(self, input_shape):
        self.input_shape, self.built = input_shape, True

    def save_assets(self, folder):
        with open(f"{folder}/vocabulary.txt", "w", encoding="utf8") as file:
            file.write("\n".join(self.words))

    def load_assets(self, folder):
        with open(f"{folder}/vocabulary.txt", encoding="utf8") as file:
            self.words = file.read().split("\n")


@register_keras_serializable(PACKAGE)
class Momentum(Part):
    """An optimizer: a step count and a slot a variable."""

    def __init__(self, rate=0.5, name=None):
        super().__init__(name)
        self.rate = rate

    def build(self, variables):
        if not self.built:
            self.built = True
            self.iterations = self.add("iteration", np.int64(0), trainable=False)
            self.slots = [self.add(f"slot{i}", np.zeros(v.shape, "float32")) for i, v in enumerate(variables)]

    variables = Part.weights

    def get_build_config(self):
        return None

    def get_config(self):
        return {"name": self.name, "rate": self.rate}


@register_keras_serializable(PACKAGE)
class Model(Part):
    """A chain of layers."""

    def __init__(self, layers=(), name=None):
        super().__init__(name)
        self.layers = list(layers)
        self.compiled = False
        self.optimizer = None

    def build(self, input_shape):
        self.input_shape, self.built = tuple(input_shape), True
        for layer in self.layers:
            if not layer.built:
                layer.build(input_shape)
            input_shape = (None, getattr(layer, "units", None))

    @property
    def trainable_variables(self):
        return [v for layer in self.layers for v in layer.trainable_weights]

    @property
    def weights(self):
        return [v for layer in self.layers for v in layer.weights] + self._trainable_variables

    def save_own_variables(self, store):
        for i, v in enumerate(self._trainable_variables):
            store[str(i)] = v

    def load_own_variables(self, store):
        for i, v in enumerate(self._trainable_variables):
            v.assign(store[str(i)])

    def compile(self, optimizer=None, loss=None, metrics=None, weighted_metrics=None, loss_weights=None):
        self.compiled, self.optimizer = True, optimizer
        self._arguments = {"optimizer": optimizer, "loss": loss, "metrics": metrics}
        self._arguments |= {"weighted_metrics": weighted_metrics, "loss_weights": loss_weights}
        optimizer.build(self.trainable_variables)

    def get_compile_config(self):
        return serialize_keras_object(self._arguments) if self.compiled else {}

    def compile_from_config(self, config):
        self.compile(**deserialize_keras_object(config))

    def get_config(self):
        layers = [serialize_keras_object(layer) for layer in self.layers]
        return {"name": self.name, "layers": layers, "build_input_shape": getattr(self, "input_shape", None)}

    @classmethod
    def from_config(cls, config):
        model = cls([deserialize_keras_object(layer) for layer in config["layers"]], config["name"])
        if config["build_input_shape"]:
            model.build(config["build_input_shape"])
        return model


def make_model(units=(4, 2), compiled=True, seed=1):
    """A built model whose every variable is filled with numbers of its own."""
    model = Model([Dense(n, f"dense_{i}") for i, n in enumerate(units)], "model")
    model.build((None, 3))
    if compiled:
        model.compile(Momentum(), loss="mse", metrics=["mae"])
    rng = np.random.default_rng(seed)
    for v in all_variables(model):
        v.assign((rng.normal(size=v.shape) * 10).astype(v.dtype))
    return model


def all_variables(model):
    return model.weights + (list(model.optimizer.variables) if model.optimizer else [])


def values(model):
    return [v.numpy().tolist() for v in all_variables(model)]
