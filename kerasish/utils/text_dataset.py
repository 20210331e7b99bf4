"""Text files in folders as a data set."""

from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.utils.labeled_files import files_as_dataset


@export("keras.utils.text_dataset_from_directory", "keras.preprocessing.text_dataset_from_directory")
def text_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: str | None = "int", class_names: Any = None,
    batch_size: int | None = 32, max_length: int | None = None, shuffle: bool = True, seed: int | None = None,
    validation_split: float | None = None, subset: str | None = None, follow_links: bool = False, format: str = "tf",
    verbose: bool = True,
) -> Any:  # fmt: skip
    """Text files in the folders of a directory, a folder for each class, as a data set for `adapt` and `fit`.

    labels:     "inferred" from the folders, None, or a list of integers in the order of the file names.
    label_mode: "int", "categorical" (one-hot), "binary" (0.0 or 1.0) or None.
    max_length: how many bytes are kept of a text.
    subset:     "training", "validation" or, as a list of two, "both" parts of a `validation_split`.

    Texts are arrays of str. `map(function)` and `take(n)` give data sets, too.
    """
    if format not in ("tf", "grain"):
        raise ValueError(f'`format` should be either "tf" or "grain". Received: format={format}')

    def read(path: str) -> str:
        with open(path, "rb") as file:
            return file.read(-1 if max_length is None else max_length).decode("utf-8", "replace")

    def collate(texts: list) -> np.ndarray:
        return np.array([*texts, None], object)[:-1]

    return files_as_dataset(
        read, collate, (".txt",), "text", directory, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip
