"""Cells: one step in time of the recurrent layers.

A cell is called as `output, states = cell(inputs, states)`. Ours can also be taken apart: `project` does what depends on
the inputs alone, for all steps in one product, and `step` the rest.
"""

from typing import Any

import numpy as np

from kerasish import activations, ops, random
from kerasish.base.registry import export
from kerasish.engine import recurrent
from kerasish.layers.core import Weighted

NUMBER_BY_NUMBER = (activations.sigmoid, activations.hard_sigmoid, activations.tanh, activations.relu, activations.linear)


class DropoutCell(Weighted):
    """What cells share: weights for inputs and state, and dropout masks that stay the same along a sequence.

    As in Keras, each gate has masks of its own where the state is dropped out (or `implementation` is 1); where only
    the inputs are, one mask serves all gates.
    """

    gates = 1
    implementation = 2

    def _begin(self, units: int, dropout: float, recurrent_dropout: float, seed: Any, **given: Any) -> None:
        if units <= 0:
            raise ValueError(f"Received an invalid value for argument `units`, expected a positive integer, got {units}.")
        self.units = units
        self._take(**given)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        if self.gates > 1 and self.recurrent_dropout:
            self.implementation = 1
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed=seed)
        self.state_size: Any = units
        self.output_size = units
        self._forget_masks()

    def _forget_masks(self) -> None:
        object.__setattr__(self, "_masks", {})

    def get_dropout_mask(self, step_input: Any) -> Any:
        """The mask for the inputs of every step, drawn at the first; with a leading axis of gates if they differ."""
        return self._mask("inputs", step_input, self.dropout)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The mask for the state in every step, drawn at the first."""
        return self._mask("state", step_input, self.recurrent_dropout)

    def _mask(self, kind: str, like: Any, rate: float) -> Any:
        if rate <= 0 or rate >= 1:
            return None
        if kind not in self._masks:
            ones = ops.ones_like(like)
            if self._gatewise:
                ones = ops.broadcast_to(ones, (self.gates, *ones.shape))
            self._masks[kind] = random.dropout(ones, rate, seed=self.seed_generator)
        return self._masks[kind]

    @property
    def _gatewise(self) -> bool:
        """Whether each gate has dropout masks of its own."""
        return self.implementation == 1 and self.gates > 1

    def reset_dropout_mask(self) -> None:
        """Draw another mask for the inputs next time."""
        self._masks.pop("inputs", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Draw another mask for the state next time."""
        self._masks.pop("state", None)

    def draw_masks(self, step_input: Any, states: Any) -> None:
        """Draw the masks outside of the loop in which they are used."""
        self.get_dropout_mask(step_input)
        self.get_recurrent_dropout_mask(states[0])

    def build(self, input_shape: Any) -> None:
        self.kernel = self._weight("kernel", (input_shape[-1], self.gates * self.units))
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units, self.gates * self.units), "recurrent")
        self.bias = self._weight("bias", (self.gates * self.units,)) if self.use_bias else None

    def project(self, inputs: Any, training: Any) -> Any:
        """What the inputs (..., features) contribute to every step."""
        x = self._product(inputs, self.kernel, self._drawn("inputs", self.dropout, training))
        return ops.add(x, self._input_bias()) if self.use_bias else x

    def _drawn(self, kind: str, rate: float, training: Any) -> Any:
        """The mask to use, or None."""
        return self._masks[kind] if training and 0 < rate < 1 else None

    def _product(self, x: Any, kernel: Any, mask: Any) -> Any:
        """x @ kernel, with x dropped out; for each gate apart, if they have masks of their own."""
        if mask is None:
            return ops.matmul(x, kernel)
        if not self._gatewise:
            return ops.matmul(ops.multiply(x, mask), kernel)
        kernels = self._parts(ops.convert_to_tensor(kernel), kernel.shape[-1] // self.units)
        return ops.concatenate([ops.matmul(ops.multiply(x, mask[k]), w) for k, w in enumerate(kernels)], axis=-1)

    def _input_bias(self) -> Any:
        return self.bias

    def _recurrent(self, h: Any, training: Any) -> Any:
        """What the state contributes to a step."""
        return self._product(h, self.recurrent_kernel, self._drawn("state", self.recurrent_dropout, training))

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        if training:
            self.draw_masks(inputs, states)
        new = self.step(self.project(inputs, training), states, training)
        return new[0], new

    def step(self, x: Any, states: list, training: Any) -> list:
        """The new states after a step; the first is the output."""
        raise NotImplementedError

    def sequence(self, xs: Any, states: list, seen: Any, training: Any) -> list | None:
        """What `step` would leave after each step of inputs xs (time first), by one kernel; None if there is none for it."""
        return None

    def _projected_halved(self, xs: Any, bias: Any) -> Any:
        """Products of the inputs as the kernels take them. Sequences and steps are one axis meanwhile, and what is
        halved are the weights, which are fewer."""
        steps, batch, features = xs.shape
        flat = ops.matmul(ops.reshape(xs, (steps * batch, features)), _halved(ops.convert_to_tensor(self.kernel), self.units, 2))
        if bias is not None:
            flat = ops.add(flat, _halved(bias, self.units, 2))
        return ops.reshape(flat, (steps, batch, flat.shape[-1]))

    def _has_kernel(self, of: type, training: Any) -> bool:
        usual = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid
        known = type(self) is of and self.compute_dtype in ("float32", "float64")
        return usual and known and self._drawn("state", self.recurrent_dropout, training) is None

    def get_initial_state(self, batch_size: Any = None) -> list:
        """Zeros."""
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype)]

    def _gates(self, z: Any) -> list:
        """Two gates side by side; one call does for both, if the activation works on each number alone."""
        if self.recurrent_activation in NUMBER_BY_NUMBER:
            return self._parts(self.recurrent_activation(z), 2)
        return [self.recurrent_activation(part) for part in self._parts(z, 2)]

    def _parts(self, z: Any, count: int) -> list:
        return [z[..., k * self.units : (k + 1) * self.units] for k in range(count)]


def _halved(x: Any, units: int, whole: int) -> Any:
    """x with the columns of all gates but the one at `whole` halved: sigmoids are computed by tanh, see engine/recurrent.py."""
    scale = np.full((x.shape[-1] // units, units), 0.5, x.dtype)
    scale[whole] = 1
    return ops.multiply(x, scale.reshape(-1))


@export("keras.layers.SimpleRNNCell")
class SimpleRNNCell(DropoutCell):
    """h = activation(x @ kernel + h @ recurrent_kernel + bias).

    >>> output, states = SimpleRNNCell(3)(ops.ones((2, 4)), [ops.zeros((2, 3))])
    >>> output.shape
    (2, 3)
    """

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self._begin(
            units, dropout, recurrent_dropout, seed, activation=activation, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def call(self, sequence: Any, states: Any, training: Any = False) -> Any:  # type: ignore[override]
        return super().call(sequence, states, training)  # Keras's name for the inputs, in this cell alone

    def step(self, x: Any, states: list, training: Any) -> list:
        return [self.activation(ops.add(x, self._recurrent(states[0], training)))]


@export("keras.layers.LSTMCell")
class LSTMCell(DropoutCell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997). The gates stand in the order input, forget, cell, output.

    >>> output, states = LSTMCell(3)(ops.ones((2, 4)), [ops.zeros((2, 3)), ops.zeros((2, 3))])
    >>> output.shape, len(states)
    ((2, 3), 2)
    """

    gates = 4

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        self.implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        self.use_bias, self.unit_forget_bias = use_bias, unit_forget_bias
        self._begin(
            units, dropout, recurrent_dropout, seed, activation=activation, recurrent_activation=recurrent_activation,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.state_size = [units, units]

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if self.use_bias and self.unit_forget_bias:
            start = self.bias.numpy()
            start[self.units : 2 * self.units] = 1.0
            self.bias.assign(start)

    def step(self, x: Any, states: list, training: Any) -> list:
        h, c = states
        z = ops.add(x, self._recurrent(h, training))
        _, _, g, o = self._parts(z, 4)
        i, f = self._gates(z[..., : 2 * self.units])
        c = ops.add(ops.multiply(f, c), ops.multiply(i, self.activation(g)))
        return [ops.multiply(self.recurrent_activation(o), self.activation(c)), c]

    def sequence(self, xs: Any, states: list, seen: Any, training: Any) -> list | None:
        if not self._has_kernel(LSTMCell, training):
            return None
        kernel = _halved(ops.convert_to_tensor(self.recurrent_kernel), self.units, 2)
        xs = self._projected_halved(xs, ops.convert_to_tensor(self.bias) if self.use_bias else None)
        return list(recurrent.lstm(xs, kernel, *states, seen))

    def get_initial_state(self, batch_size: Any = None) -> list:
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in range(2)]


@export("keras.layers.GRUCell")
class GRUCell(DropoutCell):
    """Gated recurrent unit (Cho et al. 2014). The gates stand in the order update, reset, candidate.

    reset_after: the reset gate comes after the product with the state, not before.

    >>> output, states = GRUCell(3)(ops.ones((2, 4)), [ops.zeros((2, 3))])
    >>> output.shape
    (2, 3)
    """

    gates = 3

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, reset_after: bool = True,
        seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        self.implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        self.use_bias, self.reset_after = use_bias, reset_after
        self._begin(
            units, dropout, recurrent_dropout, seed, activation=activation, recurrent_activation=recurrent_activation,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        use_bias, self.use_bias = self.use_bias, False
        super().build(input_shape)
        self.use_bias = use_bias
        if use_bias:  # with reset_after, the state's product has a bias of its own
            shape = (2, 3 * self.units) if self.reset_after else (3 * self.units,)
            self.bias = self._weight("bias", shape)

    def _input_bias(self) -> Any:
        return ops.convert_to_tensor(self.bias)[0] if self.reset_after else self.bias

    def sequence(self, xs: Any, states: list, seen: Any, training: Any) -> list | None:
        if not self.reset_after or not self._has_kernel(GRUCell, training):
            return None
        kernel = _halved(ops.convert_to_tensor(self.recurrent_kernel), self.units, 2)
        two, whole = 2 * self.units, None
        bias = ops.zeros(self.units, self.compute_dtype)
        if self.use_bias:
            both = ops.convert_to_tensor(self.bias)
            bias = both[1, two:]  # stands within the reset gate's product; that of the gates may as well be added now
            whole = both[0] + ops.concatenate([both[1, :two], ops.zeros_like(bias)])
        xs = self._projected_halved(xs, whole)
        return [recurrent.gru(xs, kernel, bias, *states, seen)]

    def step(self, x: Any, states: list, training: Any) -> list:
        h, two = states[0], 2 * self.units
        if self.reset_after:
            inner = self._recurrent(h, training)
            if self.use_bias:
                inner = ops.add(inner, ops.convert_to_tensor(self.bias)[1])
            z, r = self._gates(ops.add(x[..., :two], inner[..., :two]))
            candidate = ops.multiply(r, inner[..., two:])
        else:
            kernel = ops.convert_to_tensor(self.recurrent_kernel)
            mask = self._drawn("state", self.recurrent_dropout, training)
            z, r = self._gates(ops.add(x[..., :two], self._product(h, kernel[:, :two], mask)))
            kept = h if mask is None else ops.multiply(h, mask[2])
            candidate = ops.matmul(ops.multiply(r, kept), kernel[:, two:])
        candidate = self.activation(ops.add(x[..., two:], candidate))
        return [ops.add(ops.multiply(z, h), ops.multiply(ops.subtract(1.0, z), candidate))]
