"""LSTM and GRU over whole sequences, forward and backward, time first.

Sigmoids are computed as (1 + tanh(z / 2)) / 2, so that one call of tanh serves all gates: what enters a sigmoid comes
halved, from weights that the caller has halved, which is exact.

`seen` (steps, batch), where it is given, tells which steps a sequence has; in the others its state stays as it is.
"""

import numpy as np

from kerasish.engine.kernels.scratch import aligned, scratch

Array = np.ndarray


def _rows(values: tuple, like: Array) -> Array:
    """A number for each gate, repeated over the batch, in the layout of the gates (batch, gates, n)."""
    return np.ascontiguousarray(np.broadcast_to(np.array(values, like.dtype)[:, None], like.shape))


def _unseen(seen: Array | None, step: int) -> Array | None:
    """The sequences that do not have this step, or None if all have it."""
    if seen is None or seen[step].all():
        return None
    return np.flatnonzero(~seen[step])


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
    batch, n = h.shape
    if out is None:
        out = aligned((7 * len(x), batch, n), x.dtype)
    gates, tanh_c, hs, cs = _lstm_planes(out)
    scale, shift = _rows((0.5, 0.5, 1, 0.5), gates[0]), _rows((0.5, 0.5, 0, 0.5), gates[0])
    term = scratch("term", (batch, n), x.dtype)
    for s in range(len(x)):
        y = gates[s]
        z = y.reshape(batch, 4 * n)
        np.dot(h, u, z)
        np.add(z, x[s], z)
        np.tanh(z, z)
        np.multiply(y, scale, y)
        np.add(y, shift, y)
        np.multiply(y[:, 1], c, cs[s])
        np.multiply(y[:, 0], y[:, 2], term)
        np.add(cs[s], term, cs[s])
        np.tanh(cs[s], tanh_c[s])
        np.multiply(y[:, 3], tanh_c[s], hs[s])
        rows = _unseen(seen, s)
        if rows is not None:
            hs[s][rows], cs[s][rows] = h[rows], c[rows]
        h, c = hs[s], cs[s]
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
    back = np.ascontiguousarray(u.T)
    dc.fill(0)
    through.fill(0)
    for s in range(steps - 1, -1, -1):
        y, dz = gates[s], out[s].reshape(batch, 4, n)
        np.add(dhs[s], through, dh)
        np.add(dcs[s], dc, dc)
        rows = _unseen(seen, s)
        held = None if rows is None else (dh[rows], dc[rows])
        np.subtract(one, y, slope)
        np.multiply(y, factor, dz)
        np.add(dz, offset, dz)
        np.multiply(dz, slope, dz)
        np.multiply(dz[:, 3], tanh_c[s], dz[:, 3])
        np.multiply(dz[:, 3], dh, dz[:, 3])
        np.square(tanh_c[s], term)
        np.subtract(one, term, term)
        np.multiply(term, y[:, 3], term)
        np.multiply(term, dh, term)
        np.add(dc, term, dc)
        np.multiply(dz[:, :3], dc[:, None], dz[:, :3])
        np.multiply(dz[:, 0], y[:, 2], dz[:, 0])
        np.multiply(dz[:, 1], cs[s - 1] if s else c, dz[:, 1])
        np.multiply(dz[:, 2], y[:, 0], dz[:, 2])
        np.multiply(dc, y[:, 1], dc)
        if rows is not None:
            dz[rows] = 0
        np.dot(out[s], back, through)
        if rows is not None:
            through[rows], dc[rows] = held
    last = out[steps].reshape(batch, 4, n)
    last[:, 1:] = 0
    np.copyto(last[:, 0], dc)
    return out


# -- GRU: gates update, reset, candidate; the reset gate comes after the product with the state -----------------------


def _gru_planes(kept: Array) -> tuple:
    """gates (steps, batch, 2, n), and (steps, batch, n) each: the state's product for the candidate, it, the output."""
    steps, (batch, n) = len(kept) // 5, kept.shape[1:]
    return kept[: 2 * steps].reshape(steps, batch, 2, n), *kept[2 * steps :].reshape(3, steps, batch, n)


def gru(x: Array, u: Array, b: Array, h: Array, seen: Array | None = None, out: Array | None = None) -> Array:
    """What is known of every step, (5 * steps, batch, n): see _gru_planes.

    x (steps, batch, 3n): products of the inputs; u (n, 3n) and b (3n,): weights of the state; h (batch, n): the first.
    """
    batch, n = h.shape
    if out is None:
        out = aligned((5 * len(x), batch, n), x.dtype)
    gates, inner, candidate, hs = _gru_planes(out)
    half = x.dtype.type(0.5)
    z = scratch("gates", (batch, 3, n), x.dtype)
    bias = np.ascontiguousarray(np.broadcast_to(b, (batch, 3 * n)))
    for s in range(len(x)):
        y, row = gates[s], x[s].reshape(batch, 3, n)
        np.dot(h, u, z.reshape(batch, 3 * n))
        np.add(z.reshape(batch, 3 * n), bias, z.reshape(batch, 3 * n))
        np.copyto(inner[s], z[:, 2])
        np.add(z[:, :2], row[:, :2], y)
        np.tanh(y, y)
        np.multiply(y, half, y)
        np.add(y, half, y)
        np.multiply(y[:, 1], inner[s], candidate[s])
        np.add(candidate[s], row[:, 2], candidate[s])
        np.tanh(candidate[s], candidate[s])
        np.subtract(h, candidate[s], hs[s])
        np.multiply(hs[s], y[:, 0], hs[s])
        np.add(hs[s], candidate[s], hs[s])
        rows = _unseen(seen, s)
        if rows is not None:
            hs[s][rows] = h[rows]
        h = hs[s]
    return out


def gru_grad(
    dhs: Array, kept: Array, u: Array, h: Array, seen: Array | None = None, out: Array | None = None
) -> Array:
    """Gradients (steps + 1, batch, 4n): in every step those of the state's product for the candidate, of the update and
    the reset gate, and of the candidate; in one step more, in the first place, that of the first state.

    So the last three are the gradient of x, and the first three that of the state's product with its gates turned round.
    """
    gates, inner, candidate, hs = _gru_planes(kept)
    steps, batch, _, n = gates.shape
    if out is None:
        out = aligned((steps + 1, batch, 4 * n), kept.dtype)
    one, two = kept.dtype.type(1), kept.dtype.type(2)
    slope = scratch("slope", (batch, 2, n), kept.dtype)
    dh, term, through = (scratch(f"state {i}", (batch, n), kept.dtype) for i in range(3))
    back = np.ascontiguousarray(np.concatenate([u[:, 2 * n :], u[:, : 2 * n]], 1).T)
    through.fill(0)
    for s in range(steps - 1, -1, -1):
        y, before = gates[s], hs[s - 1] if s else h
        d = out[s].reshape(batch, 4, n)
        np.add(dhs[s], through, dh)
        rows = _unseen(seen, s)
        held = None if rows is None else dh[rows]
        np.subtract(one, y, slope)
        np.square(candidate[s], term)
        np.subtract(one, term, term)
        np.multiply(term, dh, term)
        np.multiply(term, slope[:, 0], d[:, 3])
        np.multiply(slope, y, slope)
        np.multiply(slope, two, slope)
        np.subtract(before, candidate[s], term)
        np.multiply(term, slope[:, 0], term)
        np.multiply(term, dh, d[:, 1])
        np.multiply(d[:, 3], inner[s], term)
        np.multiply(term, slope[:, 1], d[:, 2])
        np.multiply(d[:, 3], y[:, 1], d[:, 0])
        np.multiply(dh, y[:, 0], dh)
        if rows is not None:
            d[rows] = 0
        np.dot(out[s][:, : 3 * n], back, through)
        np.add(through, dh, through)
        if rows is not None:
            through[rows] = held
    last = out[steps].reshape(batch, 4, n)
    last[:, 1:] = 0
    np.copyto(last[:, 0], through)
    return out


__all__ = ["gru", "gru_grad", "lstm", "lstm_grad"]
