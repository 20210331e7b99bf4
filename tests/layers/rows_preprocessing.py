"""Layers for raw values: categories, hashes, vocabularies, bins, standardization, spectrograms.

Strings are no tensors, so StringLookup and TextVectorization, and what `adapt` does, are in test_preprocessing_layers.
"""

import numpy as np
from layer_row import Row, draw

NUMBERS = np.array([[0, 1, 3], [3, 3, 2]], "int32")
COLUMN = np.array([[7], [-12]], "int32")
X = draw(4, 3)


def row(name, make, inputs, **more):
    return Row(name, make, inputs, differentiable=False, **more)


def vectors(name, make, inputs, **more):
    """A row for each way to make vectors."""
    return [row(f"{name} {mode}", lambda k, mode=mode: make(k, mode), inputs, **more) for mode in ("one_hot", "multi_hot", "count")]


ROWS = [
    *vectors("CategoryEncoding", lambda k, mode: k.layers.CategoryEncoding(4, output_mode=mode, name="c"), NUMBERS),
    row("CategoryEncoding of a column", lambda k: k.layers.CategoryEncoding(4, output_mode="one_hot", name="c"), NUMBERS[:, :1]),
    row("CategoryEncoding weighted", lambda k: k.layers.CategoryEncoding(4, output_mode="count", name="c"), NUMBERS,
        call={"count_weights": draw(2, 3)}),
    row("Hashing", lambda k: k.layers.Hashing(50, name="h"), NUMBERS),
    row("Hashing salted", lambda k: k.layers.Hashing(50, salt=[3, 5], mask_value=3, name="h"), NUMBERS),
    *vectors("Hashing", lambda k, mode: k.layers.Hashing(5, output_mode=mode, name="h"), NUMBERS),
    row("HashedCrossing", lambda k: k.layers.HashedCrossing(9, name="h"), [COLUMN, COLUMN + 1]),
    row("HashedCrossing one_hot", lambda k: k.layers.HashedCrossing(9, output_mode="one_hot", name="h"), [COLUMN, COLUMN + 1]),
    row("IntegerLookup", lambda k: k.layers.IntegerLookup(vocabulary=[3, 1], name="i"), NUMBERS),
    row("IntegerLookup unknown", lambda k: k.layers.IntegerLookup(vocabulary=[3], num_oov_indices=2, mask_token=1, name="i"), NUMBERS),
    *vectors("IntegerLookup", lambda k, mode: k.layers.IntegerLookup(vocabulary=[3, 1], output_mode=mode, name="i"), NUMBERS),
    row("IntegerLookup tf_idf", lambda k: k.layers.IntegerLookup(vocabulary=[3, 1], idf_weights=[0.5, 0.25], output_mode="tf_idf", name="i"), NUMBERS),
    row("Discretization", lambda k: k.layers.Discretization([-0.5, 0.0, 0.5], name="d"), X),
    *vectors("Discretization", lambda k, mode: k.layers.Discretization([-0.5, 0.0, 0.5], output_mode=mode, name="d"), X, mixed=False),
    Row("Normalization", lambda k: k.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0], name="n"), X),
    Row("Normalization of all", lambda k: k.layers.Normalization(axis=None, mean=0.5, variance=0.25, name="n"), X),
    Row("Normalization inverted", lambda k: k.layers.Normalization(
        axis=(1, 2), mean=draw(5, 3), variance=draw(5, 3) ** 2, invert=True, name="n"), draw(2, 5, 3)),
]

SOUND = draw(2, 50, 1)
CHANNELS = draw(2, 50, 3)
SILENCE = np.concatenate([draw(1, 50), 1e-6 * draw(1, 50)])
STFT = {
    "": {}, "magnitude": {"mode": "magnitude"}, "psd": {"mode": "psd"}, "real": {"mode": "real"}, "imag": {"mode": "imag"}, "stft": {"mode": "stft"},
    "psd unscaled": {"mode": "psd", "scaling": None}, "psd odd": {"mode": "psd", "fft_length": 21}, "psd spectrum": {"mode": "psd", "scaling": "spectrum"},
    "plain": {"window": None}, "weighted": {"window": [*range(1, 17)]}, "expanded": {"expand_dims": True}, "with steps": {"frame_step": 5, "fft_length": 32}, "padded": {"padding": "same", "fft_length": 20},
    "unscaled": {"scaling": None, "window": "hamming"}, "spectrum": {"scaling": "spectrum", "periodic": True, "window": "blackman"},
}  # fmt: skip
MEL = {
    "": {}, "power": {"power_to_db": False}, "magnitude": {"power_to_db": False, "mag_exp": 1.0}, "short window": {"sequence_length": 20},
    "loud": {"top_db": 10.0, "ref_power": 3.0, "window": "hamming"}, "bands": {"min_freq": 100.0, "max_freq": 4000.0, "window": None},
}  # fmt: skip


def named(*words):
    return " ".join(filter(None, words))


ROWS += [
    *[Row(named("STFTSpectrogram", n), lambda k, o=o: k.layers.STFTSpectrogram(frame_length=16, name="s", **o), SOUND, mixed=False) for n, o in STFT.items()],
    row("STFTSpectrogram angle", lambda k: k.layers.STFTSpectrogram("angle", frame_length=16, name="s"), SOUND, mixed=False),
    Row("STFTSpectrogram of channels", lambda k: k.layers.STFTSpectrogram("stft", frame_length=16, name="s"), CHANNELS, mixed=False),
    Row("STFTSpectrogram of channels, expanded", lambda k: k.layers.STFTSpectrogram("psd", frame_length=16, expand_dims=True, name="s"), CHANNELS, mixed=False),
    *[Row(f"STFTSpectrogram channels first {e}", lambda k, e=e: k.layers.STFTSpectrogram(
        "psd", frame_length=16, expand_dims=e, data_format="channels_first", name="s"), CHANNELS.transpose(0, 2, 1), mixed=False) for e in (True, False)],
    *[Row(named("MelSpectrogram", n), lambda k, o=o: k.layers.MelSpectrogram(fft_length=32, sequence_stride=8, num_mel_bins=5, name="m", **o),
          SOUND[:, :, 0], mixed=False, tolerance=1e-4) for n, o in MEL.items()],
    row("MelSpectrogram of near silence", lambda k: k.layers.MelSpectrogram(fft_length=32, sequence_stride=8, num_mel_bins=5, name="m"), SILENCE,
        mixed=False, tolerance=1e-3),
]
