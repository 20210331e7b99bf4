"""SimpleRNN, LSTM and GRU: RNN over a cell of their own, whose arguments they take."""

from typing import Any

from kerasish.base.registry import export
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.rnn.cells import GRUCell, LSTMCell, SimpleRNNCell
from kerasish.layers.rnn.rnn import RNN

# What a layer shows of its cell.
OF_THE_CELL = frozenset(
    [
        "units", "activation", "recurrent_activation", "use_bias", "unit_forget_bias", "reset_after", "dropout",
        "recurrent_dropout", "seed",
        *(f"{kind}_{role}" for kind in ("kernel", "recurrent", "bias") for role in ("initializer", "regularizer", "constraint")),
    ]
)  # fmt: skip


class CellRNN(RNN):
    """What the three share: their arguments are attributes of the cell, and shown by the layer."""

    def _begin(self, cell: Any, activity_regularizer: Any, **options: Any) -> None:
        RNN.__init__(self, cell, activity_regularizer=activity_regularizer, **options)
        self.input_spec = [InputSpec(ndim=3)]

    def __getattr__(self, name: str) -> Any:
        if name in OF_THE_CELL and "cell" in self.__dict__:
            return getattr(self.cell, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def get_config(self) -> dict:
        config = {"activity_regularizer": None, **super().get_config()}
        return {k: v for k, v in config.items() if k != "use_cudnn"}

    _not_in_config: tuple = ("use_cudnn", "cell")


@export("keras.layers.SimpleRNN")
class SimpleRNN(CellRNN):
    """Fully connected recurrence: the output goes into the next step.

    >>> from kerasish import ops
    >>> SimpleRNN(4)(ops.ones((2, 3, 5))).shape
    (2, 4)
    """

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        cell = SimpleRNNCell(
            units, activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint, dropout=dropout,
            recurrent_dropout=recurrent_dropout, seed=seed, dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True), name="simple_rnn_cell",
        )  # fmt: skip
        self._begin(
            cell, activity_regularizer, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful, unroll=unroll, **kwargs,
        )  # fmt: skip

    _not_in_config = ("seed", "cell")  # seed: as in Keras's files


@export("keras.layers.LSTM")
class LSTM(CellRNN):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), over inputs (batch, time, features).

    >>> from kerasish import ops
    >>> LSTM(4)(ops.ones((2, 3, 5))).shape
    (2, 4)
    """

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: Any = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        use_cudnn: Any = "auto", **kwargs: Any,
    ):  # fmt: skip
        cell = LSTMCell(
            units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, unit_forget_bias=unit_forget_bias, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint, dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed,
            dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True), name="lstm_cell",
            implementation=kwargs.pop("implementation", 2),
        )  # fmt: skip
        self._begin(
            cell, activity_regularizer, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful, unroll=unroll, **kwargs,
        )  # fmt: skip
        self.use_cudnn = use_cudnn  # taken and kept, of no effect here


@export("keras.layers.GRU")
class GRU(CellRNN):
    """Gated recurrent unit (Cho et al. 2014), over inputs (batch, time, features).

    >>> from kerasish import ops
    >>> GRU(4, return_sequences=True)(ops.ones((2, 3, 5))).shape
    (2, 3, 4)
    """

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: Any = None, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False, reset_after: bool = True,
        use_cudnn: Any = "auto", **kwargs: Any,
    ):  # fmt: skip
        cell = GRUCell(
            units, activation=activation, recurrent_activation=recurrent_activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint, dropout=dropout, recurrent_dropout=recurrent_dropout,
            reset_after=reset_after, seed=seed, dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True),
            name="gru_cell", implementation=kwargs.pop("implementation", 2),
        )  # fmt: skip
        self._begin(
            cell, activity_regularizer, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful, unroll=unroll, **kwargs,
        )  # fmt: skip
        self.use_cudnn = use_cudnn  # taken and kept, of no effect here
