"""Random draws that are functions of a state (seed, counter): the same on every platform, thread and mode.

The state is mixed into the words of an SFC64 generator, of which each thread keeps one: setting its state is several
times cheaper than making a generator.
"""

import functools
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np

from kerasish.engine.kernels.elementwise import WHOLE, do_steps
from kerasish.engine.kernels.scratch import aligned

Array = np.ndarray
_local = threading.local()
_MASK = (1 << 64) - 1
LITTLE = sys.byteorder == "little"
GOLDEN = 0x9E3779B97F4A7C15
BLOCK = 1 << 14  # elements of a mask at once
SIXTEEN = 16  # bits that decide about one number


def _mix(z: int) -> int:
    """One output of splitmix64 (Steele, Lea, Flood 2014)."""
    z = (z + GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def generator(state: Array) -> "np.random.Generator":
    """This thread's generator, set to the state's stream."""
    try:
        bits, gen, words = _local.bits, _local.gen, _local.words
    except AttributeError:
        bits = _local.bits = np.random.SFC64(0)
        gen = _local.gen = np.random.Generator(bits)
        words = _local.words = np.empty(4, np.uint64)
    seed, counter = state.tolist()
    a = _mix(int(seed) & _MASK)
    b = _mix(a ^ (int(counter) & _MASK))
    c = _mix(b)
    words[:] = (a, b, c, 1)
    bits.state = {"bit_generator": "SFC64", "state": {"state": words}, "has_uint32": 0, "uinteger": 0}
    bits.random_raw(12, output=False)
    return gen


def _put(values: Array, dtype: np.dtype, out: Array | None) -> Array:
    if out is None:
        return np.asarray(values).astype(dtype, copy=False)
    np.copyto(out, values, casting="unsafe")
    return out


def random_uniform(
    state: Array, shape: tuple, dtype: np.dtype, low: float = 0.0, high: float = 1.0, out: Array | None = None
) -> Array:
    """Uniform on [low, high)."""
    draw = np.float64 if np.dtype(dtype) == np.float64 else np.float32
    u = generator(state).random(shape, draw)
    if (low, high) != (0.0, 1.0):
        u = u * draw(high - low) + draw(low)
        u = np.minimum(u, np.nextafter(draw(high), draw(low)))  # rounding must not reach the open end
    return _put(u, dtype, out)


def random_normal(state: Array, shape: tuple, dtype: np.dtype, out: Array | None = None) -> Array:
    draw = np.float64 if np.dtype(dtype) == np.float64 else np.float32
    return _put(generator(state).standard_normal(shape, draw), dtype, out)


def random_truncated(state: Array, shape: tuple, dtype: np.dtype, out: Array | None = None) -> Array:
    """Standard normal within two standard deviations: what falls outside is drawn again."""
    gen = generator(state)
    x = gen.standard_normal(shape)
    x = np.asarray(x)
    outside = np.abs(x) > 2
    while outside.any():
        x[outside] = gen.standard_normal(int(outside.sum()))
        outside = np.abs(x) > 2
    return _put(x, dtype, out)


def random_mask(state: Array, shape: tuple, keep: float, value: float, dtype: np.dtype, out: Array | None = None) -> Array:
    """`value` with probability `keep`, else 0: to one part in 65536; exact at 0 and 1.

    A word of 64 bits, for four numbers, is a hash of the word's number (splitmix64: Steele, Lea, Flood 2014), so that all
    can be computed at once.
    """
    dtype = np.dtype(dtype)
    if dtype.char not in WHOLE:
        return _put(random_mask(state, shape, keep, value, np.dtype(np.float32)), dtype, out)
    if out is None or not out.flags.c_contiguous:
        return _put(random_mask(state, shape, keep, value, dtype, np.empty(shape, dtype)), dtype, out)
    do_steps(mask_steps(state, keep, value, out, np.empty))
    return out


def mask_steps(
    state: Array, keep: float, value: float, out: Array, memory: Callable, first: int = 0, last: int | None = None
) -> Iterator[tuple]:
    """Ufuncs and their arguments, the last of which is where the result goes (to be called one by one where bytes are in
    the other order than on most machines), that make elements `first` to `last` of a mask,
    in C order; both are multiples of BLOCK, or the end. memory(shape, dtype) gives memory for use on the way."""
    flat, whole, bits, word = out.reshape(-1), WHOLE[out.dtype.char], 8 * out.itemsize, np.uint64
    if keep >= 1:
        part = flat[first:last]
        yield np.add, np.broadcast_to(np.array(value, out.dtype), part.shape), np.zeros((), out.dtype), part
        return
    plain = np.dtype(f"u{out.itemsize}")  # whose highest bits are one number's, after shifts to the left others'
    fields = bits // SIXTEEN
    below = np.array([min(round(max(keep, 0) * 65536), 65535) << (bits - 1 - SIXTEEN)], whole)
    kept, last_bit, one = np.array([value], out.dtype).view(whole), np.array([bits - 1], whole), np.ones(1, plain)
    key, here, spare = (memory((1,), word) for _ in range(3))
    block, work = (memory((BLOCK // 4,), word) for _ in range(2))
    pair = np.ascontiguousarray(state, "<u4").view("<u8")
    yield np.add, pair if pair.dtype.isnative else pair.astype(word), np.array([GOLDEN], word), key
    yield from _hashed(key, spare)
    for start in range(first, flat.size if last is None else min(last, flat.size), BLOCK):
        part = flat[start : start + BLOCK]
        long = -(-part.size // fields)  # numbers of each field
        z, t = (x[: -(-part.size // 4)] for x in (block, work))
        yield np.add, key, np.array([(start // 4) * GOLDEN & _MASK], word), here
        yield np.add, _numbered(BLOCK // 4)[: len(z)], here, z
        yield from _hashed(z, t)
        drawn = z.view(plain) if LITTLE else z.astype("<u8").view(plain.newbyteorder("<")).astype(plain)
        for field in range(fields):
            numbers = part[field * long : (field + 1) * long].view(whole)
            here_bits = drawn[: len(numbers)]
            if field:
                yield np.left_shift, here_bits, np.array([SIXTEEN * field], plain), numbers.view(plain)
                here_bits = numbers.view(plain)
            yield np.right_shift, here_bits, one, numbers.view(plain)
            yield np.subtract, numbers, below, numbers
            yield np.right_shift, numbers, last_bit, numbers  # -1 if it was less, else 0
            yield np.bitwise_and, numbers, kept, numbers


def _hashed(z: Array, t: Array) -> Iterator[tuple]:
    """One output of splitmix64 for each word, in its place."""
    for shift, factor in (30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1):
        yield np.right_shift, z, np.array([shift], np.uint64), t
        yield np.bitwise_xor, z, t, z
        if factor != 1:
            yield np.multiply, z, np.array([factor], np.uint64), z


@functools.lru_cache(maxsize=4)
def _numbered(n: int) -> Array:
    words = aligned((n,), np.uint64)
    np.multiply(np.arange(n, dtype=np.uint64), np.uint64(GOLDEN), words)
    return words


def random_int(state: Array, shape: tuple, dtype: np.dtype, low: int, high: int) -> Array:
    return generator(state).integers(low, high, shape, np.int64).astype(dtype)


def random_permutation(state: Array, n: int) -> Array:
    return generator(state).permutation(n).astype(np.int32)


def random_gamma(state: Array, alpha: Array, shape: tuple) -> Array:
    return generator(state).standard_gamma(np.broadcast_to(alpha, shape), shape).astype(alpha.dtype)


def random_binomial(state: Array, n: Array, p: Array, shape: tuple) -> Array:
    return generator(state).binomial(n.astype(np.int64), p, shape).astype(p.dtype)
