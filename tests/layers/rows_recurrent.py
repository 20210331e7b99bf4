"""Recurrent layers, in the combinations of their options."""

import numpy as np
from layer_row import Row, draw

X = draw(3, 5, 2)
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
KINDS = {"SimpleRNN": 1, "LSTM": 2, "GRU": 1}  # and how many states they have
OPTIONS = {
    "": {},
    "sequences": {"return_sequences": True},
    "backwards, sequences, state": {"go_backwards": True, "return_sequences": True, "return_state": True},
    "unrolled, backwards": {"unroll": True, "go_backwards": True},
    "zero where masked": {"zero_output_for_mask": True, "return_sequences": True, "return_state": True},
    "relu, no bias": {"activation": "relu", "use_bias": False, "return_state": True},
}
MASKED = ("", "sequences", "backwards, sequences, state", "zero where masked", "unrolled, backwards")


def combinations():
    for kind, states in KINDS.items():
        for title, options in OPTIONS.items():

            def make(k, kind=kind, options=options):
                return getattr(k.layers, kind)(3, name="r", **options)

            yield Row(f"{kind} {title}", make, X)
            if title in MASKED:
                yield Row(f"{kind} {title} masked", make, X, {"mask": MASK})
        start = [draw(3, 3, seed=i) for i in range(states)]
        yield Row(f"{kind} with a start", make, X, {"initial_state": start if states > 1 else start[0]}, symbolic=False)
        yield Row(f"{kind} dropped out", lambda k, kind=kind: getattr(k.layers, kind)(
            3, dropout=0.3, recurrent_dropout=0.3, seed=1, name="r"), X, {"training": True}, random=True)


def cells(k):
    return [k.layers.LSTMCell(3, name="a"), k.layers.GRUCell(2, reset_after=False, name="b"), k.layers.SimpleRNNCell(3, name="c")]


ROWS = [
    *combinations(),
    Row("GRU, reset before", lambda k: k.layers.GRU(3, reset_after=False, return_sequences=True, name="g"), X),
    Row("LSTM, other gates", lambda k: k.layers.LSTM(3, recurrent_activation="hard_sigmoid", unit_forget_bias=False, name="l"), X),
    Row("RNN of a cell", lambda k: k.layers.RNN(k.layers.GRUCell(3, name="c"), return_state=True, name="r"), X),
    Row("RNN of stacked cells", lambda k: k.layers.RNN(cells(k), return_sequences=True, name="r"), X),
    Row("RNN of stacked cells backwards", lambda k: k.layers.RNN(cells(k), go_backwards=True, name="r"), X),
    Row("RNN dropped out", lambda k: k.layers.RNN(
        [k.layers.LSTMCell(3, dropout=0.3, recurrent_dropout=0.2, seed=2, name="a"), k.layers.GRUCell(2, dropout=0.3, seed=1, name="b")],
        name="r"), X, {"training": True}, random=True),
    Row("LSTMCell", lambda k: k.layers.LSTMCell(3, name="c"), [X[:, 0], [draw(3, 3), draw(3, 3, seed=1)]], star=True),
    Row("GRUCell", lambda k: k.layers.GRUCell(3, name="c"), [X[:, 0], [draw(3, 3)]], star=True),
    Row("SimpleRNNCell", lambda k: k.layers.SimpleRNNCell(3, name="c"), [X[:, 0], [draw(3, 3)]], star=True),
    Row("StackedRNNCells", lambda k: k.layers.StackedRNNCells(cells(k), name="s"),
        [X[:, 0], [[draw(3, 3), draw(3, 3, seed=1)], [draw(3, 2)], [draw(3, 3, seed=2)]]], star=True),
    *[Row(f"Bidirectional {mode}", lambda k, mode=mode: k.layers.Bidirectional(
        k.layers.LSTM(3, return_sequences=True, name="l"), merge_mode=mode, name="b"), X) for mode in ("concat", "sum", "mul", "ave", None)],
    Row("Bidirectional of the last outputs, masked", lambda k: k.layers.Bidirectional(k.layers.GRU(3, name="g"), name="b"), X, {"mask": MASK}),
    Row("Bidirectional with states, masked", lambda k: k.layers.Bidirectional(
        k.layers.LSTM(2, return_sequences=True, return_state=True, name="l"), name="b"), X, {"mask": MASK}),
    Row("Bidirectional of two kinds", lambda k: k.layers.Bidirectional(
        k.layers.LSTM(3, name="l"), backward_layer=k.layers.GRU(3, go_backwards=True, name="g"), name="b"), X),
    Row("TimeDistributed", lambda k: k.layers.TimeDistributed(k.layers.Dense(3, name="d"), name="t"), X),
    Row("TimeDistributed convolution", lambda k: k.layers.TimeDistributed(k.layers.Conv2D(2, 2, name="c"), name="t"), draw(2, 3, 4, 4, 2)),
    Row("ConvLSTM1D", lambda k: k.layers.ConvLSTM1D(2, 3, padding="same", return_sequences=True, name="c"), draw(2, 3, 6, 2)),
    Row("ConvLSTM2D", lambda k: k.layers.ConvLSTM2D(2, 3, return_state=True, name="c"), draw(2, 3, 5, 4, 2)),
    Row("ConvLSTM2D strided, channels first", lambda k: k.layers.ConvLSTM2D(
        2, 2, strides=2, data_format="channels_first", go_backwards=True, name="c"), draw(2, 3, 2, 6, 4)),
    Row("ConvLSTM3D", lambda k: k.layers.ConvLSTM3D(2, 2, use_bias=False, name="c"), draw(1, 2, 3, 3, 3, 1)),
]
