"""What Keras's callbacks do, recorded, against what ours do."""

import json
import pathlib

import pytest
from callback_scenarios import SCENARIOS, play

from kerasish import callbacks

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden" / "callbacks.json").read_text())["scenarios"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name, tmp_path):
    assert json.loads(json.dumps(play(callbacks, name, tmp_path))) == GOLDEN[name]
