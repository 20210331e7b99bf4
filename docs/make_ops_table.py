"""Writes docs/ops.md: every op of keras.ops, what its gradient is, and where it differs from Keras.

The rows of tests/ops/op_cases.py and image_cases.py are run to see what gradients there are.
`python docs/make_ops_table.py`
"""

import pathlib
import re
import sys
from typing import Any

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "ops")]

import image_cases  # noqa: E402
import op_cases  # noqa: E402

from kerasish import ops  # noqa: E402
from kerasish.base import registry, tree  # noqa: E402
from kerasish.engine import Tensor, autodiff  # noqa: E402

DIFFERENCES = {
    "sparsemax": "sums to 1 along every axis; Keras's does for vectors alone",
    "take": "indices out of range are clipped",
    "binary_crossentropy": "from logits by softplus, which holds at both ends of float32",
    "where": "with one argument a symbolic result is a tuple, as the result is",
    "unique": "values have to be known: a program that holds it runs eagerly",
    "nonzero": "values have to be known: a program that holds it runs eagerly",
    "bincount": "in a program `minlength` is needed, which is then the number of bins",
    "while_loop": "in a program it is forward only, and says so",
    "cond": "in a functional model both branches are computed, and saved, which Keras's are not",
    "switch": "in a functional model all branches are computed, and saved, which Keras's are not",
    "normalize": "the gradient at 0 is finite",
    "power": "0 ** 0 has gradients (0 and 0), where JAX has NaN",
    "i0": "the second derivative at 0 is 1/2",
    "sinc": "computed in the dtype of x; Keras computes in float32",
    "adaptive_average_pool": "an odd size as large as the input is right; Keras on JAX gives NaN",
    "adaptive_max_pool": "an odd size as large as the input is right; Keras on JAX gives NaN",
    "max_pool": "a window that does not fit is an error",
    "average_pool": "a window that does not fit is an error",
    "elastic_transform": "draws its two directions apart",
    "eig": "no gradient, as in JAX, and says so",
}  # fmt: skip

# calls whose results are floating-point numbers, of ops whose rows are of others
FURTHER = (
    'cast(X, "float16")', 'saturate_cast(X, "float16")', "view_as_real(view_as_complex(Z[..., :2]))",
    "elastic_transform(IMG, 2.0, 2.0, seed=1)",
)

# what takes no tensors, or is a question about them
PLAIN = {
    "custom_gradient": "a decorator", "jvp": "forward mode", "vectorize": "a decorator, on NumPy", "dtype": "", "shape": "",
    "ndim": "", "size": "", "is_tensor": "", "convert_to_numpy": "",
}  # fmt: skip


def public() -> dict[str, tuple[Any, list[str]]]:
    """Every function by its name, with the namespaces it is in."""
    found: dict[str, tuple[Any, list[str]]] = {}
    for space in ("", ".numpy", ".nn", ".linalg", ".image"):
        for name, fn in registry.exported(f"keras.ops{space}").items():
            if callable(fn) and not isinstance(fn, type):
                found.setdefault(name, (fn, []))[1].append(f"ops{space}")
    return dict(sorted(found.items()))


def rows_of(name: str) -> list[tuple[str, dict, dict]]:
    """The rows that call it first, then those that call it inside: with the arrays and the names they use."""
    flat = {n: getattr(ops, n) for n in ops.__all__}
    image = {n: getattr(ops.image, n) for n in dir(ops.image)}
    out = [(c, op_cases.ARRAYS, {**flat, "slice": slice} if c.startswith("get_item") else flat) for c in op_cases.CASES]
    out += [(c, image_cases.ARRAYS, {**flat, **image}) for c in image_cases.CASES]
    out = [row for row in out if re.search(rf"\b{name}\(", row[0])]
    out += [(c, op_cases.ARRAYS, {**flat, **image}) for c in FURTHER if c.startswith(f"{name}(")]
    return sorted(out, key=lambda row: not row[0].startswith(f"{name}("))


def gradient(name: str) -> str:
    """What happens if one asks for the gradient of the op's result with respect to its floating-point arguments."""
    found = "—"
    for case, arrays, scope in rows_of(name):
        names = [n for n in arrays if re.search(rf"\b{n}\b", case) and arrays[n].dtype == "float32"]
        if not names:
            continue
        found = max(found, _gradient_of(case, names, arrays, scope), key=["—", "none, and says so", "zero", "1st order", "yes"].index)
        if found == "yes":
            break
    return found


def _gradient_of(case: str, names: list[str], arrays: dict, scope: dict) -> str:
    constants = {**scope, **{n: Tensor(a) for n, a in arrays.items()}}

    def objective(*xs: Tensor) -> Any:
        total = None
        for leaf in tree.flatten(eval(case, {**constants, **dict(zip(names, xs, strict=True))})):
            leaf = leaf if isinstance(leaf, Tensor) else ops.convert_to_tensor(leaf)
            leaf = ops.add(ops.real(leaf), ops.imag(leaf)) if leaf.dtype.kind == "c" else leaf
            if leaf.dtype.kind == "f":
                part = ops.sum(ops.square(ops.cast(leaf, "float32")))
                total = part if total is None else ops.add(total, part)
        return total

    inputs = [Tensor(arrays[n]) for n in names]
    if objective(*inputs) is None:
        return "—"
    positions = tuple(range(len(names)))
    first = autodiff.grad(objective, positions)
    try:
        grads = first(*inputs)
    except (ValueError, NotImplementedError):
        return "none, and says so"
    if not any(np.asarray(g).any() for g in grads):
        return "zero"

    def along(*xs: Tensor) -> Any:
        total = ops.convert_to_tensor(0.0)
        for g in first(*xs):
            total = ops.add(total, ops.sum(g))
        return total

    try:
        autodiff.grad(along, positions)(*inputs)
    except (ValueError, NotImplementedError):
        return "1st order"
    return "yes"


HEAD = """# Every op

Made by `docs/make_ops_table.py`, which runs the rows of `tests/ops`; `tests/ops/test_ops_table.py` holds it fresh. {count}
names, all there. Each has Keras's signature (`tests/parity/test_names_parity.py`), and a row of values recorded from Keras.

Status: an *op* can be called on KerasTensors, and becomes a node of the model; a *function* takes no tensors, answers a
question about them, or takes functions, and makes its nodes itself.

Gradient: *yes* is to order two (and on, where rules are made of ops); *zero* where a function is made of steps; *—* for
whole numbers, booleans and what takes no tensors; *none, and says so* raises an error that names the operation.

| name | in | status | gradient | difference from Keras |
|---|---|---|---|---|
"""


def table() -> str:
    """The whole page."""
    names = public()
    first: dict[Any, str] = {}
    lines = []
    for name, (fn, spaces) in names.items():
        same = first.setdefault(fn, name)
        note = DIFFERENCES.get(name) or PLAIN.get(name, "")
        status = f"op, as `{same}`" if same != name else "op" if hasattr(fn, "operation") else "function"
        spaces = [s for s in spaces if s != "ops"] or ["ops"]
        lines.append(f"| `{name}` | {', '.join(spaces)} | {status} | {'—' if name in PLAIN else gradient(name)} | {note} |")
    return HEAD.format(count=len(names)) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "ops.md").write_text(table())
