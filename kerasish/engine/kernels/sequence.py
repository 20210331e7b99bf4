"""Sequences of small NumPy and BLAS calls that run one after the other without the interpreter, and several at once.

A kernel of many small calls, such as the steps of an LSTM, spends as long between them as in them, and threads of Python's
would take turns with the interpreter. So its calls are written down once, as calls of C functions: a ufunc's own loop, a
copy. `makecontext` of the C library makes a context of each, which goes over into the next when its function returns, and
`swapcontext` enters the first. Each of the crew's threads enters a sequence of its own.

    def record(do, rows, x, y):            # do.call(ufunc, *arrays), do.product(a, b, out), do.copy(x, out), do.memory(...)
        do.call(np.add, x[rows], y[rows], y[rows])

    together(record, parts, x, y)          # record(do, part, x, y) for every part

Where there are no such contexts (other systems than glibc's on x86-64, no crew), or arrays lie in a way that C functions do
not take, `record` is called with `Direct`, whose calls are made on the spot.
"""

import contextlib
import ctypes
import functools
import math
import platform
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from kerasish.engine.kernels import blas, crew
from kerasish.engine.kernels.elementwise import add_weighted
from kerasish.engine.kernels.scratch import address, aligned, ones, scratch, zeros
from kerasish.engine.kernels.stacks import SMALL
from kerasish.engine.kernels.threads import each

Array = np.ndarray
Record = Callable[..., None]
WORDS = 128  # of 8 bytes, for a context of 968 bytes
AHEAD = 1  # the word of a context that names the one to follow; after it the stack's start, flags and size
TOP = 8  # words at the top of each context's stack: arguments beyond the sixth, and where to go in the end
REGISTERS = 6  # arguments that the context holds; others lie on the stack
STACK = 1 << 18  # bytes below, for what the functions themselves need
MARK = 0x5A5A_0000_0000  # an argument by which its place in a context is found
LEAST = 24  # rows or columns of a product's parts
MOST_KEPT, MOST_BYTES = 256, 1 << 26  # sequences, and what they take, for each thread
SHORT = 1 << 21  # numbers and multiplications that take no longer than others may wait for the interpreter
_made = threading.local()  # sequences are written to, so every thread has its own


class Direct:
    """Calls on the spot."""

    @staticmethod
    def call(ufunc: np.ufunc, *arrays: Array) -> None:
        """ufunc(*arguments, out=out)"""
        ufunc(*arrays[:-1], out=arrays[-1])

    @staticmethod
    def product(a: Array, b: Array, out: Array) -> None:
        """The product of matrices, or of stacks of them."""
        np.matmul(a, b, out=out)

    @staticmethod
    def copy(x: Array, out: Array) -> None:
        """out = x"""
        np.copyto(out, x)

    weighted_sum = staticmethod(add_weighted)  # out = a * x + b * out, for a and b in arrays of one number

    @staticmethod
    def memory(name: str, shape: tuple, dtype: Any) -> Array:
        """An uninitialised array of this part; the same for the same name and shape."""
        return scratch(name, shape, dtype)


def clear(do: Any, x: Array) -> None:
    """Fill with zeros, in a record."""
    if x.size:
        do.copy(np.broadcast_to(zeros(x[0].size, x.dtype).reshape(x.shape[1:]), x.shape), x)


class _Contexts:
    """The functions that are needed, or an exception where one is missing."""

    def __init__(self) -> None:
        found = blas.threads()
        if sys.platform != "linux" or platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc":
            raise LookupError("contexts of another kind")  # whose functions might take numbers of 32 bits
        if found is None or not crew.most() or _shadowed():
            raise LookupError("no crew, or contexts with a second stack")
        own, lapack = ctypes.CDLL(None), ctypes.CDLL(found.path)
        self.get, self.make, self.swap = own.getcontext, own.makecontext, own.swapcontext
        self.keeping = ctypes.PyDLL(None).swapcontext  # does not let go of the interpreter
        for swap in self.swap, self.keeping:
            swap.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self.copies = {char: _fortran(lapack, f"{kind}lacpy") for kind, char in ("sf", "dd")}
        self.turns: dict[str, int] = {}  # transposed copies, which not every OpenBLAS has
        with contextlib.suppress(LookupError):
            self.turns = {char: _fortran(lapack, f"{kind}omatcopy") for kind, char in ("sf", "dd")}
        self.sums = {char: _fortran(lapack, f"{kind}axpby") for kind, char in ("sf", "dd")}
        self.size = np.int64 if "64" in found.suffix else np.int32  # of the BLAS's numbers


def _fortran(library: ctypes.CDLL, name: str) -> int:
    """The address of a function that takes its arguments by their addresses."""
    for full in (f"scipy_{name}_64_", f"scipy_{name}_", f"{name}_64_", f"{name}_"):
        if hasattr(library, full):
            return _start(getattr(library, full))
    raise LookupError(name)


def _start(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _shadowed() -> bool:
    """Whether the processor keeps a second account of where functions return to."""
    try:
        with open("/proc/self/status") as status:
            return any(line.startswith("x86_Thread_features:") and "shstk" in line for line in status)
    except OSError:
        return True


@functools.cache
def _contexts() -> _Contexts | None:
    try:
        contexts = _Contexts()
        return contexts if _right(contexts) else None
    except (LookupError, AttributeError, OSError):
        return None


def _right(contexts: _Contexts) -> bool:
    """Whether two sequences compute what they should, and do so again for other arrays than those they were made with."""

    def record(do: Any, rows: slice, x: Array, u: Array, y: Array, z: Array) -> None:
        do.product(x[rows], u, y[rows])
        do.weighted_sum(x[rows], u[0, :1], u[1, :1], y[rows])
        do.copy(x[rows, 1:], y[rows, :2])
        if contexts.turns:
            do.copy(z[1, :, rows].T, z[0].reshape(4, 3)[rows])

    parts = [slice(0, 2), slice(2, 4)]
    x, u = np.arange(12, dtype="f").reshape(4, 3), np.array([[2] * 3, [3] * 3, [1] * 3], "f")
    tries = [[x + k, u, np.zeros((4, 3), "f"), np.arange(24, dtype="f").reshape(2, 3, 4)] for k in (0, 1)]
    made = _Sequences(contexts, record, parts, tries[0])
    for x, u, y, z in tries:
        made(x, u, y, z)
        if contexts.turns and not np.array_equal(z[0].reshape(4, 3), z[1].T):
            return False
        wanted = 2 * x + 3 * (x @ u)
        wanted[:, :2] = x[:, 1:]
        if not np.array_equal(y, wanted):
            return False
    return True


class Unfit(Exception):
    """A call that C functions can't do."""


class _At:
    """The address of an array, as an argument or in a list of numbers."""

    def __init__(self, array: Array):
        self.array = array


class _Written:
    """The same calls as those of Direct, written down: each a C function and its arguments. An argument is an _At, a
    number, or a list of either, of which the function gets the address."""

    def __init__(self, contexts: _Contexts):
        self.contexts = contexts
        self.calls: list[tuple[int, list]] = []
        self.own: dict[tuple, Array] = {}
        self.work = 0  # numbers that are copied or made, and multiplications of products

    def memory(self, name: str, shape: tuple, dtype: Any) -> Array:
        key = (name, shape, np.dtype(dtype))
        if key not in self.own:
            self.own[key] = aligned(shape, dtype)
        return self.own[key]

    def call(self, ufunc: np.ufunc, *arrays: Array) -> None:
        out = arrays[-1]
        if not out.size:
            return
        arrays = tuple(self._spread(x, out.shape, f"rows {i}") for i, x in enumerate(arrays))
        self._loop(ufunc, arrays, [out.size], [_step(x, out.size) for x in arrays])

    def _spread(self, x: Array, shape: tuple, name: str) -> Array:
        """A row of the last axis laid out for all rows; other arrays as they are."""
        if not 1 < x.size == shape[-1] < math.prod(shape) or x.shape[-1] != x.size:
            return x
        rows = self.memory(name, (math.prod(shape[:-1]), x.size), x.dtype)
        self.copy(np.broadcast_to(x.reshape(-1), rows.shape), rows)
        return rows

    def product(self, a: Array, b: Array, out: Array) -> None:
        arrays = [x if x.ndim == 3 else x[None] for x in (a, b, out)]
        shapes = [x.shape[1:] for x in arrays]
        if not all(x.size for x in arrays) or shapes[2] != (shapes[0][0], shapes[1][1]) or shapes[0][1] != shapes[1][0]:
            raise Unfit
        if not all(x.itemsize in x.strides[1:] or 1 in x.shape[1:] for x in arrays):
            raise Unfit
        count, (m, k), n = max(map(len, arrays)), arrays[0].shape[1:], arrays[1].shape[2]
        steps = [x.strides[0] if len(x) > 1 else 0 for x in arrays] + [s for x in arrays for s in x.strides[1:]]
        a, b, out = arrays
        pieces = _pieces(m * k * n, max(m, n))
        for i in range(pieces):
            rows, columns = slice(0, m), slice(0, n)
            if m >= n:
                rows = slice(m * i // pieces, m * (i + 1) // pieces)
            else:
                columns = slice(n * i // pieces, n * (i + 1) // pieces)
            here = a[:, rows], b[..., columns], out[:, rows, columns]
            self._loop(np.matmul, here, [count, rows.stop - rows.start, k, columns.stop - columns.start], steps)

    def _loop(self, ufunc: np.ufunc, arrays: Sequence[Array], sizes: list, steps: list) -> None:
        found = crew.loop(ufunc, arrays)
        if found is None:
            raise Unfit
        function, data = found
        self.work += math.prod(sizes)
        self.calls.append((function, [[_At(x) for x in arrays], sizes, steps, data]))

    def copy(self, x: Array, out: Array) -> None:
        if not x.size or x.shape != out.shape or not x.dtype.isnative or not out.dtype.isnative:
            raise Unfit
        while x.ndim > 1 and _in_one(x) and _in_one(out):
            x, out = (a.reshape(*a.shape[:-2], -1) for a in (x, out))
        if x.ndim > 2:
            for a, b in zip(x, out):
                self.copy(a, b)
            return
        x, out = np.atleast_2d(x, out)
        function, (rows, columns), size = self.contexts.copies.get(x.dtype.char), out.shape, out.itemsize
        if function is None or x.dtype != out.dtype:
            raise Unfit
        apart = [a.strides[0] if rows > 1 else columns * size for a in (x, out)]  # in bytes, one row from the next
        if x.strides[0] == size < x.strides[1] and rows > 1 < columns:
            self._turned(x, out)
            return
        if not all(a.strides[1] == size or columns == 1 for a in (x, out)):
            raise Unfit
        if apart[1] < columns * size or 0 < apart[0] < columns * size or apart[0] < 0 or any(a % size for a in apart):
            raise Unfit
        self.work += out.size
        # LAPACK's matrices are by columns, so these are its rows; and it takes how far one is from the next
        m, n, from_, to = (self._number(v) for v in (columns, rows, apart[0] // size, apart[1] // size))
        self.calls.append((function, [[ord("A")], m, n, _At(x), from_, _At(out), to]))

    def _turned(self, x: Array, out: Array) -> None:
        """A copy of a matrix whose columns lie in memory, to one whose rows do."""
        function, (rows, columns), size = self.contexts.turns.get(x.dtype.char), out.shape, out.itemsize
        if function is None or out.strides[1] != size or out.strides[0] < columns * size or x.strides[1] < rows * size:
            raise Unfit
        if x.strides[1] % size or out.strides[0] % size:
            raise Unfit
        self.work += out.size
        m, n, from_, to = (self._number(v) for v in (rows, columns, x.strides[1] // size, out.strides[0] // size))
        one = _At(ones(1, x.dtype))
        self.calls.append((function, [[ord("C")], [ord("T")], m, n, one, _At(x), from_, _At(out), to]))

    def weighted_sum(self, x: Array, a: Array, b: Array, out: Array) -> None:
        arrays = x, a, b, out
        function = self.contexts.sums.get(out.dtype.char)
        if function is None or any(v.dtype != out.dtype or not v.flags.c_contiguous for v in arrays):
            raise Unfit
        if x.shape != out.shape or a.size != 1 or b.size != 1:
            raise Unfit
        if out.size:
            n, one = self._number(out.size), self._number(1)
            self.work += out.size
            self.calls.append((function, [n, _At(a), _At(x), one, _At(b), _At(out), one]))

    def _number(self, value: int) -> list[int]:
        return [int(np.array([value, 0], self.contexts.size).view(np.int64)[0])]


def _pieces(work: int, size: int) -> int:
    """How many parts a product is made of, for each to be one of OpenBLAS's small ones: of its rows or columns, of which
    there are `size`."""
    count = max(1, -(-work // SMALL))
    return count if blas.small_kernels() and size >= LEAST * count else 1


def _in_one(x: Array) -> bool:
    """Whether the last two axes are one line of memory."""
    return x.strides[-1] == x.itemsize and (x.strides[-2] == x.shape[-1] * x.itemsize or x.shape[-2] == 1)


def _step(x: Array, n: int) -> int:
    """The bytes from each of n elements to the next, or 0 where it is one number."""
    if x.size == 1 or not any(x.strides):
        return 0
    if x.size != n or not x.flags.aligned or not x.flags.c_contiguous:
        raise Unfit
    return x.itemsize


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Contexts that are made within let signals wait until their sequence is done, whichever the thread lets through by
    itself: but for those of faults."""
    faults = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - faults)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Sequence:
    """Written calls as contexts. One array of words holds all: where the thread goes on in the end, the contexts, the stack,
    the tops of their stacks, and the lists that are arguments. Functions write over the last two, so these are put back
    before each run. `places` are the words that follow arrays about: word, array, and what is added to its address."""

    def __init__(self, contexts: _Contexts, calls: list, bases: Sequence[tuple[int, int]] = ()):
        if not calls:
            raise ValueError("a sequence of no calls")  # entering it would end the process
        n = len(calls)
        lists = [argument for _, arguments in calls for argument in arguments if isinstance(argument, list)]
        stack = WORDS * (n + 1)
        tops = stack + STACK // 8
        self.words = aligned((tops + TOP * n + sum(map(len, lists)),), np.int64)
        self.words[:stack] = 0
        self.words[tops:] = 0
        self.home = address(self.words)
        self.first = self.home + 8 * WORDS
        self.bases, self.keep, self.places, self.free = bases, [], [], tops + TOP * n
        with _signals_wait():
            self._make(contexts, calls, stack)
        self.used = self.words[tops:]
        self.fresh = self.used.copy()

    def _make(self, contexts: _Contexts, calls: list, stack: int) -> None:
        n = len(calls)
        for i, (function, arguments) in enumerate(calls):
            at = WORDS * (i + 1)
            here = self.home + 8 * at
            contexts.get(ctypes.c_void_p(here))
            follows = here + 8 * WORDS if i + 1 < n else self.home
            self.words[at + AHEAD : at + AHEAD + 4] = follows, self.home + 8 * stack, 0, STACK + 8 * TOP * (i + 1)
            passed = [ctypes.c_void_p(self._argument(a, j)) for j, a in enumerate(arguments)]
            contexts.make(ctypes.c_void_p(here), ctypes.c_void_p(function), ctypes.c_int(len(passed)), *passed)
            for j, argument in enumerate(arguments):
                if isinstance(argument, _At):
                    start, size = (at, WORDS) if j < REGISTERS else (stack + STACK // 8 + TOP * i, TOP)
                    (word,) = np.flatnonzero(self.words[start : start + size] == MARK + j)
                    self._follow(start + int(word), argument.array)

    def _argument(self, argument: Any, position: int) -> int:
        if isinstance(argument, _At):
            return MARK + position
        if not isinstance(argument, list):
            return argument
        start = self.free
        self.free += len(argument)
        for word, value in enumerate(argument, start):
            if isinstance(value, _At):
                self._follow(word, value.array)
            else:
                self.words[word] = value
        return self.home + 8 * start

    def _follow(self, word: int, array: Array) -> None:
        at = address(array)
        for i, (low, high) in enumerate(self.bases):
            if low <= at < high:
                self.places.append((word, i, at - low))
                return
        self.words[word] = at  # it stays where it is
        self.keep.append(array)


def _entered(contexts: _Contexts, sequences: Sequence[_Sequence]) -> Callable[[], None]:
    """What enters sequences, each by a thread of its own."""
    swap = _start(contexts.swap)
    return crew.routines([(swap, [s.home, s.first]) for s in sequences])


class _Sequences:
    """What `record` writes down for each part, to be done at once, on arrays of the same layout as `arrays`."""

    def __init__(self, contexts: _Contexts, record: Record, parts: Sequence, arrays: Sequence[Array]):
        if any(step < 0 for x in arrays for step in x.strides):
            raise Unfit
        bases = [_bounds(x) for x in arrays]
        self.sequences, self.bytes = [], 0
        for part in parts:
            record(do := _Written(contexts), part, *arrays)
            self.bytes += 8 * (WORDS + TOP) * len(do.calls) + sum(x.nbytes for x in do.own.values())
            if do.calls:
                self.sequences.append(_Sequence(contexts, do.calls, bases))
        self.places = [tuple(np.array(s.places, np.int64).reshape(-1, 3).T.copy()) for s in self.sequences]
        self.run = _entered(contexts, self.sequences) if self.sequences else _nothing

    def __call__(self, *arrays: Array) -> None:
        starts = np.array([*map(address, arrays)], np.int64)
        for sequence, (words, which, offsets) in zip(self.sequences, self.places):
            np.copyto(sequence.used, sequence.fresh)
            sequence.words[words] = starts[which] + offsets
        with blas.single:
            self.run()


def _bounds(x: Array) -> tuple[int, int]:
    """The first byte that an array touches, and the first behind it."""
    start = address(x)
    if not x.size:
        return start, start
    if x.flags.c_contiguous:
        return start, start + x.nbytes
    ends = [step * (n - 1) for step, n in zip(x.strides, x.shape)]
    return start + sum(e for e in ends if e < 0), start + sum(e for e in ends if e > 0) + x.itemsize


def _shared(arrays: Sequence[Array]) -> tuple:
    """Which arrays share memory, and how far apart they begin: a sequence may take one's addresses for another's."""
    order = sorted((*_bounds(x), i) for i, x in enumerate(arrays) if x.size)
    found, leader, end = [], -1, 0
    for low, high, i in order:
        if low < end:
            found.append((i, leader, address(arrays[i]) - address(arrays[leader])))
        else:
            leader = i
        end = max(end, high)
    return tuple(found)


def together(record: Record, parts: Sequence, *arrays: Array) -> None:
    """record(do, part, *arrays) for each part, at once where that can be. All it writes to and all it reads has to lie in the
    arrays or in do.memory, but for constants; what it does depends on their shapes and on the part alone; and parts do not
    need each other."""
    made = prepared(record, parts, *arrays)
    if made is not None:
        made(*arrays)
        return
    each(lambda i: record(Direct, parts[i], *arrays), len(parts))


def prepared(record: Record, parts: Sequence, *arrays: Array) -> Callable[..., None] | None:
    """A function that does it for arrays of this layout without the interpreter, if there can be one. It is kept."""
    contexts = _contexts()
    if contexts is None:
        return None
    known = _made.__dict__
    key = (record, *parts, *[(a.shape, a.strides, a.dtype.char) for a in arrays], _shared(arrays))
    if key not in known:
        if any(_is_constant(x) for x in arrays):
            return None  # whose addresses in the record could not be told from an argument's
        if len(known) >= MOST_KEPT or sum(made.bytes for made in known.values() if made) > MOST_BYTES:
            known.clear()
        try:
            known[key] = _Sequences(contexts, record, parts, arrays)
        except Unfit:
            known[key] = None
    return known[key]


def _is_constant(x: Array) -> bool:
    """Whether an array lies in the rows of zeros or ones that all share."""
    return any(np.may_share_memory(x, value(1, x.dtype).base) for value in (zeros, ones) if x.dtype.char in "fd")


class _Fixed:
    """A sequence over arrays that stay where they are, by the thread that calls it. A short one keeps the interpreter."""

    def __init__(self, contexts: _Contexts, calls: list, work: int):
        sequence = self.sequence = _Sequence(contexts, calls)
        self.used, self.fresh, self.home, self.first = sequence.used, sequence.fresh, sequence.home, sequence.first
        self.enter = contexts.keeping if work < SHORT else contexts.swap

    def __call__(self) -> None:
        np.copyto(self.used, self.fresh)
        self.enter(self.home, self.first)


class _FixedParts:
    """Several of them at once."""

    def __init__(self, contexts: _Contexts, parts: Sequence[list]):
        self.sequences = [_Sequence(contexts, calls) for calls in parts]
        self.run = _entered(contexts, self.sequences)

    def __call__(self) -> None:
        for s in self.sequences:
            np.copyto(s.used, s.fresh)
        with blas.single:
            self.run()


def possible() -> bool:
    """Whether there are sequences at all."""
    return _contexts() is not None


def written(record: Callable[[Any], None]) -> _Written | None:
    """What a record writes down, for `fixed`; None where it can't be."""
    contexts = _contexts()
    if contexts is None:
        return None
    try:
        record(do := _Written(contexts))
    except Unfit:
        return None
    return do


def fixed(dos: Sequence[_Written]) -> Callable[[], None]:
    """What was written down on arrays that stay where they are, ready to be done by the calling thread over and over."""
    calls = [call for do in dos for call in do.calls]
    return _Fixed(_there(), calls, sum(do.work for do in dos)) if calls else _nothing


def at_once(parts: Sequence[Sequence[_Written]]) -> Callable[[], None]:
    """Likewise, the parts at once. Within them products are each done by one thread."""
    calls = [made for part in parts if (made := [call for do in part for call in do.calls])]
    return _FixedParts(_there(), calls) if calls else _nothing


def _there() -> _Contexts:
    contexts = _contexts()
    assert contexts is not None, "only what was written down"
    return contexts


def _nothing() -> None:
    """What is done with arrays that are empty."""


__all__ = ["Direct", "Unfit", "at_once", "clear", "fixed", "possible", "prepared", "together", "written"]
