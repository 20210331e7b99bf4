"""Where the values of a graph live: which share memory, which are written straight into a variable, and when a buffer
is free again."""

from typing import Any

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.chains import Chain, arrange, find_chains
from kerasish.engine.dims import Dim, evaluate, is_symbolic, product, same_shape
from kerasish.engine.graph import Graph, Node, Var

END = 1 << 30


class Place:
    """The memory of a value.

    kind:  "input", "constant", "variable", "buffer" (planned memory), "fresh" (returned by a kernel), "fixed" (computed
           once, when the program is bound to a size) or "view".
    root:  the place whose memory it is, itself unless a view or shared.
    whole: the value covers the memory of the root in order, so that it may be overwritten for it.
    still: the array is known before the program runs and never moves.
    rows:  equal ranges of its leading axis stand in equal pieces of the memory of the root, one after the other.
    """

    __slots__ = ("kind", "offset", "root", "rows", "still", "var", "variable", "whole")

    def __init__(
        self, var: Var, kind: str, root: "Place | None" = None, whole: bool = True, still: bool = True, rows: bool = True
    ):
        self.var, self.kind, self.whole, self.still, self.rows = var, kind, whole, still, rows
        self.root: Place = root or self
        self.variable: Any = None
        self.offset: Any = None  # in the root, for a part of a joined vector

    @property
    def lasting(self) -> bool:
        """Whether the value is in the same array in every run of a workspace."""
        return self.still and self.root.kind in ("buffer", "variable")


def is_scalar(node: Node) -> bool:
    """Whether a statement makes a single number, which programs keep as a NumPy scalar: those are faster than arrays."""
    if len(node.outs) != 1 or node.outs[0].shape or node.outs[0].dtype.kind not in "fiub":
        return False
    return node.prim in (P.sum_, P.max_, P.min_) or (bool(node.prim.pointwise) and not any(a.shape for a in node.args))


class Plan:
    """The places of all values, and the life of every buffer as (first statement, last statement)."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.places: dict[int, Place] = {}
        self.life: dict[int, list[int]] = {}  # id of a buffer's place -> [first, last]
        self.buffers: list[Place] = []
        self.setup: list[Node] = []  # done once per size
        self.steps: list[Node] = []
        self.in_place: set[tuple[int, int]] = set()  # (id of a joining node, position): the part is there already
        self.placed: set[int] = set()  # values that stand in a joined vector from the start
        self.chains: list[Chain] = []
        self._plan()

    def place(self, v: Var) -> Place:
        p = self.places.get(id(v))
        if p is None:
            assert v.constant is not None, f"no place for {v}"
            p = self.places[id(v)] = Place(v, "constant")
        return p

    def _plan(self) -> None:
        g = self.graph
        for v in g.inputs:
            self.places[id(v)] = Place(v, "input", still=False)
        for variable, v in g.reads.items():
            p = self.places[id(v)] = Place(v, "variable")
            p.variable = variable
        for i, node in enumerate(g.nodes):
            self._kinds(node)
        self.steps = arrange(self)
        last = self._last_uses()
        self._join_vectors(last)
        direct = self._direct_writes()
        self.chains = find_chains(self, direct)
        self._hold(last)
        for i, node in enumerate(self.steps):
            for out in node.outs:
                p = self.place(out)
                if p.kind == "buffer" and p.root is p:
                    self._settle(i, node, p, last, direct)
        self._tile()
        self.copies = [(k, v) for k, v in g.writes.items() if self.place(v).root is not direct.get(id(v))]

    # -- what kind of memory each value has ---------------------------------------------------------------------------

    def _kinds(self, node: Node) -> None:
        prim, args = node.prim, [self.place(a) for a in node.args]
        constant = all(a.kind in ("constant", "fixed") for a in args) and not prim.several and not prim.effect
        if constant and not (prim.view and args):
            self.setup.append(node)
            self.places[id(node.outs[0])] = Place(node.outs[0], "fixed")
            return
        if prim.view:
            base = args[0]
            whole = base.whole and prim is P.reshape
            # a reshape that may copy is done in every run, and may just as well share memory with its base
            still = base.still and self._is_view(node, base)
            self.places[id(node.outs[0])] = Place(node.outs[0], "view", base.root, whole, still, self._keeps_rows(node, base))
            (self.setup if still else self.steps).append(node)
            return
        self.steps.append(node)
        if is_scalar(node):
            self.places[id(node.outs[0])] = Place(node.outs[0], "fresh", still=False)
            return
        for o in node.outs:
            planned = prim.out is not None and not prim.several
            self.places[id(o)] = Place(o, "buffer" if planned else "fresh", still=planned)

    @staticmethod
    def _is_view(node: Node, base: Place) -> bool:
        # a reshape of what is not in order in memory copies
        return node.prim is not P.reshape or base.whole

    @staticmethod
    def _keeps_rows(node: Node, base: Place) -> bool:
        """Whether the rows of a view stand one after the other in the memory of its root."""
        before, after = node.args[0].shape, node.outs[0].shape
        if node.prim is P.reshape and base.whole:
            return True  # however it is cut, rows follow one another in memory
        if not base.rows or not before or not after or not same_shape(before[:1], after[:1]):
            return False
        if node.prim is P.transpose:
            return node.params["axes"][0] == 0
        return node.prim is P.reshape or (node.prim is P.broadcast_to and len(before) == len(after))

    def _last_uses(self) -> dict[int, int]:
        """The last statement that touches the memory of each root."""
        last: dict[int, int] = {}
        for i, node in enumerate(self.steps):
            for v in (*node.args, *node.outs):
                last[id(self.place(v).root)] = i
        for v in self.graph.results():
            last[id(self.place(v).root)] = END
        return last

    # -- joined vectors: the parts are written where they belong ------------------------------------------------------

    def _join_vectors(self, last: dict[int, int]) -> None:
        index = {id(o): i for i, n in enumerate(self.steps) for o in n.outs}
        self.first: dict[int, int] = {}
        for i, node in enumerate(self.steps):
            if node.prim is not P.concat or len(node.outs[0].shape) != 1:
                continue
            target, offset = self.place(node.outs[0]), 0
            for position, a in enumerate(node.args):
                p = self.place(a)
                root = p.root
                free = root.kind == "buffer" and p.whole and id(root.var) not in self.placed and root is not target
                free = free and id(root) not in self.first  # what is joined itself keeps its place, where its parts are
                if free and not is_symbolic(root.var.shape) and root.root is root and root.offset is None:
                    self.placed.add(id(root.var))
                    self.in_place.add((id(node), position))
                    root.offset = (target, offset)
                    start = self.first.get(id(target), i)
                    self.first[id(target)] = min(start, index[id(root.var)])
                    last[id(target)] = max(last[id(target)], last[id(root)])
                offset = offset + a.shape[0]

    # -- results that are written straight into their variable --------------------------------------------------------

    @staticmethod
    def storage(variable: Any) -> Any:
        return variable._arena.flat if variable._arena is not None else variable

    def _direct_writes(self) -> dict[int, Place]:
        """Values that may be computed into a variable's own array: nothing reads the old value afterwards."""
        producer = {id(o): (i, n) for i, n in enumerate(self.steps) for o in n.outs}
        touched: dict[int, int] = {}
        for i, node in enumerate(self.steps):
            for a in node.args:
                root = self.place(a).root
                if root.kind == "variable":
                    touched[id(self.storage(root.variable))] = i
        taken = [id(self.storage(k)) for k in self.graph.writes]
        out: dict[int, Place] = {}
        for variable, v in self.graph.writes.items():
            p = self.place(v)
            storage = id(self.storage(variable))
            if p.kind != "buffer" or p.root is not p or p.offset or id(v) in out or taken.count(storage) > 1:
                continue
            if id(v) in self.placed or id(p) in self.first:
                continue
            i, node = producer[id(v)]
            if touched.get(storage, -1) > i:
                continue
            if any(
                self.place(s).root.kind == "variable" and id(self.storage(self.place(s).root.variable)) == storage
                for s in (*self.graph.outputs, *(w for w in self.graph.writes.values() if w is not v))
            ):
                continue
            same = [
                (j, a)
                for j, a in enumerate(node.args)
                if self.place(a).root.kind == "variable"
                and id(self.storage(self.place(a).root.variable)) == storage
            ]
            if any(
                j not in node.prim.inplace or not self.place(a).whole or not same_shape(a.shape, v.shape)
                or self.place(a).root.variable is not variable
                for j, a in same
            ):  # fmt: skip
                continue
            target = Place(v, "variable")
            target.variable = variable
            out[id(v)] = target
        return out

    # -- buffers ------------------------------------------------------------------------------------------------------

    def _settle(self, i: int, node: Node, p: Place, last: dict[int, int], direct: dict[int, Place]) -> None:
        end = last[id(p)]
        if id(p.var) in direct:
            self._move(p, direct[id(p.var)])
            return
        if p.offset is not None:
            return
        first = self.first.get(id(p), i)
        if first == i:
            for j in node.prim.inplace:
                a = self.place(node.args[j])
                owner = a.root
                reusable = (
                    owner.kind == "buffer" and owner.offset is None and id(owner) not in self.first
                    and a.whole and last[id(owner)] == i
                    and a.var.dtype == p.var.dtype and same_shape(a.var.shape, p.var.shape)
                )  # fmt: skip
                if reusable and all(
                    self.place(b).root is not owner or (self.place(b).whole and same_shape(b.shape, p.var.shape))
                    for b in node.args
                ):
                    self._move(p, owner)
                    last[id(owner)] = end
                    self.life[id(owner)][1] = end
                    return
        self.life[id(p)] = [first, end]
        self.buffers.append(p)

    # -- chains of element-wise statements, which run tile by tile ----------------------------------------------------

    def _hold(self, last: dict[int, Any]) -> None:
        """What a chain reads elsewhere than in its own tile is not taken over by its results."""
        for chain in self.chains:
            for node in self.steps[chain.first : chain.last + 1]:
                for a in node.args:
                    root = id(self.place(a).root)
                    if id(a) in chain.read_whole and chain.first <= last[root] <= chain.last:
                        last[root] = chain.last + 0.5

    def _tile(self) -> None:
        """Buffers that a chain touches live as long as the chain; what only it knows is as large as a tile."""
        viewed = {id(p.root) for p in self.places.values() if p.kind == "view"}
        for chain in self.chains:
            kept = []
            for p in self.buffers:
                life = self.life[id(p)]
                first, end = life
                inside = chain.first <= first and end <= chain.last
                own = inside and id(p) not in self.first and id(p) not in viewed and id(p.var) in chain.by_rows
                if own and chain.last > chain.first:
                    chain.temporary.add(id(p))
                    continue
                kept.append(p)
                if first <= chain.last and end >= chain.first:
                    life[0] = chain.first if chain.first < first else first
                    life[1] = chain.last if chain.first <= end < chain.last else end
            self.buffers = kept

    def _move(self, p: Place, owner: Place) -> None:
        """Give p, and every view of it, the memory of owner."""
        for q in self.places.values():
            if q.root is p:
                q.root = owner
        p.root = owner


def allocate(plan: Plan, sizes: dict[str, int]) -> tuple[dict[int, np.ndarray], int]:
    """Memory for the buffers at these sizes: one block, in which buffers that never live together overlap.

    Returns the arrays by id of place, and the size of the block in bytes.
    """
    wanted = []
    for p in plan.buffers:
        shape = evaluate(p.var.shape, sizes)
        nbytes = int(np.prod(shape)) * p.var.dtype.itemsize
        first, last = plan.life[id(p)]
        wanted.append((-(-nbytes // 64) * 64, first, last, p, shape))
    wanted.sort(key=lambda w: -w[0])
    taken: list[tuple[int, int, int, int]] = []
    spots, total = [], 0
    for nbytes, first, last, p, shape in wanted:
        start = 0
        for s, e, f, n in sorted(t for t in taken if t[2] <= last and first <= t[3]):
            if s - start >= nbytes:
                break
            start = max(start, e)
        taken.append((start, start + nbytes, first, last))
        total = max(total, start + nbytes)
        spots.append((start, p, shape))
    block = np.empty(total + 64, np.uint8)
    base = -block.ctypes.data % 64
    arrays = {}
    for start, p, shape in spots:
        n = int(np.prod(shape)) * p.var.dtype.itemsize
        arrays[id(p)] = block[base + start : base + start + n].view(p.var.dtype).reshape(shape)
    return arrays, total


def naive_bytes(graph: Graph, sizes: dict[str, int]) -> int:
    """The memory that all values would take together, for comparison."""
    values = [o for n in graph.nodes for o in n.outs if not n.prim.view]
    return sum(int(evaluate(product(o.shape) if o.shape else 1, sizes)) * o.dtype.itemsize for o in values)


__all__ = ["END", "Dim", "Place", "Plan", "allocate", "naive_bytes"]
