"""Records what Keras's callbacks do. Run where Keras is installed: python tests/golden/make_callbacks.py"""

import json
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "callbacks"))

import callback_scenarios  # noqa: E402
import keras  # noqa: E402

golden = {"keras": keras.__version__, "scenarios": {}}
for name in callback_scenarios.SCENARIOS:
    with tempfile.TemporaryDirectory() as directory:
        golden["scenarios"][name] = callback_scenarios.play(keras.callbacks, name, directory)
(here / "callbacks.json").write_text(json.dumps(golden, indent=1) + "\n")
