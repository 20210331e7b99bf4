"""Which adapter feeds from which kind of data."""

import types
import warnings
from typing import Any

from kerasish.base import tree
from kerasish.data.arrays import ArrayBatches
from kerasish.data.batches import Batches
from kerasish.data.columns import is_array_like, replace_number_lists
from kerasish.data.dataset import PyDataset, PyDatasetBatches
from kerasish.data.streams import StreamBatches, generator_batches


def as_batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool | str = False,
    class_weight: dict[int, float] | None = None,
    seed: int | None = None,
) -> Batches:
    """The batches of whatever was passed as `x`, `y` and `sample_weight` to fit, evaluate or predict.

    Arrays of any kind, and structures of them: `ArrayBatches`. A `PyDataset`: `PyDatasetBatches`. A generator, a torch
    DataLoader, a tf.data data set or any other iterable of batches: `StreamBatches`; these bring their own targets,
    weights and order. `Batches` are returned as they are. ValueError for anything else.
    """
    if isinstance(x, Batches):
        return x
    if _are_arrays((x, y, sample_weight)):
        return ArrayBatches(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            steps=steps,
            shuffle=shuffle,
            class_weight=class_weight,
            seed=seed,
        )
    kind = _kind_of_stream(x)
    if kind is None:
        raise ValueError(
            f"Unrecognized data type: x={x!r} (of type {type(x)}). Pass arrays, a structure of arrays, a `PyDataset`, "
            "a generator, or an iterable of batches."
        )
    for argument, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"When `x` is a {kind}, `{argument}` should not be passed: it belongs into the batches, as "
                "`(x, y)` or `(x, y, sample_weight)`."
            )
    if class_weight is not None and kind in ("generator", "torch DataLoader"):
        raise ValueError(
            f"Argument `class_weight` is not supported when `x` is a {kind}. Let its batches be `(x, y, sample_weight)`"
            f". Received: class_weight={class_weight}"
        )
    if isinstance(x, PyDataset):
        if shuffle and x.num_batches is None:
            _warn_not_shuffled("PyDataset without end")
        return PyDatasetBatches(x, class_weight=class_weight, shuffle=shuffle, seed=seed)
    if shuffle:
        _warn_not_shuffled(kind)
    if kind == "generator":
        return generator_batches(x)
    return StreamBatches(x, class_weight=class_weight, **_stream_sizes(x))


def _are_arrays(arguments: Any) -> bool:
    return all(is_array_like(leaf) for leaf in tree.flatten(replace_number_lists(arguments)))


def _kind_of_stream(x: Any) -> str | None:
    if isinstance(x, PyDataset):
        return "PyDataset"
    if isinstance(x, types.GeneratorType):
        return "generator"
    if isinstance(x, (str, bytes, dict, set)) or not hasattr(x, "__iter__"):
        return None
    modules = {(parent.__module__.partition(".")[0], parent.__name__) for parent in type(x).__mro__}
    if ("torch", "DataLoader") in modules:
        return "torch DataLoader"
    return "tf.data.Dataset" if any(module == "tensorflow" for module, _ in modules) else type(x).__name__


def _stream_sizes(x: Any) -> dict[str, int | None]:
    """What an iterable says of its sizes: by `cardinality()`, as tf.data has it, or else by `len()`."""
    if hasattr(x, "cardinality"):
        count = int(x.cardinality())
        return {"num_batches": count if count >= 0 else None}
    try:
        count = len(x)
    except TypeError:  # no __len__, or one that cannot tell
        return {}
    size = getattr(x, "batch_size", None)
    if not isinstance(size, int) or getattr(x, "drop_last", False):
        return {"num_batches": count, "batch_size": size if isinstance(size, int) else None}
    try:
        partial = len(x.dataset) % size or None
    except (AttributeError, TypeError):
        partial = None
    return {"num_batches": count, "batch_size": size, "partial_batch_size": partial}


def _warn_not_shuffled(kind: str) -> None:
    warnings.warn(
        f"`shuffle=True` was passed, but will be ignored since `x` is a {kind}, which determines the order of its "
        "batches itself. Pass `shuffle=False` to say so.",
        stacklevel=3,
    )
