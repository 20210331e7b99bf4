"""Attention."""

import math
from typing import Any

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.dims import same
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import floats, tensor
from kerasish.ops.numpy.creation import band
from kerasish.ops.op import op

LOWEST = -0.7  # times the largest number: what hidden scores count as


@op(tensors="query key value bias mask scale")
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: Any = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """Means of the values, weighted by the softmax of the products of queries and keys (Vaswani et al., 2017).

    query: (batch, targets, heads, size); key, value: (batch, sources, heads or a divisor of them, size).
    bias, mask: broadcast to (batch, heads, targets, sources); where the mask is False nothing is looked at.
    """
    q, k, v = floats(query, key, value)
    if any(t.ndim != 4 for t in (q, k, v)):
        raise ValueError(
            "`dot_product_attention` only supports 4D inputs. "
            f"Received: query.shape={q.shape}, key.shape={k.shape}, value.shape={v.shape}."
        )
    if flash_attention:
        raise ValueError("Flash attention is not available here. Leave `flash_attention` out.")
    heads, shared = q.shape[2], k.shape[2]
    if heads % shared:
        raise ValueError(
            f"The number of query heads must be a multiple of that of key heads. Received: {q.shape} and {k.shape}"
        )
    if bias is None and attn_logits_soft_cap is None:
        seen = tensor(mask, bool) if mask is not None else None
        number = 1 / math.sqrt(q.shape[3]) if scale is None else scale
        y = attention_at_once(q, k, v, seen, number, is_causal, LOWEST * float(np.finfo(q.dtype).max))
        if y is not None:
            return y
    factor = tensor(1 / math.sqrt(q.shape[3]) if scale is None else scale, q.dtype)
    # scaling the queries touches fewer numbers than scaling the products
    q = P.transpose(P.mul(q, factor), axes=(0, 2, 1, 3))
    k, v = (P.transpose(_repeat_heads(t, heads // shared), axes=(0, 2, 1, 3)) for t in (k, v))
    logits = P.matmul(q, P.swap(k))
    if attn_logits_soft_cap is not None:
        cap = P.scalar(logits, attn_logits_soft_cap)
        logits = P.mul(P.tanh(P.div(logits, cap)), cap)
    if bias is not None:
        logits = P.add(logits, tensor(bias, logits.dtype))
    seen = tensor(mask, bool) if mask is not None else None
    if is_causal:
        below = band(logits.shape[2], logits.shape[3], 0, P.less_equal)
        seen = below if seen is None else P.logical_and(seen, below)
    if seen is not None:
        hidden = P.scalar(logits, LOWEST * float(np.finfo(logits.dtype).max))
        logits = P.select(seen, logits, hidden)
    if logits.dtype == "float16":
        weights = tensor(P.softmax(tensor(logits, "float32"), axis=3), "float16")
    else:
        weights = P.softmax(logits, axis=3)
    return P.transpose(P.matmul(weights, v), axes=(0, 2, 1, 3))


def attention_at_once(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: Any, causal: bool, fill: float
) -> Tensor | None:
    """Attention as one primitive, whose weights are never in memory; None where that can't be said so.

    q: (batch, targets, heads, size); k, v: (batch, sources, heads or a divisor of them, size); mask: booleans that
    broadcast to (batch, heads, targets, sources). Hidden scores count as `fill` where a target sees nothing else.
    """
    if not q.dtype == k.dtype == v.dtype or q.dtype.char not in "fd":
        return None
    if mask is not None:
        scores = (q.shape[0], q.shape[2], q.shape[1], k.shape[1])
        if not len(mask.shape) <= 4:
            return None
        mask = P.reshape(mask, shape=(*[1] * (4 - len(mask.shape)), *mask.shape))
        if not all(same(a, 1) or same(a, b) for a, b in zip(mask.shape, scores, strict=True)):
            return None
    if not isinstance(scale, (int, float)):
        q, scale = P.mul(q, tensor(scale, q.dtype)), 1
    k, v = (_repeat_heads(t, q.shape[2] // t.shape[2]) for t in (k, v))
    masks = () if mask is None else (mask,)
    return P.attention(q, k, v, *masks, scale=float(scale), causal=bool(causal), fill=fill)


def _repeat_heads(x: Tensor, times: int) -> Tensor:
    """Every head several times, one after the other, of (batch, length, heads, size)."""
    if times == 1:
        return x
    b, n, h, d = x.shape
    wide = P.broadcast_to(P.reshape(x, shape=(b, n, h, 1, d)), shape=(b, n, h, times, d))
    return P.reshape(wide, shape=(b, n, h * times, d))
