"""Calls of layers that were made in a `RematScope`."""

from typing import Any, Callable

import numpy as np

from kerasish.base import tree
from kerasish.engine.remat import remat
from kerasish.engine.tensor import Tensor
from kerasish.layers.calls import Call, calls
from kerasish.ops.symbolic import KerasTensor


def rematerialized(layer: Any, layer_call: Callable, args: tuple, kwargs: dict) -> Callable:
    """The call, or a part of it, under `remat`, as the scope of the layer says for these arguments."""
    scope = layer._remat
    if scope is None or scope.mode == "list_of_layers" and layer.name not in scope.layer_names:
        return layer_call
    if scope.mode == "activations":
        return _activation_again(layer, layer_call)
    if scope.mode == "larger_than" and _largest(layer, args, kwargs) <= scope.output_size_threshold:
        return layer_call
    return _call_again(layer, layer_call)


def _largest(layer: Any, args: tuple, kwargs: dict) -> int:
    """The number of elements of the largest output, sizes that are unknown counted as 1."""

    def symbol(x: Any) -> Any:
        return KerasTensor(tuple(d if isinstance(d, int) else None for d in x.shape), x.dtype) if isinstance(x, Tensor) else x

    losses = _losses(layer)
    outputs = layer.compute_output_spec(*tree.map_structure(symbol, args), **tree.map_structure(symbol, kwargs))
    _restore(losses)
    return max(int(np.prod([d for d in out.shape if d is not None])) for out in tree.flatten(outputs))


def _losses(layer: Any) -> list[tuple]:
    return [(inner, list(inner._losses)) for inner in layer._flatten_layers()]


def _restore(losses: list[tuple]) -> None:
    for inner, before in losses:
        inner._losses[:] = before


def _activation_again(layer: Any, layer_call: Callable) -> Callable:
    activation = getattr(layer, "activation", None)
    if activation is None:
        return layer_call

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        layer.__dict__["activation"] = remat(activation)
        try:
            return layer_call(*args, **kwargs)
        finally:
            layer.__dict__["activation"] = activation

    return wrapped


def _call_again(layer: Any, layer_call: Callable) -> Callable:
    """The call under `remat`. Losses that layers inside add are results of it; masks and the training mode go along."""
    training = calls.now.training

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        masks = [getattr(x, "_keras_mask", None) for x in tree.flatten((args, kwargs))]

        def again(*args: Any, **kwargs: Any) -> tuple:
            for x, mask in zip(tree.flatten((args, kwargs)), masks, strict=True):
                if mask is not None:
                    x._keras_mask = mask
            before, calls.now = getattr(calls, "now", None), Call(training)
            losses = _losses(layer)
            try:
                out = layer_call(*args, **kwargs)
                return out, [inner._losses[len(known) :] for inner, known in losses]
            finally:
                calls.now = before
                _restore(losses)

        outputs, added = remat(again)(*args, **kwargs)
        for inner, more in zip(layer._flatten_layers(), added, strict=True):
            inner._losses.extend(more)
        return outputs

    return wrapped
