"""Files that TensorBoard reads: records of protocol buffers, as TensorFlow 2 writes them."""

import itertools
import os
import struct
import time
import zlib

import numpy as np

# -- protocol buffers: (number of the field, kind of value), then the value -------------------------------------------

FLOAT, DOUBLE, STRING = 1, 2, 7  # types of tensors
SCALAR, TENSOR, BLOBS = 1, 2, 3  # what a summary is, for TensorBoard


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are written in full
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _integer(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _bytes(number: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _numbers(array: np.ndarray, kind: int) -> bytes:
    """A tensor of floats."""
    shape = b"".join(_bytes(2, _integer(1, n)) for n in array.shape)
    return _integer(1, kind) + _bytes(2, shape) + _bytes(4, array.tobytes())


def _strings(values: list[bytes], shape: tuple[int, ...]) -> bytes:
    """A tensor of byte strings."""
    sizes = b"".join(_bytes(2, _integer(1, n)) for n in shape)
    return _integer(1, STRING) + _bytes(2, sizes) + b"".join(_bytes(8, v) for v in values)


def _summary(tag: str, plugin: str, content: bytes, kind: int, tensor: bytes) -> bytes:
    data = _bytes(1, plugin) + _bytes(2, content)
    metadata = _bytes(1, data) + (_integer(4, kind) if kind else b"")
    return _bytes(1, _bytes(1, tag) + _bytes(9, metadata) + _bytes(8, tensor))


# -- records ----------------------------------------------------------------------------------------------------------


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _crc_table()


def masked_crc(data: bytes) -> int:
    """The CRC-32C of data, turned and shifted as the record format asks.

    >>> hex(masked_crc(b"123456789"))
    '0xc78ab0e5'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _record(data: bytes) -> bytes:
    size = struct.pack("<Q", len(data))
    return size + struct.pack("<I", masked_crc(size)) + data + struct.pack("<I", masked_crc(data))


# -- pictures ---------------------------------------------------------------------------------------------------------


def png(pixels: np.ndarray) -> bytes:
    """A picture, (height, width, 1, 3 or 4) bytes, as a PNG file."""
    height, width, channels = pixels.shape
    color = {1: 0, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)  # each row without a filter

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _histogram(values: np.ndarray, buckets: int) -> np.ndarray:
    """Rows of (from, to, how many)."""
    flat = values.ravel().astype("float64")
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return np.zeros((0, 3))
    low, high = flat.min(), flat.max()
    if low == high:  # all in the last bucket, as TensorFlow has it
        return np.stack([np.full(buckets, low), np.full(buckets, low), np.eye(buckets)[-1] * flat.size], axis=1)
    counts, edges = np.histogram(flat, bins=buckets, range=(low, high))
    return np.stack([edges[:-1], edges[1:], counts], axis=1)


# -- the file ---------------------------------------------------------------------------------------------------------

_file_numbers = itertools.count()
SECONDS, BYTES = 5.0, 1 << 16  # what is older or more is written to disk


class EventFile:
    """A new file of events in a folder, which is made if need be.

    Events are kept for some seconds, and all are on disk after `flush`. In between the file is closed, so that nothing is
    left open by a run that ends early.
    """

    def __init__(self, folder: str):
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{os.getpid()}.{next(_file_numbers)}.v2"
        self.path = os.path.join(folder, name)
        self._waiting = bytearray(_record(_double(1, time.time()) + _bytes(3, "brain.Event:2")))
        self.flush()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Write a number."""
        self._event(step, _summary(tag, "scalars", b"", SCALAR, _numbers(np.asarray(value, "<f4"), FLOAT)))

    def histogram(self, tag: str, values: np.ndarray, step: int, buckets: int = 30) -> None:
        """Write how values are distributed."""
        self._event(step, _summary(tag, "histograms", b"", TENSOR, _numbers(_histogram(values, buckets), DOUBLE)))

    def images(self, tag: str, images: np.ndarray, step: int, most: int = 3) -> None:
        """Write pictures, (n, height, width, channels) between 0 and 1."""
        pixels = (np.clip(np.nan_to_num(images), 0, 1) * 255).round().astype("uint8")[:most]
        height, width = str(images.shape[1]), str(images.shape[2])
        values = [width.encode(), height.encode(), *map(png, pixels)]
        self._event(step, _summary(tag, "images", b"", BLOBS, _strings(values, (len(values),))))

    def text(self, tag: str, plugin: str, value: str, step: int) -> None:
        """Write a text for a plugin of TensorBoard."""
        self._event(step, _summary(tag, plugin, b"1", 0, _strings([value.encode()], ())))

    def _event(self, step: int, summary: bytes) -> None:
        self._waiting += _record(_double(1, time.time()) + _integer(2, step) + _bytes(5, summary))
        if len(self._waiting) > BYTES or time.monotonic() - self._flushed > SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits to disk."""
        self._flushed = time.monotonic()
        if self._waiting:
            with open(self.path, "ab") as file:
                file.write(self._waiting)
            self._waiting.clear()
