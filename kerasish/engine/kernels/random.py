"""Random draws that are functions of a state (seed, counter): the same on every platform, thread and mode.

The state is mixed into the words of an SFC64 generator, of which each thread keeps one: setting its state is several
times cheaper than making a generator.
"""

import threading

import numpy as np

Array = np.ndarray
_local = threading.local()
_MASK = (1 << 64) - 1
DRAWN = 1 << 15  # of a mask at once: memory for more would be fetched from the system, and given back, each time


def _mix(z: int) -> int:
    """One output of splitmix64 (Steele, Lea, Flood 2014)."""
    z = (z + 0x9E3779B97F4A7C15) & _MASK
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


def random_mask(state: Array, shape: tuple, keep: float, out: Array | None = None) -> Array:
    """True with probability `keep`, to one part in 65536; exact at 0 and 1."""
    if out is None:
        out = np.empty(shape, bool)
    if keep >= 1:
        out.fill(True)
        return out
    flat = out.reshape(-1) if out.flags.c_contiguous else np.empty(out.size, bool)
    bits = generator(state).bit_generator
    threshold = np.uint16(min(round(keep * 65536), 65535))
    for start in range(0, out.size, DRAWN):
        part = flat[start : start + DRAWN]
        sixteen = bits.random_raw(-(-part.size // 4)).astype("<u8", copy=False).view("<u2")
        np.less(sixteen[: part.size], threshold, part)
    return out if out.flags.c_contiguous else _put(flat.reshape(shape), np.dtype(bool), out)


def random_int(state: Array, shape: tuple, dtype: np.dtype, low: int, high: int) -> Array:
    return generator(state).integers(low, high, shape, np.int64).astype(dtype)


def random_permutation(state: Array, n: int) -> Array:
    return generator(state).permutation(n).astype(np.int32)


def random_gamma(state: Array, alpha: Array, shape: tuple) -> Array:
    return generator(state).standard_gamma(np.broadcast_to(alpha, shape), shape).astype(alpha.dtype)


def random_binomial(state: Array, n: Array, p: Array, shape: tuple) -> Array:
    return generator(state).binomial(n.astype(np.int64), p, shape).astype(p.dtype)
