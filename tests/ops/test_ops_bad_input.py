"""What is refused: with the type of error that Keras on JAX raises, and with the name of the op in the message.

Keras looks at some arguments itself, and leaves others to JAX, whose types differ from case to case. What does not go
together is therefore a ValueError and a TypeError at once, and a wrong axis a ValueError and an IndexError.
"""

import inspect
import json
import pathlib
import re

import pytest
from bad_cases import ARR, CALLS

from kerasish import KerasTensor, ops

RECORDED = json.loads((pathlib.Path(__file__).parent.parent / "golden" / "bad_ops.json").read_text())
OPS = {n: getattr(ops, n) for n in ops.__all__}

# Types that no caller can have meant, from inside of JAX; here they are ValueErrors
ACCIDENTS = {
    'pad(X, 1, mode="guess")': "NotImplementedError",
    "tile(X, -1)": "MLIRError",
    "scatter(I, V, (3,))": "IndexError",
    'conv(IMG, ones((2, 2, 2, 5)), padding="guess")': "RuntimeError",
    "depthwise_conv(IMG, ones((2, 2)))": "IndexError",
    "glu(X)": "AssertionError",
    'rearrange(X, "a b c -> a")': "KeyError",
    'saturate_cast("word", "int8")': "AttributeError",
}
ALIASES = {"abs": "absolute", "conj": "conjugate", "hard_swish": "hard_silu", "swish": "silu"}


@pytest.mark.parametrize("call", CALLS)
def test_bad_input_is_refused_by_name(call):
    assert RECORDED[call] is not None, "Keras takes this"
    with pytest.raises((ValueError, TypeError, IndexError)) as caught:
        eval(call, {**OPS, **ARR})
    types = {cls.__name__ for cls in type(caught.value).__mro__}
    assert RECORDED[call] in types or ACCIDENTS.get(call) == RECORDED[call]
    name = call.split("(")[0]
    assert str(caught.value).startswith(f"ops.{ALIASES.get(name, name)}: ")


# questions about a tensor, decorators, and what has no tensor to be wrong about
NO_ROW = {"dtype", "is_tensor", "ndim", "shape", "size", "custom_gradient", "convert_to_numpy"}


def test_every_op_has_a_row():
    with_row = {re.match(r"\w+", call)[0] for call in CALLS}
    functions = {n for n, fn in OPS.items() if callable(fn) and not inspect.ismodule(fn)}
    assert functions - with_row == NO_ROW


def test_an_error_shows_shapes_not_values():
    with pytest.raises(ValueError, match=r"x1=ndarray\(shape=\(2, 3\), dtype=float32\)"):
        ops.matmul(ARR["X"], ARR["X"])


def test_an_error_of_the_callers_own_code_is_left_as_it_is():
    class Mine(ValueError):
        pass

    def f(carry, x):
        raise Mine("mine")

    with pytest.raises(Mine, match=r"^ops.scan: mine"):
        ops.scan(f, ARR["V"], ARR["X"])
    with pytest.raises(ValueError, match=r"^ops.matmul: "):  # and so is the name of an op in there
        ops.map(lambda row: ops.matmul(row, ARR["X"]), ARR["X"])


@pytest.mark.parametrize("call", ["matmul(x, x)", "reshape(x, (4, 2))", "concatenate([x, y])", "add(x, z)", "sum(x, axis=2)"])
def test_symbolic_tensors_are_refused_as_arrays_are(call):
    symbols = {"x": KerasTensor((2, 3)), "y": KerasTensor((3,)), "z": KerasTensor((2, 3, 4))}
    with pytest.raises(ValueError, match="ops."):
        eval(call, {**OPS, **symbols})
