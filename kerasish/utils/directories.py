"""Files in folders, one folder a class: which there are, and which part of them is for validation."""

import os
import pathlib
from typing import Any

import numpy as np


def check_validation_split(validation_split: Any, subset: Any, shuffle: bool, seed: Any) -> None:
    """Refuse arguments that would mix training and validation."""
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1, received: {validation_split}")
    if bool(validation_split) != bool(subset):
        raise ValueError("If `subset` is set, `validation_split` must be set, and inversely.")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f'`subset` must be either "training", "validation" or "both", received: {subset}')
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "If using `validation_split` and shuffling the data, you must provide a `seed` argument, to make sure that "
            "there is no overlap between the training and validation subset."
        )


def _files(folder: str, formats: tuple, follow_links: bool) -> list[str]:
    """The files with these endings in a folder and the folders in it, in order."""
    found = []
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links), key=lambda entry: entry[0]):
        found += [os.path.join(root, name) for name in sorted(names) if name.lower().endswith(formats)]
    return found


def index_directory(
    directory: Any, labels: Any, formats: tuple, class_names: Any = None, shuffle: bool = True, seed: Any = None,
    follow_links: bool = False, verbose: bool = True,
) -> tuple[list[str], Any, Any]:  # fmt: skip
    """The paths of the files, their labels and the names of the classes, in the order that Keras gives for this seed.

    labels: "inferred" from the folders, None, or a list with a label for each file in order of the names.
    """
    directory = os.fspath(pathlib.Path(directory))
    folders = [""]
    if labels == "inferred":
        folders = sorted(n for n in os.listdir(directory) if os.path.isdir(os.path.join(directory, n)) and n[0] != ".")
        if class_names is not None:
            if not set(class_names) <= set(folders):
                raise ValueError(
                    "The `class_names` passed did not match the names of the subdirectories of the target directory. "
                    f"Expected: {folders} (or a subset of it), but received: class_names={class_names}"
                )
            folders = list(class_names)
    elif class_names is not None:
        raise ValueError(f"`class_names` can only be passed with labels='inferred'. Received: labels={labels}")
    groups = [_files(os.path.join(directory, name), formats, follow_links) for name in folders]
    paths = [path for group in groups for path in group]
    if labels == "inferred":
        labels = np.repeat(np.arange(len(groups), dtype="int32"), [len(group) for group in groups])
        class_names = folders
    elif labels is not None:
        if len(labels) != len(paths):
            raise ValueError(
                "Expected the lengths of `labels` to match the number of files in the target directory. "
                f"len(labels) is {len(labels)} while we found {len(paths)} files in directory {directory}."
            )
        labels = np.asarray(labels)
        class_names = [str(label) for label in sorted(set(labels.tolist()))]
    if verbose:
        classes = "" if labels is None else f" belonging to {len(class_names)} classes"
        print(f"Found {len(paths)} files{classes}.")
    if shuffle:
        order = np.arange(len(paths))
        np.random.RandomState(seed).shuffle(order)
        paths = [paths[i] for i in order]
        labels = None if labels is None else labels[order]
    return paths, labels, class_names


def part_for(subset: str | None, items: Any, validation_split: float | None) -> Any:
    """The files or labels of "training" or "validation": the latter are the last ones."""
    if items is None or not validation_split:
        return items
    count = int(validation_split * len(items))
    cut = len(items) - count
    return items[:cut] if subset == "training" else items[cut:]
