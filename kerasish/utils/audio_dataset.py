"""Sound files in folders as a data set."""

import wave
from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.utils.labeled_files import files_as_dataset


def read_wave(path: str) -> tuple[np.ndarray, int]:
    """The samples of a .wav file, (time, channels) in [-1, 1), and how many there are in a second."""
    with wave.open(path, "rb") as file:
        width, channels = file.getsampwidth(), file.getnchannels()
        raw, rate = file.readframes(file.getnframes()), file.getframerate()
    if width == 1:  # the only kind without a sign
        samples = np.frombuffer(raw, np.uint8).astype("float32") / 128 - 1
    elif width == 3:
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        samples = (wide.view("<i4")[:, 0] / 2.0**31).astype("float32")
    else:
        samples = (np.frombuffer(raw, f"<i{width}") / 2.0 ** (8 * width - 1)).astype("float32")
    return samples.reshape(-1, channels), rate


def resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples at another rate, by straight lines between them."""
    if rate == wanted:
        return samples
    places = np.arange(int(len(samples) * wanted / rate)) * (rate / wanted)
    return np.stack([np.interp(places, np.arange(len(samples)), s) for s in samples.T], -1).astype("float32")


@export("keras.utils.audio_dataset_from_directory")
def audio_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: str | None = "int", class_names: Any = None,
    batch_size: int | None = 32, sampling_rate: int | None = None, output_sequence_length: int | None = None,
    ragged: bool = False, shuffle: bool = True, seed: int | None = None, validation_split: float | None = None,
    subset: str | None = None, follow_links: bool = False, verbose: bool = True,
) -> Any:  # fmt: skip
    """Sound files (.wav) in the folders of a directory, a folder for each class, as a data set for `fit`.

    Batches are (batch, time, channels) in [-1, 1), filled up with zeros to the longest, or to `output_sequence_length`.
    sampling_rate: samples in a second, to which sounds are brought.
    The other arguments are those of `text_dataset_from_directory`.
    """
    if ragged and output_sequence_length is not None:
        raise ValueError("Cannot set both `ragged` and `output_sequence_length`")
    if ragged:
        raise ValueError("There are no ragged tensors here. Use ragged=False, with `output_sequence_length` if you like.")
    if sampling_rate is not None and (not isinstance(sampling_rate, int) or sampling_rate <= 0):
        raise ValueError(f"`sampling_rate` should be a positive integer. Received: sampling_rate={sampling_rate}")

    def read(path: str) -> np.ndarray:
        samples, rate = read_wave(path)
        return samples if sampling_rate is None else resampled(samples, rate, sampling_rate)

    def collate(sounds: list) -> np.ndarray:
        length = output_sequence_length or max(map(len, sounds))
        out = np.zeros((len(sounds), length, sounds[0].shape[1]), "float32")
        for row, s in zip(out, sounds, strict=True):
            row[: len(s)] = s[:length]
        return out

    return files_as_dataset(
        read, collate, (".wav",), "audio", directory, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip
