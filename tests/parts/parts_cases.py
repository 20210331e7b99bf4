"""Initializers, regularizers and constraints, a row each: how to make one from its module, and what to call it on.

Keras's numbers, configs and signatures are in tests/golden/parts.json.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

W = np.round(np.random.RandomState(3).uniform(-2, 2, (3, 4)), 2).astype("float32")
KERNEL = np.round(np.random.RandomState(4).uniform(-2, 2, (2, 3, 4)), 2).astype("float32")

# -- initializers: (make, shape); what is drawn is not compared -------------------------------------------------------

FIXED: dict[str, tuple[Callable[[Any], Any], tuple]] = {
    "Zeros": (lambda m: m.Zeros(), (2, 3)),
    "Ones": (lambda m: m.Ones(), (3,)),
    "Constant": (lambda m: m.Constant(0.5), (2, 2)),
    "Constant of an array": (lambda m: m.Constant([1.0, 2.0]), (3, 2)),
    "Identity": (lambda m: m.Identity(), (3, 3)),
    "Identity, wide": (lambda m: m.Identity(gain=0.5), (2, 4)),
    "STFT": (lambda m: m.STFT(), (8, 1, 5)),
    "STFT imaginary": (lambda m: m.STFT("imag", "hamming", "spectrum", True), (8, 1, 5)),
    "STFT plain": (lambda m: m.STFT(window=None), (4, 1, 6)),
    "STFT unscaled": (lambda m: m.STFT(window="blackmanharris", scaling=None), (7, 1, 4)),
    "STFT flattop": (lambda m: m.STFT(window="flattop", periodic=True), (8, 1, 5)),
    "STFT nuttall": (lambda m: m.STFT(window="nuttall"), (8, 1, 5)),
    "STFT of a window": (lambda m: m.STFT(window=[1.0, 2.0, 3.0, 4.0]), (4, 1, 3)),
}

# (make, shape, mean, standard deviation, least, greatest): what the values are like; None where there is no bound
DRAWN: dict[str, tuple] = {
    "RandomNormal": (lambda m: m.RandomNormal(1.0, 0.5, seed=1), (200, 100), 1.0, 0.5, None, None),
    "RandomUniform": (lambda m: m.RandomUniform(-1.0, 3.0, seed=1), (200, 100), 1.0, 4 / 12**0.5, -1.0, 3.0),
    "TruncatedNormal": (lambda m: m.TruncatedNormal(1.0, 0.5, seed=1), (200, 100), 1.0, 0.5 * 0.8796256, 0.0, 2.0),
    "GlorotUniform": (lambda m: m.GlorotUniform(seed=1), (200, 100), 0.0, (2 / 300) ** 0.5, -((6 / 300) ** 0.5), (6 / 300) ** 0.5),
    "GlorotNormal": (lambda m: m.GlorotNormal(seed=1), (200, 100), 0.0, (2 / 300) ** 0.5, None, None),
    "HeUniform": (lambda m: m.HeUniform(seed=1), (200, 100), 0.0, (2 / 200) ** 0.5, -((6 / 200) ** 0.5), (6 / 200) ** 0.5),
    "HeNormal": (lambda m: m.HeNormal(seed=1), (200, 100), 0.0, (2 / 200) ** 0.5, None, None),
    "LecunUniform": (lambda m: m.LecunUniform(seed=1), (200, 100), 0.0, (1 / 200) ** 0.5, -((3 / 200) ** 0.5), (3 / 200) ** 0.5),
    "LecunNormal": (lambda m: m.LecunNormal(seed=1), (200, 100), 0.0, (1 / 200) ** 0.5, None, None),
    "VarianceScaling": (lambda m: m.VarianceScaling(seed=1), (200, 100), 0.0, (1 / 200) ** 0.5, None, None),
    "VarianceScaling fan_out": (lambda m: m.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=1), (200, 100), 0.0, (2 / 100) ** 0.5, None, None),
    "VarianceScaling fan_avg": (lambda m: m.VarianceScaling(3.0, "fan_avg", "uniform", seed=1), (200, 100), 0.0, (3 / 150) ** 0.5, -((9 / 150) ** 0.5), (9 / 150) ** 0.5),
    "VarianceScaling of a convolution": (lambda m: m.VarianceScaling(seed=1), (5, 4, 10, 100), 0.0, (1 / 200) ** 0.5, None, None),
    "VarianceScaling of a vector": (lambda m: m.VarianceScaling(seed=1), (20000,), 0.0, (1 / 20000) ** 0.5, None, None),
    "Orthogonal": (lambda m: m.Orthogonal(gain=2.0, seed=1), (100, 200), 0.0, 2 * (1 / 200) ** 0.5, None, None),
    "Orthogonal, tall": (lambda m: m.Orthogonal(seed=1), (2, 100, 50), 0.0, (1 / 200) ** 0.5, None, None),
}

WRONG: dict[str, Callable[[Any], Any]] = {
    "scale": lambda m: m.VarianceScaling(-1.0),
    "mode": lambda m: m.VarianceScaling(mode="x"),
    "distribution": lambda m: m.VarianceScaling(distribution="x"),
    "seed": lambda m: m.RandomNormal(seed="x"),
    "identity of a cube": lambda m: m.Identity()((2, 2, 2)),
    "orthogonal vector": lambda m: m.Orthogonal()((3,)),
    "side": lambda m: m.STFT(side="x"),
    "scaling": lambda m: m.STFT(scaling="x"),
    "unknown name": lambda m: m.get("nothing"),
    "no name": lambda m: m.get(3),
}

# -- regularizers and constraints: (make, argument) -------------------------------------------------------------------

REGULARIZERS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "L1": (lambda m: m.L1(), W),
    "L1 strong": (lambda m: m.L1(0.3), KERNEL),
    "L2": (lambda m: m.L2(), W),
    "L2 strong": (lambda m: m.L2(0.3), KERNEL),
    "L1L2": (lambda m: m.L1L2(), W),
    "L1L2 both": (lambda m: m.L1L2(0.1, 0.2), W),
    "L1L2 first": (lambda m: m.L1L2(l1=0.1), W),
    "OrthogonalRegularizer": (lambda m: m.OrthogonalRegularizer(), W),
}
CONSTRAINTS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "MaxNorm": (lambda m: m.MaxNorm(), W),
    "MaxNorm of rows": (lambda m: m.MaxNorm(1.5, axis=1), W),
    "MaxNorm of kernels": (lambda m: m.MaxNorm(1.0, axis=[0, 1]), KERNEL),
    "NonNeg": (lambda m: m.NonNeg(), W),
    "UnitNorm": (lambda m: m.UnitNorm(), W),
    "UnitNorm of kernels": (lambda m: m.UnitNorm(axis=[0, 1]), KERNEL),
    "MinMaxNorm": (lambda m: m.MinMaxNorm(), W),
    "MinMaxNorm halfway": (lambda m: m.MinMaxNorm(0.5, 1.2, rate=0.5, axis=1), W),
}
WRONG_REGULARIZERS: dict[str, Callable[[Any], Any]] = {
    "negative": lambda m: m.L1(-0.1),
    "a word": lambda m: m.L2("x"),
    "infinite": lambda m: m.L1L2(l1=float("inf")),
    "mode": lambda m: m.OrthogonalRegularizer(mode="x"),
    "a cube": lambda m: m.OrthogonalRegularizer()(KERNEL),
    "unknown name": lambda m: m.get("nothing"),
}


def names(module: Any) -> list[str]:
    """The public names of a module."""
    return sorted(n for n in dir(module) if not n.startswith("_"))


def signature(function: Any) -> list:
    """Names and defaults of parameters, as JSON has them."""
    import inspect

    parameters = inspect.signature(function).parameters.values()
    return [[p.name, "-" if p.default is p.empty else p.default] for p in parameters]


def failure(make: Callable[[Any], Any], module: Any) -> str | None:
    """The type of the error that is raised."""
    try:
        make(module)
    except Exception as e:
        return next((t.__name__ for t in (ValueError, TypeError) if isinstance(e, t)), "Exception")
    return None


def same(a: Any, b: Any) -> bool:
    """Equal, with floats equal in float32, at any depth."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return np.float32(a) == np.float32(b) if isinstance(a, float) and isinstance(b, float) else a == b
