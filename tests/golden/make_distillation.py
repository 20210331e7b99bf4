"""Numbers of real Keras for tests/distillation: run with Keras installed."""

import json
import pathlib
import sys

import keras

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "distillation"))
from distillation_cases import CONFIGS, FITS, LOSSES  # noqa: E402

golden = {
    "losses": {name: case(keras) for name, case in LOSSES.items()},
    "configs": {name: case(keras).get_config() for name, case in CONFIGS.items()},
    "fits": {name: case(keras) for name, case in FITS.items()},
}
pathlib.Path(__file__).with_name("distillation.json").write_text(json.dumps(golden, indent=1))
