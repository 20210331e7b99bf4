"""A row of the table of layers in real Keras, on JAX."""

from typing import Any

import numpy as np
from layer_row import Row, cotangents, fill, flat, is_float


def made(keras: Any, row: Row) -> Any:
    layer = row.make(keras)
    if not layer.built:
        row.apply(layer, keras.tree.map_structure(keras.ops.convert_to_tensor, row.inputs))
    fill(layer)
    return layer


def outputs_and_gradients(keras: Any, row: Row, gradients: bool = True) -> tuple[list, list]:
    """Outputs, and if wanted the gradients of their weighted sum in the float inputs and the trainable weights."""
    import jax

    layer = made(keras, row)
    leaves = [keras.ops.convert_to_tensor(x) for x in flat(row.inputs)]
    state = [v.value for v in layer.non_trainable_variables]
    floats = [x for x in leaves if is_float(x)]

    def compute(floats: list, weights: list) -> list:
        moved = iter(floats)
        new = [next(moved) if is_float_dtype(x) else x for x in leaves]
        inputs = keras.tree.pack_sequence_as(row.inputs, new) if isinstance(row.inputs, (list, tuple, dict)) else new[0]
        y, _ = row.apply(lambda *args, **call: layer.stateless_call(weights, state, *args, **call), inputs)
        return flat(y)

    def is_float_dtype(x: Any) -> bool:
        return "float" in str(x.dtype)

    weights = [v.value for v in layer.trainable_variables]
    outputs = [np.asarray(y) for y in compute(floats, weights)]
    if not row.differentiable or not gradients:
        return outputs, []

    def loss(floats: list, weights: list) -> Any:
        ys = [y for y in compute(floats, weights) if is_float_dtype(y)]
        cs = cotangents([y for y in outputs if is_float(y)])
        return sum(keras.ops.sum(y * c.astype("float32")) for y, c in zip(ys, cs, strict=True))

    grads = jax.grad(loss, argnums=(0, 1))(floats, weights)
    return outputs, [np.asarray(g) for part in grads for g in part]
