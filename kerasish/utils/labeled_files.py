"""What data sets of files in folders share: which files, which labels, which part."""

from typing import Any, Callable

import numpy as np

from kerasish.utils.directories import check_validation_split, index_directory, part_for
from kerasish.utils.indexed import IndexedRows


class LabeledFiles(IndexedRows):
    """Batches of what is read from files, with labels if there are any.

    file_paths, class_names: the files in their first order, and the names of the classes.
    """

    def __init__(self, read: Callable, collate: Callable, paths: list, labels: Any, class_names: Any, *order: Any):
        super().__init__(len(paths), *order)
        self.read, self.collate = read, collate
        self.file_paths, self.labels, self.class_names = paths, labels, class_names

    def rows(self, indices: np.ndarray) -> tuple:
        values = self.collate([self.read(self.file_paths[i]) for i in indices])
        return (values,) if self.labels is None else (values, self.labels[indices])


def files_as_dataset(
    read: Callable, collate: Callable, formats: tuple, kind: str, directory: Any, labels: Any, label_mode: Any,
    class_names: Any, batch_size: int | None, shuffle: bool, seed: int | None, validation_split: Any, subset: Any,
    follow_links: bool, verbose: bool,
) -> Any:  # fmt: skip
    """A data set of the files of a kind in the folders of a directory, or a list of two of them for "both" parts."""
    if labels not in ("inferred", None) and not isinstance(labels, (list, tuple)):
        raise ValueError(
            f"`labels` argument should be a list/tuple of integer labels, of the same size as the number of {kind} files in "
            "the target directory. If you wish to infer the labels from the subdirectory names in the target directory, pass "
            f'`labels="inferred"`. If you wish to get a dataset that only contains {kind} samples (no labels), pass '
            f"`labels=None`. Received: labels={labels}"
        )
    if class_names and labels is None:
        raise ValueError("When `labels=None` (no labels), argument `class_names` cannot be specified.")
    if class_names and labels != "inferred":
        raise ValueError(
            f'You can only pass `class_names` if `labels="inferred"`. Received: labels={labels}, class_names={class_names}'
        )
    if label_mode not in ("int", "categorical", "binary", None):
        raise ValueError(
            '`label_mode` argument must be one of "int", "categorical", "binary", or None. Received: '
            f"label_mode={label_mode}"
        )
    if labels is None or label_mode is None:
        labels = label_mode = None
    check_validation_split(validation_split, subset, shuffle, seed)
    seed = int(np.random.randint(10**6)) if seed is None else seed
    paths, labels, class_names = index_directory(
        directory, labels, formats, class_names, shuffle, seed, follow_links, verbose
    )
    if label_mode == "binary" and len(class_names) != 2:
        raise ValueError(
            f'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: class_names={class_names}'
        )
    targets = targets_of(labels, label_mode, class_names)

    def part(name: str | None) -> LabeledFiles:
        files = part_for(name, paths, validation_split)
        if not files:
            raise ValueError(f"No {name or kind} files found in directory {directory}. Allowed format(s): {formats}")
        chosen = part_for(name, targets, validation_split)
        return LabeledFiles(read, collate, files, chosen, class_names, batch_size, shuffle, seed)

    if subset != "both":
        return part(subset)
    training, validation = part("training"), part("validation")
    validation.shuffle = False
    return [training, validation]


def targets_of(labels: Any, label_mode: str | None, class_names: Any) -> Any:
    """Integer labels as the mode has them."""
    if labels is None:
        return None
    if label_mode == "categorical":
        return np.eye(len(class_names), dtype="float32")[labels]
    return labels[:, None].astype("float32") if label_mode == "binary" else labels.astype("int32")
