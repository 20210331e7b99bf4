"""Records what functions of keras.utils give in Keras on TensorFlow: python tests/golden/make_utils.py"""

import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
here = pathlib.Path(__file__).parent
sys.path[:0] = [str(here.parent / "layers"), str(here.parent / "utils")]

import keras
from preprocessing_cases import answer
from utils_cases import CASES

found = {name: answer(keras, name, CASES) for name in CASES}
lines = [f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}" for name, value in found.items()]
(here / "utils.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
