"""Symbolic sizes: the batch axis of a traced program, and any other axis whose length is not known yet.

A `Dim` is a polynomial with integer coefficients over named sizes ("b") and over floor divisions and remainders that
did not come out even. It prints as the Python expression that computes it, which is how it reaches emitted programs.
"""

import contextlib
import threading
from typing import Any, Iterator, Sequence

from kerasish.base.errors import NeedsSize

_mode = threading.local()


class Dim:
    """An axis length that is known only when a program runs; arithmetic works, using it as a number raises NeedsSize."""

    __slots__ = ("terms", "_hash")

    def __init__(self, terms: dict[tuple, int]):
        self.terms = tuple(sorted(((m, c) for m, c in terms.items() if c), key=repr))
        self._hash = hash(self.terms)

    @staticmethod
    def symbol(name: str) -> "Dim":
        return Dim({(name,): 1})

    # -- arithmetic ---------------------------------------------------------------------------------------------------

    def _fraction(self, other: Any) -> Any:
        """Arithmetic with a float, or a quotient that is one: a Python number, which the program does not have yet."""
        if not isinstance(other, (int, float, Dim)):
            return NotImplemented
        raise NeedsSize(
            f"The size {self} of a traced axis is not known while the program is built, so it can't be part of a float. "
            f"Received: {other!r}. `ops.cast(ops.shape(x)[0], x.dtype)` is a tensor, which can."
        )

    def __truediv__(self, other: Any) -> Any:
        return self._fraction(other)

    __rtruediv__ = __truediv__

    def __add__(self, other: Any) -> Any:
        if isinstance(other, float):
            return self._fraction(other)
        other = _terms(other)
        if other is None:
            return NotImplemented
        out = dict(self.terms)
        for m, c in other.items():
            out[m] = out.get(m, 0) + c
        return _simplest(out)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, float):
            return self._fraction(other)
        other = _terms(other)
        if other is None:
            return NotImplemented
        out: dict[tuple, int] = {}
        for m1, c1 in self.terms:
            for m2, c2 in other.items():
                m = tuple(sorted(m1 + m2, key=repr))
                out[m] = out.get(m, 0) + c1 * c2
        return _simplest(out)

    def __neg__(self) -> Any:
        return self * -1

    def __sub__(self, other: Any) -> Any:
        return NotImplemented if _terms(other) is None and not isinstance(other, float) else self + other * -1

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def __floordiv__(self, other: Any) -> Any:
        divisor = _terms(other)
        if divisor is None:
            return NotImplemented
        exact = _divide(dict(self.terms), divisor)
        return exact if exact is not None else Dim({(("//", self, other),): 1})

    def __rfloordiv__(self, other: int) -> Any:
        return 0 if other == 0 else Dim({(("//", other, self),): 1})

    def __mod__(self, other: Any) -> Any:
        if _terms(other) is None:
            return NotImplemented
        exact = _divide(dict(self.terms), _terms(other))
        return 0 if exact is not None else Dim({(("%", self, other),): 1})

    def __rmod__(self, other: int) -> Any:
        return 0 if other == 0 else Dim({(("%", other, self),): 1})

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    # -- questions ----------------------------------------------------------------------------------------------------

    def _never_negative(self) -> bool:
        return all(c > 0 for _, c in self.terms)

    def _compare(self, other: Any, if_positive: bool) -> bool:
        if isinstance(other, int) and self._never_negative():
            least = sum(c for m, c in self.terms if m == ())
            if other < least:
                return if_positive
        raise NeedsSize(
            f"The size {self} of a traced axis is not known while the program is built, so it can't be compared with "
            f"{other!r}."
        )

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, Dim):
            return self.terms == other.terms
        if not isinstance(other, int):
            return False
        return self._compare(other, if_positive=False)

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return self._compare(other, False)

    def __le__(self, other: Any) -> bool:
        return self._compare(other, False)

    def __gt__(self, other: Any) -> bool:
        return self._compare(other, True)

    def __ge__(self, other: Any) -> bool:
        if isinstance(other, int) and self._never_negative() and other <= sum(c for m, c in self.terms if m == ()):
            return True
        return self._compare(other, True)

    def __hash__(self) -> int:
        return self._hash

    def __bool__(self) -> bool:
        return True  # a traced axis is taken not to be empty

    def __index__(self) -> int:
        raise NeedsSize(f"The size {self} of a traced axis is not known while the program is built.")

    __int__ = __index__

    def __float__(self) -> float:
        return float(self.__index__())

    def __repr__(self) -> str:
        parts = []
        for m, c in self.terms:
            factors = [_factor(f) for f in m]
            if c != 1 or not factors:
                factors.insert(0, str(c))
            parts.append("*".join(factors))
        return " + ".join(parts).replace("+ -", "- ") or "0"

    def evaluate(self, sizes: dict[str, int]) -> int:
        """The number, given the sizes of the named axes."""
        total = 0
        for m, c in self.terms:
            for f in m:
                c *= sizes[f] if isinstance(f, str) else _evaluate_atom(f, sizes)
            total += c
        return total


def _factor(f: Any) -> str:
    return f if isinstance(f, str) else f"(({f[1]}) {f[0]} ({f[2]}))"


def _evaluate_atom(atom: tuple, sizes: dict[str, int]) -> int:
    sign, a, b = atom
    a, b = evaluate(a, sizes), evaluate(b, sizes)
    return a // b if sign == "//" else a % b


def _terms(x: Any) -> dict[tuple, int] | None:
    if isinstance(x, Dim):
        return dict(x.terms)
    if hasattr(x, "__index__") and not isinstance(x, bool) and not hasattr(x, "shape"):
        return {(): int(x)}
    return None


def _simplest(terms: dict[tuple, int]) -> "Dim | int":
    terms = {m: c for m, c in terms.items() if c}
    if not terms:
        return 0
    if len(terms) == 1 and () in terms:
        return terms[()]
    return Dim(terms)


def _divide(terms: dict[tuple, int], divisor: dict[tuple, int]) -> "Dim | int | None":
    """The exact quotient by one monomial or by a multiple of the same polynomial; None if it does not come out even."""
    if len(divisor) != 1:
        (m, c) = next(iter(divisor.items()))
        if set(terms) == set(divisor) and terms[m] % c == 0:
            factor = terms[m] // c
            if all(terms[k] == factor * divisor[k] for k in terms):
                return factor
        return None
    ((dm, dc),) = divisor.items()
    out = {}
    for m, c in terms.items():
        rest = list(m)
        for f in dm:
            if f not in rest:
                return None
            rest.remove(f)
        if dc == 0 or c % dc:
            return None
        out[tuple(rest)] = c // dc
    return _simplest(out)


def evaluate(x: Any, sizes: dict[str, int]) -> Any:
    """`x` with every Dim in it (tuples and lists included) replaced by its number."""
    if isinstance(x, Dim):
        return x.evaluate(sizes)
    if type(x) is tuple:
        return tuple(evaluate(i, sizes) for i in x)
    if type(x) is list:
        return [evaluate(i, sizes) for i in x]
    if isinstance(x, slice):
        return slice(evaluate(x.start, sizes), evaluate(x.stop, sizes), evaluate(x.step, sizes))
    return x


def is_symbolic(shape: Sequence) -> bool:
    return any(isinstance(d, Dim) for d in shape)


def same(a: Any, b: Any) -> bool:
    """Whether two sizes are known to be equal; never raises."""
    if isinstance(a, Dim) or isinstance(b, Dim):
        return isinstance(a, Dim) and isinstance(b, Dim) and a.terms == b.terms
    return a == b


def same_shape(a: Sequence, b: Sequence) -> bool:
    return len(a) == len(b) and all(map(same, a, b))


def product(shape: Sequence) -> Any:
    """The number of elements, symbolic if a size is."""
    n: Any = 1
    for d in shape:
        n = n * d
    return n


@contextlib.contextmanager
def unknown_sizes_agree() -> Iterator[None]:
    """For shape inference over axes of unknown length: an unknown size agrees with any other, as None does in Keras."""
    before = getattr(_mode, "loose", False)
    _mode.loose = True
    try:
        yield
    finally:
        _mode.loose = before


def inferring() -> bool:
    """Whether shapes are inferred over axes of unknown length, so that no computation will follow."""
    return getattr(_mode, "loose", False)


def broadcast_dim(a: Any, b: Any) -> Any:
    """The size two axes broadcast to; None if they don't."""
    if same(a, b):
        return a
    if not isinstance(a, Dim) and a == 1:
        return b
    if not isinstance(b, Dim) and b == 1:
        return a
    if isinstance(a, Dim) or isinstance(b, Dim):
        if inferring():
            return b if isinstance(a, Dim) else a
        raise NeedsSize(f"Axes of sizes {a} and {b} meet in one operation.")
    return None


def agree(a: Any, b: Any) -> bool:
    """Whether two sizes that must be equal are (for shape rules): unknown sizes raise NeedsSize unless inferring."""
    if same(a, b):
        return True
    if isinstance(a, Dim) or isinstance(b, Dim):
        if inferring():
            return True
        raise NeedsSize(f"Axes of sizes {a} and {b} meet in one operation.")
    return False


def broadcast_shapes(*shapes: Sequence) -> tuple:
    """NumPy's broadcasting rule over shapes that may hold Dims."""
    rank = max(map(len, shapes), default=0)
    out: list = [1] * rank
    for shape in shapes:
        for i, d in enumerate(shape, rank - len(shape)):
            merged = broadcast_dim(out[i], d)
            if merged is None:
                raise ValueError(f"Shapes {' and '.join(map(str, shapes))} can't be broadcast together.")
            out[i] = merged
    return tuple(out)
