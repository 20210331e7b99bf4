"""RNN: a cell driven along a sequence."""

from typing import Any

from kerasish import ops
from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.engine.dims import Dim
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
    unroll:               write the loop out instead of looping; the number of steps must be known.
    zero_output_for_mask: the output of a masked step is zero, not that of the step before.

    A cell has `state_size` and `call(inputs, states)`, which returns the output and the new states.

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
            sizes = [self.cell.state_size] if self.single_state else self.cell.state_size
            state = tree.map_structure(lambda d: ops.zeros((batch_size, d), dtype=self.compute_dtype), list(sizes))
        return list(state) if tree.is_nested(state) else [state]

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False) -> Any:
        time = sequences.shape[1]
        if self.unroll and (time is None or isinstance(time, Dim)):
            raise ValueError(
                "Cannot unroll a RNN if the time dimension is undefined. If using a Sequential model, specify the time "
                "dimension by passing an `Input()` as your first layer; for the functional API, pass a `shape` argument to it."
            )
        if initial_state is None:
            initial_state = self.states if self.stateful else self.get_initial_state(sequences.shape[0])
        if not isinstance(initial_state, (list, tuple)):
            initial_state = [initial_state]
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

    def _loop(self, sequences: Any, states: Any, mask: Any, training: Any) -> tuple:
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
            if m is not None:
                new = tree.map_structure(lambda a, b: ops.where(_like(m, a), a, b), new, before)
                if self.zero_output_for_mask:
                    output = ops.where(_like(m, output), output, ops.zeros_like(output))
                else:
                    output = new[0] if apart else ops.where(_like(m, output), output, held)
            return (new, output) if carried else new, output if wanted else None

        start: Any = states
        if carried:
            example, _ = self._call_cell(xs[0][0], states, training)
            first = tree.flatten(states)[0]
            same = tuple(first.shape) == tuple(example.shape)
            start = (states, first if same else ops.zeros_like(example))
        if self.unroll:
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
            masks["inputs"] = ops.expand_dims(masks["inputs"], 1)
        return self.cell.project(sequences, training)

    def _call_cell(self, x: Any, states: Any, training: Any) -> tuple:
        states = states[0] if self.single_state and not getattr(self.cell, "draw_masks", None) and len(states) == 1 else states
        kwargs = {"training": training} if isinstance(self.cell, Layer) and self.cell._takes_training() else {}
        output, new = self.cell(x, states, **kwargs)
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
            return [kept, *[None] * len(tree.flatten(self.cell.state_size))]
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
