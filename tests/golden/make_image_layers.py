"""Records transformations that Keras's image layers drew, and what they made of the data of
tests/layers/image_layer_cases.py: run it where Keras is installed."""

import inspect
import json
import pathlib
import random
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "layers"))

from image_layer_cases import CASES, OTHERS, packed, results  # noqa: E402


def signatures(keras: object) -> dict:
    """The parameters of the layers and of the functions of boxes, with their default values."""
    things = {name: getattr(keras.layers, name) for name in sorted({c.layer for c in CASES} | set(OTHERS))}
    things |= {f"boxes.{n}": f for n, f in vars(keras.utils.bounding_boxes).items() if n[0] != "_"}
    return {
        name: [[p.name, repr(p.default) if p.default is not p.empty else None]
               for p in inspect.signature(thing).parameters.values()]
        for name, thing in things.items()
    }


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
    arrays["signatures"] = np.frombuffer(json.dumps(signatures(keras)).encode(), np.uint8)
    arrays["records"] = np.frombuffer(json.dumps(records).encode(), np.uint8)
    np.savez_compressed(HERE / "image_layers.npz", **arrays)
    print(len(records), "recorded")


if __name__ == "__main__":
    main()
