"""What normalization layers keep between calls, in any library: for tests/golden/make_normalization.py and the tests."""

from typing import Any

import numpy as np

_rng = np.random.RandomState(3)
BATCHES = [(_rng.normal(size=(6, 4)) * (1 + i) + i).astype("float32") for i in range(4)]
TARGETS = _rng.normal(size=(6, 4)).astype("float32")
MASKS = [np.array([1, 1, 0, 1, 0, 1], bool), np.array([0, 1, 1, 1, 1, 1], bool)] * 2
IMAGES = [_rng.normal(size=(2, 5, 5, 3)).astype("float32") for _ in range(3)]


def _array(keras: Any, x: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(x))


def spread(shape: Any) -> np.ndarray:
    """Values of a shape that are different everywhere, and the same in every library."""
    n = int(np.prod(tuple(shape)))
    return np.sin(np.arange(1, n + 1) * 1.7).reshape(tuple(shape)).astype("float32")


def _calls(layer: Any, batches: list, **call: list) -> Any:
    """Call in training mode again and again; then what inference gives, and the state."""

    def run(keras: Any) -> list:
        made = layer(keras)
        for i, x in enumerate(batches):
            more = {k: keras.ops.convert_to_tensor(v[i]) for k, v in call.items()}
            made(keras.ops.convert_to_tensor(x), training=True, **more)
        out = made(keras.ops.convert_to_tensor(batches[0]), training=False)
        return [_array(keras, v) for v in (out, *made.weights)]

    return run


def _norm(**options: Any) -> Any:
    return lambda keras: keras.layers.BatchNormalization(momentum=0.7, name="norm", **options)


def _spectral(make: Any, u: Any, scale: float = 1.0, **options: Any) -> Any:
    def made(keras: Any) -> Any:
        layer = keras.layers.SpectralNormalization(make(keras), name="spectral", **options)
        layer.build(u[0])
        layer.vector_u.assign(np.array([u[1]], "float32"))
        layer.kernel.assign(spread(layer.kernel.shape) * scale)
        return layer

    return made


def _frozen(keras: Any) -> Any:
    layer = _norm()(keras)
    layer.build((None, 4))
    layer.moving_mean.assign(np.arange(4.0))
    layer.trainable = False
    return layer


def _thawed(keras: Any) -> Any:
    layer = _frozen(keras)
    layer.trainable = True
    return layer


def _fitted(**options: Any) -> Any:
    """A model around the layer, trained."""

    def run(keras: Any) -> list:
        norm, dense = keras.layers.BatchNormalization(momentum=0.8, **options), keras.layers.Dense(4)
        model = keras.Sequential([keras.Input((4,)), norm, dense])
        dense.kernel.assign(spread((4, 4)))
        norm.gamma.assign(spread((4,)) + 2)
        model.compile(keras.optimizers.SGD(0.05), "mse")
        for x in BATCHES:
            model.train_on_batch(x, TARGETS)
        return [_array(keras, v) for v in model.weights]

    return run


def _dense(keras: Any) -> Any:
    return keras.layers.Dense(3)


def _conv(keras: Any) -> Any:
    return keras.layers.Conv2D(2, 3)


CASES = {
    "moving statistics": _calls(_norm(), BATCHES),
    "masked": _calls(_norm(), BATCHES, mask=MASKS),
    "images": _calls(_norm(axis=1), IMAGES),
    "renorm": _calls(_norm(renorm=True, renorm_momentum=0.6), BATCHES),
    "bounded renorm": _calls(_norm(renorm=True, renorm_clipping={"rmax": 1.5, "rmin": 0.6, "dmax": 0.5}), BATCHES),
    "frozen": _calls(_frozen, BATCHES),
    "thawed": _calls(_thawed, BATCHES),
    "trained": _fitted(),
    "trained with renorm": _fitted(renorm=True, renorm_clipping={"rmax": 1.5, "rmin": 0.6, "dmax": 0.5}),
    "spectral": _calls(_spectral(_dense, ((None, 4), [0.1, -0.2, 0.3])), BATCHES),
    "spectral, three steps": _calls(_spectral(_dense, ((None, 4), [0.1, -0.2, 0.3]), power_iterations=3), BATCHES),
    "spectral convolution": _calls(_spectral(_conv, ((None, 5, 5, 3), [0.5, -0.2])), IMAGES),
    "spectral zeros": _calls(_spectral(_dense, ((None, 4), [0.1, -0.2, 0.3]), scale=0.0), BATCHES),
}
