"""Chains of statements over large arrays, tile by tile (engine/chains.py says what is a chain): what is between the statements
stays in the cache. A chain is prepared once, when its program is bound; then each of the crew's threads goes through
tiles of its own, as a sequence of C functions (sequence.py).

Where there are no sequences, or for a chain that has a statement for which there is no C function, the crew shares each
statement of a tile, or the calling thread does all; tiles are longer then, since every statement costs more to begin.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from kerasish.engine.kernels import crew, sequence
from kerasish.engine.kernels.bound import preparing
from kerasish.engine.kernels.joined import flat, written
from kerasish.engine.kernels.threads import in_order, ranges

Call = Callable[[], Any]
Tile = Callable[[Callable, int, int, int], None]
Start = Callable[[Callable, int, int], None]
WIDE = 4  # times as many rows in a tile where they are not done in sequences


class Tiles:
    """Of so many rows, `step` at a time, `count` in number, or fewer and longer ones once `prepare` has decided so.
    `room`: how many rows there have to be of what tiles do not leave behind."""

    def __init__(self, rows: int, step: int):
        self.rows = rows
        self.parts = ranges(-(-rows // step), crew.size())
        self.room = min(max(len(self.parts), WIDE) * step, rows)
        self._divide(step)

    def _divide(self, step: int) -> None:
        self.step = step
        self.tiles = [(i, min(i + step, self.rows)) for i in range(0, self.rows, step)]
        self.count = len(self.tiles)

    def prepare(self, tile: Tile, start: Start | None = None) -> Call:
        """tile(do, i, j, k) for rows i to j, using the room from row k; it calls do(make, *arguments) for each statement,
        where make(*arguments) prepares its call. start(do, k, n) does likewise what comes before all tiles that use n rows of
        the room from k."""
        found = self._in_sequences(tile, start) if sequence.possible() and self.count > 1 else None
        if found is not None:
            return found
        self._divide(WIDE * self.step)
        memory: dict = {}
        calls: list[Call] = []
        if start is not None:
            calls = self._calls(partial(start, k=0, n=min(self.step, self.rows)), memory, by_crew=True)
        for i, j in self.tiles:
            calls += self._calls(partial(tile, i=i, j=j, k=0), memory, by_crew=True)
        return in_order(*calls)

    def _in_sequences(self, tile: Tile, start: Start | None) -> Call | None:
        """One for each thread, if all calls can be written down."""
        parts = []
        for p, (first, last) in enumerate(self.parts):
            memory: dict = {}
            k = p * self.step
            rows = self.tiles[first:last]
            steps = [partial(tile, i=i, j=j, k=k) for i, j in rows]
            if start is not None:
                steps.insert(0, partial(start, k=k, n=rows[0][1] - rows[0][0]))
            part = []
            for step in steps:
                dos = [written(call, divided=False) for call in self._calls(step, memory, by_crew=False)]
                if None in dos:
                    return None
                part += dos
            parts.append(part)
        return sequence.at_once(parts)

    @staticmethod
    def _calls(statements: Callable, memory: dict, by_crew: bool) -> list[Call]:
        calls: list[Call] = []

        def do(make: Callable, *arguments: Any, **params: Any) -> None:
            preparing.memory, preparing.taken, preparing.crew = memory, 0, by_crew
            try:
                calls.extend(flat([make(*arguments, **params)]))
            finally:
                preparing.memory, preparing.crew = None, True

        statements(do)
        return calls


__all__ = ["WIDE", "Tiles"]
