"""Chains: runs of element-wise statements over arrays of one large shape, which programs execute a tile at a time, so that
what is between them stays in the cache; by several threads, if the program has threads of its own.

A tile is a range of the leading axis. That is right as long as every statement touches, of all memory that the chain
writes, only its own tile: values of the chain's shape do, and anything else must not be written in the chain.
"""

from typing import Any

from kerasish.engine.dims import Dim, product, same_shape
from kerasish.engine.graph import Node, Var

TILE = 1 << 15  # elements: what a chain holds at once stays in the second-level cache
TILE_OF_THREADS = 1 << 17  # shorter statements would spend their time waiting for the interpreter
LEAST = 1 << 15  # elements of an array that is worth it
LEAST_ROW = 256  # elements in a row of an array whose leading size is not known


class Chain:
    """Statements `first` to `last` of a plan, over values of `shape`, in tiles of `step` rows."""

    def __init__(self, first: int, shape: tuple, threads: bool):
        self.first = self.last = first
        self.shape = shape
        self.step = max(1, (TILE_OF_THREADS if threads else TILE) // product(shape[1:]))
        self.temporary: set[int] = set()  # ids of places that need no memory beyond a tile


def worth_tiling(shape: tuple) -> bool:
    """Whether arrays of this shape are, or may be, large."""
    if not shape or any(isinstance(d, Dim) for d in shape[1:]):
        return False
    row = product(shape[1:])
    return row >= LEAST_ROW if isinstance(shape[0], Dim) else row * shape[0] >= LEAST


def find_chains(plan: Any, direct: dict[int, Any]) -> list[Chain]:
    """The chains of a plan's statements. `direct`: places of the values that are written straight into a variable."""
    found: list[Chain] = []
    chain: Chain | None = None
    written: set[int] = set()  # memory that the chain writes ...
    foreign: set[int] = set()  # ... and that it reads elsewhere than in its own tile
    for i, node in enumerate(plan.steps):
        if not _fits(plan, node):
            chain = None
            continue
        shape = node.outs[0].shape
        reads = {_memory(plan, a) for a in node.args if not _aligned(plan, a, shape)}
        target = _storage(plan, direct.get(id(node.outs[0])) or plan.place(node.outs[0]))
        if chain is None or not same_shape(chain.shape, shape) or reads & written or target in foreign | reads:
            chain, written, foreign = Chain(i, shape, plan.threads), set(), set()
            if target in reads:
                chain = None
                continue
            found.append(chain)
        chain.last = i
        written.add(target)
        foreign |= reads
    return found


def _fits(plan: Any, node: Node) -> bool:
    if not node.prim.pointwise or len(node.outs) != 1 or not worth_tiling(node.outs[0].shape):
        return False
    if plan.place(node.outs[0]).kind != "buffer":
        return False
    shape = node.outs[0].shape
    for a in node.args:
        whole_row = len(a.shape) < len(shape) or (not isinstance(a.shape[0], Dim) and a.shape[0] == 1)
        if not same_shape(a.shape, shape) and not whole_row:
            return False
    return True


def _aligned(plan: Any, v: Var, shape: tuple) -> bool:
    """Whether a tile of the value is the same tile of its memory."""
    p = plan.place(v)
    return p.whole and same_shape(v.shape, shape) and (p.root is p or same_shape(p.root.var.shape, shape))


def _memory(plan: Any, v: Var) -> int:
    return _storage(plan, plan.place(v))


def _storage(plan: Any, place: Any) -> int:
    root = place.root
    return id(plan.storage(root.variable)) if root.kind == "variable" else id(root)
