"""FeatureSpace: the columns of a table as one vector."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base.naming import auto_name
from kerasish.base.registry import export
from kerasish.engine.tensor import Tensor
from kerasish.layers import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    Input,
    IntegerLookup,
    Layer,
    Normalization,
    Rescaling,
    StringLookup,
)  # fmt: skip
from kerasish.layers.preprocessing.host import as_array
from kerasish.ops.symbolic import KerasTensor
from kerasish.saving import api as saving_api
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object

HOME = "keras.src.layers.preprocessing.feature_space"  # as files have it
ADAPTABLE = (Normalization, Discretization, IntegerLookup, StringLookup)
UNBATCHED = 32  # single rows are adapted to so many at a time, as in Keras


@export(f"{HOME}.TFDIdentity")
class TFDIdentity(Layer):
    """The layer of a feature that is taken as it is."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)

    def call(self, x: Any) -> Any:
        return x


@export(f"{HOME}.TFDConcat")
class TFDConcat(Layer):
    """The layer that joins all vectors."""

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, xs: Any) -> Any:
        return ops.concatenate(xs, axis=self.axis)


@export(f"{HOME}.Cross")
class Cross:
    """Combinations of features, as one of `crossing_dim` bins."""

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot"):
        if output_mode not in ("int", "one_hot"):
            raise ValueError(
                "Invalid value for argument `output_mode`. Expected one of {'int', 'one_hot'}. Received: "
                f"output_mode={output_mode}"
            )
        self.feature_names, self.crossing_dim, self.output_mode = tuple(feature_names), crossing_dim, output_mode

    @property
    def name(self) -> str:
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict:
        return {"feature_names": self.feature_names, "crossing_dim": self.crossing_dim, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: dict) -> "Cross":
        return cls(**config)


@export(f"{HOME}.Feature")
class Feature:
    """A column: the dtype of its values, the layer that makes numbers of them, and what is made of these in the end."""

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str):
        if output_mode not in ("int", "one_hot", "float"):
            raise ValueError(
                "Invalid value for argument `output_mode`. Expected one of {'int', 'one_hot', 'float'}. Received: "
                f"output_mode={output_mode}"
            )
        self.dtype = dtype
        self.preprocessor = deserialize_keras_object(preprocessor) if isinstance(preprocessor, dict) else preprocessor
        self.output_mode = output_mode

    def get_config(self) -> dict:
        return {
            "dtype": self.dtype,
            "preprocessor": serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Feature":
        return cls(**config)


def _feature(kind: str, name: str | None, dtype: str, layer: type, output_mode: str, **options: Any) -> Feature:
    return Feature(dtype, layer(name=f"{name or auto_name(kind)}_preprocessor", **options), output_mode)


@export("keras.utils.FeatureSpace")
class FeatureSpace(Layer):
    """The columns of a table, each of a kind, as one vector or a dict of vectors.

    features:    name: kind, where a kind is a name ("float", "float_normalized", "string_categorical", …) or what the method
                 of that name gives: `FeatureSpace.float_discretized(num_bins=5)`.
    output_mode: "concat" or "dict".
    crosses:     names of features whose combinations count: ("city", "hour"), or `FeatureSpace.cross(names, dim)`.
    crossing_dim, hashing_dim, num_discretization_bins: where a kind does not tell them.

    `adapt(data)` comes first: on a dict of columns, a pandas table, or an iterable of rows or batches that are dicts.
    Called on such a dict. `get_inputs()` and `get_encoded_features()` are ends for a model of its own.

    >>> space = FeatureSpace({"size": "float_normalized", "color": "string_categorical"})
    >>> space.adapt({"size": [1.0, 3.0], "color": ["red", "blue"]})
    >>> space({"size": [3.0], "color": ["blue"]}).tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    """

    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Combinations of features."""
        return Cross(feature_names, crossing_dim, output_mode=output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A kind of your own."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """A number as it is."""
        return _feature("float", name, "float32", TFDIdentity, "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """A number times scale, plus offset."""
        return _feature("float_rescaled", name, "float32", Rescaling, "float", scale=scale, offset=offset)

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """A number, brought to mean 0 and variance 1."""
        return _feature("float_normalized", name, "float32", Normalization, "float", axis=-1)

    @classmethod
    def float_discretized(
        cls, num_bins: int, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """The bin of a number."""
        bins = {"num_bins": num_bins} if bin_boundaries is None else {"bin_boundaries": bin_boundaries}
        return _feature("float_discretized", name, "float32", Discretization, output_mode, **bins)

    @classmethod
    def integer_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """An integer of a vocabulary."""
        options = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return _feature("integer_categorical", name, "int32", IntegerLookup, output_mode, **options)

    @classmethod
    def string_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """A string of a vocabulary."""
        options = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return _feature("string_categorical", name, "string", StringLookup, output_mode, **options)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """The hash of a string."""
        return _feature("string_hashed", name, "string", Hashing, output_mode, num_bins=num_bins)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """The hash of an integer."""
        return _feature("integer_hashed", name, "int32", Hashing, output_mode, num_bins=num_bins)

    def __init__(
        self, features: Any, output_mode: str = "concat", crosses: Any = None, crossing_dim: int = 32, hashing_dim: int = 32,
        num_discretization_bins: int = 32, name: str | None = None,
    ):  # fmt: skip
        super().__init__(name=name)
        if not features:
            raise ValueError("The `features` argument cannot be None or empty.")
        if output_mode not in ("concat", "dict"):
            raise ValueError(
                "Invalid value for argument `output_mode`. Expected one of {'dict', 'concat'}. Received: "
                f"output_mode={output_mode}"
            )
        self.output_mode = output_mode
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {name: self._standardized(name, kind) for name, kind in features.items()}
        self.crosses = [self._standardized_cross(c) for c in crosses or ()]
        self.preprocessors = {name: f.preprocessor for name, f in self.features.items()}
        self.crossers = {c.name: HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses}
        self.one_hot_encoders: dict[str, CategoryEncoding] = {}
        self.concat = TFDConcat() if output_mode == "concat" else None
        self.inputs = {n: Input((1,), dtype=f.dtype, name=n) for n, f in self.features.items()}
        self.encoded_features: Any = None
        self._is_adapted = False

    def _standardized(self, name: str, kind: Any) -> Feature:
        if isinstance(kind, Feature):
            return kind
        if isinstance(kind, dict):
            return deserialize_keras_object(kind)
        makers: dict[str, dict] = {
            "float": {}, "float_rescaled": {}, "float_normalized": {}, "integer_categorical": {}, "string_categorical": {},
            "float_discretized": {"num_bins": self.num_discretization_bins}, "integer_hashed": {"num_bins": self.hashing_dim},
            "string_hashed": {"num_bins": self.hashing_dim},
        }  # fmt: skip
        if not isinstance(kind, str) or kind not in makers:
            raise ValueError(f"Invalid feature type: {kind}. Use one of {sorted(makers)}, or FeatureSpace's methods.")
        return getattr(self, kind)(name=name, **makers[kind])

    def _standardized_cross(self, cross: Any) -> Cross:
        if isinstance(cross, dict):
            cross = deserialize_keras_object(cross)
        names = cross.feature_names if isinstance(cross, Cross) else tuple(cross)
        if not set(names) <= set(self.features):
            raise ValueError(
                "All features referenced in the `crosses` argument should be present in the `features` dict. Received unknown "
                f"features: {names}"
            )
        return cross if isinstance(cross, Cross) else Cross(names, self.crossing_dim)

    # -- adapt --------------------------------------------------------------------------------------------------------

    def adapt(self, dataset: Any) -> None:
        """Let the layers of features that need it see the data, once."""
        wanted = {n: p for n, p in self.preprocessors.items() if isinstance(p, ADAPTABLE) and self._needs(p)}
        for layer in wanted.values():
            layer.reset_state()
        seen = False
        for batch in _batches(dataset):
            seen = True
            missing = sorted(set(wanted) - set(batch))
            if missing:
                raise ValueError(f"The data has no columns {missing}. Received columns: {sorted(batch)}")
            for name, layer in wanted.items():
                column = np.asarray(as_array(batch[name]))
                layer.update_state(column.reshape(-1, 1) if column.ndim < 2 else column)
        if wanted and not seen:
            raise ValueError(f"There are no rows to adapt to. Received: dataset={dataset!r}")
        for layer in wanted.values():
            layer.finalize_state()
        self._is_adapted = True
        self._build_parts()

    @staticmethod
    def _needs(layer: Any) -> bool:
        """Whether a layer learns from data: not one that was given all."""
        if isinstance(layer, Discretization):
            return layer.num_bins is not None
        if isinstance(layer, Normalization):
            return layer._moments is None
        return not layer._fixed

    def _build_parts(self) -> None:
        """Make the encoders, and the symbolic features."""
        for name in sorted(self.features):
            if self.features[name].output_mode == "one_hot" and name not in self.one_hot_encoders:
                size = self._cardinality(self.preprocessors[name])
                if size is not None:
                    self.one_hot_encoders[name] = CategoryEncoding(num_tokens=size, output_mode="multi_hot")
        for cross in self.crosses:
            if cross.output_mode == "one_hot" and cross.name not in self.one_hot_encoders:
                self.one_hot_encoders[cross.name] = CategoryEncoding(num_tokens=cross.crossing_dim, output_mode="multi_hot")
        if self.encoded_features is None:
            self.encoded_features = self._encoded(dict(self.inputs))
        self.built = True

    @staticmethod
    def _cardinality(layer: Any) -> int | None:
        if isinstance(layer, (IntegerLookup, StringLookup)):
            return layer.vocabulary_size()
        if isinstance(layer, Discretization):
            return layer.num_bins if layer.bin_boundaries is None else len(layer.bin_boundaries) + 1
        return layer.num_bins if isinstance(layer, Hashing) else None

    def _check_if_adapted(self) -> None:
        if self._is_adapted:
            return
        if any(isinstance(p, ADAPTABLE) and self._needs(p) for p in self.preprocessors.values()):
            raise ValueError("You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.")
        self._is_adapted = True

    def _ready(self) -> None:
        self._check_if_adapted()
        if self.encoded_features is None:
            self._build_parts()

    # -- calling ------------------------------------------------------------------------------------------------------

    def get_inputs(self) -> dict:
        """The symbolic inputs by the names of features."""
        self._check_if_adapted()
        return dict(self.inputs)

    def get_encoded_features(self) -> Any:
        """The symbolic result for `get_inputs()`."""
        self._ready()
        return self.encoded_features

    def __call__(self, data: Any) -> Any:
        self._ready()
        if not isinstance(data, dict) and not hasattr(data, "keys"):
            raise ValueError(f"A FeatureSpace can only be called with a dict. Received: data={data} (of type {type(data)})")
        missing = sorted(set(self.features) - set(data.keys()))
        if missing:
            raise ValueError(f"The data has no columns {missing}. Received columns: {sorted(data.keys())}")
        columns = {name: as_array(data[name]) for name in self.features}
        single = all(len(x.shape) == 0 for x in columns.values())
        columns = {name: self._column(x, single) for name, x in columns.items()}
        out = super().__call__(columns)
        if not single:
            return out
        return {k: v[0] for k, v in out.items()} if isinstance(out, dict) else out[0]

    @staticmethod
    def _column(x: Any, single: bool) -> Any:
        """A feature as a column, (rows, 1)."""
        rank = len(x.shape)
        if rank > 1:
            return x
        shape = (1, 1) if single else (x.shape[0], 1)
        return ops.reshape(x, shape) if isinstance(x, (Tensor, KerasTensor)) else x.reshape(shape)

    def call(self, data: dict) -> Any:
        return self._encoded(data)

    def _encoded(self, data: dict) -> Any:
        numbers = {name: self.preprocessors[name](data[name]) for name in self.features}
        crossed = {c.name: self.crossers[c.name]([numbers[n] for n in c.feature_names]) for c in self.crosses}
        encoded: dict[str, Any] = {}
        for name, x in (*sorted(numbers.items()), *sorted(crossed.items())):
            if name in self.one_hot_encoders:
                x = self.one_hot_encoders[name](x)
            elif self.output_mode == "concat" and not str(x.dtype).startswith(("float", "bfloat")):
                raise ValueError(
                    f"Cannot concatenate features because feature '{name}' has not been encoded (it has dtype {x.dtype}). "
                    "Consider using `output_mode='dict'`."
                )
            encoded[name] = x
        return encoded if self.concat is None else self.concat(list(encoded.values()))

    def compute_output_spec(self, data: dict) -> Any:
        return self._inferred((data,), {})

    # -- files --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        return {
            "features": {name: serialize_keras_object(f) for name, f in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [serialize_keras_object(c) for c in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    def get_build_config(self) -> dict:
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict) -> None:
        for name, layer in self.preprocessors.items():
            if not layer.built and config.get(name):
                layer.build_from_config(config[name])
        self._is_adapted = True
        self._build_parts()

    def save(self, filepath: Any) -> None:
        """Save to a `.keras` file."""
        saving_api.save_model(self, filepath)

    def save_own_variables(self, store: Any) -> None:
        """The layers of features save theirs."""

    def load_own_variables(self, store: Any) -> None:
        """The layers of features load theirs."""


def _batches(dataset: Any) -> Iterator[dict]:
    """The data as dicts of columns."""
    if isinstance(dataset, dict) or hasattr(dataset, "columns"):
        yield {name: dataset[name] for name in dataset.keys()}
        return
    if not isinstance(dataset, Iterable):
        raise TypeError(f"`adapt` takes a dict of columns, a table, or an iterable of dicts. Received: {dataset!r}")
    rows = iter(dataset)
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError(f"Rows and batches of the data must be dicts by feature. Received: {row!r} of type {type(row)}")
        if any(np.ndim(v) for v in row.values()):
            yield row
            continue
        few = [row, *itertools.islice(rows, UNBATCHED - 1)]
        yield {name: np.array([np.asarray(r[name]).item() for r in few]) for name in row}
