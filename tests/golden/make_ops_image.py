"""Records what Keras returns for the rows of tests/ops/image_cases.py, and gradients: run it where Keras is installed."""

import inspect
import json
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "ops"))

from image_cases import ARRAYS, CASES  # noqa: E402


def main() -> None:
    from keras import ops
    from keras.src.ops import image, operation

    facts = {"ops": {}, "operations": {}}
    for name in dir(ops.image):
        fn = getattr(ops.image, name)
        if not name.startswith("_") and callable(fn):
            facts["ops"][name] = [(p.name, repr(p.default) if p.default is not p.empty else None)
                                  for p in inspect.signature(fn).parameters.values()]
    for name, cls in vars(image).items():
        if inspect.isclass(cls) and issubclass(cls, operation.Operation) and cls.__module__ == image.__name__:
            made, called = (list(inspect.signature(f).parameters)[1:] for f in (cls.__init__, cls.call))
            facts["operations"][f"{image.__name__}.{name}"] = [[p for p in made if p != "name"], called]
    (HERE / "ops_image.json").write_text(json.dumps(facts, indent=0, sort_keys=True))

    scope = {n: getattr(ops.image, n) for n in facts["ops"]}
    given = {n: ops.convert_to_tensor(a) for n, a in ARRAYS.items()}
    results = {f"{i:03d}": np.asarray(eval(case, {**scope, **given})) for i, case in enumerate(CASES)}
    results["cases"] = np.frombuffer(json.dumps(CASES).encode(), np.uint8)
    np.savez_compressed(HERE / "ops_image.npz", **results)
    print(len(CASES), "recorded")


if __name__ == "__main__":
    main()
