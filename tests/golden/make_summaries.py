"""Writes summaries.json: what Keras's model.summary() says of the models of tests/models/summary_cases.py.

    KERAS_BACKEND=jax python tests/golden/make_summaries.py
"""

import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "models"))
os.environ["COLUMNS"] = "300"  # Keras cuts names at the terminal's width

import keras
from summary_cases import MODELS, OPTIONS, cells, text_of

golden = {}
for name, make in MODELS.items():
    for options, arguments in OPTIONS.items():
        keras.utils.clear_session()
        rows = cells(text_of(make(keras), line_length=250, **arguments))
        golden[f"{name}, {options}"] = [[cell.replace("(1, ", "(None, ") for cell in row] for row in rows]
(HERE / "summaries.json").write_text(json.dumps(golden, indent=0, ensure_ascii=False) + "\n")
