"""The dtypes of results beside an installed Keras: the lattice for all pairs, and what ops make of it."""

import itertools
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
import pytest

keras = pytest.importorskip("keras")
bfloat16 = pytest.importorskip("ml_dtypes").bfloat16

import kerasish
from kerasish.ops.dtypes import ALLOWED, result_type

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

NAMES = sorted(ALLOWED - {"string"})
KINDS = [*NAMES, int, float]
# those that can be added to another: float8 and complex numbers are left to the lattice
NUMBERS = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
           "float64", bool, int, float]  # fmt: skip
PAIRS = list(itertools.product(NUMBERS, NUMBERS))


def outcome(fn, *kinds):
    try:
        return fn(*kinds)
    except ValueError:
        return "ValueError"


@pytest.mark.parametrize("floatx", ["float32", "float16"])
def test_the_lattice(floatx):
    keras.config.set_floatx(floatx)
    kerasish.config.set_floatx(floatx)
    try:
        for a, b in itertools.product(KINDS, KINDS):
            assert outcome(result_type, a, b) == outcome(keras.backend.result_type, a, b), (a, b)
    finally:
        keras.config.set_floatx("float32")
        kerasish.config.set_floatx("float32")


def value(kind, module):
    """A number of a Python type as it is, else a matrix of ones."""
    if isinstance(kind, type):
        return kind(1)
    return module.ops.convert_to_tensor(np.ones((2, 2), bfloat16 if kind == "bfloat16" else kind))


def dtype_of(module, name, *kinds):
    args = [value(k, module) for k in kinds]
    extra = {"where": ([[True, False]],)}.get(name, ())
    try:
        return kerasish.ops.dtypes.standardize_dtype(getattr(module.ops, name)(*extra, *args).dtype)
    except (TypeError, ValueError):
        return "refused"


# all pairs for addition; for the rest, as each is compiled anew, a part of them, a different one for each
ROWS = [("add", *pair) for pair in PAIRS] + [
    (name, *pair)
    for i, name in enumerate(
        "subtract multiply divide power maximum floor_divide mod arctan2 logaddexp equal logical_and where matmul dot hypot "
        "heaviside isclose bitwise_and left_shift gcd outer append clip".split()
    )
    for pair in [p if name != "clip" else (*p, p[1]) for p in PAIRS[i % 9 :: 9]]
]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: " ".join(map(str, r)))
def test_ops_of_two(row):
    name, *kinds = row
    theirs = dtype_of(keras, name, *kinds)
    if theirs != "refused":  # JAX refuses some of what NumPy knows
        assert dtype_of(kerasish, name, *kinds) == theirs


UNARY = """exp sqrt sum mean prod cumsum var median relu sigmoid softmax gelu square floor round abs sign negative logical_not
argmax max norm det slogdet logdet layer_normalization rms_normalization hard_tanh reciprocal expm1 isnan any""".split()


@pytest.mark.parametrize("name", UNARY)
def test_ops_of_one(name):
    for kind in NUMBERS[:13]:
        results = []
        for module in (keras, kerasish):
            try:
                out = getattr(module.ops, name)(value(kind, module))
                results.append([kerasish.ops.dtypes.standardize_dtype(x.dtype) for x in (out if isinstance(out, tuple) else [out])])
            except (TypeError, ValueError, NotImplementedError):
                results.append(None)
        assert results[0] is None or results[0] == results[1], kind
