"""`rearrange`: axes split, moved and merged by a pattern that names them."""

import re
from typing import Any

from kerasish.engine.dims import product
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import tensor
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op


def _groups(side: str) -> list[list[str]]:
    """`b (h w) c` as [["b"], ["h", "w"], ["c"]]; 1 is an axis of that size and has no name."""
    out = []
    for token in re.findall(r"\([^()]*\)|\S+", side):
        names = token.strip("()").split()
        if any(not (n.isidentifier() or n in ("1", "...")) for n in names):
            raise ValueError(f"Invalid part {token!r} in the pattern {side!r}.")
        out.append([n for n in names if n != "1"])
    return out


def _written(group: list[str], names: list[str]) -> list[str]:
    """A group with the ellipsis in it replaced by the axes that it stands for."""
    return [m for n in group for m in (names if n == "..." else [n])]


@op(tensors="tensor pattern")
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Tensor:
    """The axes of a tensor by a pattern such as "b (h w) c -> b h w c"; lengths that can't be inferred are given."""
    return _rearranged(tensor, pattern, axes_lengths)


def _rearranged(x: Any, pattern: str, lengths: dict) -> Tensor:
    x = tensor(x)
    left, arrow, right = pattern.partition("->")
    if not arrow:
        raise ValueError(f"A pattern has the form 'left -> right'. Received: pattern={pattern!r}")
    before, after = _groups(left), _groups(right)
    if ["..."] in before:
        at = before.index(["..."])
        free = [[f"_{i}"] for i in range(x.ndim - len(before) + 1)]
        before[at : at + 1] = free
        names = [n for g in free for n in g]
        after = [g for group in after for g in (free if group == ["..."] else [_written(group, names)])]
    if len(before) != x.ndim:
        raise ValueError(f"The pattern {pattern!r} names {len(before)} axes. Received: a tensor of shape {x.shape}")
    order_before = [n for g in before for n in g]
    order_after = [n for g in after for n in g]
    if sorted(order_before) != sorted(order_after) or len(set(order_before)) != len(order_before):
        raise ValueError(f"Both sides of a pattern must name the same axes, each once. Received: pattern={pattern!r}")
    size = dict(lengths)
    for group, d in zip(before, x.shape, strict=True):
        unknown = [n for n in group if n not in size]
        if len(unknown) > 1:
            raise ValueError(f"The lengths of {unknown} can't be inferred. Pass them: rearrange(…, {unknown[0]}=…)")
        known = product([size[n] for n in group if n in size])
        if unknown:
            size[unknown[0]] = d // known
    split = reshaped(x, [size[n] for n in order_before])
    moved = permuted(split, tuple(order_before.index(n) for n in order_after))
    return reshaped(moved, [product([size[n] for n in g]) for g in after])
