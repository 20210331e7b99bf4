"""Reads the files that TensorBoard reads, and checks them on the way."""

import struct
import zlib

import numpy as np


def crc32c(data):
    """Bit by bit, from the definition; slow."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unmasked(stored):
    rotated = (stored - 0xA282EAD8) & 0xFFFFFFFF
    return (rotated << 15 | rotated >> 17) & 0xFFFFFFFF


def records(data):
    while data:
        size, check = struct.unpack("<QI", data[:12])
        assert unmasked(check) == crc32c(data[:8])
        body, (check,) = data[12 : 12 + size], struct.unpack("<I", data[12 + size : 16 + size])
        assert unmasked(check) == crc32c(body)
        yield body
        data = data[16 + size :]


def fields(data):
    """The fields of a protocol buffer: number to its values."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        size = {0: None, 1: 8, 5: 4}[kind] if kind != 2 else varint()
        if kind == 0:
            value = varint()
        else:
            value, at = data[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def tensor(data):
    parts = fields(data)
    shape = tuple(fields(dim).get(1, [0])[0] for dim in fields(parts[2][0]).get(2, []))
    if parts[1] == [7]:
        return np.array(parts.get(8, []), dtype=object).reshape(shape)
    return np.frombuffer(parts[4][0], {1: "<f4", 2: "<f8"}[parts[1][0]]).reshape(shape)


def events(path):
    """(step, tag, plugin, value) of each summary of a file."""
    first, *rest = records(path.read_bytes())
    assert fields(first)[3] == [b"brain.Event:2"]
    for record in rest:
        event = fields(record)
        for value in fields(event[5][0])[1]:
            summary = fields(value)
            plugin = fields(fields(summary[9][0])[1][0])[1][0].decode()
            yield event[2][0], summary[1][0].decode(), plugin, tensor(summary[8][0])


def picture(data):
    """The pixels of a PNG file without filters."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    data, chunks = data[8:], {}
    while data:
        (size,), kind = struct.unpack(">I", data[:4]), data[4:8]
        assert struct.unpack(">I", data[8 + size : 12 + size])[0] == zlib.crc32(data[4 : 8 + size])
        chunks[kind], data = data[8 : 8 + size], data[12 + size :]
    width, height, depth, color, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), "uint8").reshape(height, -1)
    assert depth == 8 and not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, {0: 1, 2: 3, 6: 4}[color])
