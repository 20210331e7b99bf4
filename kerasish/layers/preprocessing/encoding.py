"""Indices as vectors: what the layers of categories have in common."""

from typing import Any

from kerasish import ops

MODES = ("int", "one_hot", "multi_hot", "count")


def check_no_sparse(sparse: bool) -> bool:
    if sparse:
        raise ValueError("`sparse=True` can only be used with the TensorFlow backend. Use sparse=False: there are no sparse tensors here.")
    return False


def encode(indices: Any, output_mode: str, depth: int, dtype: Any, weights: Any = None) -> Any:
    """Indices as vectors of length `depth`; indices out of range count nowhere.

    "one_hot":   one vector for each index; a last axis of length 1 is taken away first.
    "multi_hot": one vector for each row, with ones at its indices.
    "count":     one vector for each row, of how often each index is in it, or the sums of their weights.
    """
    rank = len(indices.shape)
    if output_mode == "one_hot":
        if rank == 0:
            indices = ops.reshape(indices, (1,))
        elif rank > 1 and indices.shape[-1] == 1:
            indices = ops.squeeze(indices, -1)
        return ops.one_hot(indices, depth, dtype=dtype)
    if rank == 0:
        indices = ops.reshape(indices, (1,))
        weights = None if weights is None else ops.reshape(weights, (1,))
    if rank <= 2:
        known = ops.logical_and(indices >= 0, indices < depth)
        places = ops.where(known, indices, depth)
        counts = ops.bincount(places, weights=weights, minlength=depth + 1)[..., :depth]
    else:  # as Keras has it, along the second axis
        hot = ops.one_hot(indices, depth, dtype=dtype)
        counts = ops.sum(hot if weights is None else hot * ops.expand_dims(weights, -1), axis=1)
    return ops.cast(counts > 0 if output_mode == "multi_hot" else counts, dtype)


def encoded_shape(shape: tuple, output_mode: str, depth: int) -> tuple:
    """The shape that `encode` gives for indices of this shape; "int" stands for the indices themselves."""
    if output_mode == "int":
        return tuple(shape)
    if output_mode == "one_hot":
        shape = tuple(shape) or (1,)
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    return (shape[0], *shape[2:], depth) if len(shape) > 1 else (depth,)
