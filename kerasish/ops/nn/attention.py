"""Attention."""

import math
from typing import Any

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import floats, tensor
from kerasish.ops.numpy.creation import band
from kerasish.ops.op import op


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
    size = q.shape[3]
    factor = tensor(1 / math.sqrt(size) if scale is None else scale, q.dtype)
    # scaling the queries touches fewer numbers than scaling the products
    q = P.transpose(P.mul(q, factor), axes=(0, 2, 1, 3))
    k, v = (_spread(P.transpose(t, axes=(0, 2, 1, 3)), heads // shared) for t in (k, v))
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
        hidden = P.scalar(logits, -0.7 * float(np.finfo(logits.dtype).max))
        logits = P.select(seen, logits, hidden)
    if logits.dtype == "float16":
        weights = tensor(P.softmax(tensor(logits, "float32"), axis=3), "float16")
    else:
        weights = P.softmax(logits, axis=3)
    return P.transpose(P.matmul(weights, v), axes=(0, 2, 1, 3))


def _spread(x: Tensor, times: int) -> Tensor:
    """Every head several times, for queries that share it."""
    if times == 1:
        return x
    b, h, s, d = x.shape
    wide = P.broadcast_to(P.reshape(x, shape=(b, h, 1, s, d)), shape=(b, h, times, s, d))
    return P.reshape(wide, shape=(b, h * times, s, d))
