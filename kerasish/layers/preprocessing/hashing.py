"""Values of any number as one of a few bins, by a hash that is the same everywhere."""

from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.layers.preprocessing.encoding import MODES, check_no_sparse, encode, encoded_shape
from kerasish.layers.preprocessing.fingerprints import crossed, fingerprints
from kerasish.layers.preprocessing.host import HostCall, HostLayer, as_array, as_text, is_text, on_host
from kerasish.ops import dtypes


def check_salt(salt: Any, name: str) -> list | None:
    """A salt as two integers."""
    if salt is None:
        return None
    if isinstance(salt, int):
        return [salt, salt]
    if isinstance(salt, (list, tuple)) and len(salt) == 2:
        return list(salt)
    raise ValueError(
        f"The `salt` argument for `{name}` can only be a tuple of size 2 integers, or a single integer. Received: salt={salt}."
    )


def bins_of(values: np.ndarray, bins: int, salt: Any = None) -> np.ndarray:
    """The bin of each value, an int64: the fingerprint of its text modulo `bins`; SipHash's with a salt."""
    if is_text(values.dtype):
        strings = [s.encode() for s in as_text(values).ravel().tolist()]
    else:
        strings = [b"%d" % v for v in values.astype(np.int64).ravel().tolist()]
    key = None if salt is None else tuple(salt)
    return (fingerprints(strings, key) % np.uint64(bins)).astype(np.int64).reshape(values.shape)


class _Binned(HostLayer):
    """What Hashing and HashedCrossing share: integers or vectors in the layer's dtype."""

    def _encoded(self, bins: Any) -> Any:
        if self.output_mode == "int":
            return bins
        return encode(bins, self.output_mode, self.num_bins, self.compute_dtype)

    @property
    def _int_dtype(self) -> np.dtype:
        return dtypes.narrowed(self.compute_dtype if dtypes.is_int(self.compute_dtype) else "int64")


@export("keras.layers.Hashing")
class Hashing(_Binned):
    """Integers and strings as bins 0 … num_bins - 1, by FarmHash64, or by SipHash64 with a salt.

    mask_value:  a value that is given bin 0, which is no other value's then.
    salt:        an integer or two.
    output_mode: "int", "one_hot", "multi_hot" or "count", see CategoryEncoding.

    >>> Hashing(num_bins=5)([["a"], ["b"], ["hello"]]).tolist()
    [[4], [2], [1]]
    """

    def __init__(
        self, num_bins: int, mask_value: Any = None, salt: Any = None, output_mode: str = "int", sparse: bool = False,
        **kwargs: Any,
    ):  # fmt: skip
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else None
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                f"The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: num_bins={num_bins}."
            )
        if output_mode == "int" and self.compute_dtype not in ("int32", "int64"):
            raise ValueError(
                "When `output_mode=\"int\"`, `dtype` should be an integer type, 'int32' or 'int64'. "
                f"Received: dtype={kwargs['dtype']}"
            )
        if output_mode not in MODES:
            raise ValueError(
                f"Invalid value for argument `output_mode`. Expected one of {MODES}. Received: output_mode={output_mode}"
            )
        self.num_bins, self.mask_value, self.salt = num_bins, mask_value, check_salt(salt, "Hashing")
        self.output_mode, self.sparse = output_mode, check_no_sparse(sparse)

    def call(self, inputs: Any) -> Any:
        dtype = self._int_dtype
        return self._encoded(on_host(HostCall(self._hash, lambda x: (x.shape, dtype)), inputs))

    def _hash(self, values: np.ndarray) -> np.ndarray:
        masked = self.mask_value is not None and self.num_bins > 1
        bins = bins_of(values, self.num_bins - 1 if masked else self.num_bins, self.salt)
        if self.mask_value is not None:
            known = as_text(values) if is_text(values.dtype) else values
            bins = np.where(known == self.mask_value, 0, bins + masked)
        return bins.astype(self._int_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        return self._inferred((inputs,), {})


@export("keras.layers.HashedCrossing")
class HashedCrossing(_Binned):
    """Combinations of features as bins 0 … num_bins - 1: the crosses of (city, hour), say.

    Called on a list or tuple of two or more features of one shape, (), (batch,) or (batch, 1), of integers or strings.
    output_mode: "int" or "one_hot".

    >>> HashedCrossing(num_bins=7)((["a", "b"], [1, 22])).tolist()
    [2, 6]
    """

    def __init__(
        self, num_bins: int, output_mode: str = "int", sparse: bool = False, name: str | None = None, dtype: Any = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name, dtype=dtype if dtype is not None or output_mode != "int" else "int64", **kwargs)
        if output_mode not in ("int", "one_hot"):
            raise ValueError(
                "Unknown value for `output_mode` argument of HashedCrossing. Allowed values are: ('int', 'one_hot'). "
                f"Received: output_mode={output_mode}"
            )
        self.num_bins, self.output_mode, self.sparse = num_bins, output_mode, check_no_sparse(sparse)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(f"`HashedCrossing` should be called on at least two inputs. Received: inputs={inputs}")
        features = [as_array(x) for x in inputs]
        shapes = [tuple(x.shape) for x in features]
        if any(len(s) > 2 or len(s) == 2 and s[1] != 1 for s in shapes):
            raise ValueError(
                "All `HashedCrossing` inputs should have shape `()`, `(batch_size)` or `(batch_size, 1)`. "
                f"Received: inputs={inputs}"
            )
        if any(len(s) != len(shapes[0]) or any(None not in (a, b) and a != b for a, b in zip(s, shapes[0])) for s in shapes):
            raise ValueError(f"All `HashedCrossing` inputs should have equal shape. Received: inputs={inputs}")
        if any(not is_text(x.dtype) and np.dtype(x.dtype).kind not in "iub" for x in features):
            raise ValueError(f"All `HashedCrossing` inputs should have an integer or string dtype. Received: inputs={inputs}")
        return super(HostLayer, self).__call__(features, *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        dtype = self._int_dtype
        return self._encoded(on_host(HostCall(self._cross, lambda x, *more: (x.shape, dtype)), *inputs))

    def _cross(self, *features: np.ndarray) -> np.ndarray:
        words = []
        for x in features:
            if is_text(x.dtype):
                words.append(fingerprints([s.encode() for s in as_text(x).ravel().tolist()]))
            else:
                words.append(x.astype(np.int64).ravel().view(np.uint64))
        return (crossed(words) % np.uint64(self.num_bins)).astype(self._int_dtype).reshape(features[0].shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        return self._inferred((inputs,), {})

    def get_config(self) -> dict:
        config = super().get_config()
        config.pop("trainable")
        return {**config, "dtype": self.dtype_policy.name}
