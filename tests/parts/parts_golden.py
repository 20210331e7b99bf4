"""Keras's names, signatures, numbers, configs and errors of small parts."""

import json
import pathlib

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/parts.json").read_text())
