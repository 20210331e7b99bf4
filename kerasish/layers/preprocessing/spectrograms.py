"""Sound as pictures of its frequencies."""

import math
from typing import Any

import numpy as np

from kerasish import initializers, ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.initializers import WINDOWS
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


@export("keras.layers.STFTSpectrogram")
class STFTSpectrogram(Layer):
    """Short-time Fourier transforms as a convolution, whose kernels may be trained.

    mode:         "log" (of the magnitude), "magnitude", "psd" (its square), "real", "imag", "angle", or "stft": real and
                  imaginary parts one after the other.
    frame_length, frame_step: the size of a frame, and the distance of frames, half the size by default.
    fft_length:   at least the frame length; fft_length // 2 + 1 frequencies.
    window:       its name, its values, or None; symmetric unless `periodic`.
    scaling:      "density", "spectrum" or None, see `initializers.STFT`.
    expand_dims:  frequencies and channels have an axis each.

    Inputs (batch, time, channels); outputs (batch, frames, channels * frequencies), or (batch, frames, frequencies, channels)
    with expand_dims. With data_format="channels_first": (batch, channels, time) to (batch, channels * frequencies, frames), or
    (batch, channels, frames, frequencies).

    >>> STFTSpectrogram(mode="magnitude", frame_length=16)(np.ones((2, 50, 1), "float32")).shape
    (2, 5, 9)
    """

    def __init__(
        self, mode: str = "log", frame_length: int = 256, frame_step: int | None = None, fft_length: int | None = None,
        window: Any = "hann", periodic: bool = False, scaling: str | None = "density", padding: str = "valid",
        expand_dims: bool = False, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if frame_step is not None and not 0 < frame_step <= frame_length:
            raise ValueError(
                "`frame_step` should be a positive integer not greater than `frame_length`. Received "
                f"frame_step={frame_step}, frame_length={frame_length}"
            )
        if frame_length <= 0:
            raise ValueError(f"`frame_length` should be a positive integer. Received frame_length={frame_length}")
        if fft_length is not None and fft_length < frame_length:
            raise ValueError(
                f"`fft_length` should be not less than `frame_length`. Received fft_length={fft_length}, "
                f"frame_length={frame_length}"
            )
        if mode not in MODES:
            raise ValueError(f"Output mode is invalid, it must be one of {', '.join(MODES)}. Received: mode={mode}")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received scaling={scaling}")
        if padding not in ("valid", "same"):
            raise ValueError(f"Padding is invalid, it should be 'valid', 'same'. Received: padding={padding}")
        if isinstance(window, str) and window not in WINDOWS:
            raise ValueError(f"Invalid window name '{window}' in parameter window='{window}'! Known are: {sorted(WINDOWS)}")
        self.mode, self.frame_length, self.frame_step, self.fft_length = mode, frame_length, frame_step, fft_length
        self.window = window.tolist() if isinstance(window, np.ndarray) else window
        self.periodic, self.scaling, self.padding, self.expand_dims = periodic, scaling, padding, expand_dims
        self.data_format = data_format or config.image_data_format()
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        shape = (self.frame_length, 1, (self.fft_length or self.frame_length) // 2 + 1)
        for side in ("real", "imag"):
            kernel = None
            if self.mode not in ("real", "imag") or self.mode == side:
                start = initializers.STFT(side, self.window, self.scaling, self.periodic)
                kernel = self.add_weight(shape=shape, initializer=start, name=f"{side}_kernel")
            setattr(self, f"{side}_kernel", kernel)

    def call(self, inputs: Any) -> Any:
        first = self.data_format == "channels_first"
        x = inputs if first else ops.transpose(inputs, (0, 2, 1))
        channels = x.shape[1]
        x = ops.reshape(x, (x.shape[0] * channels, x.shape[2], 1))
        step = self.frame_step or self.frame_length // 2
        real, imag = (
            None if k is None else ops.conv(x, k, strides=step, padding=self.padding, data_format="channels_last")
            for k in (self.real_kernel, self.imag_kernel)
        )
        y = self._combined(real, imag)
        frames, frequencies = y.shape[1:]
        y = ops.reshape(y, (inputs.shape[0], channels, frames, frequencies))
        if self.expand_dims:
            return y if first else ops.transpose(y, (0, 2, 3, 1))
        y = ops.transpose(y, (0, 1, 3, 2) if first else (0, 2, 1, 3))
        flat = channels * frequencies
        return ops.reshape(y, (inputs.shape[0], flat, frames) if first else (inputs.shape[0], frames, flat))

    def _combined(self, real: Any, imag: Any) -> Any:
        if self.mode in ("real", "imag"):
            return real if imag is None else imag
        if self.mode == "stft":
            return ops.concatenate([real, imag], axis=-1)
        if self.mode == "angle":
            return ops.arctan2(imag, real)
        power = ops.square(real) + ops.square(imag)
        if self.mode == "psd":  # with the power of the negative frequencies, which the first and the last do not have
            twice = np.full(power.shape[-1], 2.0)
            twice[[0, -1]] = 1.0
            return power * ops.cast(twice, power.dtype)
        power = ops.maximum(power, config.epsilon())  # the slopes of root and logarithm at 0 have no end
        return ops.sqrt(power) if self.mode == "magnitude" else 0.5 * ops.log(power)


@export("keras.layers.MelSpectrogram")
class MelSpectrogram(Layer):
    """Power at frequencies that the ear hears equally far apart, in decibels.

    fft_length, sequence_stride, sequence_length: the transform's length, the distance of frames, the window's length.
    num_mel_bins, min_freq, max_freq: how many bands, between which frequencies.
    power_to_db: decibels above ref_power, at most top_db below the loudest, of powers of at least min_power.
    mag_exp:     2 for power, 1 for magnitude.

    Inputs (…, samples); outputs (…, bands, frames).

    >>> MelSpectrogram(num_mel_bins=64, sampling_rate=8000, sequence_stride=256)(np.ones(16000, "float32")).shape
    (64, 63)
    """

    def __init__(
        self, fft_length: int = 2048, sequence_stride: int = 512, sequence_length: int | None = None, window: Any = "hann",
        sampling_rate: int = 16000, num_mel_bins: int = 128, min_freq: float = 20.0, max_freq: float | None = None,
        power_to_db: bool = True, top_db: float = 80.0, mag_exp: float = 2.0, min_power: float = 1e-10,
        ref_power: float = 1.0, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.fft_length, self.sequence_stride = fft_length, sequence_stride
        self.sequence_length = sequence_length or fft_length
        self.window, self.sampling_rate, self.num_mel_bins = window, sampling_rate, num_mel_bins
        self.min_freq, self.max_freq = min_freq, max_freq or int(sampling_rate / 2)
        self.power_to_db, self.top_db, self.mag_exp = power_to_db, top_db, mag_exp
        self.min_power, self.ref_power = min_power, ref_power

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        real, imag = ops.stft(
            x, sequence_length=self.sequence_length, sequence_stride=self.sequence_stride, fft_length=self.fft_length,
            window=self.window,
        )  # fmt: skip
        power = ops.square(real) + ops.square(imag)
        spectrum = ops.cast(power if self.mag_exp == 2 else ops.power(power, self.mag_exp / 2), self.compute_dtype)
        matrix = self.linear_to_mel_weight_matrix(
            self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate, self.min_freq, self.max_freq
        )
        bands = ops.swapaxes(ops.matmul(spectrum, ops.cast(matrix, self.compute_dtype)), -1, -2)
        return self._decibels(bands) if self.power_to_db else bands

    def _decibels(self, power: Any) -> Any:
        reference = 10.0 * math.log10(max(abs(self.ref_power), self.min_power))
        decibels = 10.0 * ops.log10(ops.maximum(power, self.min_power)) - reference
        return ops.maximum(decibels, ops.max(decibels) - self.top_db)

    def linear_to_mel_weight_matrix(
        self, num_mel_bins: int = 20, num_spectrogram_bins: int = 129, sampling_rate: int = 8000,
        lower_edge_hertz: float = 125.0, upper_edge_hertz: float = 3800.0, dtype: Any = "float32",
    ) -> Any:  # fmt: skip
        """How much each frequency counts for each band, (frequencies, bands): triangles on the scale of mels."""

        def mel(hertz: Any) -> Any:
            return 1127.0 * np.log1p(hertz / 700.0)

        frequencies = mel(np.linspace(0.0, sampling_rate / 2.0, num_spectrogram_bins))[:, None]
        edges = np.linspace(mel(lower_edge_hertz), mel(upper_edge_hertz), num_mel_bins + 2)
        low, top, high = edges[:-2], edges[1:-1], edges[2:]
        matrix = np.maximum(0.0, np.minimum((frequencies - low) / (top - low), (high - frequencies) / (high - top)))
        matrix[0] = 0.0  # the constant part of a sound is not heard
        return ops.convert_to_tensor(matrix, dtype=dtype)
