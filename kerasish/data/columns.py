"""Columns: one array-like leaf of the data, seen as rows that can be cut by position or picked by index.

Whatever the leaf is (a NumPy array, a tensor of any library, a data frame, a memory map, an HDF5 data set, a sparse
matrix), a batch of it is a C-contiguous NumPy array in native byte order, its floats in `floatx`, everything else as it
was. In-memory arrays are never copied as a whole, and what lives on disk is read batch by batch.
"""

from typing import Any

import numpy as np

from kerasish.base import config, tree


def batch_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of a batch: floats become `floatx`; integers, booleans, strings and complex numbers stay."""
    is_float = dtype.kind == "f" or dtype.name == "bfloat16"
    return np.dtype(config.floatx()) if is_float else dtype.newbyteorder("=")


class Column:
    """Rows of an in-memory array or memory map.

    `shape` counts the rows first; `dtype` is that of the batches, which may differ from that of the source.
    """

    def __init__(self, source: np.ndarray):
        self._mapped = isinstance(source, np.memmap)
        self.source: Any = np.asarray(source).view()  # a plain array: subclasses are slow to slice
        self.source.flags.writeable = False  # batches may be views, and nothing may write through them
        self.shape = source.shape
        self.dtype = batch_dtype(source.dtype)
        flags = self.source.flags
        # np.take silently copies the whole source, at every call, unless it looks like this.
        self._plain = bool(flags.c_contiguous and flags.aligned and source.dtype.isnative)
        self._as_is = self._plain and source.dtype == self.dtype
        self._scratch: np.ndarray | None = None

    @property
    def is_view(self) -> bool:
        """Whether `rows` costs nothing: it returns a view and reads no data."""
        return self._as_is

    def rows(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Rows start to stop; written into `out` if given, else a read-only view where possible."""
        block = self._read(start, stop)
        if out is None:
            return np.ascontiguousarray(block, dtype=self.dtype)
        np.copyto(out, block, casting="same_kind")
        return out

    def take(self, indices: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The rows at `indices` (in range, distinct), in that order; written into `out` if given."""
        if out is None:
            out = np.empty((len(indices), *self.shape[1:]), self.dtype)
        if self._as_is:
            return self.source.take(indices, 0, out, "clip")  # "clip": any other mode buffers `out`
        np.copyto(out, self._gather(indices), casting="same_kind")
        return out

    def for_shuffling(self) -> "Column":
        """This column, or a compact copy of it where picking rows would otherwise be slow at every batch."""
        if self._plain or self._mapped:
            return self
        return Column(np.ascontiguousarray(self.source, dtype=self.dtype))

    def window(self, start: int, stop: int) -> "Column":
        """The column of rows start to stop; nothing is read."""
        part = type(self)(self.source[start:stop])
        part._mapped = self._mapped
        return part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = self.rows(0, self.shape[0])
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __len__(self) -> int:
        return self.shape[0]

    def _read(self, start: int, stop: int) -> np.ndarray:
        return self.source[start:stop]

    def _gather(self, indices: np.ndarray) -> np.ndarray:
        if not self._plain:
            return self.source[indices]
        if self._scratch is None or len(self._scratch) < len(indices):
            self._scratch = np.empty((len(indices), *self.shape[1:]), self.source.dtype)
        return self.source.take(indices, 0, self._scratch[: len(indices)], "clip")


class StoredColumn(Column):
    """Rows of what is read in pieces: an HDF5 data set, or any object with shape, dtype, chunks and slices."""

    def __init__(self, source: Any, start: int = 0, stop: int | None = None):
        self.source = source
        self._start = start
        self._stop = source.shape[0] if stop is None else stop
        self.shape = (self._stop - start, *source.shape[1:])
        self.dtype = batch_dtype(np.dtype(source.dtype))
        self._as_is = False

    def for_shuffling(self) -> "Column":
        return self

    def window(self, start: int, stop: int) -> "StoredColumn":
        return StoredColumn(self.source, self._start + start, self._start + stop)

    def _read(self, start: int, stop: int) -> np.ndarray:
        return np.asarray(self.source[self._start + start : self._start + stop])

    def _gather(self, indices: np.ndarray) -> np.ndarray:
        # HDF5 reads rows in increasing order only; a batch that shuffles a contiguous block is one read.
        order = np.argsort(indices)
        ascending = indices[order]
        first, last = int(ascending[0]), int(ascending[-1])
        if last - first + 1 == len(indices):
            rows = self._read(first, last + 1)
        else:
            rows = np.asarray(self.source[ascending + self._start])
        unsorted = np.empty_like(rows)
        unsorted[order] = rows
        return unsorted


class SparseColumn(Column):
    """Rows of a SciPy sparse matrix; batches are dense."""

    def __init__(self, source: Any):
        self.source = source.tocsr()
        self._mapped = False
        self.shape = tuple(source.shape)
        self.dtype = batch_dtype(np.dtype(source.dtype))
        self._as_is = False

    def for_shuffling(self) -> "Column":
        return self

    def _read(self, start: int, stop: int) -> np.ndarray:
        return self.source[start:stop].toarray()

    def _gather(self, indices: np.ndarray) -> np.ndarray:
        return self.source[indices].toarray()


# -- recognising leaves -----------------------------------------------------------------------------------------------


def is_array_like(leaf: Any) -> bool:
    """Whether a leaf can be cut into batches by position. None counts: it stands for an absent array."""
    return leaf is None or isinstance(leaf, (Column, np.ndarray)) or hasattr(leaf, "__array__") or _is_sparse(leaf)


def as_column(leaf: Any) -> Column:
    """The column over an array-like leaf. ValueError if it is not one, or has no rows axis."""
    if isinstance(leaf, Column):
        return leaf
    if not is_array_like(leaf) or leaf is None:
        raise ValueError(
            "Expected an array: a NumPy array, a tensor, a data frame or series, an HDF5 data set or a list of numbers."
            f" Received: {leaf!r} (of type {type(leaf)})"
        )
    if _is_sparse(leaf):
        return SparseColumn(leaf)
    if _is_stored(leaf) and len(leaf.shape) > 0:
        return StoredColumn(leaf)
    array = to_numpy(leaf)
    if array.ndim == 0:
        raise ValueError(f"Data must have at least one axis, whose length is the number of samples. Received: {leaf!r}")
    return Column(array)


def as_columns(structure: Any) -> Any:
    """A structure of array-like leaves, as the same structure of columns; None stays None."""
    return tree.map_structure(
        lambda leaf: None if leaf is None else as_column(leaf), replace_number_lists(structure)
    )


def to_numpy(leaf: Any) -> np.ndarray:
    """An array, tensor, frame or series as a NumPy array in its own dtype, sharing memory where it can.

    A series becomes one column, shape (rows, 1), as in Keras.
    """
    if isinstance(leaf, np.ndarray):
        return leaf
    if hasattr(leaf, "iloc") and hasattr(leaf, "to_numpy"):
        return _frame_to_numpy(leaf)
    if hasattr(leaf, "detach"):  # a torch tensor, which may want gradients or sit on a device
        leaf = leaf.detach().cpu()
    return np.asarray(leaf)


def replace_number_lists(structure: Any) -> Any:
    """Turn every list of plain numbers or strings, nested or not, into one array.

    Other lists are structure, and so are tuples: `(x, y)` of two such lists is two arrays.
    """
    return tree.traverse(lambda node: _number_list_to_array(node) if _is_number_list(node) else None, structure)


def _is_number_list(node: Any) -> bool:
    if not isinstance(node, list):
        return False
    first: Any = node
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    return isinstance(first, (bool, int, float, complex, str, bytes, np.generic))


def _number_list_to_array(node: Any) -> np.ndarray:
    try:
        array = np.asarray(node)
    except ValueError as error:
        raise ValueError(f"A list of numbers must be rectangular to become one array: {error}") from None
    return array


def _is_sparse(leaf: Any) -> bool:
    return hasattr(leaf, "tocsr") and type(leaf).__module__.startswith("scipy.sparse")


def _is_stored(leaf: Any) -> bool:
    """h5py and its like: sliced from disk; `chunks` tells them from tensors, which are in memory already."""
    return all(hasattr(leaf, name) for name in ("shape", "dtype", "chunks", "__getitem__"))


def _frame_to_numpy(frame: Any) -> np.ndarray:
    array = frame.to_numpy()
    if array.dtype == object:
        dtypes = frame.dtypes if frame.ndim == 2 else [frame.dtype]
        if all(getattr(dtype, "kind", "O") in "biuf" for dtype in dtypes):
            array = frame.to_numpy(dtype=config.floatx(), na_value=np.nan)
    return array.reshape(-1, 1) if array.ndim == 1 else array
