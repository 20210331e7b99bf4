"""Records what `keras.tree` answers. Run where Keras is installed: python tests/golden/make_tree.py"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "base"))

import keras  # noqa: E402
import tree_cases  # noqa: E402

golden: dict = {"keras": keras.__version__, "answers": {}}
for (question, name), expression, names in tree_cases.rows():
    golden["answers"].setdefault(question, {})[name] = tree_cases.answer(keras.tree, expression, names)
(here / "tree.json").write_text(json.dumps(golden, indent=1) + "\n")
