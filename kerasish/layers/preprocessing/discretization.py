"""Numbers as bins between boundaries, which are given or found from data."""

from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.adapting import pieces
from kerasish.layers.preprocessing.encoding import MODES, check_no_sparse, encode, encoded_shape
from kerasish.layers.preprocessing.host import as_array
from kerasish.layers.preprocessing.quantiles import boundaries, merged, summary
from kerasish.ops.symbolic import KerasTensor


@export("keras.layers.Discretization")
class Discretization(Layer):
    """Numbers to the bins they fall into: 0 below the first boundary, and so on.

    bin_boundaries: rising numbers; or
    num_bins:       how many bins of about equally many values `adapt(data)` makes, by summaries that use little memory.
    epsilon:        the error of these in shares of the data; smaller is slower.
    output_mode:    "int", "one_hot", "multi_hot" or "count", see CategoryEncoding.

    >>> Discretization(bin_boundaries=[0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]]).tolist()
    [[0, 2, 3, 1]]
    """

    def __init__(
        self, bin_boundaries: Any = None, num_bins: int | None = None, epsilon: float = 0.01, output_mode: str = "int",
        sparse: bool = False, dtype: Any = None, name: str | None = None,
    ):  # fmt: skip
        super().__init__(name=name, dtype="float32" if dtype is None else dtype)
        if output_mode not in MODES:
            raise ValueError(
                f"Unknown value for `output_mode` argument of Discretization. Allowed values are: {MODES}. Received: "
                f"output_mode={output_mode}"
            )
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`")
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                "Both `num_bins` and `bin_boundaries` should not be set. Received: "
                f"`num_bins={num_bins}` and `bin_boundaries={bin_boundaries}`"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("You need to set either `num_bins` or `bin_boundaries`.")
        if bin_boundaries is not None:
            bin_boundaries = np.asarray(as_array(bin_boundaries)).tolist()
            if sorted(bin_boundaries) != bin_boundaries:
                raise ValueError(f"`bin_boundaries` must rise. Received: bin_boundaries={bin_boundaries}")
        self.bin_boundaries, self.num_bins, self.epsilon = bin_boundaries, num_bins, epsilon
        self.output_mode, self.sparse = output_mode, check_no_sparse(sparse)
        self._summary = np.empty((2, 0), "float32")

    @property
    def input_dtype(self) -> str:
        return "float32"

    def build(self, input_shape: Any) -> None:
        pass

    # -- adapt --------------------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Find the boundaries from an array, or any iterable of batches, of which `steps` limits the number."""
        if self.num_bins is None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use `num_bins` instead."
            )
        self.reset_state()
        for i, piece in enumerate(pieces(data)):
            if steps is not None and i >= steps:
                break
            self.update_state(piece)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take a batch of data into the summary."""
        values = np.asarray(as_array(data), "float32")
        self._summary = merged(self._summary, summary(values, self.epsilon), self.epsilon)

    def finalize_state(self) -> None:
        """Make boundaries of the summary."""
        if self.num_bins is not None and self._summary.size:
            self.bin_boundaries = boundaries(self._summary, self.num_bins).tolist()

    def reset_state(self) -> None:
        """Forget the data."""
        if self.num_bins is not None:
            self._summary = np.empty((2, 0), "float32")

    # -- calling ------------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(as_array(inputs), *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise ValueError(
                "You need to either pass the `bin_boundaries` argument at construction time or call `adapt(dataset)` before "
                "you can start using the `Discretization` layer."
            )
        bins = ops.digitize(ops.cast(inputs, "float32"), np.asarray(self.bin_boundaries, "float32"))
        if self.output_mode == "int":
            return bins
        return encode(bins, self.output_mode, len(self.bin_boundaries) + 1, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return encoded_shape(input_shape, self.output_mode, depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    # -- files --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        config = super().get_config()
        config.pop("trainable")
        return {**config, "dtype": self.dtype_policy.name}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        config = dict(config)
        found = config.pop("bin_boundaries", None) if config.get("num_bins") is not None else None
        layer = super().from_config(config)
        if found is not None:  # by adapt
            layer.bin_boundaries = list(found)
        return layer
