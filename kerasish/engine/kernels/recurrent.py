"""LSTM and GRU over whole sequences, forward and backward, time first.

Sigmoids are computed as (1 + tanh(z / 2)) / 2, so that one call of tanh serves all gates: what enters a sigmoid comes
halved, from weights that the caller has halved, which is exact.

`seen` (steps, batch), where it is given, tells which steps a sequence has; in the others its state stays as it is.
"""

import numpy as np

from kerasish.engine.kernels.scratch import aligned, scratch
from kerasish.engine.kernels.stacks import bind_product

Array = np.ndarray


def _rows(values: tuple, like: Array) -> Array:
    """A number for each gate, repeated over the batch, in the layout of the gates (batch, gates, n)."""
    return np.ascontiguousarray(np.broadcast_to(np.array(values, like.dtype)[:, None], like.shape))


def _gaps(seen: Array | None, steps: int) -> list:
    """For each step the sequences that do not have it, or None where all have it."""
    if seen is None or seen.all():
        return [None] * steps
    return [None if row.all() else np.flatnonzero(~row) for row in seen]


def _earlier(first: Array, rows: Array) -> list:
    """The rows before each of `rows`."""
    return [first, *rows[:-1]]


# -- LSTM: gates input, forget, candidate, output ---------------------------------------------------------------------


def _lstm_planes(kept: Array) -> tuple:
    """gates (steps, batch, 4, n), and (steps, batch, n) each: tanh of the cell's state, output, cell's state."""
    steps, (batch, n) = len(kept) // 7, kept.shape[1:]
    gates = kept[: 4 * steps].reshape(steps, batch, 4, n)
    return gates, *kept[4 * steps :].reshape(3, steps, batch, n)


def lstm(x: Array, u: Array, h: Array, c: Array, seen: Array | None = None, out: Array | None = None) -> Array:
    """What is known of every step, (7 * steps, batch, n): see _lstm_planes.

    x (steps, batch, 4n): products of the inputs; u (n, 4n): weights of the state; h, c (batch, n): the first states.
    """
    (batch, n), steps = h.shape, len(x)
    if out is None:
        out = aligned((7 * steps, batch, n), x.dtype)
    gates, *states = _lstm_planes(out)
    scale, shift = (_rows(v, gates[0]).reshape(batch, 4 * n) for v in ((0.5, 0.5, 1, 0.5), (0.5, 0.5, 0, 0.5)))
    term = scratch("term", (batch, n), x.dtype)
    before, sums = scratch("before", h.shape, x.dtype), scratch("sums", (batch, 4 * n), x.dtype)
    product = bind_product(before, u, sums)
    add, multiply, tanh = np.add, np.multiply, np.tanh
    each_gate = (gates[:, :, k] for k in range(4))
    for row, z, i, f, g, o, tanh_c, new_h, new_c, gap in zip(
        x, gates.reshape(steps, batch, 4 * n), *each_gate, *states, _gaps(seen, steps)
    ):
        np.copyto(before, h)
        product()
        add(sums, row, z)
        tanh(z, z)
        multiply(z, scale, z)
        add(z, shift, z)
        multiply(f, c, new_c)
        multiply(i, g, term)
        add(new_c, term, new_c)
        tanh(new_c, tanh_c)
        multiply(o, tanh_c, new_h)
        if gap is not None:
            new_h[gap], new_c[gap] = h[gap], c[gap]
        h, c = new_h, new_c
    return out


def lstm_grad(
    dhs: Array, dcs: Array, kept: Array, u: Array, c: Array, seen: Array | None = None, out: Array | None = None
) -> Array:
    """The gradient of x, and after it in one step more that of the first c (in the place of the first gate).

    dhs, dcs (steps, batch, n): gradients of the outputs and of the cell's states. kept: what lstm returned.
    """
    gates, tanh_c, _, cs = _lstm_planes(kept)
    steps, batch, _, n = gates.shape
    if out is None:
        out = aligned((steps + 1, batch, 4 * n), kept.dtype)
    one = kept.dtype.type(1)
    # the slope of each gate is (1 - y) * (factor * y + offset)
    factor, offset = _rows((2, 2, 1, 2), gates[0]), _rows((0, 0, 1, 0), gates[0])
    slope = scratch("slope", (batch, 4, n), kept.dtype)
    dh, dc, term, through = (scratch(f"state {i}", (batch, n), kept.dtype) for i in range(4))
    dz = scratch("dz", (batch, 4, n), kept.dtype)
    product = bind_product(dz.reshape(batch, 4 * n), np.ascontiguousarray(u.T), through)
    dc.fill(0)
    through.fill(0)
    add, multiply, subtract = np.add, np.multiply, np.subtract
    rows = list(zip(dhs, dcs, gates, tanh_c, _earlier(c, cs), out.reshape(-1, batch, 4, n), _gaps(seen, steps)))
    for dh_here, dc_here, y, t, before, dx, gap in reversed(rows):
        i, f, g, o = y[:, 0], y[:, 1], y[:, 2], y[:, 3]
        add(dh_here, through, dh)
        add(dc_here, dc, dc)
        held = None if gap is None else (dh[gap], dc[gap])
        subtract(one, y, slope)
        multiply(y, factor, dz)
        add(dz, offset, dz)
        multiply(dz, slope, dz)
        # the output gate's, and what comes to the cell's state through the output
        multiply(dh, t, term)
        multiply(dz[:, 3], term, dz[:, 3])
        multiply(t, t, term)
        subtract(one, term, term)
        multiply(term, o, term)
        multiply(term, dh, term)
        add(dc, term, dc)
        for k, other in ((0, g), (1, before), (2, i)):
            multiply(dc, other, term)
            multiply(dz[:, k], term, dz[:, k])
        multiply(dc, f, dc)
        if gap is not None:
            dz[gap] = 0
        np.copyto(dx, dz)
        product()
        if gap is not None:
            through[gap], dc[gap] = held
    last = out[steps].reshape(batch, 4, n)
    last[:, 1:] = 0
    np.copyto(last[:, 0], dc)
    return out


# -- GRU: gates update, reset, candidate; the reset gate comes after the product with the state -----------------------


def _gru_planes(kept: Array) -> tuple:
    """gates (steps, 2, batch, n), and (steps, batch, n) each: the state's product for the candidate, it, the output."""
    steps, (batch, n) = len(kept) // 5, kept.shape[1:]
    return kept[: 2 * steps].reshape(steps, 2, batch, n), *kept[2 * steps :].reshape(3, steps, batch, n)


def gru(x: Array, u: Array, b: Array, h: Array, seen: Array | None = None, out: Array | None = None) -> Array:
    """What is known of every step, (5 * steps, batch, n): see _gru_planes.

    x (steps, batch, 3n): products of the inputs; u (n, 3n): weights of the state; b (n,): the candidate's bias that
    belongs to the state's product; h (batch, n): the first state.
    """
    (batch, n), steps = h.shape, len(x)
    if out is None:
        out = aligned((5 * steps, batch, n), x.dtype)
    gates, inner, candidates, hs = _gru_planes(out)
    half = x.dtype.type(0.5)
    z = scratch("gates", (batch, 3 * n), x.dtype)
    parts = z.reshape(batch, 3, n).swapaxes(0, 1)
    of_gates, of_candidate = parts[:2], parts[2]
    rows = x.reshape(steps, batch, 3, n).swapaxes(1, 2)
    bias = np.ascontiguousarray(np.broadcast_to(b, (batch, n)))
    before = scratch("before", h.shape, x.dtype)
    product = bind_product(before, u, z)
    add, multiply, tanh, subtract = np.add, np.multiply, np.tanh, np.subtract
    for for_gates, for_candidate, y, update, reset, m, candidate, new, gap in zip(
        rows[:, :2], rows[:, 2], gates, gates[:, 0], gates[:, 1], inner, candidates, hs, _gaps(seen, steps)
    ):
        np.copyto(before, h)
        product()
        add(of_gates, for_gates, y)
        tanh(y, y)
        multiply(y, half, y)
        add(y, half, y)
        add(of_candidate, bias, m)
        multiply(reset, m, candidate)
        add(candidate, for_candidate, candidate)
        tanh(candidate, candidate)
        subtract(h, candidate, new)
        multiply(new, update, new)
        add(new, candidate, new)
        if gap is not None:
            new[gap] = h[gap]
        h = new
    return out


def gru_grad(
    dhs: Array, kept: Array, u: Array, h: Array, seen: Array | None = None, out: Array | None = None
) -> Array:
    """Gradients (steps + 1, batch, 4n): in every step those of the state's product for the candidate, of the update and
    the reset gate, and of the candidate; in one step more, in the first place, that of the first state.

    So the last three are the gradient of x, and the first three that of the state's product with its gates turned round.
    """
    gates, inner, candidates, hs = _gru_planes(kept)
    steps, _, batch, n = gates.shape
    if out is None:
        out = aligned((steps + 1, batch, 4 * n), kept.dtype)
    one, two = kept.dtype.type(1), kept.dtype.type(2)
    slope = scratch("slope", (2, batch, n), kept.dtype)
    dh, term, through = (scratch(f"state {i}", (batch, n), kept.dtype) for i in range(3))
    back = np.ascontiguousarray(np.concatenate([u[:, 2 * n :], u[:, : 2 * n]], 1).T)
    d = scratch("d", (batch, 4, n), kept.dtype)
    of_product = scratch("of product", (batch, 3 * n), kept.dtype)
    product = bind_product(of_product, back, through)
    d_inner, d_update, d_reset, d_candidate = d.swapaxes(0, 1)
    through.fill(0)
    add, multiply, subtract = np.add, np.multiply, np.subtract
    rows = list(zip(dhs, gates, inner, candidates, _earlier(h, hs), out.reshape(-1, batch, 4, n), _gaps(seen, steps)))
    for dh_here, y, m, candidate, before, dx, gap in reversed(rows):
        add(dh_here, through, dh)
        held = None if gap is None else dh[gap]
        subtract(one, y, slope)
        multiply(candidate, candidate, term)
        subtract(one, term, term)
        multiply(term, dh, term)
        multiply(term, slope[0], d_candidate)
        multiply(slope, y, slope)
        multiply(slope, two, slope)
        subtract(before, candidate, term)
        multiply(term, slope[0], term)
        multiply(term, dh, d_update)
        multiply(d_candidate, m, term)
        multiply(term, slope[1], d_reset)
        multiply(d_candidate, y[1], d_inner)
        multiply(dh, y[0], dh)
        if gap is not None:
            d[gap] = 0
        np.copyto(dx, d)
        np.copyto(of_product.reshape(batch, 3, n), d[:, :3])
        product()
        add(through, dh, through)
        if gap is not None:
            through[gap] = held
    last = out[steps].reshape(batch, 4, n)
    last[:, 1:] = 0
    np.copyto(last[:, 0], through)
    return out


__all__ = ["gru", "gru_grad", "lstm", "lstm_grad"]
