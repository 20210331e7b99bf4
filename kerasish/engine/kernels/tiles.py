"""Chains of statements over large arrays, tile by tile (engine/chains.py says what is a chain): what is between the statements
stays in the cache. A chain is prepared once, when its program is bound; then each of the crew's threads goes through
tiles of its own, as a sequence of C functions (sequence.py).

Where there are no sequences, the crew shares each statement of a tile, or the calling thread does all; tiles are longer
then, since every statement costs more to begin.
"""

from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any

from kerasish.engine.kernels import crew, sequence
from kerasish.engine.kernels.bound import preparing
from kerasish.engine.kernels.joined import flat, written
from kerasish.engine.kernels.threads import in_order, ranges

Call = Callable[[], Any]
Tile = Callable[[Callable, int, int, int], None]
Start = Callable[[Callable, int, int], None]
WIDE = 4  # times as many rows in a tile where there are no sequences


class Tiles:
    """Of so many rows, `step` at a time; `sums`: whether each tile makes sums of its own, and has to be as long as said.
    `room`: how many rows there have to be of what tiles do not leave behind."""

    def __init__(self, rows: int, step: int, sums: bool = False):
        self.possible = sequence.possible()
        self.step = step = step if sums or self.possible else WIDE * step
        self.tiles = [(i, min(i + step, rows)) for i in range(0, rows, step)]
        self.parts = ranges(len(self.tiles), crew.size() if self.possible else 1)
        self.count, self.room = len(self.tiles), step * len(self.parts)

    def prepare(self, tile: Tile, start: Start | None = None) -> Call:
        """tile(do, i, j, k) for rows i to j, using the room from row k; it calls do(make, *arguments) for each statement,
        where make(*arguments) prepares its call. start(do, k, n) does likewise what comes before a thread's first tile,
        which has n rows."""
        made = []
        for p, (first, last) in enumerate(self.parts):
            memory: dict = {}
            k, rows = p * self.step, self.tiles[first:last]
            made.append([self._calls(partial(tile, i=i, j=j, k=k), memory) for i, j in rows])
            if start is not None and rows:
                made[-1].insert(0, self._calls(partial(start, k=k, n=rows[0][1] - rows[0][0]), memory))
        if len(self.parts) == 1:
            return in_order(*[call for part in made for calls in part for call in calls])
        records = [[[written(call, divided=False) for call in calls] for calls in part] for part in made]
        if all(do is not None for part in records for dos in part for do in dos):
            return sequence.fixed([[do for dos in part for do in dos] for part in records])
        calls: list[Call] = []
        if start is not None:
            calls = [call for part in made for call in part.pop(0)]
            records = [part[1:] for part in records]
        fits = [all(do is not None for do in dos) for dos in zip(*[dos for part in records for dos in part])]
        for t in range(max(map(len, records))):
            having = [p for p, part in enumerate(records) if t < len(part)]
            for fit, group in groupby(range(len(fits)), fits.__getitem__):
                statements = list(group)
                if fit:
                    calls.append(sequence.fixed([[records[p][t][s] for s in statements] for p in having]))
                else:
                    calls += [made[p][t][s] for s in statements for p in having]
        return in_order(*calls)

    def _calls(self, statements: Callable, memory: dict) -> list[Call]:
        calls: list[Call] = []

        def do(make: Callable, *arguments: Any, **params: Any) -> None:
            preparing.memory, preparing.taken, preparing.crew = memory, 0, not self.possible
            try:
                calls.extend(flat([make(*arguments, **params)]))
            finally:
                preparing.memory, preparing.crew = None, True

        statements(do)
        return calls


__all__ = ["Tiles"]
