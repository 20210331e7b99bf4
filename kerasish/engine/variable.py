"""State. A Variable is the only thing that changes; an Arena lays many of them in one flat array."""

import threading
import weakref
from typing import Any, Callable, Iterable, Iterator, Sequence

import numpy as np

from kerasish.base import config, naming
from kerasish.base.registry import export, resolve
from kerasish.engine import primitives as P
from kerasish.engine.core import context, suspended
from kerasish.engine.dims import same_shape
from kerasish.engine.kernels.scratch import aligned
from kerasish.engine.tensor import Tensor

_scopes = threading.local()
_layout = [0]


def layout_version() -> int:
    """Grows whenever the storage of some variable moves; programs that hold the old storage are bound again."""
    return _layout[0]


def open_scope(kind: str) -> Any:
    return getattr(_scopes, kind, None)


class Scope:
    """A scope that is found by its kind in the thread it was opened in; scopes of one kind nest."""

    kind = ""

    def __enter__(self) -> Any:
        self._outer = open_scope(self.kind)
        setattr(_scopes, self.kind, self)
        return self

    def __exit__(self, *exc: Any) -> None:
        setattr(_scopes, self.kind, self._outer)


class AutocastScope(Scope):
    """Inside, float variables that allow it are read in the given dtype (None: as they are)."""

    kind = "autocast"

    def __init__(self, dtype: str | None):
        if dtype is not None and not is_float(dtype):
            raise ValueError(f"AutocastScope takes a floating-point dtype or None. Received: dtype={dtype}")
        self.dtype = dtype


@export("keras.StatelessScope", "keras.backend.StatelessScope")
class StatelessScope(Scope):
    """Inside, variables have the values of a mapping, and assignments change the mapping instead of the variables.

    state_mapping: pairs of a variable and its value.
    """

    kind = "stateless"

    def __init__(
        self,
        state_mapping: Sequence[tuple["Variable", Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ):
        self.collect_losses = collect_losses
        self.losses: list = []
        self.state_mapping: dict[int, Any] = {}  # by the id of the variable
        self.initialize_variables = initialize_variables
        self._keep: list = []
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ValueError(
                    "Invalid reference variable in StatelessScope: all keys in argument `state_mapping` must be "
                    f"Variable instances. Received instead: {variable!r}"
                )
            self.add_update((variable, variable._coerce(value)))

    def add_loss(self, loss: Any) -> None:
        self.losses.append(loss)

    def add_update(self, update: tuple["Variable", Any]) -> None:
        variable, value = update
        self._keep.append(variable)
        self.state_mapping[id(variable)] = value

    def copy(self) -> "StatelessScope":
        """A scope with the same values, whose changes do not reach this one."""
        out = StatelessScope()
        out.state_mapping, out._keep = dict(self.state_mapping), list(self._keep)
        return out

    def get_current_value(self, variable: "Variable") -> Any:
        """The value the variable has in this scope, or None if the scope does not know it."""
        return self.state_mapping.get(id(variable))


@export("keras.SymbolicScope", "keras.backend.SymbolicScope")
class SymbolicScope(Scope):
    """Inside, nothing but shapes and dtypes is computed: open while the outputs of layers and ops are inferred.

    >>> with SymbolicScope():
    ...     in_symbolic_scope()
    True
    """

    kind = "symbolic"


def in_symbolic_scope() -> bool:
    return open_scope("symbolic") is not None


class BodyScope(StatelessScope):
    """Open while the body of a branch or loop is traced in a StatelessScope.

    Values pass through the trace, which makes them inputs and results of the body; around it they are the outer scope's.
    """

    def __init__(self, outer: StatelessScope):
        super().__init__()
        self.losses = outer.losses

    def add_update(self, update: tuple["Variable", Any]) -> None:
        context.trace.write(*update)


def get_stateless_scope() -> StatelessScope | None:
    return open_scope("stateless")


def in_stateless_scope() -> bool:
    return open_scope("stateless") is not None


def is_float(dtype: Any) -> bool:
    name = str(dtype)
    return name.startswith(("float", "bfloat"))


def _dtype_name(dtype: Any) -> str:
    """`dtype` (a name, a NumPy dtype or a Python type) as its name, checked."""
    if dtype is None:
        return config.floatx()
    if isinstance(dtype, type) and dtype in (int, float, bool):
        return {int: "int32", float: config.floatx(), bool: "bool"}[dtype]
    try:
        return np.dtype(dtype).name
    except TypeError:
        raise ValueError(f"Invalid dtype: {dtype}") from None


@export("keras.Variable", "keras.backend.Variable")
class Variable:
    """A named array that can be assigned to: a weight, a moving statistic, a seed, an optimizer slot, a metric.

    initializer: an array, a callable `(shape, dtype) -> array`, or the name of an initializer.
    shape:       needed with a callable or a name.
    dtype:       default: floatx for a callable; an array's own (floats become floatx).
    trainable:   whether gradients are taken with respect to it by default.
    autocast:    whether mixed precision may read it in its compute dtype.

    >>> v = Variable([1.0, 2.0], name="v")
    >>> _ = v.assign_add([1.0, 1.0])
    >>> v.numpy().tolist()
    [2.0, 3.0]
    """

    __array_priority__ = 101

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ):
        del layout, kwargs  # they have no meaning on one machine
        name = name or naming.auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"Argument `name` must be a string and cannot contain character `/`. Received: name={name}")
        if aggregation not in (None, "none", "mean", "sum", "only_first_replica"):
            raise ValueError(
                "Invalid value for argument `aggregation`. Expected one of `None`, `'none'`, `'mean'`, `'sum'`, "
                f"`'only_first_replica'`. Received: aggregation={aggregation}"
            )
        self._name = name
        parent = naming.current_path()
        self._path = f"{parent}/{name}" if parent else name
        self.trainable = trainable
        self._autocast = bool(autocast)
        self.aggregation = aggregation or "none"
        self.synchronization = synchronization
        self._regularizer: Any = None
        self._constraint: Any = None
        self.overwrite_with_gradient = False
        self._arena: Arena | None = None
        self._lent: Any = None
        if isinstance(initializer, str):
            found = resolve("initializers", initializer)
            if found is None:
                raise ValueError(f"Could not interpret initializer identifier: {initializer!r}.")
            initializer = found() if isinstance(found, type) else found
        with suspended():
            if callable(initializer) and not isinstance(initializer, (Tensor, Variable)):
                if shape is None:
                    raise ValueError(
                        "When creating a Variable from an initializer, the `shape` argument should be specified. "
                        f"Received: initializer={initializer} and shape={shape}"
                    )
                dtype = _dtype_name(dtype)
                array = np.asarray(initializer(standardize_shape(shape), dtype=dtype))
            else:
                array = np.asarray(initializer)
                if dtype is None:
                    dtype = config.floatx() if array.dtype.kind == "f" and not isinstance(
                        initializer, (Tensor, Variable, np.ndarray)
                    ) else array.dtype.name
                    if array.dtype.kind == "i" and not hasattr(initializer, "dtype"):
                        dtype = "int32"
                dtype = _dtype_name(dtype)
                if shape is not None and tuple(shape) != array.shape:
                    raise ValueError(f"The value has shape {array.shape}, but shape={tuple(shape)} was asked for.")
        if array.dtype.kind in "OUS":
            raise ValueError(f"A Variable holds numbers. Received: initializer={initializer!r}")
        # order="C": kernels rely on it; copy: the variable owns its storage
        self._array = _own(array, dtype)
        self._dtype = dtype

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._name

    @property
    def path(self) -> str:
        return self._path

    @property
    def handle(self) -> str:
        return self._path

    @property
    def shape(self) -> tuple:
        return self._array.shape

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def size(self) -> int:
        return self._array.size

    @property
    def dtype(self) -> str:
        """The dtype's name; inside an AutocastScope the one that reading gives."""
        scope = open_scope("autocast")
        if scope is not None and scope.dtype and self._autocast and is_float(self._dtype):
            return scope.dtype
        return self._dtype

    @property
    def autocast(self) -> bool:
        return self._autocast

    @property
    def regularizer(self) -> Any:
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Any) -> None:
        if value is not None and not callable(value):
            raise ValueError(f"Invalid value for attribute `regularizer`: expected a callable. Received: {value!r}")
        self._regularizer = value

    @property
    def constraint(self) -> Any:
        return self._constraint

    @constraint.setter
    def constraint(self, value: Any) -> None:
        if value is not None and not callable(value):
            raise ValueError(f"Invalid value for attribute `constraint`: expected a callable. Received: {value!r}")
        self._constraint = value

    # -- reading ------------------------------------------------------------------------------------------------------

    @property
    def value(self) -> Tensor:
        """The value as a Tensor: of this moment, unmoved by later assignments."""
        out = self._read()
        scope = open_scope("autocast")
        if scope is not None and scope.dtype and self._autocast and is_float(self._dtype) and scope.dtype != self._dtype:
            out = P.cast(out, dtype=np.dtype(scope.dtype))
        return out

    def _read(self) -> Tensor:
        scope = get_stateless_scope()
        if scope is not None:
            value = scope.get_current_value(self)
            if value is not None:
                around = context.trace.tapes if context.trace is not None else ()  # of the caller of a loop's body
                for tape in (*context.tapes, *around):
                    tape.accessed_in_scope(self, value)
                return value
        if context.trace is not None:
            out = context.trace.read(self)
        else:
            out = self._lent() if self._lent is not None else None
            if out is None:
                out = Tensor(self._array)
                out._lender = self
                self._lent = weakref.ref(out)
        for tape in context.tapes:
            tape.accessed(self, out)
        return out

    def numpy(self) -> np.ndarray:
        """A copy of the value."""
        scope = get_stateless_scope()
        if scope is not None or context.trace is not None:
            return np.array(self._read())
        return self._array.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = self.numpy()
        return value if dtype is None else value.astype(dtype, copy=False)

    # -- writing ------------------------------------------------------------------------------------------------------

    def _coerce(self, value: Any) -> Tensor:
        """`value` as a Tensor of this variable's dtype and shape."""
        if isinstance(value, Variable):
            value = value._read()
        if not isinstance(value, Tensor):
            array = np.asarray(value)
            if array.dtype.kind in "OUS":
                raise ValueError(f"A value of dtype {array.dtype} can't be assigned to variable {self._path}.")
            value = Tensor(array.astype(self._dtype))
        if not same_shape(value.shape, self.shape):
            tuple(map(int, value.shape))  # whether a symbolic size fits is known when the function is traced for that size
            raise ValueError(
                "The shape of the target variable and the shape of the target value in `variable.assign(value)` must "
                f"match. variable.shape={self.shape}, Received: value.shape={value.shape}. Target variable: {self!r}"
            )
        if value.dtype != self._dtype:
            value = P.cast(value, dtype=np.dtype(self._dtype))
        return value

    def assign(self, value: Any) -> Any:
        """Replace the value by one of the same shape; returns the new value."""
        value = self._coerce(value)
        scope = get_stateless_scope()
        if scope is not None:
            scope.add_update((self, value))
            return value
        if context.trace is not None:
            return context.trace.write(self, value)
        self._store(value.value)
        return value

    def _store(self, array: np.ndarray) -> None:
        self._unlend()
        if self._arena is not None:
            self._arena.flat._unlend()
        for member in self._members():
            member._unlend()
        np.copyto(self._array, array)

    def _members(self) -> Sequence["Variable"]:
        return ()

    def _unlend(self) -> None:
        """Give a tensor that was read before the values of that moment, now that the storage is about to change."""
        lent = self._lent() if self._lent is not None else None
        if lent is not None:
            lent.value = self._array.copy()
            del lent._lender
        self._lent = None

    def assign_add(self, value: Any) -> Any:
        return self.assign(P.add(self._read(), self._coerce_like(value)))

    def assign_sub(self, value: Any) -> Any:
        return self.assign(P.sub(self._read(), self._coerce_like(value)))

    def _coerce_like(self, value: Any) -> Tensor:
        if isinstance(value, Variable):
            value = value._read()
        if not isinstance(value, Tensor):
            value = Tensor(np.asarray(value).astype(self._dtype))
        return value if value.dtype == self._dtype else P.cast(value, dtype=np.dtype(self._dtype))

    def __repr__(self) -> str:
        return f"<Variable path={self._path}, shape={self.shape}, dtype={self._dtype}, value={self._array}>"

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        return bool(self._read())

    def __int__(self) -> int:
        return int(self._read())

    def __float__(self) -> float:
        return float(self._read())

    def __index__(self) -> int:
        return self._read().__index__()

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        value = self.value
        return (value[i] for i in range(self.shape[0]))

    def __deepcopy__(self, memo: dict) -> "Variable":
        copy = type(self).__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update(self.__dict__)
        copy._array, copy._arena, copy._lent = self._array.copy(), None, None
        return copy

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_array": self._array.copy(), "_arena": None, "_lent": None}


def standardize_shape(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of non-negative ints; Keras's errors otherwise."""
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    out = []
    for d in tuple(shape):
        if d is None or isinstance(d, float) or int(d) < 0:
            raise ValueError(f"Cannot convert {shape!r} to a shape: every size must be an int that is not negative.")
        out.append(int(d))
    return tuple(out)


def _own(array: np.ndarray, dtype: str) -> np.ndarray:
    """A copy in C order; a large one begins with a cache line."""
    if array.size < 1024:
        return np.array(array, dtype=dtype, order="C")
    copy = aligned(array.shape, dtype)
    np.copyto(copy, array, casting="unsafe")
    return copy


class FlatVariable(Variable):
    """The whole of an arena as one vector."""

    def _members(self) -> Sequence[Variable]:
        return self._arena.members if self._arena is not None else ()


class Arena:
    """Variables of one dtype laid end to end in one flat array, so that one call treats them all.

    `flat` is the array as a variable; the members keep their shapes and become views into it.
    """

    def __init__(self, members: Sequence[Variable], name: str = "arena"):
        self.members = list(members)
        dtype = self.members[0]._dtype
        self.offsets = np.cumsum([0] + [m.size for m in self.members]).tolist()
        self.flat = FlatVariable(np.empty(self.offsets[-1], dtype), dtype=dtype, trainable=False, name=name)
        self.flat._arena = self
        self.index = {id(m): i for i, m in enumerate(self.members)}
        for member, start in zip(self.members, self.offsets, strict=False):
            view = self.flat._array[start : start + member.size].reshape(member.shape)
            member._unlend()
            np.copyto(view, member._array)
            member._array, member._arena = view, self
        _layout[0] += 1

    def of(self, member: Variable, flat_value: Tensor) -> Tensor:
        """The member's part of a value of the whole."""
        i = self.index[id(member)]
        part = P.slice_(flat_value, index=(slice(self.offsets[i], self.offsets[i + 1], 1),))
        return P.reshape(part, shape=member.shape)

    @staticmethod
    def pack(values: Sequence[Tensor]) -> Tensor:
        """One flat vector of many tensors."""
        return P.concat(*[P.reshape(v, shape=(v.size,)) for v in values], axis=0)


def flush_subnormals(variables: Iterable[Variable]) -> None:
    """Set elements that are nearly zero, below the smallest normal number of their dtype, to zero.

    Averages of gradients that have become zero end up there and stay, and processors compute many times slower with them.
    """
    for v in variables:
        if v._array.dtype.kind != "f":
            continue
        if _has_subnormals(v._array):
            v._unlend()
            if v._arena is not None:
                v._arena.flat._unlend()
            np.copyto(v._array, 0, where=np.abs(v._array) < np.finfo(v._array.dtype).tiny)


def _has_subnormals(x: np.ndarray) -> bool:
    """By their bits, a block at a time: this is asked of all of an optimizer's averages after every epoch."""
    tiny = np.finfo(x.dtype).tiny
    if not x.flags.c_contiguous:
        return bool(((np.abs(x) < tiny) & (x != 0)).any())
    kind = np.dtype(f"u{x.itemsize}")
    bits, spare = x.reshape(-1).view(kind), np.empty(min(x.size, 1 << 16), kind)
    one, limit = kind.type(1), 2 * int(tiny.view(kind)) - 1
    for start in range(0, bits.size, 1 << 16):
        part = bits[start : start + (1 << 16)]
        block = spare[: len(part)]
        np.add(part, part, block)  # without the sign
        np.subtract(block, one, block)  # zero becomes the largest of all
        if np.minimum.reduce(block) < limit:
            return True
    return False


Initializer = Callable[..., Any]
