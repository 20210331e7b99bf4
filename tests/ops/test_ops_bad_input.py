"""What is refused: with the type of error that Keras raises, and with the name of the op in the message.

Where Keras leaves the refusing to its backend, the type is the backend's (JAX's TypeError for shapes that do not fit, where
TensorFlow and torch have others); here such errors are ValueErrors, as Keras's own for symbolic tensors are.
"""

import json
import pathlib
import re

import pytest
from bad_cases import ARR, CALLS

from kerasish import KerasTensor, ops

RECORDED = json.loads((pathlib.Path(__file__).parent.parent / "golden" / "bad_ops.json").read_text())
OPS = {n: getattr(ops, n) for n in ops.__all__}
# what JAX raises about shapes, axes and unknown modes
BACKENDS = {"TypeError", "IndexError", "MLIRError", "NotImplementedError", "RuntimeError", "AssertionError", "KeyError"}


@pytest.mark.parametrize("call", CALLS)
def test_bad_input_is_refused_by_name(call):
    assert RECORDED[call] is not None, "Keras takes this"
    with pytest.raises((ValueError, TypeError, IndexError)) as caught:
        eval(call, {**OPS, **ARR})
    ours = {cls.__name__ for cls in type(caught.value).__mro__}
    assert RECORDED[call] in ours or (RECORDED[call] in BACKENDS and "ValueError" in ours)
    assert re.match(r"ops\.\w+: ", str(caught.value))
    # the op that was called, or one that it is made of
    name = call.split("(")[0]
    assert name in str(caught.value) or name in ("count_nonzero", "trace", "hstack", "vstack", "vectorized_map")


def test_an_error_shows_shapes_not_values():
    with pytest.raises(ValueError, match=r"x1=ndarray\(shape=\(2, 3\), dtype=float32\)"):
        ops.matmul(ARR["X"], ARR["X"])


@pytest.mark.parametrize("call", ["matmul(x, x)", "reshape(x, (4, 2))", "concatenate([x, y])", "add(x, z)", "sum(x, axis=2)"])
def test_symbolic_tensors_are_refused_as_arrays_are(call):
    symbols = {"x": KerasTensor((2, 3)), "y": KerasTensor((3,)), "z": KerasTensor((2, 3, 4))}
    with pytest.raises(ValueError, match="ops."):
        eval(call, {**OPS, **symbols})
