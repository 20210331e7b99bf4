"""Seeds: the state that random operations draw from, two words (seed, counter) in a Variable.

They stand on this floor because some ops draw; users find them in `keras.random`.
"""

import random as python_random
from typing import Any

import numpy as np

from kerasish.base import naming
from kerasish.base.registry import export
from kerasish.engine import primitives as P
from kerasish.engine.core import suspended
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import Variable


@export("keras.random.SeedGenerator")
class SeedGenerator:
    """A source of seeds: each call of `next` gives another.

    seed: an int, or None for one drawn from Python's `random`.

    >>> generator = SeedGenerator(seed=7)
    >>> generator.next().tolist(), generator.next().tolist()
    ([7, 0], [7, 1])
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        self.name = name or naming.auto_name(type(self).__name__)
        self._initial_seed = seed
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed}")
        with naming.name_scope(self.name):
            self.state = Variable(
                np.array([np.uint32(int(seed)), 0], "uint32"),
                dtype="uint32",
                trainable=False,
                name="seed_generator_state",
            )

    def next(self, ordered: bool = True) -> Tensor:
        """The state, which then moves on."""
        del ordered  # draws are always in order
        current = self.state.value
        self.state.assign(P.add(current, P.constant([0, 1], "uint32")))
        return current

    def get_config(self) -> dict:
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> "SeedGenerator":
        return cls(**config)


def make_default_seed() -> int:
    """A seed from Python's own generator, so that `set_random_seed` fixes it."""
    return python_random.randint(1, int(1e9))


_global: list[SeedGenerator] = []


def global_seed_generator() -> SeedGenerator:
    """The generator behind every draw without a seed."""
    if not _global:
        with suspended():
            _global.append(SeedGenerator(name="global_seed_generator"))
    return _global[0]


def reset_global_seed(seed: int | None = None) -> None:
    """Start the global generator again: from a seed, or (None) from a new one when it is next used."""
    _global.clear()
    if seed is not None:
        with suspended():
            _global.append(SeedGenerator(seed, name="global_seed_generator"))


def draw_seed(seed: Any) -> Tensor:
    """The state for one draw, from a SeedGenerator, an int, or None (the global generator)."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return P.constant([np.uint32(int(seed)), 0], "uint32")
    if seed is None:
        return global_seed_generator().next()
    raise ValueError(
        "Argument `seed` must be either an integer or an instance of `SeedGenerator`. "
        f"Received: seed={seed} (of type {type(seed)})"
    )
