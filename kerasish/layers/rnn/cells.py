"""Cells: one step in time of the recurrent layers.

A cell is called as `output, states = cell(inputs, states)`. Ours can also be taken apart: `project` does what depends on
the inputs alone, for all steps in one product, and `step` the rest.
"""

from typing import Any

from kerasish import ops, random
from kerasish.base.registry import export
from kerasish.layers.core import Weighted


class DropoutCell(Weighted):
    """What cells share: weights for inputs and state, and dropout masks that stay the same along a sequence."""

    gates = 1

    def _begin(self, units: int, dropout: float, recurrent_dropout: float, seed: Any, **given: Any) -> None:
        if units <= 0:
            raise ValueError(f"Received an invalid value for argument `units`, expected a positive integer, got {units}.")
        self.units = units
        self._take(**given)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed=seed)
        self.state_size: Any = units
        self.output_size = units
        self._forget_masks()

    def _forget_masks(self) -> None:
        object.__setattr__(self, "_masks", {})

    def get_dropout_mask(self, step_input: Any) -> Any:
        """The mask for the inputs of every step, drawn at the first."""
        return self._mask("inputs", step_input, self.dropout)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The mask for the state in every step, drawn at the first."""
        return self._mask("state", step_input, self.recurrent_dropout)

    def _mask(self, kind: str, like: Any, rate: float) -> Any:
        if rate <= 0 or rate >= 1:
            return None
        if kind not in self._masks:
            self._masks[kind] = random.dropout(ops.ones_like(like), rate, seed=self.seed_generator)
        return self._masks[kind]

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
        if training and 0 < self.dropout < 1:
            inputs = ops.multiply(inputs, self._masks["inputs"])
        x = ops.matmul(inputs, self.kernel)
        return ops.add(x, self._input_bias()) if self.use_bias else x

    def _input_bias(self) -> Any:
        return self.bias

    def _kept(self, h: Any, training: Any) -> Any:
        return ops.multiply(h, self._masks["state"]) if training and 0 < self.recurrent_dropout < 1 else h

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        if training:
            self.draw_masks(inputs, states)
        new = self.step(self.project(inputs, training), states, training)
        return new[0], new

    def step(self, x: Any, states: list, training: Any) -> list:
        """The new states after a step; the first is the output."""
        raise NotImplementedError

    def get_initial_state(self, batch_size: Any = None) -> list:
        """Zeros."""
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype)]

    def _parts(self, z: Any, count: int) -> list:
        return [z[..., k * self.units : (k + 1) * self.units] for k in range(count)]


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

    def step(self, x: Any, states: list, training: Any) -> list:
        h = self._kept(states[0], training)
        return [self.activation(ops.add(x, ops.matmul(h, self.recurrent_kernel)))]


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
        h, c = self._kept(states[0], training), states[1]
        z = ops.add(x, ops.matmul(h, self.recurrent_kernel))
        i, f, g, o = self._parts(z, 4)
        gate = self.recurrent_activation
        c = ops.add(ops.multiply(gate(f), c), ops.multiply(gate(i), self.activation(g)))
        return [ops.multiply(gate(o), self.activation(c)), c]

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

    def step(self, x: Any, states: list, training: Any) -> list:
        before = states[0]
        h = self._kept(before, training)
        u, gate = self.units, self.recurrent_activation
        xz, xr, xh = self._parts(x, 3)
        if self.reset_after:
            inner = ops.matmul(h, self.recurrent_kernel)
            if self.use_bias:
                inner = ops.add(inner, ops.convert_to_tensor(self.bias)[1])
            hz, hr, hh = self._parts(inner, 3)
            candidate = ops.multiply(gate(ops.add(xr, hr)), hh)
        else:
            kernel = ops.convert_to_tensor(self.recurrent_kernel)
            hz, hr = self._parts(ops.matmul(h, kernel[:, : 2 * u]), 2)
            candidate = ops.matmul(ops.multiply(gate(ops.add(xr, hr)), h), kernel[:, 2 * u :])
        z = gate(ops.add(xz, hz))
        candidate = self.activation(ops.add(xh, candidate))
        return [ops.add(ops.multiply(z, before), ops.multiply(ops.subtract(1.0, z), candidate))]
