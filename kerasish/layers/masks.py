"""How masks travel: with the tensors, from a layer's inputs to its outputs."""

import warnings
from typing import Any

from kerasish import ops
from kerasish.base import tree
from kerasish.engine.tensor import Tensor
from kerasish.ops.symbolic import KerasTensor


class SymbolicMask:
    """Stands for the mask of a symbolic tensor: only that there is one is known."""


def masks_of(x: Any) -> Any:
    """The masks of the inputs in their structure; None if there is none."""
    if not isinstance(x, (list, tuple, dict)):
        return getattr(x, "_keras_mask", None)
    masks = tree.map_structure(lambda t: getattr(t, "_keras_mask", None), x)
    return masks if any(m is not None for m in tree.flatten(masks)) else None


class Masked:
    """The part of Layer that passes masks on."""

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs: the one of the inputs, for layers that support masking."""
        return previous_mask

    def _set_mask(self, inputs: Any, outputs: Any, mask: Any) -> Any:
        flat = tree.flatten(outputs)
        if type(self).compute_mask is Masked.compute_mask and not self.supports_masking:
            if mask is not None and not self._mask_warned:
                object.__setattr__(self, "_mask_warned", True)
                warnings.warn(
                    f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with a mask attached to it. "
                    "However, this layer does not support masking and will therefore destroy the mask information. "
                    "Downstream layers will not see the mask.",
                    stacklevel=3,
                )
            return outputs
        if isinstance(flat[0], KerasTensor):
            masks: list = [SymbolicMask()] * len(flat)
            if type(self).compute_mask is not Masked.compute_mask and mask is None and not self._makes_mask():
                masks = [None] * len(flat)
        else:
            masks = tree.flatten(self.compute_mask(inputs, mask))
        if len(masks) == 1 and len(flat) > 1:
            masks = masks + [None] * (len(flat) - 1)
        given = {id(x) for x in tree.flatten(inputs)}
        for i, (o, m) in enumerate(zip(flat, masks, strict=False)):
            if m is None or not isinstance(o, (Tensor, KerasTensor)):
                continue
            if id(o) in given and getattr(o, "_keras_mask", None) is not m:
                flat[i] = o = ops.copy(o) if isinstance(o, Tensor) else KerasTensor(o.shape, o.dtype)
            o._keras_mask = m
        return tree.pack_sequence_as(outputs, flat)

    _mask_warned = False

    def _makes_mask(self) -> bool:
        """Whether outputs have a mask though the inputs have none (Embedding with mask_zero, Masking)."""
        return False
