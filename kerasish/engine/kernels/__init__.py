"""NumPy implementations of the primitives: arrays, then parameters, then `out`. They know nothing of tensors.

Every kernel is pure, thread safe and silent: no NumPy warning leaves it.
"""

from kerasish.engine.kernels.attention import attention, attention_grad
from kerasish.engine.kernels.basic import (
    arange,
    argsort,
    broadcast_to,
    cast,
    concat,
    flip,
    full,
    identity,
    matmul,
    one_hot,
    pad,
    reshape,
    select,
    size_of,
    slice_,
    contiguous, unslice,
)
from kerasish.engine.kernels.conv import conv, conv_bias, conv_input_grad, conv_kernel_grad
from kerasish.engine.kernels.elementwise import (
    clip,
    clip_grad,
    erf,
    erfinv,
    relu,
    relu_grad,
    sigmoid,
    softplus,
    weighted_sum,
)
from kerasish.engine.kernels.gather import (
    add_along,
    dynamic_slice,
    dynamic_update,
    gather,
    scatter_add,
    scatter_set,
    take,
    take_along,
    take_along_grad,
    take_grad,
)
from kerasish.engine.kernels.linalg import (
    cholesky,
    cofactors,
    det,
    eig,
    eigh,
    inv,
    lu,
    pivots_to_rows,
    qr,
    singular_values,
    slogdet,
    solve,
    svd,
)
from kerasish.engine.kernels.moments import channel_moments
from kerasish.engine.kernels.norms import center_rows, inverse_rms_rows, unit_rows, unit_rows_grad
from kerasish.engine.kernels.pool import avg_pool, avg_pool_grad, max_pool, max_pool_gather, max_pool_grad
from kerasish.engine.kernels.random import (
    random_binomial,
    random_gamma,
    random_int,
    random_mask,
    random_normal,
    random_permutation,
    random_truncated,
    random_uniform,
)
from kerasish.engine.kernels.recurrent import (
    gru,
    gru_grad,
    lstm,
    lstm_grad,
)
from kerasish.engine.kernels.reduce import (
    all_,
    any_,
    argmax,
    argmin,
    cumprod,
    cumsum,
    max_,
    min_,
    prod,
    row_dot,
    recurrence,
    sum_,
)
from kerasish.engine.kernels.rowwise import (
    log_softmax,
    log_softmax_at,
    log_softmax_at_grad,
    logsumexp,
    softmax,
)
from kerasish.engine.kernels.special import (
    bessel_i0,
    bessel_i1,
    complex_,
    fft,
    ifft,
    imag,
    real,
    scatter_combine,
    searchsorted,
)

__all__ = [name for name in dir() if not name.startswith("__")]
