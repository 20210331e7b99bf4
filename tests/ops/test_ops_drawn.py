"""Each differentiable op on drawn shapes: gradients to order two against finite differences, and programs.

Tables of what is not in `test_ops_shapes` by name. Shapes have no axes, axes of size zero, and orders that are not
contiguous; axes are negative as often as not; arguments are broadcast.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from test_ops_shapes import array, axes_of, check, in_float64, seeds

from kerasish import ops

__all__ = ["in_float64"]  # used by all tests
few = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# smooth functions of any number
UNARY = """absolute exp exp2 expm1 negative cbrt sin cos sinh cosh tanh arctan arcsinh deg2rad rad2deg real conjugate square
sigmoid relu softplus softsign silu log_sigmoid leaky_relu elu selu celu gelu tanh_shrink sparse_plus squareplus erf erfc
nan_to_num copy i0 sinc identity_of flip ravel""".split()
# of numbers between 0 and 1
UNIT = "log log1p log2 log10 sqrt rsqrt reciprocal arcsin arccos arctanh erfinv hard_tanh hard_sigmoid tan relu6 logit".split()
OURS: dict[str, Any] = {"identity_of": ops.stop_gradient, "logit": lambda x: ops.log(x / (1 - x))}
OURS["identity_of"] = lambda x: ops.add(x, 0)


@pytest.mark.parametrize("name", [*UNARY, *UNIT])
@few
@given(shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), seed=seeds)
def test_functions_of_elements(name, shape, seed):
    fn = OURS.get(name) or getattr(ops, name)
    inside = (lambda x: fn(0.5 + 0.45 * ops.tanh(x))) if name in UNIT else fn
    x = array(shape, seed)
    check(inside, None, x[..., :2] if x.ndim else x)


BINARY = """add subtract multiply divide true_divide power arctan2 hypot logaddexp logaddexp2 divide_no_nan maximum minimum fmax
fmin""".split()


@pytest.mark.parametrize("name", BINARY)
@few
@given(
    shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=3, min_side=0, max_side=3), seed=seeds,
    turned=st.booleans(),
)  # fmt: skip
def test_functions_of_two(name, shapes, seed, turned):
    a, b = (array(s, seed + i) for i, s in enumerate(shapes.input_shapes))
    b = b + 0.013  # no ties
    if name == "power":
        a = np.abs(a)
    if turned and a.ndim > 1:
        a = a.swapaxes(0, -1).copy().swapaxes(0, -1)
    check(getattr(ops, name), None, a, b)


# functions of a tensor and axes, of which several or none may be given
REDUCTIONS = {
    "sum": {}, "mean": {}, "var": {}, "std": {}, "prod": {}, "max": {}, "min": {}, "amax": {}, "amin": {}, "logsumexp": {},
    "nansum": {}, "nanmean": {}, "nanvar": {}, "nanstd": {}, "nanprod": {}, "nanmax": {}, "nanmin": {}, "median": {},
    "nanmedian": {}, "ptp": {}, "quantile": {"q": 0.4}, "percentile": {"q": 30.0}, "nanquantile": {"q": 0.6},
    "nanpercentile": {"q": 60.0},
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCTIONS)
@few
@given(data=st.data(), shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3), seed=seeds)
def test_reductions(name, data, shape, seed):
    axis = data.draw(axes_of(shape))
    keepdims = data.draw(st.booleans())
    x = array(shape, seed)
    if name.endswith("std"):  # its slope is infinite where there is no deviation
        check(lambda x: ops.sqrt(ops.var(x, axis=axis, keepdims=keepdims) + 1.0), None, x)
        axis = None
        x = array((3, 2), seed)
    check(lambda x: getattr(ops, name)(x, axis=axis, keepdims=keepdims, **REDUCTIONS[name]), None, x)


# functions along one axis, by whether it may be of size zero, and of what else they take
ALONG = {
    "sort": {}, "cumsum": {}, "cumprod": {}, "nancumsum": {}, "nancumprod": {}, "softmax": {}, "log_softmax": {}, "sparsemax": {},
    "flip": {}, "diff": {}, "trapezoid": {}, "roll": {"shift": -1}, "repeat": {"repeats": 2}, "normalize": {}, "average": {},
    "layer_normalization": {"epsilon": 0.1}, "rms_normalization": {"epsilon": 0.1}, "expand_dims": {}, "norm": {}, "unstack": {},
}  # fmt: skip


@pytest.mark.parametrize("name", ALONG)
@few
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3), seed=seeds)
def test_functions_along_an_axis(name, data, shape, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    options = ALONG[name]

    def fn(x: Any) -> Any:
        if name == "unstack":
            return ops.stack(ops.unstack(x, axis=axis)[::-1])
        return getattr(ops, name)(x, axis=axis, **options)

    if name in ("sparsemax", "norm", "normalize"):  # kinks
        check(lambda x: fn(ops.exp(x * 0.1) * ops.convert_to_tensor(1.0)), None, np.abs(array(shape, seed)) * 0.01)
        return
    check(fn, None, array(shape, seed))


SHAPING = {
    "swapaxes": lambda x: ops.swapaxes(x, 0, -1), "moveaxis": lambda x: ops.moveaxis(x, -1, 0), "tile": lambda x: ops.tile(x, 2),
    "rot90": lambda x: ops.rot90(x, axes=(-1, 0)), "fliplr": ops.fliplr, "flipud": ops.flipud, "tril": ops.tril, "triu": ops.triu,
    "diagonal": lambda x: ops.diagonal(x, axis1=-2, axis2=-1), "trace": lambda x: ops.trace(x, axis1=-2, axis2=-1),
    "outer": lambda x: ops.outer(x, x), "kron": lambda x: ops.kron(x, x), "meshgrid": lambda x: ops.meshgrid(x, x)[0],
    "append": lambda x: ops.append(x, x, axis=-1), "vstack": lambda x: ops.vstack([x, x]), "hstack": lambda x: ops.hstack([x, x]),
    "dstack": lambda x: ops.dstack([x, x]), "tensordot": lambda x: ops.tensordot(x, x, axes=0), "inner": lambda x: ops.inner(x, x),
    "vdot": lambda x: ops.vdot(x, x), "dot": lambda x: ops.dot(x, ops.swapaxes(x, -1, -2)), "array_split": lambda x: ops.array_split(
        x, 2, axis=-1)[0], "squeeze": lambda x: ops.squeeze(x[None], 0), "full_like": lambda x: ops.full(x.shape, x), "pad": lambda x: ops.pad(
        x, 1), "diagflat": ops.diagflat, "rearrange": lambda x: ops.rearrange(ops.reshape(x, (x.shape[0], -1)), "a b -> b a"),
    "scan": lambda x: ops.scan(lambda c, r: (c + ops.sum(r * r), c * r), ops.convert_to_tensor(0.5), x)[1],
    "map": lambda x: ops.map(lambda r: ops.sin(r) * r, x), "associative_scan": lambda x: ops.associative_scan(ops.multiply, x, axis=-1),
    "segment_sum": lambda x: ops.segment_sum(x, np.arange(x.shape[0]) % 2, num_segments=2),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPING)
@few
@given(shape=hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=3), seed=seeds)
def test_functions_that_move_elements(name, shape, seed):
    shape = tuple(max(d, 1) for d in shape) if name in ("associative_scan", "rearrange", "scan", "map", "dot") else shape
    check(SHAPING[name], None, array(shape, seed) * 0.5)


@settings(few, max_examples=60)
@given(
    rank=st.integers(1, 3), size=st.integers(3, 4), window=st.integers(1, 3), strides=st.integers(1, 2), first=st.booleans(),
    padding=st.sampled_from(["valid", "same"]), seed=seeds,
    name=st.sampled_from(["conv", "conv_transpose", "depthwise_conv", "separable_conv", "max_pool", "average_pool"]),
)  # fmt: skip
def test_windows_in_one_to_three_dimensions_and_both_formats(rank, size, window, strides, first, padding, seed, name):
    if rank == 3 and name in ("depthwise_conv", "separable_conv"):
        rank = 2  # as many as Keras has
    x = array((1, *[size] * rank, 2), seed)
    kernel = [window] * rank
    weights = {
        "conv": [(*kernel, 2, 3)], "conv_transpose": [(*kernel, 3, 2)], "depthwise_conv": [(*kernel, 2, 2)],
        "separable_conv": [(*kernel, 2, 1), (*[1] * rank, 2, 2)],
    }.get(name, [])  # fmt: skip
    options = {"strides": strides, "padding": padding}

    def last(x: Any, *ws: Any) -> Any:
        return getattr(ops, name)(x, *(ws or [window]), data_format="channels_last", **options)

    def either(x: Any, *ws: Any) -> Any:
        if not first:
            return last(x, *ws)
        to, back = (0, rank + 1, *range(1, rank + 1)), (0, *range(2, rank + 2), 1)
        out = getattr(ops, name)(ops.transpose(x, to), *(ws or [window]), data_format="channels_first", **options)
        return ops.transpose(out, back)

    arrays = [x, *[array(w, seed + 1 + i) for i, w in enumerate(weights)]]
    np.testing.assert_allclose(either(*arrays), last(*arrays), rtol=1e-9, atol=1e-12)
    check(either, None, *arrays)


# -- ops of matrices, signals, losses and indices: of a drawn batch of fixed or drawn matrices (batch, m, n) --------------------


def _square(x: Any) -> Any:
    """Well conditioned matrices (batch, n, n) of (batch, m, n)."""
    n = x.shape[-1]
    return ops.matmul(ops.swapaxes(x, -1, -2), x) + ops.eye(n) * ops.convert_to_tensor(np.arange(2.0, 2.0 + n))


def _first(x: Any) -> Any:
    return x[0] if isinstance(x, (tuple, list)) else x


def _joined(parts: Any) -> Any:
    return ops.stack(parts)


INDEX = np.array([[1, 0, 0]])
MATRICES = {
    "cholesky": lambda x: ops.cholesky(_square(x)), "det": lambda x: ops.det(_square(x)), "inv": lambda x: ops.inv(_square(x)),
    "slogdet": lambda x: ops.slogdet(_square(x))[1], "logdet": lambda x: ops.logdet(_square(x)),
    "cholesky_inverse": lambda x: ops.cholesky_inverse(ops.cholesky(_square(x))), "eigh": lambda x: ops.eigh(_square(x))[0],
    "solve": lambda x: ops.solve(_square(x), ops.swapaxes(x, -1, -2)), "qr": lambda x: ops.qr(_square(x))[1],
    "solve_triangular": lambda x: ops.solve_triangular(_square(x), ops.swapaxes(x, -1, -2), lower=True),
    "svd": lambda x: ops.svd(_square(x), compute_uv=False), "lu_factor": lambda x: ops.lu_factor(_square(x))[0],
    "pinv": lambda x: ops.pinv(_square(x)), "lstsq": lambda x: ops.lstsq(_square(x)[0], ops.swapaxes(x, -1, -2)[0]),
    "norm": lambda x: ops.norm(x, ord="fro", axis=(-2, -1)), "cross": lambda x: ops.cross(x[..., :1] * np.ones(3), x[..., -1:] * np.arange(3.0)),
    "cdist": lambda x: ops.cdist(x, x + 1.0), "vander": lambda x: ops.vander(ops.reshape(x, (-1,)), 3), "diag": lambda x: ops.diag(x[0]),
    "clip": lambda x: ops.clip(x * 3, -1.01, 1.02), "mod": lambda x: ops.mod(x, 0.97), "fmod": lambda x: ops.fmod(x, 0.97),
    "select": lambda x: ops.select([x > 0.7, x < 0], [x * x, ops.sin(x)], 1.0), "where": lambda x: ops.where(x > 0, x * x, x),
    "threshold": lambda x: ops.threshold(x, 0.013, 0.5), "hard_shrink": ops.hard_shrink, "soft_shrink": ops.soft_shrink,
    "hard_silu": lambda x: ops.hard_silu(x * 2), "hard_swish": lambda x: ops.swish(x), "sparse_sigmoid": lambda x: ops.sparse_sigmoid(x * 0.9),
    "arccosh": lambda x: ops.arccosh(1.5 + x * x), "fabs": ops.fabs, "conj": ops.conj, "ldexp": lambda x: ops.ldexp(x, 2),
    "glu": lambda x: ops.glu(ops.concatenate([x, x * x], -1)), "polar": lambda x: ops.real(ops.polar(x * x, x)),
    "take_along_axis": lambda x: ops.take_along_axis(x, np.zeros((1, 1, 2), "int32"), axis=-1), "top_k": lambda x: ops.top_k(x, 1)[0],
    "scatter": lambda x: ops.scatter(np.arange(x.shape[0])[:, None], x, (5, *x.shape[1:])),
    "scatter_update": lambda x: ops.scatter_update(x * x, [[0, 0, 0]], ops.reshape(ops.sum(x), (1,)), reduction="add"),
    "slice_update": lambda x: ops.slice_update(x, (0, 0, 0), x[:1, :1, :1] * x[:1, :1, :1]),
    "segment_max": lambda x: ops.segment_max(x[0, 0], np.zeros(x.shape[-1], "int32"), num_segments=1),
    "segment_min": lambda x: ops.segment_min(x[0, 0], np.zeros(x.shape[-1], "int32"), num_segments=1),
    "segment_prod": lambda x: ops.segment_prod(x[0, 0], np.zeros(x.shape[-1], "int32"), num_segments=1),
    "split": lambda x: _joined(ops.hsplit(ops.concatenate([x, x], 1), 2)), "vsplit": lambda x: _joined(ops.vsplit(ops.concatenate([x, x]), 2)),
    "dsplit": lambda x: _joined(ops.dsplit(ops.concatenate([x, x], 2), 2)),
    "linspace": lambda x: ops.linspace(x, x * x, 3, axis=-1), "logspace": lambda x: ops.logspace(x, x * 2, 3, base=2.0),
    "geomspace": lambda x: ops.geomspace(x * x, x * x + 1.0, 3), "corrcoef": lambda x: ops.corrcoef(ops.concatenate([x[0], x[0] ** 2, ops.sin(x[0])], -1)),
    "correlate": lambda x: ops.correlate(x[0, 0], x[0, 0], mode="full"), "moments": lambda x: ops.moments(x, [0, -1])[1],
    "batch_normalization": lambda x: ops.batch_normalization(x, x[0, 0], x[0, 0] ** 2 + 1.0, -1), "view_as_complex": lambda x: ops.imag(
        ops.view_as_complex(ops.stack([x, x * x], -1))), "view_as_real": lambda x: ops.view_as_real(ops.polar(x * x, x)),
    "fft": lambda x: ops.fft((x, x * x))[1], "fft2": lambda x: ops.fft2((x, x * x))[0], "ifft2": lambda x: ops.ifft2((x, x * x))[1],
    "rfft": lambda x: ops.rfft(x, fft_length=5)[1], "irfft": lambda x: ops.irfft((x, x * x), fft_length=4),
    "stft": lambda x: ops.stft(ops.concatenate([x] * 8, -1), 4, 2, 4)[0], "extract_sequences": lambda x: ops.extract_sequences(x, 1, 1),
    "unfold": lambda x: ops.unfold(x[:, None], 1), "fold": lambda x: ops.fold(ops.unfold(x[:, None], 1), x.shape[1:], 1),
    "depth_to_space": lambda x: ops.depth_to_space(ops.concatenate([x[..., None]] * 4, -1), 2), "space_to_depth": lambda x: ops.space_to_depth(
        ops.tile(x[..., None], (1, 2, 2, 1)), 2), "dot_product_attention": lambda x: ops.dot_product_attention(x[:, :, None], x[:, :, None], x[:, :, None]),
    "binary_crossentropy": lambda x: ops.binary_crossentropy(ops.sigmoid(x), ops.tanh(x) * 0.3, from_logits=True),
    "categorical_crossentropy": lambda x: ops.categorical_crossentropy(ops.softmax(x), x, from_logits=True),
    "sparse_categorical_crossentropy": lambda x: ops.sparse_categorical_crossentropy(np.zeros(x.shape[:-1], "int32"), x, from_logits=True),
    "ctc_loss": lambda x: ops.ctc_loss(np.ones((x.shape[0], 1), "int32"), ops.concatenate([x, x * 2], -1), [1] * x.shape[0], [x.shape[1]] * x.shape[0]),
    "psnr": lambda x: ops.psnr(x, x * x, 3.0), "fori_loop": lambda x: ops.fori_loop(0, 2, lambda i, v: ops.sin(v) * v, x),
    "cond": lambda x: ops.cond(ops.sum(x) > 0, lambda: x * x, lambda: ops.sin(x)), "switch": lambda x: ops.switch(1, [ops.sin, ops.square], x),
    "vectorized_map": lambda x: ops.vectorized_map(ops.square, x), "adaptive_average_pool": lambda x: ops.adaptive_average_pool(x, 1),
    "adaptive_max_pool": lambda x: ops.adaptive_max_pool(x, 1), "cast": lambda x: ops.real(ops.cast(x, "complex128") * (1 + 2j)),
    "index": lambda x: x[:, INDEX[0] % x.shape[1]], "rgb_to_grayscale": lambda x: ops.image.rgb_to_grayscale(ops.stack([x, x * x, x], -1)),
    "resize": lambda x: ops.image.resize(x[..., None], (3, 2)), "pad_images": lambda x: ops.image.pad_images(x[..., None], 1, 0, 1, 1),
    "gaussian_blur": lambda x: ops.image.gaussian_blur(x[..., None] * np.ones(3), (3, 3), (1.0, 1.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", MATRICES)
@few
@given(batch=st.integers(1, 2), rows=st.integers(1, 3), columns=st.integers(1, 3), turned=st.booleans(), seed=seeds)
def test_functions_of_matrices(name, batch, rows, columns, turned, seed):
    x = array((batch, rows, columns), seed)
    if turned:
        x = np.ascontiguousarray(x[::-1, ::-1, ::-1])[::-1, ::-1, ::-1]
    check(MATRICES[name], None, x)
