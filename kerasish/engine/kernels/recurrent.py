"""LSTM and GRU over whole sequences, forward and backward, time first.

Sigmoids are computed as (1 + tanh(z / 2)) / 2, so that one call of tanh serves all gates: what enters a sigmoid comes
halved, from weights that the caller has halved, which is exact.

The batch is divided into parts, which do not need each other, and the steps into runs of CHUNK; sequence.py has the calls
of such a run, for all parts at once. Where arrays hold several planes, as those of the gates, each part has its own in one
block (`_block`).

`seen` (steps, batch), where it is given, tells which steps a sequence has; in the others its state stays as it is.
"""

from typing import Any

import numpy as np

from kerasish.engine.kernels import crew
from kerasish.engine.kernels.scratch import aligned, scratch
from kerasish.engine.kernels.sequence import together
from kerasish.engine.kernels.threads import ranges

Array = np.ndarray
CHUNK = 8  # steps that are written down as one sequence
LEAST = 4  # rows of a part
HALF, ONE, TWO = ({char: np.array(value, char) for char in "efd"} for value in (0.5, 1, 2))


def _parts(batch: int) -> list[tuple[int, int]]:
    """The first row of each part, and the first that is not its own. They follow from the size and the BLAS's threads."""
    return ranges(batch, min(crew.most(), batch // LEAST))


def _chunks(steps: int) -> list[slice]:
    return [slice(start, min(start + CHUNK, steps)) for start in range(0, steps, CHUNK)]


def _block(planes: Array, part: tuple[int, int]) -> Array:
    """What a part has of planes (k, batch, n): its (k, rows, n), for which the parts' rows times k planes are taken."""
    k, _, n = planes.shape
    first, last = part
    return planes.reshape(-1)[k * first * n : k * last * n].reshape(k, last - first, n)


def _by_gate(rows: Array, n: int) -> Array:
    """(rows, gates * n) as (gates, rows, n)."""
    return rows.reshape(len(rows), rows.shape[1] // n, n).swapaxes(0, 1)


def _bits(x: Array) -> Array:
    return x.view(f"i{x.itemsize}")


def _mask(seen: Array | None, like: Array) -> list[Array]:
    """For each number of a state all bits where its sequence has the step, and none where not. [] where all steps are."""
    if seen is None or seen.all():
        return []
    mask = scratch("mask", (*seen.shape, like.shape[-1]), f"i{like.itemsize}")
    np.negative(seen[..., None], out=mask, dtype=mask.dtype, casting="unsafe")
    return [mask]


def _add(do: Any, x: Array, y: Array, out: Array) -> None:
    """out = x + y, where x may have gaps between its rows."""
    if any(x.strides) and not x.flags.c_contiguous:
        do.copy(x, out)
        x = out
    do.call(np.add, x, y, out)


def _choose(do: Any, mask: Array, new: Array, old: Array, spare: Array) -> None:
    """new = new where the mask is set, else old."""
    new, old, spare = map(_bits, (new, old, spare))
    do.call(np.bitwise_xor, new, old, spare)
    do.call(np.bitwise_and, spare, mask, spare)
    do.call(np.bitwise_xor, old, spare, new)


# -- LSTM: gates input, forget, candidate, output ---------------------------------------------------------------------


def _lstm_planes(kept: Array) -> tuple[Array, Array, Array, Array]:
    """gates (steps, 4, batch, n), and (steps, batch, n) each: tanh of the cell's state, output, cell's state."""
    steps, (batch, n) = len(kept) // 7, kept.shape[1:]
    return kept[: 4 * steps].reshape(steps, 4, batch, n), *kept[4 * steps :].reshape(3, steps, batch, n)


def lstm(x: Array, u: Array, h: Array, c: Array, seen: Array | None = None, out: Array | None = None) -> Array:
    """What is known of every step, (7 * steps, batch, n): see _lstm_planes.

    x (steps, batch, 4n): products of the inputs; u (n, 4n): weights of the state; h, c (batch, n): the first states.
    """
    (batch, n), steps = h.shape, len(x)
    if out is None:
        out = aligned((7 * steps, batch, n), x.dtype)
    planes, mask = _lstm_planes(out), _mask(seen, out)
    work = scratch("work", (9, batch, n), x.dtype)
    *_, hs, cs = planes
    for now in _chunks(steps):
        here = [a[now] for a in (x, *planes, *mask)]
        together(_lstm_steps, _parts(batch), work, u, h, c, *here)
        h, c = hs[now][-1], cs[now][-1]
    return out


def _lstm_steps(do: Any, part: tuple[int, int], work: Array, u: Array, h: Array, c: Array, *rows: Array) -> None:
    half, n, rows_of_part = HALF[u.dtype.char], len(u), slice(*part)
    z, projected, (term,) = np.split(_block(work, part), (4, 8))
    h, c = h[rows_of_part], c[rows_of_part]
    for x, gates, *others in zip(*rows):
        tanh_c, new_h, new_c, *mask = (a[rows_of_part] for a in others)
        gates = _block(gates, part)
        do.product(h, _by_gate(u, n), z)
        do.copy(_by_gate(x[rows_of_part], n), projected)
        do.call(np.add, z, projected, z)
        do.call(np.tanh, z, gates)
        for sigmoids in gates[:2], gates[3]:
            do.call(np.multiply, sigmoids, half, sigmoids)
            do.call(np.add, sigmoids, half, sigmoids)
        i, f, g, o = gates
        do.call(np.multiply, f, c, new_c)
        do.call(np.multiply, i, g, term)
        do.call(np.add, new_c, term, new_c)
        do.call(np.tanh, new_c, tanh_c)
        do.call(np.multiply, o, tanh_c, new_h)
        if mask:
            _choose(do, *mask, new_h, h, term)
            _choose(do, *mask, new_c, c, term)
        h, c = new_h, new_c


def lstm_grad(
    dhs: Array, dcs: Array, kept: Array, u: Array, c: Array, seen: Array | None = None, out: Array | None = None
) -> Array:
    """The gradient of x, and after it in one step more that of the first c (in the place of the first gate).

    dhs, dcs (steps, batch, n): gradients of the outputs and of the cell's states. kept: what lstm returned.
    """
    gates, tanh_c, _, cs = _lstm_planes(kept)
    steps, _, batch, n = gates.shape
    if out is None:
        out = aligned((steps + 1, batch, 4 * n), kept.dtype)
    mask = _mask(seen, kept)
    back = scratch("back", (4 * n, n), kept.dtype)
    np.copyto(back, u.T)
    work = scratch("work", (14, batch, n), kept.dtype)
    states = scratch("states", (2, batch, n), kept.dtype)
    states.fill(0)
    for now in reversed(_chunks(steps)):
        before = c if not now.start else cs[now.start - 1]
        here = [a[now] for a in (dhs, dcs, gates, tanh_c, cs, out[:steps], *mask)]
        together(_lstm_steps_back, _parts(batch), work, states, back, before, *here)
    last = out[steps].reshape(batch, 4, n)
    last[:, 1:] = 0
    np.copyto(last[:, 0], states[1])
    return out


def _lstm_steps_back(
    do: Any, part: tuple[int, int], work: Array, states: Array, back: Array, first_c: Array, *rows: Array
) -> None:
    one, two, rows_of_part = ONE[work.dtype.char], TWO[work.dtype.char], slice(*part)
    n = back.shape[1]
    slopes, dz, (term, dh, dc, twice_dh, twice_dc, d_cell) = np.split(_block(work, part), (4, 8))
    through, dc_through = states[:, rows_of_part]
    steps = list(zip(*rows))
    cells = [first_c, *[step[4] for step in steps[:-1]]]
    for (dh_here, dc_here, gates, t, _, dx, *mask), before in reversed(list(zip(steps, cells))):
        dh_here, dc_here, t, before, dx, *mask = (a[rows_of_part] for a in (dh_here, dc_here, t, before, dx, *mask))
        gates = _block(gates, part)
        i, f, g, o = gates
        _add(do, dh_here, through, dh)
        _add(do, dc_here, dc_through, dc)
        # slopes by what was halved before a sigmoid are 2 y (1 - y): the 2 comes with the gradients
        do.call(np.subtract, one, gates, slopes)
        do.call(np.multiply, slopes[:2], gates[:2], slopes[:2])
        do.call(np.multiply, slopes[3], o, slopes[3])
        do.call(np.add, one, g, term)
        do.call(np.multiply, slopes[2], term, slopes[2])
        do.call(np.multiply, dh, two, twice_dh)
        # the output gate's, and what comes to the cell's state through the output
        do.call(np.multiply, twice_dh, t, term)
        do.call(np.multiply, term, slopes[3], dz[3])
        do.call(np.multiply, t, t, term)
        do.call(np.subtract, one, term, term)
        do.call(np.multiply, term, o, term)
        do.call(np.multiply, term, dh, term)
        do.call(np.add, dc, term, d_cell)
        do.call(np.multiply, d_cell, two, twice_dc)
        for k, d, other in ((0, twice_dc, g), (1, twice_dc, before), (2, d_cell, i)):
            do.call(np.multiply, d, other, term)
            do.call(np.multiply, term, slopes[k], dz[k])
        do.call(np.multiply, d_cell, f, dc_through)
        if mask:
            for gate in _bits(dz):
                do.call(np.bitwise_and, gate, *mask, gate)
        do.copy(dz, _by_gate(dx, n))
        do.product(dx, back, through)
        if mask:
            _choose(do, *mask, through, dh, term)
            _choose(do, *mask, dc_through, dc, term)


# -- GRU: gates update, reset, candidate; the reset gate comes after the product with the state -----------------------


def _gru_planes(kept: Array) -> tuple[Array, Array, Array, Array]:
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
    planes, mask = _gru_planes(out), _mask(seen, out)
    work, bias = scratch("work", (6, batch, n), x.dtype), scratch("bias", (batch, n), x.dtype)
    np.copyto(bias, b)
    *_, hs = planes
    for now in _chunks(steps):
        here = [a[now] for a in (x, *planes, *mask)]
        together(_gru_steps, _parts(batch), work, u, bias, h, *here)
        h = hs[now][-1]
    return out


def _gru_steps(do: Any, part: tuple[int, int], work: Array, u: Array, bias: Array, h: Array, *rows: Array) -> None:
    half, n, rows_of_part = HALF[u.dtype.char], len(u), slice(*part)
    z, projected = np.split(_block(work, part), 2)
    bias, h = bias[rows_of_part], h[rows_of_part]
    for x, gates, *others in zip(*rows):
        m, candidate, new, *mask = (a[rows_of_part] for a in others)
        gates = update, reset = _block(gates, part)
        do.product(h, _by_gate(u, n), z)
        do.copy(_by_gate(x[rows_of_part], n), projected)
        do.call(np.add, z[:2], projected[:2], gates)
        do.call(np.tanh, gates, gates)
        do.call(np.multiply, gates, half, gates)
        do.call(np.add, gates, half, gates)
        do.call(np.add, z[2], bias, m)
        do.call(np.multiply, reset, m, candidate)
        do.call(np.add, candidate, projected[2], candidate)
        do.call(np.tanh, candidate, candidate)
        do.call(np.subtract, h, candidate, new)
        do.call(np.multiply, new, update, new)
        do.call(np.add, new, candidate, new)
        if mask:
            _choose(do, *mask, new, h, z[0])
        h = new


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
    mask = _mask(seen, kept)
    back = scratch("back", (3 * n, n), kept.dtype)
    np.copyto(back[:n], u[:, 2 * n :].T)
    np.copyto(back[n:], u[:, : 2 * n].T)
    work, through = scratch("work", (8, batch, n), kept.dtype), scratch("states", (batch, n), kept.dtype)
    through.fill(0)
    for now in reversed(_chunks(steps)):
        before = h if not now.start else hs[now.start - 1]
        here = [a[now] for a in (dhs, gates, inner, candidates, hs, out[:steps], *mask)]
        together(_gru_steps_back, _parts(batch), work, through, back, before, *here)
    last = out[steps].reshape(batch, 4, n)
    last[:, 1:] = 0
    np.copyto(last[:, 0], through)
    return out


def _gru_steps_back(
    do: Any, part: tuple[int, int], work: Array, through: Array, back: Array, first_h: Array, *rows: Array
) -> None:
    one, two, rows_of_part = ONE[work.dtype.char], TWO[work.dtype.char], slice(*part)
    n = back.shape[1]
    slopes, d, (dh, term) = np.split(_block(work, part), (2, 6))
    d_inner, d_update, d_reset, d_candidate = d
    through = through[rows_of_part]
    steps = list(zip(*rows))
    states = [first_h, *[step[4] for step in steps[:-1]]]
    for (dh_here, gates, m, candidate, _, dx, *mask), before in reversed(list(zip(steps, states))):
        dh_here, m, candidate, before, dx, *mask = (
            a[rows_of_part] for a in (dh_here, m, candidate, before, dx, *mask)
        )
        gates = update, reset = _block(gates, part)
        _add(do, dh_here, through, dh)
        do.call(np.subtract, one, gates, slopes)
        do.call(np.multiply, candidate, candidate, term)
        do.call(np.subtract, one, term, term)
        do.call(np.multiply, term, dh, term)
        do.call(np.multiply, term, slopes[0], d_candidate)
        do.call(np.multiply, slopes, gates, slopes)
        do.call(np.multiply, slopes, two, slopes)
        do.call(np.subtract, before, candidate, term)
        do.call(np.multiply, term, slopes[0], term)
        do.call(np.multiply, term, dh, d_update)
        do.call(np.multiply, d_candidate, m, term)
        do.call(np.multiply, term, slopes[1], d_reset)
        do.call(np.multiply, d_candidate, reset, d_inner)
        do.call(np.multiply, dh, update, term)
        if mask:
            for gate in _bits(d):
                do.call(np.bitwise_and, gate, *mask, gate)
        do.copy(d, _by_gate(dx, n))
        do.product(dx[:, : 3 * n], back, through)
        do.call(np.add, through, term, through)
        if mask:
            _choose(do, *mask, through, dh, term)


__all__ = ["gru", "gru_grad", "lstm", "lstm_grad"]
