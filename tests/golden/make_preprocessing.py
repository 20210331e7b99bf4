"""Records what preprocessing layers do in Keras on TensorFlow: python tests/golden/make_preprocessing.py"""

import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "layers"))

import keras
from preprocessing_cases import CASES, answer

found = {name: answer(keras, name) for name in CASES}
lines = [f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}" for name, value in found.items()]
(here / "preprocessing.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
