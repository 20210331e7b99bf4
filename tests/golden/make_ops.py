"""Records what Keras returns for the rows of tests/ops/op_cases.py: run it where Keras is installed."""

import inspect
import itertools
import json
import os
import pathlib
import sys

import numpy as np

os.environ["KERAS_BACKEND"] = "jax"
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "ops"))

from op_cases import ARRAYS, CASES  # noqa: E402


def signatures() -> dict:
    """The parameters of every op, and what the constructor and `call` of every Operation take."""
    from keras import ops
    from keras.src.ops import core, linalg, math, nn, numpy, operation

    found: dict = {"ops": {}, "operations": {}}
    for name in dir(ops):
        fn = getattr(ops, name)
        if not name.startswith("_") and callable(fn):
            found["ops"][name] = [(p.name, repr(p.default) if p.default is not p.empty else None)
                                  for p in inspect.signature(fn).parameters.values()]
    for module in (core, linalg, math, nn, numpy):
        for name, cls in vars(module).items():
            if inspect.isclass(cls) and issubclass(cls, operation.Operation) and cls.__module__ == module.__name__:
                made, called = (list(inspect.signature(f).parameters)[1:] for f in (cls.__init__, cls.call))
                found["operations"][f"{module.__name__}.{name}"] = [[p for p in made if p != "name"], called]
    return found


def promotions() -> dict:
    """What every pair of dtypes is promoted to; "int" and "float" in brackets are the Python types."""
    from keras import backend, config
    from keras.src.backend.common.dtypes import ALLOWED_DTYPES

    kinds = {**{d: d for d in ALLOWED_DTYPES}, "(int)": int, "(float)": float, "(bool)": bool}
    found = {}
    for floatx in ("float32", "float16"):
        config.set_floatx(floatx)
        for a, b in itertools.combinations_with_replacement(kinds, 2):
            try:
                found[f"{floatx} {a} {b}"] = backend.result_type(kinds[a], kinds[b])
            except ValueError:
                found[f"{floatx} {a} {b}"] = "ValueError"
    config.set_floatx("float32")
    return found


def main() -> None:
    from keras import ops, tree

    facts = {**signatures(), "promotions": promotions()}
    (HERE / "ops.json").write_text(json.dumps(facts, indent=0, sort_keys=True))

    scope = {n: getattr(ops, n) for n in dir(ops) if not n.startswith("_")}
    given = {n: ops.convert_to_tensor(a) for n, a in ARRAYS.items()}
    arrays, index, failed = {}, {}, []
    for case in CASES:
        try:
            result = eval(case, {**scope, **given, "slice": slice if case.startswith("get_item") else ops.slice})
        except Exception as e:  # noqa: BLE001
            failed.append((case, f"{type(e).__name__}: {str(e)[:100]}"))
            continue
        leaves = [np.asarray(x) for x in tree.flatten(result)]
        index[case] = []
        for leaf in leaves:
            index[case].append(f"a{len(arrays)}")
            arrays[index[case][-1]] = leaf
    for case, why in failed:
        print(case, "->", why)
    arrays["index"] = np.frombuffer(json.dumps(index).encode(), np.uint8)
    np.savez_compressed(HERE / "ops.npz", **arrays)
    print(len(index), "recorded,", len(failed), "failed")


if __name__ == "__main__":
    main()
