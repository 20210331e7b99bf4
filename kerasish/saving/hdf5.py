"""The only file that touches h5py.

`H5Writer` writes groups, arrays and attributes. `H5Reader` reads them, and looks at what a file claims before it believes
a word of it: links, arrays kept elsewhere, compressors that expand without limit, types that are not numbers and paths
that lead out are refused with UnsafeFileError.
"""

import functools
import math
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, Self

import numpy as np

from kerasish.base.errors import UnsafeFileError

# What HDF5 allows in one object header; longer attributes are cut into name0, name1, …
ATTRIBUTE_LIMIT = 64512

# Kinds of NumPy dtypes that are plain values: floats, integers, booleans, complex numbers and fixed-length bytes
PLAIN_KINDS = "fiubcS"

# HDF5's numbers of the filters that are understood
DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3
FILTERS = {DEFLATE: "gzip", SHUFFLE: "shuffle", CHECKSUM: "fletcher32"}

# An array whose size is not known beforehand may be so many times larger than what is stored of it, above a floor
MOST_EXPANSION = 100
EXPANSION_FLOOR = 1 << 20


# -- writing ----------------------------------------------------------------------------------------------------------


class H5Writer:
    """Writes an HDF5 file at a path or into a binary file object that can be read, written and sought."""

    def __init__(self, target: str | os.PathLike | BinaryIO):
        import h5py

        self._file = h5py.File(target, "w")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def group(self, path: str, attributes: dict[str, Any] | None = None) -> None:
        """Make sure of a group, and give it attributes."""
        group = self._file.require_group(path or "/")
        for name, value in (attributes or {}).items():
            group.attrs[name] = value

    def array(self, path: str, value: Any) -> None:
        """Store an array at a slash-separated path; the groups on the way are made."""
        value = np.asarray(value)
        if value.dtype.kind not in PLAIN_KINDS:
            raise ValueError(
                f"Only arrays of numbers can be stored in a weights file. Received for {path!r}: an array of dtype "
                f"{value.dtype}. Text and objects belong into `get_config()` or `save_assets()`."
            )
        self._file.create_dataset(path, data=value)

    def text(self, path: str, name: str, value: str) -> None:
        """Give a group a text attribute of any length."""
        self._file.require_group(path or "/").attrs[name] = value.encode("utf8")

    def texts(self, path: str, name: str, values: Iterable[str]) -> None:
        """Give a group a list of texts as an attribute, in several parts if it is too long for one."""
        group = self._file.require_group(path or "/")
        encoded = [v.encode("utf8") for v in values]
        long = [v for v in encoded if len(v) > ATTRIBUTE_LIMIT]
        if long:
            raise RuntimeError(
                f"A name of {len(long[0])} bytes can't be saved to an HDF5 file, which takes {ATTRIBUTE_LIMIT} at most: "
                f"{long[0][:60]!r}… Shorten it."
            )
        # each takes the room of the longest, or of a reference, which is how h5py stores them
        per_part = ATTRIBUTE_LIMIT // max([16, *map(len, encoded)])
        if len(encoded) <= per_part:
            group.attrs[name] = encoded
        else:
            for i, start in enumerate(range(0, len(encoded), per_part)):
                group.attrs[f"{name}{i}"] = encoded[start : start + per_part]


# -- reading ----------------------------------------------------------------------------------------------------------


def _damage_is_named(method: Callable) -> Callable:
    """Turn what h5py raises at bytes that make no sense, of many types, into a ValueError that says where they are."""

    @functools.wraps(method)
    def wrapper(self: Any, *args: Any) -> Any:
        try:
            return method(self, *args)
        except (RuntimeError, KeyError, OSError, NotImplementedError, UnicodeError) as e:
            raise ValueError(f"The file is damaged at {self.where}: {e}") from e

    return wrapper


class H5Reader:
    """Reads an HDF5 file, at a path or in a binary file object, and refuses what could do harm.

    Nothing but the file itself is ever opened, whatever it says.
    """

    def __init__(self, source: str | os.PathLike | BinaryIO, name: str | None = None):
        import h5py

        self.name = name or str(source)
        try:
            self._file = h5py.File(source, "r")
        except FileNotFoundError:
            raise FileNotFoundError(f"There is no file at {self.name!r}.") from None
        except OSError as e:
            raise OSError(
                f"{self.name!r} can't be read as an HDF5 file: it is cut short, damaged, or of another format ({e})."
            ) from e
        if hasattr(source, "seek"):
            size = source.seek(0, os.SEEK_END)
        else:
            size = os.path.getsize(source)
        self.root = H5Group(self._file, "", self.name, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()


class H5Group:
    """A group of a file that is being read."""

    def __init__(self, raw: Any, path: str, file: str, file_size: int):
        self._raw = raw
        self.path = path
        self._file = file
        self._file_size = file_size

    @property
    def where(self) -> str:
        """The group for a message."""
        return self._at("")

    def __contains__(self, path: str) -> bool:
        return self._open(path) is not None

    @_damage_is_named
    def names(self) -> list[str]:
        """The names of what is in the group."""
        return list(self._raw.keys())

    def walk(self) -> Iterator[tuple[str, "H5Group | StoredArray"]]:
        """(path, group or array) of everything below, each group before its contents."""
        import h5py

        seen = {h5py.h5o.get_info(self._raw.id).addr}

        def visit(group: H5Group, path: str) -> Iterator[tuple[str, H5Group | StoredArray]]:
            for name in group.names():
                inner = _join(path, name)
                raw = group._open(name)
                if not isinstance(raw, h5py.Group):
                    yield inner, group.array(name)
                    continue
                address = h5py.h5o.get_info(raw.id).addr
                if address in seen:  # in a circle this would never end
                    raise UnsafeFileError(f"{self._at(inner)} is a group that stands at another place, too.")
                seen.add(address)
                child = group.group(name)
                yield inner, child
                yield from visit(child, inner)

        return visit(self, "")

    @_damage_is_named
    def group(self, path: str) -> "H5Group | None":
        """The group at a path below this one, or None if there is nothing."""
        import h5py

        raw = self._open(path)
        if raw is None:
            return None
        if not isinstance(raw, h5py.Group):
            raise UnsafeFileError(f"{self._at(path)} should be a group and is {_kind(raw)}.")
        return H5Group(raw, _join(self.path, path), self._file, self._file_size)

    @_damage_is_named
    def array(self, path: str) -> "StoredArray | None":
        """The array at a path below this group, not read yet; None if there is nothing."""
        import h5py

        raw = self._open(path)
        if raw is None:
            return None
        if not isinstance(raw, h5py.Dataset):
            raise UnsafeFileError(f"{self._at(path)} should be an array and is {_kind(raw)}.")
        return StoredArray(raw, self._at(path), self._file_size)

    def text(self, name: str) -> str | None:
        """A text attribute, or None."""
        value = self._attribute(name)
        if value is None:
            return None
        if value.shape != ():
            raise UnsafeFileError(f"Attribute {name!r} of {self._at('')} should be one text. Received: {value.size} values")
        return _decoded(value[()], name)

    def texts(self, name: str) -> list[str]:
        """An attribute that is a list of texts, whole or in parts; empty if there is none."""
        value = self._attribute(name)
        if value is not None:
            parts = [value]
        else:
            parts = []
            while (part := self._attribute(f"{name}{len(parts)}")) is not None:
                parts.append(part)
        return [_decoded(v, name) for part in parts for v in part.ravel()]

    @_damage_is_named
    def _attribute(self, name: str) -> np.ndarray | None:
        return _attribute(self._raw, name, self.where, self._file_size)

    @_damage_is_named
    def _open(self, path: str) -> Any | None:
        """The h5py object at a path, or None; every step of the way must be an ordinary link inside this file."""
        import h5py

        raw = self._raw
        for part in path.split("/"):
            if part in ("", ".", ".."):
                raise UnsafeFileError(
                    f"The path {path!r} in {self._file!r} has an empty, '.' or '..' part: it does not name what is "
                    "below the group it stands in."
                )
            if not isinstance(raw, h5py.Group):
                raise UnsafeFileError(f"{self._at(path)}: the way leads through {_kind(raw)}.")
            key = part.encode("utf8")
            if not raw.id.links.exists(key):
                return None
            kind = raw.id.links.get_info(key).type
            if kind != h5py.h5l.TYPE_HARD:
                names = {h5py.h5l.TYPE_SOFT: "a soft link", h5py.h5l.TYPE_EXTERNAL: "a link to another file"}
                raise UnsafeFileError(
                    f"{self._at(path)} is {names.get(kind, 'a link of an unknown kind')}, and models have no use for "
                    "links. Keep the data itself in the file, or get the file from a source you trust."
                )
            raw = raw[part]
        return raw

    def _at(self, path: str) -> str:
        return f"{_join(self.path, path) or 'the root'!r} in {self._file!r}"


class StoredArray:
    """An array of a file: what it is, before it is read.

    shape, dtype: of the value that `read` gives. Shape and type come from the file, so compare them with what you
                  expect, or call `check_expansion`, before you call `read`.
    """

    @_damage_is_named
    def __init__(self, dataset: Any, where: str, file_size: int):
        import h5py

        self.where = where
        self._dataset = dataset
        properties = dataset.id.get_create_plist()
        layout = properties.get_layout()
        if properties.get_external_count():
            raise UnsafeFileError(f"{where} keeps its data in another file, {dataset.external[0][0]!r}.")
        if layout not in (h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED):
            raise UnsafeFileError(f"{where} is a virtual array: it is put together from others, perhaps of other files.")
        self._filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
        strange = [f for f in self._filters if f not in FILTERS]
        if strange:
            raise UnsafeFileError(
                f"{where} is compressed with a filter that is not understood (HDF5 filter {strange[0]}). Understood: "
                f"{', '.join(FILTERS.values())}. `h5repack -f NONE old.h5 new.h5` writes a file without filters."
            )
        try:
            self._stored_dtype = dataset.dtype
        except TypeError as e:
            raise UnsafeFileError(f"{where} has a type that has no meaning here ({e}).") from e
        if dataset.shape is None:
            raise UnsafeFileError(f"{where} has no shape.")
        self.shape: tuple[int, ...] = dataset.shape
        self.dtype = self._value_dtype()
        self.nbytes = math.prod(self.shape) * self._stored_dtype.itemsize
        self.stored = dataset.id.get_storage_size()
        if self.stored > file_size:
            raise UnsafeFileError(f"{where} claims to hold {self.stored} bytes of a file that has {file_size}.")
        if layout == h5py.h5d.CHUNKED:
            chunk = math.prod(dataset.chunks) * self._stored_dtype.itemsize
            # to read one element, its chunk is read: a small array with giant chunks is a bomb
            if chunk > max(8 * self.nbytes, EXPANSION_FLOOR):
                raise UnsafeFileError(f"{where} has {self.nbytes} bytes in pieces of {chunk} bytes each.")

    def _value_dtype(self) -> np.dtype:
        import h5py

        dtype = self._stored_dtype
        if dtype.kind == "V" and dtype.itemsize == 2 and self._says_bfloat16():
            return np.dtype(np.float32)
        if dtype.kind not in PLAIN_KINDS or dtype.subdtype is not None or h5py.check_dtype(vlen=dtype) is not None:
            raise UnsafeFileError(
                f"{self.where} should hold numbers. Received: values of type {dtype}. Objects, references and records "
                "have no place in a weights file."
            )
        return dtype.newbyteorder("=")

    def _says_bfloat16(self) -> bool:
        said = _attribute(self._dataset, "dtype", self.where, EXPANSION_FLOOR)
        return said is not None and said.shape == () and said[()] in ("bfloat16", b"bfloat16")

    def check_expansion(self) -> None:
        """Refuse an array that claims far more than is stored of it. For those of which no size is known beforehand."""
        if self.nbytes > EXPANSION_FLOOR and self.nbytes > MOST_EXPANSION * self.stored:
            raise UnsafeFileError(
                f"{self.where} claims {self.nbytes} bytes, of which {self.stored} are stored: reading it would fill the "
                "memory."
            )

    @_damage_is_named
    def read(self) -> np.ndarray:
        """The value."""
        value = self._decompressed() if self._filters else np.asarray(self._dataset[()])
        if self._stored_dtype.kind == "V":  # bfloat16: the upper half of a float32
            upper = np.frombuffer(value.tobytes(), np.dtype("<u2")).astype(np.uint32)
            return (upper << 16).view(np.float32).reshape(self.shape)
        return value.astype(self.dtype, copy=False).reshape(self.shape)

    def _decompressed(self) -> np.ndarray:
        # HDF5's own gzip filter expands a chunk as far as its data say, so the chunks are expanded here, each to its
        # size and no further.
        dataset = self._dataset
        out = np.full(self.shape, dataset.fillvalue, self._stored_dtype)
        infos: list = []
        dataset.id.chunk_iter(infos.append)
        for info in infos:
            mask, raw = dataset.id.read_direct_chunk(info.chunk_offset)
            chunk = self._chunk(raw, mask)
            place = tuple(slice(o, o + n) for o, n in zip(info.chunk_offset, dataset.chunks, strict=True))
            target = out[place]
            target[...] = chunk[tuple(slice(0, n) for n in target.shape)]
        return out

    def _chunk(self, raw: bytes, mask: int) -> np.ndarray:
        """One chunk, its filters undone last to first."""
        itemsize = self._stored_dtype.itemsize
        size = math.prod(self._dataset.chunks) * itemsize
        for i, kind in reversed(list(enumerate(self._filters))):
            if mask >> i & 1:  # the writer left this filter out
                continue
            if kind == CHECKSUM:
                raw = raw[:-4]
            elif kind == DEFLATE:
                engine = zlib.decompressobj()
                try:
                    raw = engine.decompress(raw, size + 4)
                except zlib.error as e:
                    raise UnsafeFileError(f"{self.where} holds damaged compressed data ({e}).") from e
            else:
                raw = np.frombuffer(raw, np.uint8).reshape(itemsize, -1).T.tobytes()
        if len(raw) != size:
            raise UnsafeFileError(f"{self.where} has a piece of {len(raw)} bytes or more where {size} were declared.")
        return np.frombuffer(raw, self._stored_dtype).reshape(self._dataset.chunks)


def _attribute(raw: Any, name: str, where: str, limit: int) -> np.ndarray | None:
    """An attribute that holds text, as an array of objects; None if there is none by that name."""
    import h5py

    if name not in raw.attrs:
        return None
    where = f"Attribute {name!r} of {where}"
    try:
        attribute = raw.attrs.get_id(name)
        dtype, shape = attribute.dtype, attribute.shape
    except TypeError as e:
        raise UnsafeFileError(f"{where} has a type that has no meaning here ({e}).") from e
    if shape is None or math.prod(shape) == 0:
        return np.empty(0, object)
    if h5py.check_string_dtype(dtype) is None:
        raise UnsafeFileError(f"{where} should be text. Received: values of type {dtype}")
    if math.prod(shape) * dtype.itemsize > limit:
        raise UnsafeFileError(f"{where} claims to be larger than the file that holds it: shape {shape}, {dtype}.")
    return np.asarray(raw.attrs[name], object)


def _decoded(value: Any, name: str) -> str:
    try:
        return value.decode("utf8") if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError as e:
        raise UnsafeFileError(f"Attribute {name!r} is not text in UTF-8 ({e}).") from e


def _kind(raw: Any) -> str:
    import h5py

    if isinstance(raw, h5py.Group):
        return "a group"
    return "an array" if isinstance(raw, h5py.Dataset) else "a data type"


def _join(*parts: str) -> str:
    return "/".join(p for p in parts if p)
