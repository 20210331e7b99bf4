"""Records transformations that Keras's image layers drew, and what they made of the data of
tests/layers/image_layer_cases.py: run it where Keras is installed."""

import json
import pathlib
import random
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "layers"))

from image_layer_cases import CASES, packed, results  # noqa: E402


def main() -> None:
    import keras

    random.seed(3)
    arrays: dict = {}
    records = {}
    for case in CASES:
        layer = case.make(keras)
        data = case.data()
        given = data["images"] if case.layer == "RandomGrayscale" else data
        t = layer.get_random_transformation(given)
        config = {k: v for k, v in layer.get_config().items() if k not in ("name", "trainable", "dtype")}
        records[case.id] = {
            "transformation": packed(t, arrays),
            "results": {k: packed(v, arrays) for k, v in results(layer, case, t).items()},
            "config": config,
        }
    arrays["records"] = np.frombuffer(json.dumps(records).encode(), np.uint8)
    np.savez_compressed(HERE / "image_layers.npz", **arrays)
    print(len(records), "recorded")


if __name__ == "__main__":
    main()
