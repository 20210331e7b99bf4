"""KerasFileEditor: what it shows, compares, changes and writes."""

import h5py
import numpy as np
import pytest
from saving_fakes import make_model, values

from kerasish import saving
from kerasish.base.errors import UnsafeFileError


@pytest.fixture(params=["m.keras", "m.weights.h5"])
def editor(request, tmp_path):
    save = saving.save_model if request.param.endswith(".keras") else saving.save_weights
    save(make_model(), tmp_path / request.param)
    return saving.KerasFileEditor(tmp_path / request.param)


def test_what_it_shows(editor, capsys):
    editor.summary()
    shown = capsys.readouterr().out
    assert "dense_1 ('dense_1')" in shown and "0: shape=(3, 4), dtype=float32" in shown
    assert (editor.config is None) == (editor.metadata is None) == editor.filepath.endswith(".weights.h5")


def test_written_again_it_is_the_same(editor, tmp_path):
    editor.save(tmp_path / "again.weights.h5")
    model = make_model(seed=7)
    saving.load_weights(model, tmp_path / "again.weights.h5")
    assert values(model) == values(make_model())


def result(editor, model):
    return tuple(editor.compare(model).values())


def test_edits(editor, tmp_path):
    count = len(values(make_model()))
    assert result(editor, make_model()) == ("success", 0, count)
    target = make_model((4, 2, 3), compiled=False)
    editor.delete_object("optimizer")
    assert result(editor, target)[:2] == ("error", 1)
    editor.add_object("layers/other", {"0": np.ones((2, 3), "float32")})
    assert result(editor, target)[:2] == ("error", 2)
    editor.rename_object("other", "third")
    editor.rename_object("layers/third", "dense_2")
    assert result(editor, target)[:2] == ("error", 1)
    editor.add_weights("dense_2", {"1": np.zeros(7, "float32")})
    assert result(editor, target)[:2] == ("error", 1)
    editor.delete_weight("dense_2", "1")
    editor.add_weights("layers/dense_2", {"1": np.zeros(3, "float32")})
    assert result(editor, target) == ("success", 0, 6)
    editor.resave_weights(tmp_path / "new.weights.h5")
    saving.load_weights(target, tmp_path / "new.weights.h5")
    assert target.layers[2].kernel.numpy().tolist() == np.ones((2, 3)).tolist()


ERRORS = {
    "no object of the name": (lambda e: e.delete_object("nothing"), "does not appear"),
    "several of the name": (lambda e: e.delete_object("0"), "more than once"),
    "no such path": (lambda e: e.delete_object("layers/x/y"), "not found"),
    "a place that is not there": (lambda e: e.add_object("layers/x/y", {}), "Path 'layers/x' not found"),
    "weights as a list": (lambda e: e.add_object("x", [1]), "should be a dict"),
    "no such weight": (lambda e: e.delete_weight("layers/dense", "9"), "Weights found"),
    "a path as a name": (lambda e: e.rename_object("layers/dense", "a/b"), "not a path"),
    "another suffix": (lambda e: e.save("x.h5"), "`.weights.h5`"),
    "a file of another kind": (lambda e: saving.KerasFileEditor("x.txt"), "Invalid filename"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name, editor):
    act, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        act(editor)


def circle(file):
    file["layers/dense/again"] = file["layers"]


def giant(file):
    file.create_dataset("layers/dense/vars/9", shape=(1 << 40,), dtype="f4", chunks=(1024,))


def link(file):
    file["layers/x"] = h5py.SoftLink("/layers/dense")


@pytest.mark.parametrize("attack, message", [(circle, "another place"), (giant, "fill the memory"), (link, "soft link")])
def test_hostile_files(attack, message, tmp_path):
    saving.save_weights(make_model(), tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        attack(file)
    with pytest.raises(UnsafeFileError, match=message):
        saving.KerasFileEditor(tmp_path / "m.weights.h5")
