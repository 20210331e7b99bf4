"""Arrays out of pickles, and nothing else: some data sets were published as pickles long ago."""

import io
import pickle
import zipfile
from typing import Any

import numpy as np

from kerasish.base.errors import UnsafeFileError

# What pickled arrays are made of, under the names that NumPy gave it over the years
ALLOWED = {
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class ArrayUnpickler(pickle.Unpickler):
    """Makes arrays, numbers, texts, lists and dicts; a pickle that asks for anything else is an UnsafeFileError."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise UnsafeFileError(f"A data set's file asks for {module}.{name}, which is no part of an array. It was not loaded.")
        return super().find_class(module, name)


def load_pickle(path: Any) -> Any:
    """The arrays and lists of a pickle that Python 2 may have written."""
    with open(path, "rb") as file:
        return ArrayUnpickler(file, encoding="bytes").load()


def load_arrays(path: Any) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, arrays of lists included."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            arrays[member.removesuffix(".npy")] = _read(archive.read(member))
    return arrays


def _read(data: bytes) -> np.ndarray:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if dtype.hasobject:
        return ArrayUnpickler(file, encoding="latin1").load().reshape(shape)
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)
