"""Hashes of strings that are the same on every machine: FarmHash's Fingerprint64 and SipHash-2-4, as TensorFlow has them.

Strings of equal length are hashed together: a string is a row of bytes, and every step below is done to a column of 64-bit
words. All arithmetic is modulo 2**64.

FarmHash: Pike and Alakuijala, https://github.com/google/farmhash. SipHash: Aumasson and Bernstein 2012.
"""

from typing import Any, Callable

import numpy as np

Words = np.ndarray  # of uint64, one for each string

K0, K1, K2 = np.uint64(0xC3A5C85C97CB3127), np.uint64(0xB492B66FBE98F273), np.uint64(0x9AE16A3B2F90404F)
CROSS_MULTIPLIER = np.uint64(0xC6A4A7935BD1E995)
CROSS_KEY = np.uint64(0xDECAFCAFFE)


def _u(n: int) -> np.uint64:
    return np.uint64(n & (1 << 64) - 1)


def _words(rows: np.ndarray, at: int, size: int = 8) -> Words:
    """`size` little-endian bytes of each row, from `at`."""
    return np.ascontiguousarray(rows[:, at : at + size]).view(f"<u{size}")[:, 0].astype(np.uint64)


def _rotate(x: Words, right: int) -> Words:
    return (x >> _u(right)) | (x << _u(64 - right))


def _mixed(x: Words) -> Words:
    return x ^ (x >> _u(47))


def _joined(u: Words, v: Words, factor: Any) -> Words:
    """128 bits as 64."""
    a = _mixed((u ^ v) * factor)
    return _mixed((v ^ a) * factor) * factor


# -- FarmHash ---------------------------------------------------------------------------------------------------------


def _up_to_16(rows: np.ndarray, n: int) -> Words:
    factor = K2 + _u(2 * n)
    if n >= 8:
        a, b = _words(rows, 0) + K2, _words(rows, n - 8)
        return _joined(_rotate(b, 37) * factor + a, (_rotate(a, 25) + b) * factor, factor)
    if n >= 4:
        return _joined(_u(n) + (_words(rows, 0, 4) << _u(3)), _words(rows, n - 4, 4), factor)
    if n:
        first, middle, last = (_words(rows, at, 1) for at in (0, n // 2, n - 1))
        y, z = first + (middle << _u(8)), _u(n) + (last << _u(2))
        return _mixed(y * K2 ^ z * K0) * K2
    return np.full(len(rows), K2)


def _up_to_32(rows: np.ndarray, n: int) -> Words:
    factor = K2 + _u(2 * n)
    a, b = _words(rows, 0) * K1, _words(rows, 8)
    c, d = _words(rows, n - 8) * factor, _words(rows, n - 16) * K2
    return _joined(_rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + K2, 18) + c, factor)


def _up_to_64(rows: np.ndarray, n: int) -> Words:
    factor = K2 + _u(2 * n)
    a, b = _words(rows, 0) * K2, _words(rows, 8)
    c, d = _words(rows, n - 8) * factor, _words(rows, n - 16) * K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _joined(y, a + _rotate(b + K2, 18) + c, factor)
    e, f = _words(rows, 16) * factor, _words(rows, 24)
    g, h = (y + _words(rows, n - 32)) * factor, (z + _words(rows, n - 24)) * factor
    return _joined(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, factor)


def _block(rows: np.ndarray, at: int, a: Words, b: Words) -> tuple[Words, Words]:
    """32 bytes stirred into two words."""
    w, x, y, z = (_words(rows, at + i) for i in (0, 8, 16, 24))
    a = a + w
    b = _rotate(b + a + z, 21)
    c = a
    a = a + x + y
    return a + z, b + _rotate(a, 44) + c


def _longer(rows: np.ndarray, n: int) -> Words:
    x = np.full(len(rows), _u(81))
    y = x * K1 + _u(113)
    z = _mixed(y * K2 + _u(113)) * K2
    x = x * K2 + _words(rows, 0)
    v = w = (np.zeros_like(x), np.zeros_like(x))

    def turn(at: int, factor: Any, scale: int) -> None:
        nonlocal x, y, z, v, w
        x = _rotate(x + y + v[0] + _words(rows, at + 8), 37) * factor
        y = _rotate(y + v[1] + _words(rows, at + 48), 42) * factor
        x = x ^ (w[1] * _u(scale))
        y = y + v[0] * _u(scale) + _words(rows, at + 40)
        z = _rotate(z + w[0], 33) * factor
        v = _block(rows, at, v[1] * factor, x + w[0])
        w = _block(rows, at + 32, z + w[1], y + _words(rows, at + 16))
        x, z = z, x

    for at in range(0, (n - 1) // 64 * 64, 64):
        turn(at, K1, 1)
    factor = K1 + ((z & _u(255)) << _u(1))
    w = (w[0] + _u((n - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    turn(n - 64, factor, 9)
    return _joined(_joined(v[0], w[0], factor) + _mixed(y) * K0 + z, _joined(v[1], w[1], factor) + x, factor)


def _farm(rows: np.ndarray, n: int) -> Words:
    kinds = ((16, _up_to_16), (32, _up_to_32), (64, _up_to_64))
    return next((rule for most, rule in kinds if n <= most), _longer)(rows, n)


# -- SipHash ----------------------------------------------------------------------------------------------------------


def _sip(key: tuple[int, int]) -> Callable:
    first, second = map(_u, key)

    def hashed(rows: np.ndarray, n: int) -> Words:
        start = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
        v0, v1, v2, v3 = (np.full(len(rows), _u(s) ^ (second if i % 2 else first)) for i, s in enumerate(start))

        def rounds(count: int) -> None:
            nonlocal v0, v1, v2, v3
            for _ in range(count):
                v0, v2 = v0 + v1, v2 + v3
                v1, v3 = _rotate(v1, 51) ^ v0, _rotate(v3, 48) ^ v2
                v0 = _rotate(v0, 32)
                v2, v0 = v2 + v1, v0 + v3
                v1, v3 = _rotate(v1, 47) ^ v2, _rotate(v3, 43) ^ v0
                v2 = _rotate(v2, 32)

        padded = np.zeros((len(rows), n // 8 * 8 + 8), np.uint8)
        padded[:, :n] = rows
        padded[:, -1] = n & 255
        for at in range(0, padded.shape[1], 8):
            m = _words(padded, at)
            v3 = v3 ^ m
            rounds(2)
            v0 = v0 ^ m
        v2 = v2 ^ _u(255)
        rounds(4)
        return v0 ^ v1 ^ v2 ^ v3

    return hashed


# -- strings ----------------------------------------------------------------------------------------------------------


def fingerprints(strings: list[bytes], key: tuple[int, int] | None = None) -> Words:
    """A 64-bit number for each string: FarmHash's, or SipHash's with a key.

    >>> int(fingerprints([b"hello"])[0])
    13009744463427800296
    """
    rule = _farm if key is None else _sip(key)
    unique, place = np.unique(np.array(strings, object), return_inverse=True)
    lengths = np.fromiter(map(len, unique), np.int64, len(unique))
    out = np.empty(len(unique), np.uint64)
    with np.errstate(over="ignore"):
        for n in np.unique(lengths).tolist():
            chosen = np.flatnonzero(lengths == n)
            rows = np.frombuffer(b"".join(unique[chosen]), np.uint8).reshape(len(chosen), n)
            out[chosen] = rule(rows, n)
    return out[place]


def crossed(features: list[Words]) -> Words:
    """One number for the combination of several."""
    out = np.full(len(features[0]), CROSS_KEY)
    with np.errstate(over="ignore"):
        for feature in features:
            out = (out ^ CROSS_MULTIPLIER ^ _mixed(feature * CROSS_MULTIPLIER) * CROSS_MULTIPLIER) * CROSS_MULTIPLIER
            out = _mixed(_mixed(out) * CROSS_MULTIPLIER)
    return out
