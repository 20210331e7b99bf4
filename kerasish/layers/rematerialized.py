"""Calls of layers that were made in a `RematScope`."""

from typing import Any, Callable

from kerasish.base import tree
from kerasish.engine.remat import remat
from kerasish.layers.calls import Call, calls


def losses_of(layer: Any) -> list[tuple]:
    """The losses that a layer and those inside have so far."""
    return [(inner, list(inner._losses)) for inner in layer._flatten_layers()]


def restore(losses: list[tuple]) -> None:
    """Forget the losses that were added since."""
    for inner, before in losses:
        inner._losses[:] = before


def call_again(layer: Any, layer_call: Callable) -> Callable:
    """The call under `remat`. Losses that layers inside add are results of it; masks and the training mode go along."""
    training = calls.now.training

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        masks = [getattr(x, "_keras_mask", None) for x in tree.flatten((args, kwargs))]

        def again(*args: Any, **kwargs: Any) -> tuple:
            for x, mask in zip(tree.flatten((args, kwargs)), masks, strict=True):
                if mask is not None:
                    x._keras_mask = mask
            before, calls.now = getattr(calls, "now", None), Call(training)
            losses = losses_of(layer)
            try:
                out = layer_call(*args, **kwargs)
                return out, [inner._losses[len(known) :] for inner, known in losses]
            finally:
                calls.now = before
                restore(losses)

        outputs, added = remat(again)(*args, **kwargs)
        for inner, more in zip(layer._flatten_layers(), added, strict=True):
            inner._losses.extend(more)
        return outputs

    return wrapped
