"""Records what Keras returns for the rows of tests/layers/box_cases.py: run it where Keras is installed."""

import json
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "layers"))

from box_cases import ARRAYS, CASES  # noqa: E402


def main() -> None:
    import keras

    scope = {**vars(keras.utils.bounding_boxes), **{n: keras.ops.convert_to_tensor(a) for n, a in ARRAYS.items()}}
    found = {case: [np.asarray(x).tolist() for x in keras.tree.flatten(eval(case, scope))] for case in CASES}
    (HERE / "bounding_boxes.json").write_text(json.dumps(found))
    print(len(found), "recorded")


if __name__ == "__main__":
    main()
