"""RNN: a cell driven along a sequence."""

from typing import Any

from kerasish import ops
from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.engine.variable import Variable
from kerasish.layers.layer import Layer
from kerasish.layers.rnn.stacked import StackedRNNCells
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.layers.RNN")
class RNN(Layer):
    """A cell, or several stacked ones, along sequences (batch, time, ...).

    return_sequences:     give the outputs of all steps, not only the last.
    return_state:         give the last states, too.
    go_backwards:         start at the end; sequences of outputs are in the order of computation.
    stateful:             the states of a batch are where the next batch starts; `reset_state()` sets them to zero.
    unroll:               write the loop out instead of looping, where the number of steps is known.
    zero_output_for_mask: the output of a masked step is zero, not that of the step before.

    A cell has `state_size` (an int, or several) and `call(inputs, states)`, which gets the states as a list and returns
    the output and the new states.

    >>> from kerasish.layers.rnn.cells import GRUCell
    >>> RNN(GRUCell(4), return_sequences=True)(ops.ones((2, 3, 5))).shape
    (2, 3, 4)
    """

    def __init__(
        self, cell: Any, return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False,
        stateful: bool = False, unroll: bool = False, zero_output_for_mask: bool = False, **kwargs: Any,
    ):  # fmt: skip
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if "call" not in dir(cell):
            raise ValueError(f"Argument `cell` should have a `call` method. Received: cell={cell}")
        if "state_size" not in dir(cell):
            raise ValueError(
                "The RNN cell should have a `state_size` attribute (single integer or list of integers, one integer per "
                f"RNN state). Received: cell={cell}"
            )
        size = cell.state_size
        if not isinstance(size, (int, list, tuple)) or isinstance(size, bool):
            raise ValueError(
                "The `state_size` of an RNN cell must be an integer, or a list/tuple of integers (one for each state "
                f"tensor). Received: state_size={size} of cell={cell}"
            )
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        object.__setattr__(self, "states", None)

    @property
    def single_state(self) -> bool:
        """Whether the cell's state is one tensor, not a list of them."""
        return isinstance(self.cell.state_size, int)

    @property
    def state_size(self) -> list:
        """The sizes of the states, always as a list."""
        return [self.cell.state_size] if self.single_state else list(self.cell.state_size)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
            self.cell.built = True
        if self.stateful:
            if not isinstance(sequences_shape[0], int):
                raise ValueError(
                    "When using `stateful=True` in a RNN, the batch size must be static. Found dynamic batch size: "
                    f"sequence.shape={tuple(sequences_shape)}"
                )
            states = [
                Variable(ops.convert_to_numpy(s), trainable=False, name="rnn_state")
                for s in tree.flatten(self.get_initial_state(sequences_shape[0]))
            ]
            object.__setattr__(self, "states", states)

    def get_initial_state(self, batch_size: Any) -> Any:
        """Where a sequence starts: what the cell says, else zeros."""
        if getattr(self.cell, "get_initial_state", None) is not None:
            state = self.cell.get_initial_state(batch_size=batch_size)
        else:
            state = tree.map_structure(lambda d: ops.zeros((batch_size, d), dtype=self.compute_dtype), self.state_size)
        return list(state) if tree.is_nested(state) else [state]

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False) -> Any:
        if self.stateful:
            self._check_batch(sequences.shape[0])
        if initial_state is None:
            initial_state = self.states if self.stateful else self.get_initial_state(sequences.shape[0])
        if not isinstance(initial_state, (list, tuple)):
            initial_state = [initial_state]
        self._check_states(initial_state)
        template = self.get_initial_state(sequences.shape[0]) if self.stateful else list(initial_state)
        flat = [ops.cast(s, self.compute_dtype) for s in tree.flatten(list(initial_state))]
        states = tree.pack_sequence_as(template, flat)
        if mask is not None:
            mask = ops.cast(tree.flatten(mask)[0], "bool")
        last, outputs, states = self.inner_loop(sequences, states, mask, training)
        if self.stateful:
            for v, s in zip(self.states, tree.flatten(states), strict=True):
                v.assign(ops.cast(s, v.dtype))
        result = ops.moveaxis(outputs, 0, 1) if self.return_sequences else last
        return (result, *states) if self.return_state else result

    def _check_batch(self, batch: Any) -> None:
        expected = tree.flatten(self.states)[0].shape[0]
        if isinstance(batch, int) and batch != expected:
            raise ValueError(
                "If an RNN is stateful, the batch size of the input sequences must be the same as the batch size of the "
                f"initial state.\n- Expected batch size: {expected}\n- Received batch size: {batch}"
            )

    def _check_states(self, states: Any) -> None:
        given, wanted = len(tree.flatten(list(states))), len(tree.flatten(self.state_size))
        if all(isinstance(size, int) for size in self.state_size) and given != wanted:
            raise ValueError(
                f"The cell has {wanted} state{'s' * (wanted > 1)}, of the sizes {self.state_size}. Received: "
                f"initial_state with {given} tensor{'s' * (given > 1)}."
            )

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: Any = False) -> tuple:
        """The last output, all outputs (time first, or None if they are not wanted), and the last states."""
        drawing = training and hasattr(self.cell, "draw_masks")
        if drawing:
            self.cell._forget_masks()
            self.cell.draw_masks(sequences[:, 0], initial_state)
        try:
            return self._loop(sequences, initial_state, mask, training)
        finally:
            if drawing:
                self.cell._forget_masks()

    def _at_once(self, sequences: Any, states: Any, mask: Any, training: Any) -> tuple | None:
        """_loop by a kernel of the cell for whole sequences, if it has one for this."""
        if self.unroll or (mask is not None and self.zero_output_for_mask) or not hasattr(self.cell, "sequence"):
            return None
        if self.cell._masks.get("inputs") is not None or any(s.dtype != sequences.dtype for s in states):
            return None
        xs = ops.moveaxis(sequences, 1, 0)
        seen = None if mask is None else ops.moveaxis(mask, 1, 0)
        if self.go_backwards:
            xs, seen = (None if x is None else ops.flip(x, axis=0) for x in (xs, seen))
        found = self.cell.sequence(xs, states, seen, training)
        return None if found is None else (found[0][-1], found[0], [rows[-1] for rows in found])

    def _loop(self, sequences: Any, states: Any, mask: Any, training: Any) -> tuple:
        found = self._at_once(sequences, states, mask, training)
        if found is not None:
            return found
        xs = ops.moveaxis(sequences, 1, 0)
        apart = hasattr(self.cell, "project")
        if apart:
            # one product over all steps; in the order of the batch, which is how the inputs lie in memory
            xs = ops.moveaxis(self._projected(sequences, training), 1, 0)
        # where the output is a state, it need not be carried or collected unless it is asked for
        carried = not apart and (mask is not None) and not self.zero_output_for_mask
        wanted = self.return_sequences or not apart or (mask is not None and self.zero_output_for_mask)
        if mask is not None:
            keep = ops.moveaxis(mask, 1, 0)
            xs = (xs, keep)

        def step(carry: Any, row: Any) -> tuple:
            before, held = carry if carried else (carry, None)
            x, m = row if mask is not None else (row, None)
            if apart:
                new = self.cell.step(x, list(before), training)
                output = new[0]
            else:
                output, new = self._call_cell(x, before, training)
            # a cell may compute in another dtype than it was given, a loop may not
            new = tree.map_structure(lambda a, b: a if a.dtype == b.dtype else ops.cast(a, b.dtype), new, before)
            if m is not None:
                new = tree.map_structure(lambda a, b: ops.where(_like(m, a), a, b), new, before)
                if self.zero_output_for_mask:
                    output = ops.where(_like(m, output), output, ops.zeros_like(output))
                else:
                    output = new[0] if apart else ops.where(_like(m, output), output, held)
            return (new, output) if carried else new, output if wanted else None

        start: Any = states
        if carried:
            # before the first step the output is taken to be the state, where it can be; of stacked cells, the last one's
            example, _ = self._call_cell(xs[0][0], states, training)
            first = tree.flatten(states[-1])[0] if tree.is_nested(states[0]) else states[0]
            alike = tuple(first.shape) == tuple(example.shape) and first.dtype == example.dtype
            start = (states, first if alike else ops.zeros_like(example))
        if self.unroll and isinstance(sequences.shape[1], int):
            carry, outputs = self._unrolled(step, start, xs, sequences.shape[1])
        else:
            carry, outputs = ops.scan(step, start, xs, reverse=self.go_backwards)
            if outputs is not None and self.go_backwards:
                outputs = ops.flip(outputs, axis=0)
        final = carry[0] if carried else carry
        last = outputs[-1] if outputs is not None and not (apart and not self.zero_output_for_mask) else final[0]
        return last, outputs, list(final)

    def _projected(self, sequences: Any, training: Any) -> Any:
        masks = self.cell._masks
        if "inputs" in masks and training:  # the same for all steps
            mask = masks["inputs"]
            masks["inputs"] = ops.expand_dims(mask, len(mask.shape) - len(sequences.shape) + 2)
        return self.cell.project(sequences, training)

    def _call_cell(self, x: Any, states: Any, training: Any) -> tuple:
        kwargs = {"training": training} if isinstance(self.cell, Layer) and self.cell._takes_training() else {}
        output, new = (self.cell if callable(self.cell) else self.cell.call)(x, list(states), **kwargs)
        return output, list(new) if isinstance(new, (list, tuple)) else [new]

    def _unrolled(self, step: Any, carry: Any, xs: Any, time: int) -> tuple:
        outputs = []
        for i in range(time - 1, -1, -1) if self.go_backwards else range(time):
            carry, output = step(carry, tree.map_structure(lambda x: x[i], xs))
            outputs.append(output)
        return carry, None if outputs[0] is None else ops.stack(outputs)

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        mask = tree.flatten(mask)[0] if mask is not None else None
        kept = mask if self.return_sequences else None
        if self.return_state:
            return [kept, *[None] * len(tree.flatten(self.state_size))]
        return kept

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zero."""
        for v in self.states or ():
            v.assign(ops.zeros_like(v))

    reset_states = reset_state

    def get_config(self) -> dict:
        config = {**Layer.get_config(self)}
        if "cell" in config:
            config["cell"] = serialize_keras_object(self.cell)
        return {**config, "zero_output_for_mask": self.zero_output_for_mask}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        config = dict(config)
        if isinstance(config.get("cell"), dict):
            config["cell"] = deserialize_keras_object(config["cell"], custom_objects=custom_objects)
        return super().from_config(config)


def _like(mask: Any, x: Any) -> Any:
    """A mask of rows with as many axes as x."""
    return ops.reshape(mask, (*mask.shape, *[1] * (len(x.shape) - len(mask.shape))))
