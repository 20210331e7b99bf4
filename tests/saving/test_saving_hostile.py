"""Files that are made to do harm: each is refused with its reason, nothing runs, and nothing is written anywhere."""

import ast
import io
import json
import os
import pathlib
import random
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager

import h5py
import numpy as np
import pytest
from saving_fakes import PACKAGE, Dense, Words, make_model, values

from kerasish import saving
from kerasish.base.errors import UnsafeFileError
from kerasish.saving import hdf5

GIANT = (1 << 40,)


@contextmanager
def edited(path):
    """The weights of a saved `.weights.h5` file, to be tampered with."""
    with h5py.File(path, "r+") as file:
        yield file, file["layers/dense/vars"]


def put(group, name="0", **options):
    """Replace an array by one of the right shape with a property of its own."""
    value = group[name][()]
    del group[name]
    return group.create_dataset(name, data=value, **options)


# -- attacks on .weights.h5 -------------------------------------------------------------------------------------------


def soft_link(file, vars_, secret):
    del vars_["0"]
    vars_["0"] = h5py.SoftLink("/layers/dense_1/vars/0")


def dangling_soft_link(file, vars_, secret):
    del vars_["0"]
    vars_["0"] = h5py.SoftLink("/nowhere")


def external_link(file, vars_, secret):
    del vars_["0"]
    vars_["0"] = h5py.ExternalLink(secret, "/data")


def soft_link_on_the_way(file, vars_, secret):
    del file["layers/dense"]
    file["layers/dense"] = h5py.SoftLink("/layers/dense_1")


def external_link_on_the_way(file, vars_, secret):
    del file["layers"]
    file["layers"] = h5py.ExternalLink(secret, "/layers")


def external_storage(file, vars_, secret):
    del vars_["0"]
    vars_.create_dataset("0", shape=(3, 4), dtype="f4", external=[(secret, 0, 48)])


def virtual_dataset(file, vars_, secret):
    del vars_["0"]
    layout = h5py.VirtualLayout(shape=(3, 4), dtype="f4")
    layout[...] = h5py.VirtualSource(secret, "data", shape=(3, 4))
    vars_.create_virtual_dataset("0", layout)


def group_for_an_array(file, vars_, secret):
    del vars_["0"]
    vars_.create_group("0")


def array_for_a_group(file, vars_, secret):
    del file["layers/dense"]
    file["layers/dense"] = np.zeros(3)


def named_type(file, vars_, secret):
    del vars_["0"]
    vars_["0"] = np.dtype("f4")


def texts_for_numbers(file, vars_, secret):
    del vars_["0"]
    vars_.create_dataset("0", data=["a"] * 12, dtype=h5py.string_dtype())


def ragged_for_numbers(file, vars_, secret):
    del vars_["0"]
    vars_.create_dataset("0", shape=(3, 4), dtype=h5py.vlen_dtype(np.dtype("f4")))


def references(file, vars_, secret):
    del vars_["0"]
    vars_.create_dataset("0", data=[file.ref] * 12, dtype=h5py.ref_dtype)


def records(file, vars_, secret):
    del vars_["0"]
    vars_["0"] = np.zeros((3, 4), [("a", "f4"), ("b", "i4")])


def opaque(file, vars_, secret):
    del vars_["0"]
    vars_.create_dataset("0", data=np.zeros((3, 4), "V8"))


def array_elements(file, vars_, secret):
    del vars_["0"]
    vars_.create_dataset("0", shape=(3, 4), dtype=np.dtype(("f4", (1000,))))


def no_shape(file, vars_, secret):
    del vars_["0"]
    vars_["0"] = h5py.Empty("f4")


def integers_of_giant_shape(file, vars_, secret):
    del vars_["0"]
    vars_.create_dataset("0", shape=GIANT, dtype="i4", chunks=(1024,))


def giant_shape(file, vars_, secret):
    del vars_["0"]
    vars_.create_dataset("0", shape=GIANT, dtype="f4", chunks=(1024,), compression="gzip")


def giant_chunk(file, vars_, secret):
    value = vars_["1"][()]
    del vars_["1"]
    dataset = vars_.create_dataset("1", shape=(4,), maxshape=(None,), chunks=(1 << 26,), dtype="f4", compression="gzip")
    dataset[:] = value


def chunk_that_expands(file, vars_, secret):
    dataset = put(vars_, "0", chunks=(3, 4), compression="gzip")
    dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(1 << 26), 9))


def chunk_that_is_damaged(file, vars_, secret):
    dataset = put(vars_, "0", chunks=(3, 4), compression="gzip")
    dataset.id.write_direct_chunk((0, 0), b"not compressed at all")


def chunk_that_is_short(file, vars_, secret):
    dataset = put(vars_, "0", chunks=(3, 4), compression="gzip")
    dataset.id.write_direct_chunk((0, 0), zlib.compress(b"abc"))


def strange_filter(file, vars_, secret):
    put(vars_, "0", chunks=(3, 4), compression="lzf")


def scale_offset_filter(file, vars_, secret):
    put(vars_, "0", chunks=(3, 4), scaleoffset=2)


UNSAFE = UnsafeFileError
WEIGHTS_ATTACKS = {
    soft_link: (UNSAFE, "soft link"),
    dangling_soft_link: (UNSAFE, "soft link"),
    external_link: (UNSAFE, "link to another file"),
    soft_link_on_the_way: (UNSAFE, "soft link"),
    external_link_on_the_way: (UNSAFE, "link to another file"),
    external_storage: (UNSAFE, "keeps its data in another file"),
    virtual_dataset: (UNSAFE, "virtual"),
    group_for_an_array: (UNSAFE, "should be an array and is a group"),
    array_for_a_group: (UNSAFE, "leads through an array"),
    named_type: (UNSAFE, "is a data type"),
    texts_for_numbers: (UNSAFE, "should hold numbers"),
    ragged_for_numbers: (UNSAFE, "should hold numbers"),
    references: (UNSAFE, "should hold numbers"),
    records: (UNSAFE, "should hold numbers"),
    opaque: (UNSAFE, "should hold numbers"),
    array_elements: (UNSAFE, "should hold numbers"),
    no_shape: (UNSAFE, "no shape"),
    giant_shape: (ValueError, "none of the variables"),
    integers_of_giant_shape: (ValueError, "none of the variables"),
    giant_chunk: (UNSAFE, "in pieces of"),
    chunk_that_expands: (UNSAFE, "where 48 were declared"),
    chunk_that_is_damaged: (UNSAFE, "damaged compressed data"),
    chunk_that_is_short: (UNSAFE, "piece of 3 bytes"),
    strange_filter: (UNSAFE, "h5repack -f NONE"),
    scale_offset_filter: (UNSAFE, "not understood"),
}


@pytest.fixture
def secret(tmp_path):
    """A file that an attack would like to read."""
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.full((3, 4), 7, "f4")
        for name in ("dense", "dense_1"):
            file[f"layers/{name}/vars/0"] = np.full((3, 4), 7, "f4")
    return str(path)


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """No array larger than the models here may be read, and no file made below the folder of the test."""
    read = hdf5.StoredArray.read

    def small(self):
        assert self.nbytes < 1 << 16, f"{self.where} was read"
        return read(self)

    monkeypatch.setattr(hdf5.StoredArray, "read", small)
    yield
    names = {os.path.relpath(os.path.join(at, f), tmp_path) for at, _, files in os.walk(tmp_path) for f in files}
    assert names <= {"secret.h5", "model.weights.h5", "model.keras", "model.h5", "stolen.txt"}


@pytest.mark.parametrize("attack", WEIGHTS_ATTACKS, ids=lambda a: a.__name__)
@pytest.mark.parametrize("skip_mismatch", [False, True])
def test_weights(attack, skip_mismatch, tmp_path, secret, guarded):
    error, message = WEIGHTS_ATTACKS[attack]
    path = tmp_path / "model.weights.h5"
    saving.save_weights(make_model(), path)
    with edited(path) as (file, vars_):
        attack(file, vars_, secret)
    model = make_model(seed=3)
    kernel = model.layers[0].kernel.numpy().tolist()
    if skip_mismatch and error is ValueError:
        with pytest.warns(UserWarning, match=message):
            saving.load_weights(model, path, skip_mismatch=True)
    else:
        with pytest.raises(error, match=message):
            saving.load_weights(model, path, skip_mismatch=skip_mismatch)
    if attack is not giant_chunk:  # which concerns the bias, read after the kernel
        assert model.layers[0].kernel.numpy().tolist() == kernel


@pytest.mark.parametrize("attack", WEIGHTS_ATTACKS, ids=lambda a: a.__name__)
def test_weights_inside_a_model(attack, tmp_path, secret, guarded):
    error, message = WEIGHTS_ATTACKS[attack]
    saving.save_weights(make_model(), tmp_path / "model.weights.h5")
    with edited(tmp_path / "model.weights.h5") as (file, vars_):
        attack(file, vars_, secret)
    saving.save_model(make_model(), tmp_path / "model.keras")
    weights = (tmp_path / "model.weights.h5").read_bytes()
    rezip(tmp_path / "model.keras", **{"model.weights.h5": weights})
    with pytest.raises(error, match=message):
        saving.load_model(tmp_path / "model.keras")


class Greedy(Dense):
    """A user's layer, which reads whatever the file offers."""

    def load_own_variables(self, store):
        self.read = {k: store[k] for k in store.keys()}

    def save_own_variables(self, store):
        store["table"] = np.arange(6.0)


@pytest.mark.parametrize("shape, options, fits", [
    ((300, 1000), {}, True),
    ((300, 1000), {"chunks": (100, 1000), "compression": "gzip"}, False),
    (GIANT, {"chunks": (1024,)}, False),
    ((1 << 10,), {"chunks": (1024,)}, True),
])
def test_arrays_of_no_known_shape_may_not_expand(shape, options, fits, tmp_path):
    layer = Greedy(name="greedy")
    layer.build((None, 3))
    model = make_model(compiled=False)
    model.layers = [layer]
    path = tmp_path / "model.weights.h5"
    saving.save_weights(model, path)
    with h5py.File(path, "r+") as file:
        group = file["layers/greedy/vars"]
        del group["table"]
        dataset = group.create_dataset("table", shape=shape, dtype="f4", **options)
        if fits or "compression" in options:
            dataset[...] = 0
    if fits:
        saving.load_weights(model, path)
        assert layer.read["table"].shape == shape
    else:
        with pytest.raises(UnsafeFileError, match="fill the memory"):
            saving.load_weights(model, path)


# -- attacks on .keras ------------------------------------------------------------------------------------------------


def rezip(path, info=None, **members):
    """Write an archive again with some members replaced or added; `info` changes a member's entry."""
    with zipfile.ZipFile(path) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    contents.update(members)
    with zipfile.ZipFile(path, "w") as new:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name)
            if info:
                info(entry)
            new.writestr(entry, data)


def extra(name, data=b"x", change=None):
    def attack(path):
        rezip(path, lambda entry: change(entry) if change and entry.filename == name else None, **{name: data})

    return attack


def as_link(entry):
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


def deflated(entry):
    entry.compress_type = zipfile.ZIP_DEFLATED


def twice(path):
    with zipfile.ZipFile(path, "a") as archive_, pytest.warns(UserWarning, match="Duplicate"):
        archive_.writestr("config.json", json.dumps({"class_name": "X", "config": {}}))


def overlapping(path):
    """Two names for the same bytes: the second entry of the table points to the first member."""
    data = bytearray(path.read_bytes())
    entries = [i for i in range(len(data)) if data[i : i + 4] == b"PK\x01\x02"]
    first, second = entries[0], entries[1]
    for at in (10, 16, 20, 24, 42):
        size = 2 if at == 10 else 4
        data[second + at : second + at + size] = data[first + at : first + at + size]
    path.write_bytes(data)


def header_of_another_name(path):
    data = path.read_bytes()
    at = data.index(b"model.weights.h5")
    path.write_bytes(data[:at] + b"model.weights.XX" + data[at + 16 :])


def claims_more_than_it_has(path):
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + 24, 1 << 30)
    path.write_bytes(data)


def encrypted(path):
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1
    path.write_bytes(data)


def bad_checksum(path):
    data = path.read_bytes()
    at = data.index(b"\x89HDF") + 100
    path.write_bytes(data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :])


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-30])


def without(name):
    def attack(path):
        with zipfile.ZipFile(path) as old:
            contents = {n: old.read(n) for n in old.namelist() if n != name}
        with zipfile.ZipFile(path, "w") as new:
            for n, data in contents.items():
                new.writestr(zipfile.ZipInfo(n), data)

    return attack


def pickled_weights(path):
    without("model.weights.h5")(path)
    rezip(path, **{"model.weights.npz": b"\x80\x04"})


def config(value):
    return lambda path: rezip(path, **{"config.json": value if isinstance(value, bytes) else json.dumps(value).encode()})


def instance(module, class_name, **config_):
    return {"module": module, "class_name": class_name, "config": config_, "registered_name": None}


MODEL_ATTACKS = {
    "a member above the archive": (extra("../stolen.txt"), UNSAFE, "leads out"),
    "an asset above the archive": (extra("assets/../../stolen.txt"), UNSAFE, "leads out"),
    "an absolute member": (extra("/tmp/stolen.txt"), UNSAFE, "leads out"),
    "a member on a drive": (extra("C:/stolen.txt"), UNSAFE, "leads out"),
    "a member with backslashes": (extra("assets\\..\\..\\stolen.txt"), UNSAFE, "leads out"),
    "an empty part": (extra("assets//stolen.txt"), UNSAFE, "leads out"),
    "a link": (extra("assets/vocabulary.txt", b"/etc/passwd", as_link), UNSAFE, "is a link"),
    "two members of one name": (twice, UNSAFE, "two members"),
    "members that overlap": (overlapping, UNSAFE, "overlaps"),
    "a header of another name": (header_of_another_name, UNSAFE, "calls itself"),
    "a size that is not there": (claims_more_than_it_has, UNSAFE, "claims 1073741824 bytes and holds"),
    "an encrypted member": (encrypted, UNSAFE, "encrypted"),
    "a bomb in the assets": (extra("assets/zeros", bytes(1 << 22), deflated), UNSAFE, "fill the memory"),
    "a bomb as config": (extra("config.json", b" " * (1 << 22) + b"{}", deflated), UNSAFE, "fill the memory"),
    "an odd compression": (
        extra("assets/x", b"x" * 99, lambda e: setattr(e, "compress_type", zipfile.ZIP_LZMA)), UNSAFE, "method 14"
    ),
    "weights that are pickled": (pickled_weights, UNSAFE, "unpickling"),
    "damaged weights": (bad_checksum, ValueError, "checksum"),
    "an archive cut short": (cut_short, ValueError, "no zip archive, or is damaged"),
    "no config": (without("config.json"), ValueError, "has no 'config.json'"),
    "no weights": (without("model.weights.h5"), ValueError, "has no 'model.weights.h5'"),
    "weights that are no HDF5": (extra("model.weights.h5", b"nothing"), OSError, "can't be read as an HDF5 file"),
    "a config that is no JSON": (config(b"{"), ValueError, "not JSON"),
    "a config that is no text": (config(b"\xff\xfe\x00"), ValueError, "not JSON"),
    "a config that is no model": (config([1, 2]), ValueError, "does not describe a model"),
    "a config nested without end": (config(b"[" * 100_000), ValueError, "not JSON"),
    "objects nested without end": (
        config(b'{"class_name": "x", "config": ' + b"[" * 900 + b"]" * 900 + b"}"), UNSAFE, "nested too deeply"
    ),
    "a giant number": (config(b'{"class_name": "X", "config": {"a": ' + b"9" * 5000 + b"}}"), ValueError, "not JSON"),
    "os.system": (config({"module": "os", "class_name": "function", "config": "system"}), TypeError, "Could not locate"),
    "a process": (config(instance("subprocess", "Popen", args=["touch", "stolen.txt"])), TypeError, "Could not locate"),
    "a function as a model": (config(instance("keras.saving", "load_model", filepath="x")), UNSAFE, "can't be part"),
    "bytecode": (
        config(instance("keras.layers", "Lambda", function={"class_name": "__lambda__", "config": {"value": ["4w"]}})),
        UNSAFE, "bytecode",
    ),
}


@pytest.mark.parametrize("name", MODEL_ATTACKS)
def test_models(name, tmp_path, guarded):
    attack, error, message = MODEL_ATTACKS[name]
    path = tmp_path / "model.keras"
    saving.save_model(make_model(), path)
    attack(path)
    for safe_mode in (True, False):
        with pytest.raises(error, match=message):
            saving.load_model(path, safe_mode=safe_mode)
    if name not in ("an archive cut short",):
        with pytest.raises(error, match=message):
            saving.load_model(io.BytesIO(path.read_bytes()))
    assert not os.path.exists("stolen.txt") and not os.path.exists("/tmp/stolen.txt")


def test_a_bomb_of_many_members(tmp_path):
    path = tmp_path / "model.keras"
    saving.save_model(make_model(), path)
    bombs = {f"assets/{i}": bytes(1 << 20) for i in range(40)}
    rezip(path, lambda e: deflated(e) if e.filename.startswith("assets") else None, **bombs)
    with pytest.raises(UnsafeFileError, match="together"):
        saving.load_model(path)


def test_compressed_archives_and_arrays_of_honest_people(tmp_path):
    """What is refused in bombs is not refused where it is harmless."""
    model = make_model()
    model.layers.append(Words(["x", "y"], "words"))
    path, weights = tmp_path / "model.keras", tmp_path / "model.weights.h5"
    saving.save_model(model, path)
    saving.save_weights(model, weights)
    with edited(weights) as (_, vars_):
        put(vars_, "0", chunks=(2, 3), compression="gzip", shuffle=True, fletcher32=True)
        put(vars_, "1", chunks=True)
    rezip(path, deflated, **{"model.weights.h5": weights.read_bytes(), "__MACOSX/._config.json": b"x"})
    again = saving.load_model(path)
    assert values(again) == values(model) and again.layers[-1].words == ["x", "y"]


def test_links_out_of_a_folder(tmp_path):
    model = make_model()
    model.layers.append(Words(["x"], "words"))
    saving.save_model(model, tmp_path / "model", zipped=False)
    asset = tmp_path / "model" / "assets" / "layers" / "words" / "vocabulary.txt"
    assert values(saving.load_model(tmp_path / "model")) == values(model)
    (tmp_path / "private.txt").write_text("private")
    asset.unlink()
    asset.symlink_to(tmp_path / "private.txt")
    with pytest.raises(UnsafeFileError, match="leads out of the model's folder"):
        saving.load_model(tmp_path / "model")


# -- attacks on .h5 ---------------------------------------------------------------------------------------------------


def h5_attribute(name, value):
    return lambda file, secret: file.attrs.__setitem__(name, value)


def h5_config(value):
    return h5_attribute("model_config", json.dumps(value))


def h5_names(value):
    return lambda file, secret: file["model_weights/dense_0"].attrs.__setitem__("weight_names", value)


def h5_replace(path, value):
    def attack(file, secret):
        del file[path]
        file[path] = value(secret) if callable(value) else value

    return attack


KERNEL = "model_weights/dense_0/dense_0/kernel"
H5_CONFIG_ATTACKS = {
    "bytecode": (
        h5_config({"class_name": "Lambda", "config": {"name": "l", "function": ["4w", None, None]}}), UNSAFE, "bytecode"
    ),
    "bytecode in a layer": (
        h5_config({"class_name": f"{PACKAGE}>Model", "config": {"name": "m", "build_input_shape": None, "layers": [
            {"class_name": "Lambda", "config": {"name": "l", "function": "4w", "function_type": "lambda"}},
        ]}}), UNSAFE, "The layer 'l'",
    ),
    "bytecode as a loss": (
        h5_attribute("training_config", json.dumps({
            "optimizer_config": {"class_name": f"{PACKAGE}>Momentum", "config": {}},
            "loss": {"class_name": "__lambda__", "config": {"code": "4w"}}, "loss_weights": None,
        })), UNSAFE, "bytecode",
    ),
    "a class of Python": (h5_config({"class_name": "Popen", "config": {"args": "x"}}), TypeError, "Could not locate"),
    "a module of Python": (
        h5_config({"module": "subprocess", "class_name": "Popen", "config": {}}), TypeError, "Could not locate"
    ),
    "a config that is no text": (h5_attribute("model_config", np.arange(3)), UNSAFE, "should be text"),
    "a config of several texts": (h5_attribute("model_config", ["a", "b"]), UNSAFE, "should be one text"),
    "a config that is a reference": (
        lambda file, secret: file.attrs.create("model_config", file.ref, dtype=h5py.ref_dtype), UNSAFE, "should be text"
    ),
    "a config that is no JSON": (h5_attribute("model_config", "{"), ValueError, "not JSON"),
    "a config nested without end": (h5_attribute("model_config", "[" * 100_000), ValueError, "not JSON"),
    "no weights": (lambda file, secret: file.__delitem__("model_weights"), ValueError, "no weights"),
    "optimizer weights by a link": (
        h5_replace("optimizer_weights/momentum/slot0", h5py.SoftLink("/x")), UNSAFE, "soft link"
    ),
}
H5_WEIGHT_ATTACKS = {
    "names that are no text": (h5_names(np.arange(3)), UNSAFE, "should be text"),
    "a name that is no UTF-8": (h5_names(np.array([b"\xff\xfe"])), UNSAFE, "UTF-8"),
    "a name that leads up": (h5_names(["../dense_1/dense_1/kernel", "dense_0/bias"]), UNSAFE, "'..'"),
    "a name from the root": (h5_names([f"/{KERNEL}", "dense_0/bias"]), UNSAFE, "empty"),
    "a name of nothing": (h5_names(["dense_0/kernel", "other"]), ValueError, "nothing for it"),
    "an external link": (
        h5_replace(KERNEL, lambda secret: h5py.ExternalLink(secret, "/data")), UNSAFE, "link to another file"
    ),
    "a soft link": (h5_replace(KERNEL, h5py.SoftLink("/model_weights/dense_1/dense_1/kernel")), UNSAFE, "soft link"),
    "a soft link to a layer": (
        h5_replace("model_weights/dense_0", h5py.SoftLink("/model_weights/dense_1")), UNSAFE, "soft link"
    ),
    "weights of another shape": (h5_replace(KERNEL, np.zeros((4, 3), "f4")), ValueError, "Shape mismatch in layer #0"),
    "fractions for integers": (h5_replace(KERNEL, np.zeros((3, 4), "c8")), ValueError, "dtype complex64"),
}


@pytest.mark.parametrize("name", {**H5_CONFIG_ATTACKS, **H5_WEIGHT_ATTACKS})
def test_h5(name, tmp_path, secret, guarded):
    attack, error, message = {**H5_CONFIG_ATTACKS, **H5_WEIGHT_ATTACKS}[name]
    path = tmp_path / "model.h5"
    saving.save_model(make_model(), path)
    with h5py.File(path, "r+") as file:
        attack(file, secret)
    for safe_mode in (True, False):
        with pytest.raises(error, match=message):
            saving.load_model(path, safe_mode=safe_mode)
    if name in H5_WEIGHT_ATTACKS:
        for by_name in (None, True):
            with pytest.raises(error, match=message):
                saving.load_weights(make_model(), path, by_name=by_name)


def test_an_optimizer_state_of_other_shapes_is_left_out(tmp_path, caplog):
    path = tmp_path / "model.h5"
    saving.save_model(make_model(), path)
    with h5py.File(path, "r+") as file:
        h5_replace("optimizer_weights/momentum/slot0", np.zeros(GIANT[0] >> 30, "f4"))(file, None)
    again = saving.load_model(path)
    assert "freshly initialized optimizer" in caplog.text
    assert all(not v.numpy().any() for v in again.optimizer.variables)


# -- the rule ---------------------------------------------------------------------------------------------------------


def imports_and_calls(path):
    """The top-level modules a file imports, wherever, and the names of what it calls."""
    tree = ast.parse(path.read_text(encoding="utf8"))
    modules, calls = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call):
            calls.add(ast.unparse(node.func))
            if ast.unparse(node.func) == "Lazy":
                modules.add(node.args[0].value.split(".")[0])
    return modules, calls


def test_what_opens_files_is_used_in_few_places():
    top = pathlib.Path(saving.__file__).parents[1]
    users = {"h5py": [], "zipfile": [], "marshal": []}
    for path in sorted(top.rglob("*.py")):
        modules, _ = imports_and_calls(path)
        for module, found in users.items():
            if module in modules:
                found.append(path.relative_to(top).as_posix())
    assert users == {
        "h5py": ["saving/hdf5.py"],
        "zipfile": ["datasets/pickles.py", "saving/archive.py", "utils/downloads.py"],  # models; archives of data, tests/utils has hostile ones
        "marshal": ["saving/lambdas.py"],
    }


def test_nothing_in_saving_can_run_what_a_file_holds():
    allowed = {"marshal.dumps"}
    for path in pathlib.Path(saving.__file__).parent.glob("*.py"):
        modules, calls = imports_and_calls(path)
        assert not modules & {"pickle", "importlib", "runpy", "subprocess", "shelve", "dill", "cloudpickle"}
        assert not calls & {"eval", "exec", "compile", "__import__", "types.FunctionType", "types.CodeType", "np.load"}
        assert {c for c in calls if c.startswith("marshal.")} <= allowed


# -- damage without design --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.weights.h5", "model.keras"])
def test_bytes_changed_at_random(name, tmp_path):
    """Whatever the bytes are, the answer is a loaded model or an error of ours, and never a crash."""
    path = tmp_path / name
    model = make_model()
    saving.save_weights(model, path) if "weights" in name else saving.save_model(model, path)
    whole = path.read_bytes()
    draw = random.Random(0)
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(draw.choice([1, 3, 20])):
            data[draw.randrange(len(data))] = draw.choice([0, 255, draw.randrange(256)])
        path.write_bytes(data[: draw.choice([len(data), len(data), draw.randrange(len(data))])])
        try:
            saving.load_weights(make_model(), path)
        except (ValueError, OSError):
            refused += 1
    assert refused > 20
