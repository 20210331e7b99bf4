"""Chains: runs of statements that treat the rows of large arrays one by one, which programs execute a tile of rows at a
time, so that what is between them stays in the cache; kernels/tiles.py says how.

A row is what stands at one index of the leading axis, or of several if one row would be too long. Element-wise
statements, reductions over other axes, softmax and batched matrix products treat rows one by one. A sum over the leading
axis takes part as well: every tile writes a sum of its own, and these are added when all tiles are done.

A tile is a range of rows. That is right as long as every statement touches, of all memory that the chain writes, only its
own tile.
"""

from typing import Any

from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim, product, same_shape
from kerasish.engine.graph import Node, Var

TILE = 1 << 15  # elements: what a chain holds at once stays in a processor's second-level cache
LEAST = 1 << 15  # elements of an array that is worth it
LEAST_ROW = 256  # elements in a row of an array whose leading size is not known
SMALL = 1 << 12  # elements of a result that may be computed before or after a chain rather than interrupt it

REDUCTIONS = (P.sum_, P.prod, P.max_, P.min_, P.all_, P.any_)
ALONG_AN_AXIS = (P.softmax, P.log_softmax)


class Chain:
    """Statements `first` to `last` of a plan, over `rows` rows, in tiles of `step`."""

    def __init__(self, first: int, rows: Any):
        self.first = self.last = first
        self.rows = rows
        self.axes = 1  # how many leading axes are rows, if one row were too long
        self.widest = 1  # elements in the longest row
        self.step = 1
        self.still = True  # all it touches lies in the same place in every run
        self.temporary: set[int] = set()  # ids of places that need no memory beyond a tile
        self.by_rows: set[int] = set()  # ids of the values that it treats by rows ...
        self.read_whole: set[int] = set()  # ... and of those that every tile reads whole
        self.summed: set[int] = set()  # ids of the values that are sums over the leading axis


def worth_tiling(shape: tuple) -> bool:
    """Whether arrays of this shape are, or may be, large."""
    row = row_size(shape)
    return row is not None and (row >= LEAST_ROW if isinstance(shape[0], Dim) else row * shape[0] >= LEAST)


def row_size(shape: tuple) -> int | None:
    """The elements in a row, if the leading axis alone is of unknown length."""
    return None if not shape or any(isinstance(d, Dim) for d in shape[1:]) else product(shape[1:])


def aligned_arguments(node: Node) -> list[bool] | None:
    """For a statement that treats rows one by one: which arguments have the rows of the result. Others are read whole."""
    out = node.outs[0]
    if len(node.outs) != 1 or not out.shape:
        return None
    if node.prim.pointwise:
        found = []
        for a in node.args:
            aligned = len(a.shape) == len(out.shape) and same_shape(a.shape[:1], out.shape[:1])
            whole = len(a.shape) < len(out.shape) or (not isinstance(a.shape[0], Dim) and a.shape[0] == 1)
            if not aligned and not whole:
                return None
            found.append(aligned)
        return found
    if node.prim in REDUCTIONS and 0 not in node.params["axis"] and len(node.args[0].shape) > 1:
        return [True]
    if node.prim is P.row_dot:
        return [True, True]
    if node.prim in ALONG_AN_AXIS and node.params["axis"] != 0:
        return [True]
    batched = node.prim is P.matmul and len(out.shape) > 2
    if batched and all(len(a.shape) == len(out.shape) and same_shape(a.shape[:1], out.shape[:1]) for a in node.args):
        return [True, True]
    return None


def lies_still(plan: Any, node: Node) -> bool:
    """Whether all that a statement touches lies in the same place in every run, but for single numbers: those that do not
    get one (program.Emitter._cell)."""
    return all(not v.shape or v.constant is not None or plan.place(v).lasting for v in (*node.args, *node.outs))


def sums_rows(node: Node) -> bool:
    """Whether a statement adds up rows."""
    if node.prim is not P.sum_ or node.outs[0].dtype.char not in "fd" or not node.outs[0].shape:
        return False
    return sorted(node.params["axis"]) == list(range(len(node.params["axis"])))


def _roles(node: Node) -> tuple[list[Var], list[Var]]:
    """The arguments of a statement in a chain: those that it treats by rows, and those that it reads whole."""
    flags = [True] if sums_rows(node) else aligned_arguments(node) or []
    both: tuple[list[Var], list[Var]] = [], []
    for a, by_rows in zip(node.args, flags, strict=True):
        both[not by_rows].append(a)
    return both


def _in_tiles(plan: Any, v: Var, rows: Any) -> bool:
    """Whether a tile of the value is the same tile of its memory."""
    return plan.place(v).rows and bool(v.shape) and same_shape(v.shape[:1], (rows,))


def _rows(plan: Any, node: Node) -> Any:
    """Over how many rows a statement could be part of a chain, or None."""
    if len(node.outs) != 1 or plan.place(node.outs[0]).kind != "buffer":
        return None
    if sums_rows(node):
        rows = node.args[0].shape[0]
        return rows if row_size(node.args[0].shape) is not None and _in_tiles(plan, node.args[0], rows) else None
    flags = aligned_arguments(node)
    if flags is None or row_size(node.outs[0].shape) is None:
        return None
    rows = node.outs[0].shape[0]
    return rows if all(_in_tiles(plan, a, rows) for a in _roles(node)[0]) else None


def _widest(node: Node) -> Var:
    """The value with the longest rows, of those that a statement treats by rows."""
    return max([*node.outs, *_roles(node)[0]], key=lambda v: row_size(v.shape) or 0)


def _joins(rows: Any, widest: int, node: Node, own: Any) -> bool:
    return own is not None and same_shape((own,), (rows,)) and (row_size(_widest(node).shape) or 0) * 256 >= widest


def arrange(plan: Any) -> list[Node]:
    """The statements in an order in which small ones do not interrupt chains: they come before if they can, else after."""
    rest, order = list(plan.steps), []
    while rest:
        node = rest.pop(0)
        rows = _rows(plan, node)
        if rows is None or not worth_tiling(_widest(node).shape):
            order.append(node)
            continue
        group, early, late, seen = [node], [], [], 0
        summed = {_root(plan, node.outs[0])} if sums_rows(node) else set()
        made, after = {_root(plan, node.outs[0])}, set(summed)
        widest = row_size(_widest(node).shape) or 1
        for other in rest:
            needs = {_root(plan, a) for a in other.args}
            if _joins(rows, widest, other, _rows(plan, other)) and not needs & after:
                group.append(other)
                made.add(_root(plan, other.outs[0]))
                if sums_rows(other):
                    after.add(_root(plan, other.outs[0]))
            elif other.prim is P.random_mask and not needs & (made | after):
                early.append(other)
            elif other.prim.effect or not all(_is_small(o) for o in other.outs):
                break
            elif needs & (made | after):
                late.append(other)
                after |= {_root(plan, o) for o in other.outs}
            else:
                early.append(other)
            seen += 1
        order += [*early, *group, *late]
        del rest[:seen]
    return order


def _is_small(v: Var) -> bool:
    return not any(isinstance(d, Dim) for d in v.shape) and product(v.shape) <= SMALL


def find_chains(plan: Any, direct: dict[int, Any]) -> list[Chain]:
    """The chains of a plan's statements. `direct`: places of the values that are written straight into a variable."""
    found: list[Chain] = []
    chain: Chain | None = None
    written: set[int] = set()  # memory that the chain writes ...
    foreign: set[int] = set()  # ... that it reads elsewhere than in its own tile ...
    sums: set[int] = set()  # ... and where its sums over rows will be
    for i, node in enumerate(plan.steps):
        rows = _rows(plan, node)
        if rows is None:
            chain = None
            continue
        by_rows, whole = _roles(node)
        reads = {_memory(plan, a) for a in whole}
        target = _storage(plan, direct.get(id(node.outs[0])) or plan.place(node.outs[0]))
        if chain is not None and (
            not _joins(chain.rows, chain.widest, node, rows)
            or lies_still(plan, node) != chain.still
            or reads & written
            or target in foreign | reads
            or any(id(a) in chain.read_whole or _memory(plan, a) in sums for a in by_rows)
            or any(id(a) in chain.by_rows for a in whole)
        ):
            chain = None
        if chain is None:
            if target in reads or not worth_tiling(_widest(node).shape):
                continue
            chain, written, foreign, sums = Chain(i, rows), set(), set(), set()
            chain.still = lies_still(plan, node)
            found.append(chain)
        chain.last = i
        chain.widest = max(chain.widest, row_size(_widest(node).shape) or 1)
        chain.by_rows |= {id(a) for a in by_rows}
        chain.read_whole |= {id(a) for a in whole}
        if sums_rows(node):
            chain.summed.add(id(node.outs[0]))
            sums.add(target)
        else:
            chain.by_rows.add(id(node.outs[0]))
        written.add(target)
        foreign |= reads
    for chain in found:
        _divide_rows(plan, chain)
        chain.step = max(1, TILE // chain.widest)
    return [c for c in found if len(c.summed) <= c.last - c.first]  # not sums alone


def _divide_rows(plan: Any, chain: Chain) -> None:
    """Count more axes as rows, until a row is no longer than a tile, or some statement does not allow it."""
    nodes = plan.steps[chain.first : chain.last + 1]
    while chain.still and chain.widest > TILE and all(_allows(plan, chain, node, chain.axes + 1) for node in nodes):
        length = _widest(nodes[0]).shape[chain.axes]
        chain.rows, chain.axes, chain.widest = chain.rows * length, chain.axes + 1, chain.widest // length


def _allows(plan: Any, chain: Chain, node: Node, axes: int) -> bool:
    """Whether a statement treats the elements of so many leading axes one by one, all as long in all that the chain treats."""
    rows, whole = _roles(node)
    leading = _widest(plan.steps[chain.first]).shape[1:axes]
    if sums_rows(node):
        own = rows
        if len(node.params["axis"]) < axes or node.params.get("keepdims"):
            return False
    elif node.prim.pointwise:
        own = [*rows, *node.outs]
    else:
        return False
    return all(
        len(v.shape) > axes and same_shape(v.shape[1:axes], leading) and plan.place(v).whole for v in own
    ) and all(len(v.shape) <= len(node.outs[0].shape) - axes for v in whole)


def _root(plan: Any, v: Var) -> int:
    return id(plan.place(v).root)


def _memory(plan: Any, v: Var) -> int:
    return _storage(plan, plan.place(v))


def _storage(plan: Any, place: Any) -> int:
    root = place.root
    return id(plan.storage(root.variable)) if root.kind == "variable" else id(root)
