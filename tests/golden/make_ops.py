"""Records what Keras returns for the rows of tests/ops/op_cases.py: run it where Keras is installed."""

import json
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "ops"))

from op_cases import ARRAYS, CASES  # noqa: E402


def main() -> None:
    from keras import ops, tree

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
