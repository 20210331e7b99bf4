"""Attention, and the dense layers it is made of."""

import numpy as np
from layer_row import Row, draw

Q, V, K = draw(2, 3, 4), draw(2, 5, 4, seed=1), draw(2, 5, 4, seed=2)
GRID = draw(2, 3, 2, 4)
SCORES = {"return_attention_scores": True}
QUERY_MASK, VALUE_MASK = np.array([[1, 1, 0], [1, 1, 1]], bool), np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]], bool)
NEAR = {"tolerance": 3e-5}


def multi(name, make, inputs=(Q, V), **call):
    return Row(name, make, list(inputs), call, star=True, **NEAR)


MULTI = [
    multi("MultiHeadAttention", lambda k: k.layers.MultiHeadAttention(2, 3, name="m")),
    multi("MultiHeadAttention with scores", lambda k: k.layers.MultiHeadAttention(2, 3, name="m"), **SCORES),
    multi("MultiHeadAttention with a key", lambda k: k.layers.MultiHeadAttention(2, 3, output_shape=5, use_bias=False, name="m"), (Q, V, K)),
    multi("MultiHeadAttention causal, gated", lambda k: k.layers.MultiHeadAttention(3, 2, use_gate=True, name="m"), (V, V), use_causal_mask=True),
    multi("MultiHeadAttention in a window", lambda k: k.layers.MultiHeadAttention(2, 3, sliding_window=2, name="m"), (V, V), **SCORES),
    multi("MultiHeadAttention masked", lambda k: k.layers.MultiHeadAttention(2, 3, name="m"), query_mask=QUERY_MASK,
          value_mask=VALUE_MASK, **SCORES),
    multi("MultiHeadAttention over two axes", lambda k: k.layers.MultiHeadAttention(2, 3, attention_axes=(1, 2), name="m"), (GRID, GRID), **SCORES),
    multi("MultiHeadAttention over one of two axes", lambda k: k.layers.MultiHeadAttention(2, 3, attention_axes=2, name="m"), (GRID, GRID), **SCORES),
    multi("GroupQueryAttention", lambda k: k.layers.GroupQueryAttention(3, 4, 2, name="g")),
    multi("GroupQueryAttention causal with scores", lambda k: k.layers.GroupQueryAttention(3, 4, 2, name="g"), (V, V),
          use_causal_mask=True, **SCORES),
]

ROWS = [
    *MULTI,
    Row("EinsumDense", lambda k: k.layers.EinsumDense("abc,cd->abd", (None, 6), bias_axes="d", activation="tanh", name="e"), Q),
    Row("EinsumDense of heads", lambda k: k.layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", name="e"), Q),
    Row("EinsumDense with any axes before", lambda k: k.layers.EinsumDense("...x,xy->...y", 5, bias_axes="y", name="e"), GRID),
    Row("EinsumDense over time", lambda k: k.layers.EinsumDense("abc,bde->acde", (4, 2, 3), name="e"), Q),
    Row("Attention", lambda k: k.layers.Attention(name="a"), [Q, V]),
    Row("Attention scaled, with key and scores", lambda k: k.layers.Attention(use_scale=True, name="a"), [Q, V, K], SCORES),
    Row("Attention by sums, causal", lambda k: k.layers.Attention(use_scale=True, score_mode="concat", name="a"), [V, V],
        {"use_causal_mask": True}),
    Row("Attention masked", lambda k: k.layers.Attention(name="a"), [Q, V], {"mask": [QUERY_MASK, VALUE_MASK], **SCORES}, symbolic=False),
    Row("Attention dropped out", lambda k: k.layers.Attention(dropout=0.5, seed=1, name="a"), [Q, V], {"training": True}, random=True),
    Row("AdditiveAttention", lambda k: k.layers.AdditiveAttention(name="a"), [Q, V], SCORES),
    Row("AdditiveAttention unscaled", lambda k: k.layers.AdditiveAttention(use_scale=False, name="a"), [Q, V, K]),
]
