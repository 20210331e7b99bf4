"""Several cells as one."""

from typing import Any

from kerasish import ops
from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.layers.StackedRNNCells")
class StackedRNNCells(Layer):
    """Cells of which each gets the output of the one before; the states are a list of theirs.

    >>> from kerasish.layers.rnn.cells import GRUCell, LSTMCell
    >>> StackedRNNCells([LSTMCell(3), GRUCell(2)]).state_size
    [[3, 3], 2]
    """

    def __init__(self, cells: Any, **kwargs: Any):
        super().__init__(**kwargs)
        for cell in cells:
            if "call" not in dir(cell):
                raise ValueError(f"All cells must have a `call` method. Received cell without a `call` method: {cell}")
            if "state_size" not in dir(cell):
                raise ValueError(f"All cells must have a `state_size` attribute. Received cell without a `state_size`: {cell}")
        self.cells = list(cells)

    @property
    def state_size(self) -> list:
        return [c.state_size for c in self.cells]

    @property
    def output_size(self) -> Any:
        last = self.cells[-1]
        size = getattr(last, "output_size", None)
        return size if size is not None else last.state_size if isinstance(last.state_size, int) else last.state_size[0]

    def get_initial_state(self, batch_size: Any = None) -> list:
        states = []
        for cell in self.cells:
            if getattr(cell, "get_initial_state", None) is not None:
                state = cell.get_initial_state(batch_size=batch_size)
                states.append(list(state) if tree.is_nested(state) else state)
            elif isinstance(cell.state_size, int):
                states.append(ops.zeros((batch_size, cell.state_size), dtype=self.compute_dtype))
            else:
                states.append([ops.zeros((batch_size, d), dtype=self.compute_dtype) for d in cell.state_size])
        return states

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
                cell.built = True
            size = getattr(cell, "output_size", None)
            if size is None:
                size = cell.state_size if isinstance(cell.state_size, int) else cell.state_size[0]
            input_shape = (input_shape[0], *(size if isinstance(size, tuple) else (size,)))

    def draw_masks(self, step_input: Any, states: Any) -> None:
        """Draw the dropout masks of all cells outside of the loop."""
        for cell, state in zip(self.cells, states, strict=True):
            if hasattr(cell, "draw_masks"):
                cell._forget_masks()
                cell.draw_masks(step_input, state if tree.is_nested(state) else [state])
            first = tree.flatten(state)[0]
            step_input = first  # an output has the shape of the first state

    def _forget_masks(self) -> None:
        for cell in self.cells:
            if hasattr(cell, "_forget_masks"):
                cell._forget_masks()

    def call(self, inputs: Any, states: Any, training: Any = False, **kwargs: Any) -> tuple:
        new_states = []
        for cell, state in zip(self.cells, states, strict=True):
            nested = tree.is_nested(state)
            extra = {"training": training} if isinstance(cell, Layer) and cell._takes_training() else {}
            call = cell if callable(cell) else cell.call
            inputs, new = call(inputs, list(state) if nested else [state], **extra)
            new = list(new) if tree.is_nested(new) else [new]
            new_states.append(new if nested else new[0])  # as they came
        return inputs, new_states

    def get_config(self) -> dict:
        return {**super().get_config(), "cells": [serialize_keras_object(c) for c in self.cells]}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        config = dict(config)
        cells = [deserialize_keras_object(c, custom_objects=custom_objects) for c in config.pop("cells")]
        return cls(cells, **config)
