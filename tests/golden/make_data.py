"""Records what Keras does with data. Run where Keras is installed: python tests/golden/make_data.py"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "data"))

import data_cases  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras.src.trainers.data_adapters import get_data_adapter  # noqa: E402
from keras.src.trainers.data_adapters.array_slicing import train_validation_split  # noqa: E402

golden = {"keras": keras.__version__}
golden["steps"] = {name: data_cases.keras_steps(keras, name) for name in data_cases.STEP_CASES}
golden["class_weights"] = {}
for name, (y, class_weight) in data_cases.CLASS_WEIGHTS.items():
    adapter = get_data_adapter(np.ones((len(y), 1)), np.array(y), class_weight=class_weight)
    golden["class_weights"][name] = np.asarray(next(iter(adapter.get_numpy_iterator()))[2]).tolist()
golden["dtypes"] = {}
for dtype in data_cases.DTYPES:
    batch = next(iter(get_data_adapter(np.ones((3, 2), dtype)).get_numpy_iterator()))
    golden["dtypes"][dtype] = str(np.asarray(batch).dtype)
golden["splits"] = {}
for rows in (2, 10, 13):
    for fraction in (0.1, 0.25, 0.5, 0.9):
        try:
            train, _ = train_validation_split(np.ones((rows, 1)), fraction)
            golden["splits"][f"{rows} {fraction}"] = int(train.shape[0])
        except ValueError:
            golden["splits"][f"{rows} {fraction}"] = None
(here / "data.json").write_text(json.dumps(golden, indent=1) + "\n")
