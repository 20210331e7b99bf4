"""What functions of keras.utils give, a row each: a name, and a function of `keras` or us that gives arrays, lists and
numbers, or raises. Keras's answers, on TensorFlow, are in tests/golden/utils.json."""

import contextlib
import io
import os
import tempfile
import wave
from collections.abc import Callable
from typing import Any

import numpy as np

CASES: dict[str, Callable[[Any], Any]] = {}


def case(name: str, function: Callable[[Any], Any]) -> None:
    assert name not in CASES, name
    CASES[name] = function


def elements(dataset: Any) -> list:
    """All batches of a data set as lists."""
    return [[as_list(p) for p in b] if isinstance(b, tuple) else as_list(b) for b in dataset]


def as_list(x: Any) -> Any:
    x = x.numpy() if hasattr(x, "numpy") else x
    x = np.asarray(x).tolist()
    return [v.decode() if isinstance(v, bytes) else v for v in x] if isinstance(x, list) else x


# -- sequences and numbers --------------------------------------------------------------------------------------------

RAGGED = [[1], [2, 3], [4, 5, 6]]
for name, (x, options) in {
    "": (RAGGED, {}), " at the end": (RAGGED, dict(padding="post")), " cut": (RAGGED, dict(maxlen=2)),
    " cut at the end": (RAGGED, dict(maxlen=2, padding="post", truncating="post", value=9.0, dtype="float32")),
    " of vectors": ([[[1, 2]], [[2, 3], [3, 4]]], {}), " of strings": ([["a"], ["b", "c"]], dict(dtype=object, value="-")),
    " of strings in integers": ([[1], [2]], dict(value="-")), " of numbers": ([1, 2], {}), " of nothing": ([], {}), " of a number": (3, {}),
    " wrong": (RAGGED, dict(padding="x")), " wrongly cut": (RAGGED, dict(truncating="x")), " of unlike vectors": ([[[1, 2]], [[1]]], {}),
    " of empty ones": ([[], [1]], {}),
}.items():  # fmt: skip
    case(f"pad_sequences{name}", lambda k, x=x, o=options: k.utils.pad_sequences(x, **o))
case("preprocessing.sequence", lambda k: k.preprocessing.sequence.pad_sequences(RAGGED))
for name, (x, options) in {
    "": (np.array([[3.0, 4.0], [0, 0]]), {}), " by sums": (np.array([[3.0, 4.0], [6, 8]]), dict(order=1)), " of a vector": (np.array([3.0, 4.0]), {}),
}.items():  # fmt: skip
    case(f"normalize{name}", lambda k, x=x, o=options: k.utils.normalize(x, **o))
for name, (x, n) in {"": ([0, 2], None), " of a column": ([[0], [2]], 4), " of a table": ([[0, 1], [2, 1]], None), " too great": ([0, 5], 3), " negative": ([-1, 1], 3)}.items():
    case(f"to_categorical{name}", lambda k, x=x, n=n: k.utils.to_categorical(x, n))

# -- series -----------------------------------------------------------------------------------------------------------

SERIES = np.arange(12)
for name, (data, targets, options) in {
    "": (SERIES, SERIES * 10, dict(batch_size=4)), " apart": (SERIES, SERIES * 10, dict(sequence_stride=2, sampling_rate=2, batch_size=4)),
    " of a part": (SERIES, None, dict(start_index=2, end_index=9)), " of few targets": (SERIES, SERIES[:5], dict(batch_size=4)),
    " of vectors": (SERIES.reshape(6, 2), np.arange(6), dict(batch_size=None)), " of a part with targets": (SERIES, SERIES, dict(start_index=2, end_index=9)),
    " before the start": (SERIES, None, dict(start_index=-1)), " after the end": (SERIES, None, dict(start_index=20)), " backwards": (SERIES, None, dict(start_index=5, end_index=3)),
    " beyond the end": (SERIES, None, dict(end_index=40)), " with no rate": (SERIES, None, dict(sampling_rate=0)), " with no stride": (SERIES, None, dict(sequence_stride=0)),
    " with a great rate": (SERIES, None, dict(sampling_rate=12)), " with a great stride": (SERIES, None, dict(sequence_stride=12)),
}.items():  # fmt: skip
    case(f"timeseries{name}", lambda k, d=data, t=targets, o=options: elements(k.utils.timeseries_dataset_from_array(d, t, 3, **o)))

# -- splits -----------------------------------------------------------------------------------------------------------

ROWS = np.arange(10)
for name, (data, options) in {
    "": (ROWS, dict(left_size=0.8)), " from the right": (ROWS, dict(right_size=3)), " shuffled": (ROWS, dict(left_size=0.5, shuffle=True, seed=1)),
    " with a gap": (ROWS, dict(left_size=0.3, right_size=0.3)), " of a tuple": ((ROWS, ROWS * 2), dict(left_size=8)), " of a list": ([ROWS, ROWS * 2], dict(left_size=0.25)),
    " of a dict": ({"a": ROWS}, dict(left_size=0.8)), " of a number": (3, dict(left_size=0.5)), " of nothing": (ROWS, {}), " above one": (ROWS, dict(left_size=1.5)),
    " negative": (ROWS, dict(left_size=-1)), " too great": (ROWS, dict(left_size=20)), " too much": (ROWS, dict(left_size=0.8, right_size=0.8)),
    " too many": (ROWS, dict(left_size=8, right_size=8)), " by a word": (ROWS, dict(left_size="x")), " empty": (ROWS, dict(left_size=0.01)),
}.items():  # fmt: skip
    case(f"split_dataset{name}", lambda k, d=data, o=options: [elements(part) for part in k.utils.split_dataset(d, **o)])

# -- folders ----------------------------------------------------------------------------------------------------------

TEXTS = {"neg": ["bad", "awful film"], "pos": ["good", "nice one", "great Wörld"]}


@contextlib.contextmanager
def folder(kind: str) -> Any:
    """A folder of files for a while, with nothing printed."""
    with tempfile.TemporaryDirectory() as path, contextlib.redirect_stdout(io.StringIO()):
        for name, texts in TEXTS.items():
            os.makedirs(os.path.join(path, name))
            for i, text in enumerate(texts):
                file = os.path.join(path, name, f"{i}.{'txt' if kind == 'text' else 'wav'}")
                if kind == "text":
                    with open(file, "w", encoding="utf-8") as f:
                        f.write(text)
                    continue
                with wave.open(file, "wb") as w:
                    w.setnchannels(1)
                    w.setsampwidth(2)
                    w.setframerate(8000)
                    w.writeframes((np.arange(len(text)) * 1000 * (i - 1)).astype("<i2").tobytes())
        yield path


def read(kind: str, **options: Any) -> Callable[[Any], Any]:
    def run(keras: Any) -> Any:
        with folder(kind) as path:
            found = getattr(keras.utils, f"{kind}_dataset_from_directory")(path, **options)
            return [elements(part) for part in found] if isinstance(found, list) else elements(found)

    return run


for kind in ("text", "audio"):
    for name, options in {
        "": dict(shuffle=False, batch_size=2), " one_hot": dict(shuffle=False, label_mode="categorical"), " binary": dict(shuffle=False, label_mode="binary"),
        " single": dict(shuffle=False, batch_size=None), " of one class": dict(shuffle=False, class_names=["pos"]), " with labels": dict(shuffle=False, labels=[3, 4, 5, 6, 7]),
        " both parts": dict(seed=4, validation_split=0.4, subset="both", batch_size=1), " without labels": dict(shuffle=False, labels=None),
        " wrong labels": dict(labels="x"), " wrong mode": dict(label_mode="x"), " wrong names": dict(class_names=["a"]), " names without labels": dict(labels=None, class_names=["a"]),
        " split without part": dict(validation_split=0.5), " part without split": dict(subset="training"), " few labels": dict(labels=[1]),
    }.items():  # fmt: skip
        if name == " both parts":
            continue  # the training part is shuffled anew by whatever reads it
        case(f"{kind}_dataset{name}", read(kind, **options))
case("text_dataset cut", read("text", shuffle=False, max_length=3))
case("text_dataset wrong format", read("text", format="x"))
case("audio_dataset cut", read("audio", shuffle=False, output_sequence_length=4, batch_size=2))
case("audio_dataset ragged and cut", read("audio", ragged=True, output_sequence_length=4))

# -- FeatureSpace -----------------------------------------------------------------------------------------------------

TABLE: dict[str, list] = {
    "f": [0.0, 1, 2, 3], "n": [1.0, 2, 3, 4], "s": ["a", "b", "b", "c"], "i": [3, 3, 5, 6], "d": [0.1, 5, 7, 9], "h": ["x", "y", "z", "w"],
    "j": [1, 2, 3, 40],
}  # fmt: skip


def table(keras: Any) -> dict:
    """The table as arrays for us, as tensors for Keras."""
    columns = {name: np.array(values) for name, values in TABLE.items()}
    if keras.__name__ == "keras":
        import tensorflow as tf

        return {name: tf.constant(v) for name, v in columns.items()}
    return columns


def rows(keras: Any) -> Any:
    if keras.__name__ == "keras":
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices(TABLE)
    return ({name: values[i] for name, values in TABLE.items()} for i in range(4))


def space(keras: Any, **options: Any) -> Any:
    make = keras.utils.FeatureSpace
    features = {
        "f": "float", "n": make.float_normalized(), "s": "string_categorical", "i": make.integer_categorical(output_mode="one_hot"),
        "d": make.float_discretized(3), "h": "string_hashed", "j": make.integer_hashed(4),
    }  # fmt: skip
    out = make(features, crosses=[("s", "i"), make.cross(("h", "j"), 6)], crossing_dim=5, hashing_dim=7, **options)
    out.adapt(rows(keras))
    return out


case("FeatureSpace", lambda k: space(k)(table(k)))
case("FeatureSpace as a dict", lambda k: {name: as_list(v) for name, v in sorted(space(k, output_mode="dict")(table(k)).items())})
case("FeatureSpace of a row", lambda k: space(k)({name: v[0] for name, v in table(k).items()}))
case("FeatureSpace config", lambda k: {name: v for name, v in space(k).get_config().items() if name not in ("features", "crosses")})
case("FeatureSpace inputs", lambda k: [[name, list(t.shape), str(t.dtype)] for name, t in space(k).get_inputs().items()])
KINDS = ("float", "float_rescaled", "float_normalized", "float_discretized", "integer_categorical", "string_categorical", "integer_hashed", "string_hashed")
case("FeatureSpace kinds", lambda k: [[n, f.dtype, f.output_mode, type(f.preprocessor).__name__] for n, f in k.utils.FeatureSpace({n: n for n in KINDS}).features.items()])
for name, make in {
    "unadapted": lambda F: F({"n": F.float_normalized()}).get_encoded_features(), "of a wrong kind": lambda F: F({"a": "x"}), "of a number": lambda F: F({"a": 3}),
    "of nothing": lambda F: F({}), "with a wrong cross": lambda F: F({"a": "float"}, crosses=[("a", "zz")]), "with a wrong mode": lambda F: F({"a": "float"}, output_mode="x"),
    "of integers to join": lambda F: F({"s": F.string_hashed(4, output_mode="int")})({"s": np.array(["a"])}),
}.items():  # fmt: skip
    case(f"FeatureSpace {name}", lambda k, m=make: m(k.utils.FeatureSpace))

# -- Config -----------------------------------------------------------------------------------------------------------

case("Config", lambda k: (lambda c: [c.a, c["b"], c.as_dict(), c.to_json(), "a" in c, list(c), repr(c), c.frozen])(k.utils.Config(a=1, b={"c": 2})))
case("Config unknown", lambda k: k.utils.Config(a=1).zzz)


def frozen(keras: Any) -> None:
    config = keras.utils.Config(a=1)
    config.freeze()
    config.a = 2


case("Config frozen", frozen)
