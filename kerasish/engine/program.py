"""Programs: a planned graph as flat Python source over NumPy, and the workspaces it runs in."""

import builtins
import itertools
import keyword
import linecache
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Sequence

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.chains import TILE, Chain, sums_rows
from kerasish.engine.dims import Dim, evaluate, product, same_shape
from kerasish.engine.graph import Graph, Node, Var
from kerasish.engine.kernels.bound import ANY_ORDER, BOUND, MOVING, bound_sum, bound_ufunc, rows_of
from kerasish.engine.kernels.joined import joined
from kerasish.engine.kernels.outer import repeat
from kerasish.engine.kernels.scratch import aligned
from kerasish.engine.kernels.stacks import moving_product
from kerasish.engine.kernels.threads import tiled
from kerasish.engine.kernels.tiles import WIDE, Tiles
from kerasish.engine.passes import copy_short_rows, optimise
from kerasish.engine.plan import Place, Plan, allocate, is_scalar, naive_bytes
from kerasish.engine.profile import Profile, profile
from kerasish.engine.variable import layout_version

_numbers = itertools.count(1)
MAX_SIZES = 8  # workspaces of this many batch sizes are kept


class Program:
    """A graph made runnable. `source` is what runs; `memory` tells what it needs.

    Calling it with arrays returns the output arrays and updates the variables. A program is pure over its workspace,
    the variables and the inputs; a workspace is taken from a pool, so that threads can run it side by side.
    """

    def __init__(self, graph: Graph, name: str = "program", symbols: Sequence[str] | None = None, rows: int = 0):
        """With `symbols` it is the body of a loop: bound by the sizes' names, and its outputs stay in the workspace. The
        last outputs, `rows` in number, are not returned but written to arrays, which are arguments after the inputs."""
        self.name, self.rows = name, rows
        self.body = symbols is not None
        self.graph = optimise(graph)
        if not self.body:
            self.graph = copy_short_rows(self.graph)
        self.plan = Plan(self.graph)
        self.variables = list(dict.fromkeys((*self.graph.reads, *self.graph.writes)))
        self.written = list(self.graph.writes)
        self.symbols = _symbols(self.graph.inputs) if symbols is None else [(s, 0, 0) for s in symbols]
        self._pool: dict[tuple, list] = {}
        self._layout = -1
        self._touched: list = []
        self._lock = threading.Lock()
        self._bytes: dict[tuple, int] = {}
        emitter = Emitter(self)
        head, body = emitter.lines()
        self.source, self._names = emitter.text(head, body), emitter.scope
        filename = f"<kerasish {name} {next(_numbers)}>"
        source = emitter.text(*_joined(head, body))
        # so that tracebacks and debuggers show the lines
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        weakref.finalize(self, linecache.cache.pop, filename, None).atexit = False  # they go with the program
        scope: dict[str, Any] = {**self._names, "joined": joined}
        exec(compile(source, filename, "exec"), scope)  # noqa: S102 - our own emitted source
        self._build = scope["build"]

    def sizes(self, arrays: Sequence[np.ndarray]) -> tuple:
        return tuple(arrays[i].shape[axis] for _, i, axis in self.symbols)

    def __call__(self, *arrays: np.ndarray) -> tuple:
        if self._layout != layout_version():
            with self._lock:
                self._pool = {}
                self._touched = _touched(self.written)
                self._layout = layout_version()
        key = tuple([arrays[i].shape[axis] for _, i, axis in self.symbols])
        pool = self._pool
        free = pool.get(key)
        if free is None:
            with self._lock:
                if len(pool) >= MAX_SIZES:
                    pool.pop(next(iter(pool)), None)
                free = pool.setdefault(key, [])
        try:
            run = free.pop()
        except IndexError:
            run = self.bind(key)
        for v in self._touched:
            if v._lent is not None:
                v._unlend()
        try:
            with np.errstate(all="ignore"):
                return run(*arrays)
        finally:
            free.append(run)

    def bind(self, key: tuple, build: Any = None) -> Any:
        """A workspace for these sizes: the function that runs in it."""
        sizes = {name: n for (name, _, _), n in zip(self.symbols, key, strict=True)}
        arrays, total = allocate(self.plan, sizes)
        self._bytes[key] = total
        buffers = [arrays[id(p)] for p in self.plan.buffers]
        return (build or self._build)([v._array for v in self.variables], buffers, *key)

    def profile(self, *arrays: Any, runs: int = 20) -> Profile:
        """The time of each statement and layer on these arrays; print it. Variables are left as they were."""
        return profile(self, [np.asarray(a) for a in arrays], runs)

    @property
    def memory(self) -> dict[str, Any]:
        """Bytes of the largest workspace so far, and what the values would take without sharing memory."""
        if not self._bytes:
            return {"workspace": 0, "unshared": 0, "sizes": {}}
        key = max(self._bytes, key=lambda k: self._bytes[k])
        sizes = {name: n for (name, _, _), n in zip(self.symbols, key, strict=True)}
        return {"workspace": self._bytes[key], "unshared": naive_bytes(self.graph, sizes), "sizes": sizes}


def _touched(written: Sequence[Any]) -> list:
    """The variables whose storage changes with these: themselves, their arenas, and the members of arenas."""
    found = []
    for v in written:
        found += [v, *([v._arena.flat] if v._arena is not None else []), *v._members()]
    return list({id(v): v for v in found}.values())


def _symbols(inputs: Sequence[Var]) -> list[tuple[str, int, int]]:
    """Each named size with an input and an axis that tell it."""
    found: dict[str, tuple[str, int, int]] = {}
    for i, v in enumerate(inputs):
        for axis, d in enumerate(v.shape):
            if isinstance(d, Dim) and len(d.terms) == 1 and len(d.terms[0][0]) == 1 and d.terms[0][1] == 1:
                name = d.terms[0][0][0]
                if isinstance(name, str):
                    found.setdefault(name, (name, i, axis))
    return list(found.values())


class Emitter:
    """Writes the source of a planned graph."""

    def __init__(self, program: Program):
        self.program, self.plan, self.graph = program, program.plan, program.graph
        self.names: dict[int, str] = {}
        self.local: dict[int, str] = {}  # names within the tile of a chain, which come first ...
        self.widened: dict[int, str] = {}  # ... those of what is laid out repeatedly for it
        self.tiles = ""  # the name of the chain that is being written, if its tiles are prepared
        self.axes = 1  # how many leading axes are the rows of the chain that is being written
        self.cells: dict[int, str] = {}  # where numbers are kept for prepared calls
        self.scope: dict[str, Any] = {"dtype": np.dtype, "copyto": np.copyto, "dot": np.dot, "array": np.array}
        self.constants: list[str] = []
        self.bound: list[str] = []  # statements of the head, after all names
        self.count, self.prepared = itertools.count(), itertools.count()

    def name(self, v: Var) -> str:
        if id(v) in self.local:
            return self.local[id(v)]
        if id(v) not in self.names:
            assert v.constant is not None, f"{v} has no name yet"
            name = f"c{len(self.constants)}"
            self.scope[name] = v.constant
            note = repr(v.constant.item()) if v.constant.ndim == 0 else f"array of shape {v.constant.shape}"
            self.constants.append(f"# {name}: {note} {v.dtype}")
            self.names[id(v)] = name
        return self.names[id(v)]

    def lines(self) -> tuple[list[str], list[str]]:
        """What is done once for a workspace, and what in each run."""
        plan, graph, program = self.plan, self.graph, self.program
        head, body = [], []
        self.inputs = [f"x{i}" for i in range(len(graph.inputs))]
        self.names.update({id(v): n for v, n in zip(graph.inputs, self.inputs, strict=True)})
        slot = {id(v): f"v{i}" for i, v in enumerate(program.variables)}
        for i, v in enumerate(program.variables):
            head.append(f"v{i} = variables[{i}]  # {v.path} {v.shape}")
        for variable, v in graph.reads.items():
            self.names[id(v)] = slot[id(variable)]
        rows = self._rows()
        for i, p in enumerate(plan.buffers):
            if id(p) in rows:
                self.names[id(p.var)] = rows[id(p)]
                continue
            name = f"t{next(self.count)}"
            self.names[id(p.var)] = name
            first, last = plan.life[id(p)]
            head.append(f"{name} = buffers[{i}]  # {_shape(p.var)}")
        self._shared(head, slot)
        where = ""
        for node in plan.setup:
            if not any(self.plan.place(a).kind == "input" for a in node.args):
                head.extend(self._statement(node, fixed=True))
        chains = {chain.first: chain for chain in plan.chains}
        i = 0
        while i < len(plan.steps):
            node, chain = plan.steps[i], chains.get(i)
            lines = self._tiles(chain) if chain else self._statement(node, fixed=False)
            if lines and node.where != where:
                where = node.where
                body.append(f"# {where or 'of no layer'}")
            body.extend(lines)
            i = chain.last + 1 if chain else i + 1
        moved = {}
        for i, (_, v) in enumerate(plan.copies):  # a variable's old value is kept before any variable changes
            if plan.place(v).root.kind == "variable":
                moved[id(v)] = f"w{i}"
                body.append(f"w{i} = array({self.name(v)})")
        for variable, v in plan.copies:
            value = moved.get(id(v)) or self.name(v)
            body.append(f"copyto({slot[id(variable)]}, {value})" if v.shape else f"{slot[id(variable)]}[()] = {value}")
        last = len(graph.outputs) - program.rows
        for i, v in enumerate(graph.outputs[last:]):
            if self.name(v) != f"y{i}":
                body.append(f"copyto(y{i}, {self.name(v)})")
        self.inputs += [f"y{i}" for i in range(program.rows)]
        outs = [self._result(v) for v in graph.outputs[:last]]
        body.append(f"return ({', '.join(outs)}{',' if len(outs) == 1 else ''})")
        return [*head, *self.bound], body

    def text(self, head: list[str], body: list[str]) -> str:
        program, plan = self.program, self.plan
        sizes = "".join(f", {name}" for name, _, _ in program.symbols)
        lines = [
            f"# {program.name}: {len(plan.steps)} statements over {len(plan.buffers)} buffers",
            *self.constants,
            f"def build(variables, buffers{sizes}):",
            *["    " + s for s in head],
            "",
            f"    def run({', '.join(self.inputs)}):",
            *["        " + s for s in body],
            "",
            "    return run",
            "",
        ]
        return "\n".join(lines)

    def _rows(self) -> dict[int, str]:
        """Names of the arrays for rows that are computed where they belong, by the buffer's place."""
        graph, plan, names = self.graph, self.plan, {}
        for i, v in enumerate(graph.outputs[len(graph.outputs) - self.program.rows :]):
            place = plan.places.get(id(v))
            if place is None or place.root.kind != "buffer" or id(place.root) in names:
                continue
            sharing = [q for q in plan.places.values() if q.root is place.root]
            if all(q.kind == "buffer" and q.offset is None and same_shape(q.var.shape, v.shape) for q in sharing):
                names[id(place.root)] = f"y{i}"
        return names

    def _shared(self, head: list[str], slot: dict[int, str]) -> None:
        """Names for values that stand in the memory of another: in a variable, a joined vector, or taken over."""
        places = [self.plan.place(o) for n in self.plan.steps for o in n.outs]
        tiled_away = {p for chain in self.plan.chains for p in chain.temporary}
        pending = [p for p in places if p.kind == "buffer" and id(p.root) not in tiled_away]
        for p in pending:
            if p.offset is not None:
                target, start = p.offset
                base = self._root_name(target, slot)
                n = int(np.prod(p.var.shape))
                name = self.names[id(p.var)] = f"t{next(self.count)}"
                head.append(f"{name} = {base}[{start}:{start + n}].reshape({p.var.shape})  # {_shape(p.var)}")
        for p in pending:
            if id(p.var) not in self.names:
                base = self._root_name(p, slot)
                root = p.root.var if p.root.kind != "variable" else p.var
                if p.root.kind == "variable" or same_shape(root.shape, p.var.shape):
                    self.names[id(p.var)] = base
                else:
                    name = self.names[id(p.var)] = f"t{next(self.count)}"
                    head.append(f"{name} = {base}.reshape({p.var.shape})")

    def _root_name(self, p: Place, slot: dict[int, str]) -> str:
        root = p.root
        return slot[id(root.variable)] if root.kind == "variable" else self.names[id(root.var)]

    def _statement(self, node: Node, fixed: bool) -> list[str]:
        prim = node.prim
        out = node.outs[0] if node.outs else None
        if prim is P.concat and any((id(node), i) in self.plan.in_place for i in range(len(node.args))):
            return self._rest_of_join(node)
        args = [self.name(a) for a in node.args]
        if out is not None and not fixed and is_scalar(node) and not any(a.shape for a in node.args):
            self.names[id(out)] = f"t{next(self.count)}"
            line = f"{self.names[id(out)]} = {self._scalar(node)}"
            return [_Early(line) if all(map(self._known_early, node.args)) else line]
        params = {k: v for k, v in node.params.items()}
        for k, v in params.items():
            if isinstance(v, Graph) or prim is P.on_host:
                known = f"g{len([s for s in self.scope if s.startswith('g')])}_"
                self.scope[known] = v
                params[k] = _Raw(known)
        if any(isinstance(v, Graph) for v in node.params.values()):
            params["sizes"] = _Raw("{" + ", ".join(f"'{n}': {n}" for n, _, _ in self.program.symbols) + "}")
        if self.axes > 1 and sums_rows(node):  # whose first axes are one in a tile
            params["axis"] = params["axis"][: 1 - self.axes]
        written = [f"{k}={_literal(v)}" for k, v in params.items()]
        planned = out is not None and self.plan.place(out).kind == "buffer" and not fixed
        if self.tiles:
            return [self._prepared_in_tile(node, args, written)]
        if not fixed and self._binds(node, planned):
            return self._bound_statement(node, args, written, planned)
        moves = planned and prim.name in MOVING and not self.program.body and not self.local
        if moves and all(self._fixed(v, any_order=False) for v in node.args[1:]):
            name = f"{prim.name}_{next(self.prepared)}"
            shape = _literal(tuple(_Raw(d) for d in node.args[0].shape))
            maker, target = self._known(MOVING[prim.name]), self.name(out)
            self.bound.append(f"{name} = {maker}({', '.join([*args[1:], target, shape, *written])})")
            return [f"{name}({args[0]})  # {target} = {prim.name}({', '.join([*args, *written])})"]
        if planned:
            function, taken = self._into(node, args, written)
            return [f"{function}({', '.join(taken)})"]
        function = self._function(prim, node)
        names = []
        for o in node.outs:
            names.append(self.names.setdefault(id(o), f"t{next(self.count)}"))
        early = _Early if out is not None and self.plan.place(out).root.kind == "input" else str
        if prim is P.reshape:
            return [early(f"{names[0]} = {args[0]}.reshape({_literal(node.params['shape'])})")]
        if prim is P.transpose:
            axes = node.params["axes"]
            turned = "T" if axes == (1, 0) else f"transpose({_literal(axes)})"
            return [early(f"{names[0]} = {args[0]}.{turned}")]
        if prim is P.slice_ and all(isinstance(s, slice) for s in node.params["index"]):
            return [f"{names[0]} = {args[0]}[{', '.join(map(_range, node.params['index']))}]"]
        comma = "," if prim.several and len(names) == 1 else ""
        return [f"{', '.join(names)}{comma} = {function}({', '.join([*args, *written])})"]

    def _into(self, node: Node, args: list[str], written: list[str]) -> tuple[str, list[str]]:
        """A function and what it takes to put its result where it belongs."""
        prim, target = node.prim, self.name(node.outs[0])
        if prim is P.cast:
            return "copyto", [target, args[0], "'unsafe'"]
        if prim.out == "positional" or prim is P.matmul:
            return self._function(prim, node), [*args, target, *written]
        return self._function(prim, node), [*args, *written, f"out={target}"]

    def _bound_statement(self, node: Node, args: list[str], written: list[str], planned: bool) -> list[str]:
        prim, out, maker = node.prim, node.outs[0], self._maker(node)
        before: list[str] = []
        taken = [self._cell(a, before) if self._is_number(a) else name for a, name in zip(node.args, args, strict=True)]
        taken.append(self.name(out) if planned else "None")
        if maker is bound_ufunc:
            taken.insert(0, self._function(prim, node))
        name = f"{prim.name}_{next(self.prepared)}"
        self.bound.append(f"{name} = {self._known(maker)}({', '.join([*taken, *written])})")
        if planned:
            return [*before, _Prepared(f"{name}()  # {self.name(out)} = {prim.name}({', '.join([*args, *written])})")]
        self.names[id(out)] = f"t{next(self.count)}"
        return [f"{self.names[id(out)]} = {name}()"]

    def _cell(self, v: Var, before: list[str]) -> str:
        """Where a number that is computed in each run is kept for calls that are prepared for its place."""
        if id(v) in self.cells:
            return self.cells[id(v)]
        self.scope["empty"] = np.empty
        cell = self.cells[id(v)] = f"n{next(self.count)}"
        if self.plan.place(v).kind == "fixed":
            self.bound.append(f"{cell} = array({self.name(v)})")
            return cell
        self.bound.append(f"{cell} = empty((), dtype('{v.dtype}'))")
        line = f"{cell}[()] = {self.name(v)}"
        before.append(_Early(line) if self._known_early(v) else line)
        return cell

    def _is_number(self, v: Var) -> bool:
        """Whether a value is a number that no prepared call could find where it was: a NumPy scalar, or of an input."""
        return not v.shape and v.constant is None and not self.plan.place(v).lasting

    def _known_early(self, v: Var) -> bool:
        """Whether a number does not depend on prepared calls: numbers that do are returned by a call of their own."""
        place = self.plan.place(v)
        if v.constant is not None or place.kind in ("fresh", "fixed") or place.root.kind == "input":
            return True
        return place.kind == "variable" and place.variable._arena is None

    def _tiles(self, chain: Chain) -> list[str]:
        """A function that does a tile of a chain, its call, and the sums of what the tiles have summed."""
        nodes = self.plan.steps[chain.first : chain.last + 1]
        name, made, step = f"tile{chain.first}", f"chain{chain.first}", chain.step
        still = chain.still and not self.program.body
        before: list[str] = []
        if still:
            self.tiles = f"tiles{chain.first}"
            self.bound.append(f"{self.tiles} = {self._known(Tiles)}({chain.rows}, {step})")
            for v in {id(a): a for node in nodes for a in node.args if self._is_number(a)}.values():
                self.local[id(v)] = self._cell(v, before)
        else:
            step *= WIDE
        local, start, sums = self._places_in_tile(chain, nodes, step)
        local.update(self.local)
        self.axes = chain.axes
        wide: dict[str, str] = {}
        inner: list[str] = []
        first: list[str] = []
        for node in nodes:
            self.widened = self._widened(node, chain, step, wide, first if still else before)
            self.local = {**local, **self.widened}
            inner += self._statement(node, fixed=False)
        self.local, self.widened, self.tiles, self.axes = {}, {}, "", 1
        lines = ["    " + s for s in [*dict.fromkeys(start), *inner]]
        if still:
            self.bound += [f"def {name}(do, i, j, k):", *lines]
            if first:
                self.bound += [f"def start{chain.first}(do, k, n):", *["    " + s for s in first]]
            begin = f", start{chain.first}" if first else ""
            self.bound.append(f"{made} = tiles{chain.first}.prepare({name}{begin})")
            shown = ", ".join(node.prim.name for node in nodes)
            after = [self._bound_total(parts, total, chain) for parts, total in sums]
            return [*before, _Prepared(f"{made}()  # {shown}"), *after]
        self.scope["tiled"], self.scope["sum_"] = tiled, P.sum_.impl
        after = [f"sum_({parts}, axis=(0,), out={total})" for parts, total in sums]
        return [*before, f"def {name}(i, j):", *lines, f"tiled({name}, {chain.rows}, {step})", *after]

    def _bound_total(self, parts: str, total: str, chain: Chain) -> str:
        """What adds up the sums of tiles, of which there may be fewer than were thought of."""
        name = f"sum_{next(self.prepared)}"
        made = f"{self._known(bound_sum)}({parts}[: tiles{chain.first}.count], {total}, axis=(0,))"
        self.bound.append(f"{name} = {made}")
        return _Prepared(f"{name}()  # {total} = sum({parts}, axis=(0,))")

    def _places_in_tile(self, chain: Chain, nodes: list[Node], step: int) -> tuple[dict[int, str], list[str], list]:
        """The names in a tile of what it treats by rows and of its sums, the lines that give them, and for each sum the names
        of what the tiles make and of what is to be their sum."""
        start: list[str] = []
        sums: list[tuple[str, str]] = []
        spare: dict[int, str] = {}
        used: dict[str, tuple] = {}
        local: dict[int, str] = {}
        self.scope["aligned"] = aligned
        for v in (v for node in nodes for v in (*node.args, *node.outs)):
            if id(v) in chain.summed:
                if id(v) not in local:
                    parts = f"p{next(self.count)}"
                    shape = _literal((_Raw(f"-(-({chain.rows}) // {step})"), *v.shape))
                    self.bound.append(f"{parts} = aligned({shape}, dtype('{v.dtype}'))")
                    sums.append((parts, self.name(v)))
                    local[id(v)] = f"{parts}[i // {f'{self.tiles}.step' if self.tiles else step}]"
                continue
            if id(v) in local or id(v) not in chain.by_rows:
                continue
            root = id(self.plan.place(v).root)
            if root not in chain.temporary:
                name = self.name(v)
                local[id(v)] = f"{name}_"
                start.append(f"{name}_ = {name}{self._in_rows(chain, v)}[i:j]")
                continue
            if root not in spare:
                first, last = self.plan.life[root]
                kind = (v.dtype, v.shape[chain.axes :])
                free = [n for n, (end, other) in used.items() if end < first and other == kind]
                spare[root] = free[0] if free else f"s{next(self.count)}"
                used[spare[root]] = (last, kind)
                if not free:
                    shape = _literal((self._room(step), *v.shape[chain.axes :]))
                    self.bound.append(f"{spare[root]} = aligned({shape}, dtype('{v.dtype}'))")
                start.append(f"{spare[root]}_ = {self._part_of_room(spare[root])}")
            local[id(v)] = f"{spare[root]}_"
        return local, start, sums

    def _room(self, step: int) -> Any:
        """How many rows there are of what a tile does not leave behind ..."""
        return _Raw(f"{self.tiles}.room") if self.tiles else step

    def _part_of_room(self, name: str) -> str:
        """... and those of the tile that is being done."""
        return f"{name}[k : k + j - i]" if self.tiles else f"{name}[: j - i]"

    def _in_rows(self, chain: Chain, v: Var) -> str:
        """What makes the axes one that a chain counts as rows."""
        return f".reshape({_literal((_Raw(chain.rows), *v.shape[chain.axes :]))})" if chain.axes > 1 else ""

    def _widened(
        self, node: Node, chain: Chain, step: int, wide: dict[str, str], before: list[str]
    ) -> dict[int, str]:
        """Names of arguments with a number for each channel, repeated over a tile: neither NumPy nor the crew is quick
        over runs as short as channels are."""
        out = node.outs[0]
        if not node.prim.broadcast or len(out.shape) < 2 or self.program.body or id(out) in chain.summed:
            return {}
        row, names, within = out.shape[chain.axes :], {}, self.local
        self.local = {}  # what is repeated is named as outside the tile
        for a in node.args:
            if id(a) not in chain.read_whole or not a.shape or product(a.shape) != a.shape[-1]:
                continue
            if same_shape(row[-1:], a.shape[-1:]) and a.shape[-1] > 1 and product(row) <= TILE and self._at_hand(a):
                key = f"{self.name(a)} {row}"
                if key not in wide:
                    wide[key] = f"w{next(self.count)}"
                    once = f"{self.tiles}.count == 1" if self.tiles else "False"
                    made = f"{self._known(rows_of)}({self.name(a)}, {_literal((self._room(step), *row))}, {once})"
                    self.bound.append(f"{wide[key]} = {made}")
                    self.scope["partial"], self.scope["repeat"] = partial, repeat
                    if self.tiles:
                        before.append(f"do(partial, repeat, {self.name(a)}, {wide[key]}[k : k + n])")
                    else:
                        before.append(f"repeat({self.name(a)}, {wide[key]})")
                names[id(a)] = self._part_of_room(wide[key])
        self.local = within
        return names

    def _maker(self, node: Node) -> Callable | None:
        """What prepares calls of a statement."""
        prim = node.prim
        return BOUND.get(prim.name) or (bound_ufunc if isinstance(prim.impl, np.ufunc) and prim.pointwise else None)

    def _known(self, thing: Any) -> str:
        self.scope[thing.__name__] = thing
        return thing.__name__

    def _prepared_in_tile(self, node: Node, args: list[str], written: list[str]) -> str:
        """What prepares a statement's call for a tile."""
        prim, maker = node.prim, self._maker(node)
        order = maker in ANY_ORDER or all(not v.shape or self.plan.place(v).whole for v in (*node.args, *node.outs))
        if maker is not None and order:
            first = [self._function(prim, node)] if maker is bound_ufunc else []
            return f"do({', '.join([self._known(maker), *first, *args, self.name(node.outs[0]), *written])})"
        function, taken = self._into(node, args, written)
        return f"do({self._known(partial)}, {', '.join([function, *taken])})"

    def _binds(self, node: Node, planned: bool) -> bool:
        """Whether a statement is bound to its arrays beforehand: they are planned, and no tile of a chain."""
        if self._maker(node) is None or self.program.body or self.local:
            return False
        if not (planned or is_scalar(node)):
            return False
        any_order = self._maker(node) in ANY_ORDER
        numbers = [not v.shape and (v.constant is not None or self._is_number(v)) for v in node.args]
        arrays = [v for v, number in zip(node.args, numbers) if not number]
        return all(self._fixed(v, any_order) for v in (*arrays, *(node.outs if planned else ())))

    def _fixed(self, v: Var, any_order: bool) -> bool:
        """Whether a value is known to lie in one place, and in C order if that matters."""
        p = self.plan.place(v)
        if any_order:
            return v.constant is not None or p.lasting
        return p.lasting and p.whole and v.dtype.char in "fd"

    def _at_hand(self, v: Var) -> bool:
        """Whether an array of floating-point numbers is there before the program runs, and always the same."""
        return v.dtype.char in "fd" if v.constant is not None else self._fixed(v, any_order=False)

    def _scalar(self, node: Node) -> str:
        """A statement over single numbers, as an expression over NumPy scalars."""
        names = [self.name(a) for a in node.args]
        number = [a.constant is None and self.plan.place(a).kind == "fresh" for a in node.args]
        args = [name if fresh else f"{name}[()]" for name, fresh in zip(names, number, strict=True)]
        if node.prim.name in SIGNS and node.outs[0].dtype.kind != "b":
            return f" {SIGNS[node.prim.name]} ".join(args) if len(args) == 2 else f"-{args[0]}"
        if node.prim is P.cast:
            kind = node.outs[0].dtype
            self.scope[f"{kind}_"] = kind.type
            return f"{kind}_({args[0]})"
        written = [f"{k}={_literal(v)}" for k, v in node.params.items()]
        if isinstance(node.prim.impl, np.ufunc):  # whose results of numbers are numbers
            return f"{self._function(node.prim, node)}({', '.join([*args, *written])})"
        return f"{self._function(node.prim, node)}({', '.join([*names, *written])})[()]"

    def _rest_of_join(self, node: Node) -> list[str]:
        """The parts of a joined vector that were not computed where they belong are copied there."""
        target, start, lines = self.name(node.outs[0]), 0, []
        for i, a in enumerate(node.args):
            stop = start + a.shape[0]
            if (id(node), i) not in self.plan.in_place:
                lines.append(f"copyto({target}[{start}:{stop}], {self.name(a)})")
            start = stop
        return lines

    def _function(self, prim: Any, node: Node) -> str:
        if prim is P.matmul and all(len(a.shape) == 2 for a in node.args):
            return self._moving_product(node)
        name = prim.name + "_" if keyword.iskeyword(prim.name) or hasattr(builtins, prim.name) else prim.name
        self.scope[name] = prim.impl
        return name

    def _moving_product(self, node: Node) -> str:
        """The name of what multiplies matrices that are not always in the same place."""
        if self.program.body or self.local or self.plan.place(node.outs[0]).kind != "buffer":
            return "dot"
        name = f"dot_{next(self.prepared)}"
        sizes = ", ".join(map(str, (*node.args[0].shape, node.args[1].shape[1])))
        self.bound.append(f"{name} = {self._known(moving_product)}({sizes})")
        return name

    def _result(self, v: Var) -> str:
        """An output leaves the workspace as an array of its own."""
        place = self.plan.place(v)
        if self.program.body and place.root.kind != "input":
            return self.name(v)
        return self.name(v) if place.root.kind == "fresh" and place.whole else f"array({self.name(v)})"


class _Prepared(str):
    """A line with a call that is prepared for its arrays, and takes no others."""


class _Early(str):
    """A line about single numbers or views of inputs, which may as well stand before prepared calls that come before it."""


def _joined(head: list[str], body: list[str]) -> tuple[list[str], list[str]]:
    """The lines in which prepared calls that follow one another are one call: see `joined`."""
    lines: list[str] = []
    made: list[str] = []
    names: list[str] = []

    def close() -> None:
        if names:
            call = f"joined_{len(made)}"
            lines.append(f"{call}()")
            made.append(f"{call} = joined({', '.join(names)})")
            names.clear()

    for line in body:
        if isinstance(line, _Prepared):
            names.append(line.partition("(")[0])
            continue
        if not isinstance(line, _Early) and not line.startswith("#"):
            close()
        lines.append(line)
    return [*head, *made], lines


SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "neg": "-"}


class _Raw(str):
    """A parameter that is written as it is."""


def _shape(v: Var) -> str:
    return f"({', '.join(map(str, v.shape))}) {v.dtype}"


def _range(s: slice) -> str:
    start, stop = ("" if d is None else repr(d) for d in (s.start, s.stop))
    return f"{start}:{stop}" + ("" if s.step in (1, None) else f":{s.step}")


def _literal(v: Any) -> str:
    if isinstance(v, _Raw):
        return str(v)
    if isinstance(v, np.generic):
        return repr(v.item())
    if isinstance(v, float) and not np.isfinite(v):
        return f"float('{v}')"
    if isinstance(v, tuple):
        return f"({', '.join(map(_literal, v))}{',' if len(v) == 1 else ''})"
    return repr(v)


__all__ = ["Program", "evaluate"]
