"""Recurrent layers: a cell computes a time step, RNN drives it along the sequence."""

from kerasish.layers.rnn.bidirectional import Bidirectional
from kerasish.layers.rnn.cells import GRUCell, LSTMCell, SimpleRNNCell
from kerasish.layers.rnn.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from kerasish.layers.rnn.recurrent import GRU, LSTM, SimpleRNN
from kerasish.layers.rnn.rnn import RNN
from kerasish.layers.rnn.stacked import StackedRNNCells
from kerasish.layers.rnn.time_distributed import TimeDistributed

__all__ = [
    "GRU", "LSTM", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRUCell", "LSTMCell", "SimpleRNN",
    "SimpleRNNCell", "StackedRNNCells", "TimeDistributed",
]  # fmt: skip
