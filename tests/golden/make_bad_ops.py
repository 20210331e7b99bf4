"""Records which type of error Keras on JAX raises for the calls of tests/ops/bad_cases.py."""

import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "ops"))

from bad_cases import ARR, CALLS  # noqa: E402


def main() -> None:
    from keras import ops

    scope = {n: getattr(ops, n) for n in dir(ops) if not n.startswith("_")}
    found = {}
    for call in CALLS:
        try:
            eval(call, {**scope, **ARR})
            found[call] = None
        except Exception as e:  # noqa: BLE001
            found[call] = type(e).__name__
    (HERE / "bad_ops.json").write_text(json.dumps(found, indent=0, sort_keys=True))


if __name__ == "__main__":
    main()
