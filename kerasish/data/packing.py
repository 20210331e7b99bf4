"""The `(x, y, sample_weight)` convention, and the checks that arrays must pass before they are batched."""

from typing import Any

import numpy as np

from kerasish.base import config, tree
from kerasish.base.registry import export
from kerasish.data.columns import as_columns, is_array_like, replace_number_lists


@export("keras.utils.unpack_x_y_sample_weight")
def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """What `train_step(data)` receives, as `(x, y, sample_weight)` with None for what is absent.

    >>> unpack_x_y_sample_weight(("x", "y"))
    ('x', 'y', None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch must be `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`. Received a {type(data).__name__} of "
            f"{len(data)} elements: {data}"
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


@export("keras.utils.pack_x_y_sample_weight")
def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The inverse of `unpack_x_y_sample_weight`. A lone `x` stays bare unless it is itself a list or tuple.

    >>> pack_x_y_sample_weight("x"), pack_x_y_sample_weight("x", "y"), pack_x_y_sample_weight(["a", "b"])
    ('x', ('x', 'y'), (['a', 'b'],))
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def check_data_cardinality(x: Any, y: Any = None, sample_weight: Any = None) -> int:
    """The number of rows that all the columns agree on. ValueError if they do not, or if there are no rows."""
    sizes = {
        label: [column.shape[0] for column in tree.flatten(part) if column is not None]
        for label, part in (("x", x), ("y", y), ("sample_weight", sample_weight))
    }
    distinct = {size for part in sizes.values() for size in part}
    if len(distinct) > 1:
        listing = "\n".join(f"  '{label}' sizes: {', '.join(map(str, part))}" for label, part in sizes.items() if part)
        raise ValueError(
            "Data cardinality is ambiguous. All arrays must hold the same number of samples (the length of their "
            f"first axis). Received:\n{listing}"
        )
    if not distinct or 0 in distinct:
        raise ValueError("The data is empty: `x` must hold at least one sample.")
    return distinct.pop()


def spread_sample_weight(y: Any, sample_weight: Any) -> Any:
    """One sample weight per output: given as the same structure as `y`, or one weight per sample for all outputs."""
    if sample_weight is None or not tree.is_nested(y):
        return sample_weight
    if tree.is_nested(sample_weight):
        try:
            tree.assert_same_structure(y, sample_weight)
        except ValueError:
            raise ValueError(
                "A model with several outputs takes one `sample_weight` array for each of them, in the structure of "
                f"`y`. The structures differ:\n  y: {_outline(y)}\n  sample_weight: {_outline(sample_weight)}"
            ) from None
        return sample_weight
    shape = sample_weight.shape
    if len(shape) != 1 and not (len(shape) == 2 and shape[1] == 1):
        raise ValueError(
            "A single `sample_weight` array for a model with several outputs must hold one number per sample, shape "
            f"(num_samples,). Received shape {tuple(shape)}. For other weights pass one array for each output."
        )
    return tree.map_structure(lambda _: sample_weight, y)


def class_weight_to_sample_weight(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    """The weight of each row's class, shape (rows,). `y` holds class indices or one-hot rows; other classes weigh 1."""
    y = np.asarray(y)
    if y.ndim > 1:
        y = np.argmax(y, axis=-1) if y.shape[-1] != 1 else np.squeeze(y, axis=-1)
    if y.ndim != 1:
        raise ValueError(
            "`class_weight` needs targets that hold one class per sample: indices of shape (num_samples,) or "
            f"(num_samples, 1), or one-hot rows of shape (num_samples, num_classes). Received: y.shape={y.shape}"
        )
    classes, positions = np.unique(np.round(y).astype("int64"), return_inverse=True)
    weights = np.array([class_weight.get(int(c), 1.0) for c in classes], dtype=config.floatx())
    return weights[positions]


def check_class_weight(y: Any, sample_weight: Any) -> None:
    """Refuse what `class_weight` cannot be combined with."""
    if sample_weight is not None:
        raise ValueError("You cannot pass `class_weight` and `sample_weight` at the same time. Multiply them yourself.")
    if tree.is_nested(y):
        raise ValueError("`class_weight` is only supported for models with a single output.")
    if y is None:
        raise ValueError("`class_weight` needs targets: pass `y`, or leave `class_weight` out.")


def train_validation_split(arrays: Any, validation_split: float) -> tuple[Any, Any]:
    """Split every array of a structure: the last `validation_split` of the rows is for validation.

    Nothing is copied, and nothing is read from an HDF5 data set. None stays None on both sides.

    >>> train, validation = train_validation_split(np.arange(10), 0.2)
    >>> np.asarray(train), np.asarray(validation)
    (array([0, 1, 2, 3, 4, 5, 6, 7]), array([8, 9]))
    """
    arrays = replace_number_lists(arrays)
    unsplittable = [type(leaf) for leaf in tree.flatten(arrays) if not is_array_like(leaf)]
    if unsplittable:
        raise ValueError(
            "Argument `validation_split` is only supported for arrays and tensors, which can be cut by position. "
            f"Received: {unsplittable}. Pass `validation_data` instead."
        )
    columns = as_columns(arrays)
    rows = next((column.shape[0] for column in tree.flatten(columns) if column is not None), None)
    if rows is None:
        return arrays, arrays
    split_at = int(np.floor(rows * (1.0 - validation_split)))
    if not 0 < split_at < rows:
        raise ValueError(
            f"`validation_split={validation_split}` of {rows} samples leaves no sample on one side. Provide more data, "
            "or another `validation_split`, a fraction between 0 and 1."
        )

    def part(start: int, stop: int) -> Any:
        return tree.map_structure(lambda column: None if column is None else column.window(start, stop), columns)

    return part(0, split_at), part(split_at, rows)


def _outline(structure: Any) -> Any:
    return tree.map_structure(lambda leaf: getattr(leaf, "shape", type(leaf).__name__), structure)
