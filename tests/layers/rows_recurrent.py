"""Recurrent layers."""

from layer_row import Row, draw

X = draw(3, 5, 2)

ROWS = [
    Row("LSTM", lambda k: k.layers.LSTM(3, name="l"), X),
    Row("LSTM backwards, sequences and state", lambda k: k.layers.LSTM(
        3, go_backwards=True, return_sequences=True, return_state=True, name="l"), X),
    Row("LSTM without bias, relu", lambda k: k.layers.LSTM(3, "relu", "hard_sigmoid", use_bias=False, name="l"), X),
]
