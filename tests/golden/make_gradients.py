"""Records, in float64, what JAX gives for the rows of tests/ops/gradient_cases.py: run it where Keras and JAX are.

For each row: the gradient of its objective, and the derivative of that gradient along a line. A row that JAX can't
differentiate is noted with the type of its error.
"""

import json
import os
import pathlib
import sys
import warnings

import numpy as np

os.environ["KERAS_BACKEND"] = "jax"
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "ops"))

from gradient_cases import (  # noqa: E402
    ALL_ARRAYS,
    ALL_CASES,
    directions_of,
    has_inputs,
    objective,
    read_gradients,
    values_of,
)


def derivatives(case: str) -> list[np.ndarray] | None:
    """Gradient and derivative of the gradient, for each input; None if the result has no floats in it."""
    import jax
    from keras import ops, tree

    constants = {n: ops.convert_to_tensor(a) for n, a in ALL_ARRAYS.items()}
    f = objective(case, ops, constants, tree.flatten)
    xs = tuple(jax.numpy.asarray(x) for x in values_of(case))
    ds = tuple(jax.numpy.asarray(d) for d in directions_of(case))
    if f(*xs) is None:
        return None
    gradient = jax.grad(f, argnums=tuple(range(len(xs))))

    def along(*xs):
        return sum((g * d).sum() for g, d in zip(gradient(*xs), ds))

    first = gradient(*xs)
    try:
        second = jax.grad(along, argnums=tuple(range(len(xs))))(*xs)
    except NotImplementedError as e:  # eigenvectors and the like
        print(case, "has no second derivative:", str(e)[:100])
        second = ()
    return [np.asarray(v) for v in (*first, *second)]


def write(found: dict) -> None:
    """All numbers end to end in one array (in float32: the tests ask for no more digits), and the shapes of each row."""
    index = {case: v if isinstance(v, str) else [list(a.shape) for a in v] for case, v in found.items()}
    flat = [np.ravel(a) for v in found.values() if not isinstance(v, str) for a in v]
    index_bytes = np.frombuffer(json.dumps(index).encode(), np.uint8)
    np.savez_compressed(HERE / "gradients.npz", index=index_bytes, values=np.concatenate(flat).astype("float32"))


def main() -> None:
    import jax
    import keras

    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    warnings.simplefilter("ignore")
    found: dict = read_gradients() if sys.argv[1:] else {}  # rows to record anew; "new": those that are not in the file
    chosen = [c for c in ALL_CASES if c not in found] if sys.argv[1:] == ["new"] else sys.argv[1:] or ALL_CASES
    for n, case in enumerate(chosen):
        if not has_inputs(case):
            continue
        if n % 20 == 19:
            jax.clear_caches()  # else they take gigabytes
        try:
            values = derivatives(case)
        except Exception as e:  # noqa: BLE001
            print(case, "->", type(e).__name__, str(e)[:150].replace("\n", " "))
            values = type(e).__name__
        if values is not None:
            found[case] = values
    write({c: found[c] for c in ALL_CASES if c in found})
    print(len(found), "rows")


if __name__ == "__main__":
    main()
