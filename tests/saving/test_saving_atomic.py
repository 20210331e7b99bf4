"""Saving is all or nothing: whatever fails, and whenever the process dies, a complete file is there."""

import errno
import io
import os
import pathlib
import stat
import subprocess
import sys
import textwrap

import pytest
from saving_fakes import make_model, values

from kerasish import saving
from kerasish.saving import archive, keras_format
from kerasish.saving.hdf5 import H5Writer

FORMATS = {
    ".keras": ("model.keras", saving.save_model, lambda path: values(saving.load_model(path))),
    ".h5": ("model.h5", saving.save_model, lambda path: values(saving.load_model(path))),
    ".weights.h5": ("model.weights.h5", saving.save_weights, lambda path: loaded_weights(path)),
}


def loaded_weights(path):
    model = make_model(seed=99)
    saving.load_weights(model, path)
    return values(model)


def failing(where, error, count):
    """A function that works `count` times and then raises."""
    real, calls = where, [0]

    def call(*args, **kwargs):
        calls[0] += 1
        if calls[0] > count:
            raise error
        return real(*args, **kwargs)

    return call


DISK_FULL = OSError(errno.ENOSPC, "No space left on device")

# (object, attribute, how often it works before it fails, error)
FAULTS = {
    "the first variable": (H5Writer, "array", 0, RuntimeError("variable")),
    "the third variable": (H5Writer, "array", 2, KeyboardInterrupt()),
    "flushing the file": (os, "fsync", 0, DISK_FULL),
    "moving the file": (os, "replace", 0, DISK_FULL),
    "copying the permissions": (archive.shutil, "copymode", 0, PermissionError("no")),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_failure_leaves_the_old_file(kind, fault, tmp_path, monkeypatch):
    name, save, load = FORMATS[kind]
    old, new = make_model(seed=1), make_model(seed=2)
    path = tmp_path / name
    save(old, path)
    before = path.read_bytes()
    where, attribute, count, error = FAULTS[fault]
    monkeypatch.setattr(where, attribute, failing(getattr(where, attribute), error, count))
    with pytest.raises(type(error)):
        save(new, path)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [name]
    assert path.read_bytes() == before and load(path) == values(old)
    save(new, path)
    assert load(path) == values(new) and os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_failure_leaves_nothing_where_nothing_was(kind, tmp_path, monkeypatch):
    name, save, _ = FORMATS[kind]
    monkeypatch.setattr(os, "replace", failing(os.replace, DISK_FULL, 0))
    with pytest.raises(OSError, match="No space"):
        save(make_model(), tmp_path / name)
    assert os.listdir(tmp_path) == []


CHILD = """
    import os, sys
    sys.path.insert(0, {here!r})
    from saving_fakes import Dense, make_model
    from kerasish import saving
    import kerasish.saving.archive as archive
    real = getattr({where}, {attribute!r})
    calls = [0]
    def dies(*args, **kwargs):
        calls[0] += 1
        if calls[0] > {count}:
            os._exit(9)
        return real(*args, **kwargs)
    {where}.{attribute} = dies
    getattr(saving, {save!r})(make_model(seed=2), {path!r})
"""


@pytest.mark.parametrize("where, attribute, count", [
    ("Dense", "save_own_variables", 1), ("os", "fsync", 0), ("os", "replace", 0), ("os", "fsync", 1)
])
def test_a_crash_leaves_a_complete_file(where, attribute, count, tmp_path):
    path = tmp_path / "model.keras"
    saving.save_model(make_model(seed=1), path)
    code = CHILD.format(
        here=str(pathlib.Path(__file__).parent), where=where, attribute=attribute, count=count, save="save_model",
        path=str(path),
    )
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False, capture_output=True)
    assert died.returncode == 9, died.stderr.decode()
    moved = (where, count) == ("os", 1) and attribute == "fsync"  # the folder is flushed after the file was moved
    assert values(saving.load_model(path)) == values(make_model(seed=2 if moved else 1))


def test_the_file_is_flushed_before_it_is_moved(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real: (done.append(name), real(*a))[1])
    saving.save_model(make_model(), tmp_path / "model.keras")
    assert done == ["fsync", "replace", "fsync"]


def test_permissions(tmp_path):
    path = tmp_path / "model.weights.h5"
    umask = os.umask(0o027)
    try:
        saving.save_weights(make_model(), path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        saving.save_weights(make_model(), path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(umask)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "real.keras", tmp_path / "link.keras"
    saving.save_model(make_model(seed=1), real)
    link.symlink_to(real)
    saving.save_model(make_model(seed=2), link)
    assert link.is_symlink() and values(saving.load_model(real)) == values(make_model(seed=2))


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_where_a_file_cannot_be(name, tmp_path):
    save = saving.save_model if name.endswith(".keras") else saving.save_weights
    with pytest.raises(FileNotFoundError, match="no folder .*nowhere"):
        save(make_model(), tmp_path / "nowhere" / name)
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError, match="There is a folder"):
        save(make_model(), tmp_path / name)


def test_h5_makes_its_folder(tmp_path):
    path = tmp_path / "a" / "b" / "model.h5"
    saving.save_model(make_model(seed=4), path)
    assert values(saving.load_model(path)) == values(make_model(seed=4))


def test_the_same_model_gives_the_same_bytes(monkeypatch):
    texts = {"metadata.json": "{}", "config.json": "{}"}
    monkeypatch.setattr(keras_format, "_texts", lambda model: texts)
    first, second = io.BytesIO(), io.BytesIO()
    saving.save_model(make_model(), first)
    saving.save_model(make_model(), second)
    assert first.getvalue() == second.getvalue()


@pytest.mark.parametrize("answers, saved", [(["n"], False), (["y"], True), (["what?", "", "N"], False), (["x", " Y "], True)])
@pytest.mark.parametrize("kind", FORMATS)
def test_asks_before_overwriting(kind, answers, saved, tmp_path, monkeypatch):
    name, save, load = FORMATS[kind]
    save(make_model(seed=1), tmp_path / name, overwrite=False)  # nothing there: nothing to ask
    left = list(answers)
    monkeypatch.setattr("builtins.input", lambda prompt: left.pop(0))
    save(make_model(seed=2), tmp_path / name, overwrite=False)
    assert not left and load(tmp_path / name) == values(make_model(seed=2 if saved else 1))
