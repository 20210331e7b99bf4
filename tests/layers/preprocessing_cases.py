"""What preprocessing layers do, a row each: a name, and a function of `keras` or us that gives arrays, lists and numbers, or
raises. Keras's answers, on TensorFlow, are in tests/golden/preprocessing.json."""

from collections.abc import Callable
from typing import Any

import numpy as np

WORDS = np.array([["a", "c"], ["d", "zz"]])
HOLES = np.array([["a", "c"], ["d", ""]])
NUMBERS = np.array([[10, 30], [40, -1]])
OTHERS = np.array([[10, 30, 0], [40, -1, 41]])
TEXTS = ["The quick, brown fox", "jumped over the the dog!"]
ODD = ["A-B c_d é,Ö 'x' “q” tab\tnl\nx  y <b> x\xa0y"]
LONG = " ".join(["hello"] * 14)
MIXED = np.array([["a"], ["b"], ["Wörld"], [LONG], [""], ["abcdefgh"], ["x" * 17], ["y" * 40], ["z" * 65]])
INTEGERS = np.array([[0, 1, 2], [-5, 1 << 40, 7]])
FLOATS = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])
NORMAL = np.random.RandomState(0).normal(3, 2, (6, 2, 3)).astype("float32")
MANY = np.random.RandomState(0).normal(size=(1000, 2)).astype("float32")
FEW = np.array([[0, 1], [3, 3]])

CASES: dict[str, Callable[[Any], Any]] = {}


def case(name: str, function: Callable[[Any], Any]) -> None:
    assert name not in CASES, name
    CASES[name] = function


def adapted(layer: Any, *data: Any) -> Any:
    for part in data:
        layer.adapt(part)
    return layer


def with_vocabulary(layer: Any, *args: Any, **more: Any) -> Any:
    layer.set_vocabulary(*args, **more)
    return layer


def states(layer: Any, *data: Any) -> Any:
    for part in data:
        layer.update_state(part)
    layer.finalize_state()
    return layer


# -- StringLookup -----------------------------------------------------------------------------------------------------

ABC = {"vocabulary": ["a", "b", "c"]}
INPUTS = {
    "a table": WORDS, "a list": ["a", "q"], "nested lists": [["a", "q"]], "a string": "a", "objects": WORDS.astype(object),
    "bytes": WORDS.astype("S"), "no rows": WORDS[:0],
}  # fmt: skip
for name, x in INPUTS.items():
    case(f"StringLookup of {name}", lambda k, x=x: k.layers.StringLookup(**ABC)(x))
OPTIONS = {
    "three unknown": dict(num_oov_indices=3, mask_token=""), "salted": dict(num_oov_indices=3, mask_token="", salt=[7, 8]),
    "salted once": dict(num_oov_indices=3, salt=3), "no unknown": dict(num_oov_indices=0), "masked": dict(mask_token=""),
    "padded integers": dict(max_tokens=9, pad_to_max_tokens=True),
}  # fmt: skip
for name, options in OPTIONS.items():
    case(f"StringLookup {name}", lambda k, o=options: k.layers.StringLookup(**ABC, **o)(np.array(["", "a", "x", "y", "z", "w", "Wörld"])))
for mode in ("one_hot", "multi_hot", "count"):
    for name, x in {"rows": WORDS, "one row": WORDS[0], "a column": WORDS[:, :1], "a string": "a", "cubes": WORDS[:, :, None]}.items():
        case(f"StringLookup {mode} of {name}", lambda k, m=mode, x=x: k.layers.StringLookup(output_mode=m, **ABC)(x))
    case(f"StringLookup {mode} padded", lambda k, m=mode: k.layers.StringLookup(output_mode=m, max_tokens=6, pad_to_max_tokens=True, **ABC)(WORDS))
    case(f"StringLookup {mode} masked", lambda k, m=mode: k.layers.StringLookup(output_mode=m, mask_token="", **ABC)(HOLES))
IDF = {
    "": dict(idf_weights=[0.1, 0.2, 0.3], **ABC), " of two unknown": dict(idf_weights=[0.1, 0.2, 0.3], num_oov_indices=2, **ABC),
    " with special": dict(vocabulary=["[UNK]", "a", "b"], idf_weights=[0.3, 0.5, 0.7]),
    " padded": dict(idf_weights=[0.1, 0.2, 0.3], max_tokens=7, pad_to_max_tokens=True, **ABC),
}  # fmt: skip
for name, options in IDF.items():
    case(f"StringLookup tf_idf{name}", lambda k, o=options: k.layers.StringLookup(output_mode="tf_idf", **o)(WORDS))
case("StringLookup inverted", lambda k: k.layers.StringLookup(invert=True, **ABC)(np.array([[0, 1], [3, 7]])))
case("StringLookup inverted masked", lambda k: k.layers.StringLookup(invert=True, mask_token="", **ABC)(np.array([0, 1, 2, 3, 4, 9])))
case("StringLookup inverted of strings", lambda k: k.layers.StringLookup(invert=True, **ABC)(WORDS))
case("StringLookup of floats", lambda k: k.layers.StringLookup(**ABC)(FLOATS))
case("StringLookup without vocabulary", lambda k: k.layers.StringLookup()(WORDS))
VOCABULARIES = {
    "given": ABC, "none": {}, "with unknown": dict(vocabulary=["[UNK]", "a"]), "unknown in the middle": dict(vocabulary=["a", "[UNK]", "c"]),
    "mask in the middle": dict(vocabulary=["a", "", "c"], mask_token=""), "all special": dict(vocabulary=["", "[UNK]", "c"], mask_token=""),
    "only mask": dict(vocabulary=["", "c"], mask_token=""), "empty": dict(vocabulary=[]), "repeated": dict(vocabulary=["a", "a"]),
    "too long": dict(vocabulary=["a", "b"], max_tokens=2), "unknown is a word": dict(oov_token="a", vocabulary=["a", "b"]),
    "mask is unknown": dict(oov_token="a", mask_token="a", vocabulary=["c", "b"]), "array": dict(vocabulary=np.array(["x", "y"])),
    "mask in counts": dict(output_mode="count", mask_token="", **ABC), "of three unknown": dict(num_oov_indices=3, **ABC),
    "idf missing": dict(output_mode="tf_idf", vocabulary=["a"]), "idf in int": dict(vocabulary=["a"], idf_weights=[1.0]),
    "bad mode": dict(output_mode="x"), "inverted vectors": dict(invert=True, output_mode="multi_hot"), "one token": dict(max_tokens=1),
    "no tokens": dict(max_tokens=0), "negative unknown": dict(num_oov_indices=-1), "padding to nothing": dict(output_mode="count", pad_to_max_tokens=True),
    "bad salt": dict(salt="x"), "sparse integers": dict(sparse=True), "inverted unknown": dict(invert=True, vocabulary=["a", "[UNK]"]),
}  # fmt: skip
for name, options in VOCABULARIES.items():
    case(f"StringLookup vocabulary {name}", lambda k, o=options: k.layers.StringLookup(**o).get_vocabulary())
case("StringLookup plain vocabulary", lambda k: k.layers.StringLookup(mask_token="", **ABC).get_vocabulary(include_special_tokens=False))
case("StringLookup sizes", lambda k: [k.layers.StringLookup(**o).vocabulary_size() for o in ({}, ABC, dict(mask_token="", **ABC), dict(max_tokens=9, pad_to_max_tokens=True, output_mode="count", **ABC))])
case("StringLookup set", lambda k: with_vocabulary(k.layers.StringLookup(), ["a", "q"])(WORDS))
case("StringLookup set weights", lambda k: with_vocabulary(k.layers.StringLookup(output_mode="tf_idf"), ["a", "q"], idf_weights=[0.5, 0.25])(WORDS))
case("StringLookup set without weights", lambda k: with_vocabulary(k.layers.StringLookup(output_mode="tf_idf"), ["a"]))
case("StringLookup set too few weights", lambda k: with_vocabulary(k.layers.StringLookup(output_mode="tf_idf"), ["a", "b"], idf_weights=[1.0]))
case("StringLookup set weights in int", lambda k: with_vocabulary(k.layers.StringLookup(), ["a", "b"], idf_weights=[1.0, 2.0]))
case("StringLookup adapts after it was set", lambda k: adapted(k.layers.StringLookup(vocabulary=["a"]), ["b"]))
DATA = {
    "a list": ["b", "a", "a"], "a table": np.array([["b", "b", "a"], ["c", "a", "d"]]), "holes": np.array([["b", "b", "a"], ["c", "", "[UNK]"]]),
    "letters": np.array(["é", "z", "Z", "“", "a", "ä", "A", "0"]),
}  # fmt: skip
for name, data in DATA.items():
    for kind, options in {"": {}, " masked": dict(mask_token=""), " limited": dict(max_tokens=3), " two unknown": dict(num_oov_indices=2, max_tokens=4)}.items():
        case(f"StringLookup adapts to {name}{kind}", lambda k, o=options, d=data: adapted(k.layers.StringLookup(**o), d).get_vocabulary())
    case(f"StringLookup adapts tf_idf to {name}", lambda k, d=data: adapted(k.layers.StringLookup(output_mode="tf_idf"), d)(WORDS))
case("StringLookup adapts padded", lambda k: adapted(k.layers.StringLookup(max_tokens=6, output_mode="tf_idf", pad_to_max_tokens=True), [["a", "b", "c", "b"]])([["a", "b", "x"]]))
case("StringLookup adapts twice", lambda k: adapted(k.layers.StringLookup(), ["a"], ["b"]).get_vocabulary())
case("StringLookup states", lambda k: states(k.layers.StringLookup(), ["a"], ["b", "b"]).get_vocabulary())
case("StringLookup config", lambda k: k.layers.StringLookup(max_tokens=7, num_oov_indices=2, mask_token="", vocabulary=["a", "b"], salt=3, name="s").get_config())
case("StringLookup config tf_idf", lambda k: k.layers.StringLookup(vocabulary=["a"], idf_weights=[0.5], output_mode="tf_idf", name="s").get_config())
case("StringLookup config adapted", lambda k: adapted(k.layers.StringLookup(name="s"), ["a", "b"]).get_config())

# -- IntegerLookup ----------------------------------------------------------------------------------------------------

TENS = {"vocabulary": [10, 20, 30]}
for name, x in {"a table": NUMBERS, "a list": [10, 50], "floats": np.array([10.0, 50.0]), "strings": np.array(["10"])}.items():
    case(f"IntegerLookup of {name}", lambda k, x=x: k.layers.IntegerLookup(**TENS)(x))
for name, options in {
    "three unknown": dict(num_oov_indices=3, mask_token=0), "hashed": dict(num_oov_indices=3, mask_token=0, oov_method="farmhash"),
    "salted": dict(num_oov_indices=3, oov_method="farmhash", salt=5), "salted remainder": dict(salt=5), "bad method": dict(oov_method="x"),
    "no unknown": dict(num_oov_indices=0), "other dtype": dict(vocabulary_dtype="int32"), "counts": dict(output_mode="count", mask_token=0),
    "one_hot": dict(output_mode="one_hot"), "multi_hot": dict(output_mode="multi_hot"), "inverted": dict(invert=True),
}.items():  # fmt: skip
    case(f"IntegerLookup {name}", lambda k, o=options: k.layers.IntegerLookup(**TENS, **o)(OTHERS))
case("IntegerLookup inverted numbers", lambda k: k.layers.IntegerLookup(invert=True, mask_token=7, **TENS)(np.array([0, 1, 2, 3, 4, 9])))
for name, data in {"a table": np.array([[3, 3, 1], [2, 2, 3]]), "ties": [5, 6, 4, 4], "zeros": np.array([[0, 3, 3], [0, 1, -1]])}.items():
    for kind, options in {"": {}, " masked": dict(mask_token=0), " limited": dict(max_tokens=3)}.items():
        case(f"IntegerLookup adapts to {name}{kind}", lambda k, o=options, d=data: adapted(k.layers.IntegerLookup(**o), d).get_vocabulary())
case("IntegerLookup adapts tf_idf", lambda k: adapted(k.layers.IntegerLookup(output_mode="tf_idf"), OTHERS)(NUMBERS))
case("IntegerLookup vocabulary of strings", lambda k: k.layers.IntegerLookup(vocabulary=["1", "2"]).get_vocabulary())
case("IntegerLookup vocabulary repeated", lambda k: k.layers.IntegerLookup(vocabulary=[1, 1]))
case("IntegerLookup config", lambda k: k.layers.IntegerLookup(max_tokens=7, mask_token=0, vocabulary=[5, 6], output_mode="count", name="s").get_config())

# -- TextVectorization ------------------------------------------------------------------------------------------------

FOX = {"vocabulary": ["the", "fox", "dog"]}
for name, options in {
    "": FOX, " cut": dict(output_sequence_length=3, **FOX), " filled": dict(output_sequence_length=8, **FOX), " multi_hot": dict(output_mode="multi_hot", **FOX),
    " count": dict(output_mode="count", **FOX), " tf_idf": dict(output_mode="tf_idf", idf_weights=[0.1, 0.2, 0.3], **FOX),
    " bigrams": dict(ngrams=2, vocabulary=["the", "the quick", "the the"]), " trigrams": dict(ngrams=(3,), vocabulary=["the quick brown"]),
    " letters": dict(split="character", vocabulary=["t", "h", " "]), " raw letters": dict(split="character", standardize=None, vocabulary=["t", "h", " "]),
    " unsplit": dict(split=None, vocabulary=["the quick brown fox"]), " unsplit filled": dict(split=None, output_sequence_length=3, vocabulary=["x"]),
    " unsplit count": dict(split=None, output_mode="count", vocabulary=["the quick brown fox"]),
    " own standard": dict(standardize=lambda x: x, vocabulary=["The", "dog!"]), " padded": dict(output_mode="count", max_tokens=7, pad_to_max_tokens=True, **FOX),
}.items():  # fmt: skip
    for form, x in {"texts": np.array(TEXTS), "a list": TEXTS, "a column": np.array(TEXTS)[:, None], "a text": TEXTS[0], "empty ones": ["", "the"]}.items():
        if "unsplit" in name and form == "a text":
            continue  # Keras asks for a rank of at least one
        if "unsplit filled" in name and form != "a column":
            continue  # Keras fills up the axis of the batch
        case(f"TextVectorization{name} of {form}", lambda k, o=options, x=x: k.layers.TextVectorization(**o)(x))
case("TextVectorization of a table", lambda k: k.layers.TextVectorization(**FOX)([["a", "b"]]))
case("TextVectorization unsplit of a table", lambda k: k.layers.TextVectorization(split=None, **FOX)([["dog", "the"], ["the", "b"]]))
case("TextVectorization unsplit counts of a table", lambda k: k.layers.TextVectorization(split=None, output_mode="count", **FOX)([["dog", "the"], ["the", "b"]]))
for name, options in {
    "": {}, "bigrams": dict(ngrams=2), "a limit": dict(max_tokens=4), "unlike runs": dict(ngrams=(1, 3), max_tokens=9), "tf_idf": dict(output_mode="tf_idf"),
    "letters": dict(split="character"), "whole texts": dict(split=None), "count": dict(output_mode="count"),
}.items():  # fmt: skip
    case(f"TextVectorization adapts with {name}", lambda k, o=options: adapted(k.layers.TextVectorization(**o), TEXTS).get_vocabulary())
    case(f"TextVectorization adapts, then computes with {name}", lambda k, o=options: adapted(k.layers.TextVectorization(**o), np.array(TEXTS))(np.array(TEXTS)))
for how in (None, "lower", "strip_punctuation", "lower_and_strip_punctuation"):
    case(f"TextVectorization standardize {how}", lambda k, h=how: adapted(k.layers.TextVectorization(standardize=h), ODD).get_vocabulary())
for name, options in {
    "standard": dict(standardize="x"), "split": dict(split="x"), "ngrams": dict(ngrams="x"), "length": dict(output_sequence_length="a"),
    "length of counts": dict(output_mode="count", output_sequence_length=3), "mode": dict(output_mode="x"), "tokens": dict(max_tokens=1),
    "padding": dict(output_mode="count", pad_to_max_tokens=True), "weights": dict(idf_weights=[1.0], **FOX),
}.items():  # fmt: skip
    case(f"TextVectorization wrong {name}", lambda k, o=options: k.layers.TextVectorization(**o))
case("TextVectorization set", lambda k: with_vocabulary(k.layers.TextVectorization(), ["", "[UNK]", "x"]).get_vocabulary())
case("TextVectorization set plain", lambda k: with_vocabulary(k.layers.TextVectorization(), ["x", "y"]).get_vocabulary(include_special_tokens=False))
case("TextVectorization sizes", lambda k: [k.layers.TextVectorization(**o).vocabulary_size() for o in (FOX, dict(output_mode="count", **FOX))])
case("TextVectorization shapes", lambda k: [
    list(k.layers.TextVectorization(**o).compute_output_shape(s)) for o, s in (
        ({}, (None, 1)), (dict(output_sequence_length=4), (3, 1)), (dict(output_mode="count", max_tokens=7, pad_to_max_tokens=True), (None,)),
        (dict(output_mode="count", **FOX), (None,)))])  # fmt: skip
case("TextVectorization config", lambda k: k.layers.TextVectorization(max_tokens=9, ngrams=(1, 2), vocabulary=["a"], output_sequence_length=4, name="t").get_config())
case("TextVectorization config adapted", lambda k: adapted(k.layers.TextVectorization(output_mode="count", name="t"), TEXTS).get_config())

# -- hashes -----------------------------------------------------------------------------------------------------------

for name, options in {
    "": {}, " salted": dict(salt=133), " salted twice": dict(salt=[133, 137]), " masked": dict(mask_value="a"), " one_hot": dict(output_mode="one_hot"),
    " multi_hot": dict(output_mode="multi_hot"), " count": dict(output_mode="count"), " int32": dict(dtype="int32"),
}.items():  # fmt: skip
    case(f"Hashing{name} of strings", lambda k, o=options: k.layers.Hashing(1000 if "mode" not in str(o) else 5, **o)(MIXED))
    if "masked" not in name:
        case(f"Hashing{name} of integers", lambda k, o=options: k.layers.Hashing(50, **o)(INTEGERS))
case("Hashing masked of integers", lambda k: k.layers.Hashing(10, mask_value=0)(INTEGERS))
case("Hashing of a number", lambda k: k.layers.Hashing(10)(7))
case("Hashing of floats", lambda k: k.layers.Hashing(10)(FLOATS))
case("Hashing of lists", lambda k: k.layers.Hashing(10)([["a", "b"]]))
case("Hashing one masked bin", lambda k: k.layers.Hashing(1, mask_value=4)(INTEGERS))
for name, options in {
    "no bins": dict(num_bins=0), "unknown bins": dict(num_bins=None), "salt": dict(num_bins=3, salt="x"), "salts": dict(num_bins=3, salt=[1, 2, 3]),
    "mode": dict(num_bins=3, output_mode="tf_idf"), "dtype": dict(num_bins=3, dtype="float32"), "sparse integers": dict(num_bins=3, sparse=True),
}.items():  # fmt: skip
    case(f"Hashing wrong {name}", lambda k, o=options: k.layers.Hashing(**o))
case("Hashing config", lambda k: k.layers.Hashing(3, salt=5, name="h").get_config())
PAIRS = {
    "strings and integers": (np.array(["a", "b"]), np.array([1, 22])), "columns": (np.array([["a"], ["b"]]), np.array([[1], [-22]])),
    "three": (np.array(["a", "b"]), np.array(["aa", "b"]), np.array([1, 22])), "a list": [np.array(["a", "b"]), np.array(["aa", "b"])],
    "single values": ("a", "b"), "one feature": (np.array(["a"]),), "tables": (WORDS, WORDS), "floats": (np.array([1.5]), np.array([2])),
    "unlike shapes": (np.array([1]), np.array([2, 3])),
}  # fmt: skip
for name, x in PAIRS.items():
    case(f"HashedCrossing of {name}", lambda k, x=x: k.layers.HashedCrossing(1000)(x))
for name in ("strings and integers", "columns"):
    case(f"HashedCrossing one_hot of {name}", lambda k, x=PAIRS[name]: k.layers.HashedCrossing(7, output_mode="one_hot")(x))
case("HashedCrossing wrong mode", lambda k: k.layers.HashedCrossing(7, output_mode="multi_hot"))
case("HashedCrossing config", lambda k: k.layers.HashedCrossing(7, name="h").get_config())

# -- CategoryEncoding, Discretization, Normalization ------------------------------------------------------------------

for mode in ("one_hot", "multi_hot", "count"):
    for name, x in {"rows": FEW, "one row": FEW[0], "a number": 3, "a column": FEW[:, :1], "cubes": FEW[None], "flat cubes": FEW[:, :, None],
                    "too great": np.array([[0, 9]]), "lists": [[0, 1], [3, 3]], "one of one": np.array([2])}.items():  # fmt: skip
        case(f"CategoryEncoding {mode} of {name}", lambda k, m=mode, x=x: k.layers.CategoryEncoding(4, output_mode=m)(x))
case("CategoryEncoding weighted", lambda k: k.layers.CategoryEncoding(4, output_mode="count")(FEW, count_weights=np.array([[0.1, 0.2], [0.3, 0.4]])))
case("CategoryEncoding weighted wrongly", lambda k: k.layers.CategoryEncoding(4)(FEW, count_weights=np.ones((2, 2))))
case("CategoryEncoding without size", lambda k: k.layers.CategoryEncoding())
case("CategoryEncoding wrong size", lambda k: k.layers.CategoryEncoding(0))
case("CategoryEncoding wrong mode", lambda k: k.layers.CategoryEncoding(4, output_mode="int"))
case("CategoryEncoding config", lambda k: k.layers.CategoryEncoding(4, output_mode="count", name="c").get_config())
for mode in ("int", "one_hot", "multi_hot", "count"):
    for name, x in {"rows": FLOATS, "one row": FLOATS[0], "a column": FLOATS[:, :1], "integers": np.array([0, 1, 2, 3]), "nan": np.array([np.nan]),
                    "lists": FLOATS.tolist()}.items():  # fmt: skip
        case(f"Discretization {mode} of {name}", lambda k, m=mode, x=x: k.layers.Discretization([0.0, 1.0, 2.0], output_mode=m)(x))
for name, (options, data) in {
    "": (dict(num_bins=4), MANY), " roughly": (dict(num_bins=4, epsilon=0.3), MANY[:50, 0]), " closely": (dict(num_bins=7, epsilon=0.001), MANY),
    " few": (dict(num_bins=5), np.array([1.0, 1, 1, 2])), " integers": (dict(num_bins=3), np.arange(10)),
}.items():  # fmt: skip
    case(f"Discretization adapts{name}", lambda k, o=options, d=data: list(adapted(k.layers.Discretization(**o), d).bin_boundaries))
case("Discretization states", lambda k: list(states(k.layers.Discretization(num_bins=4), MANY[:300], MANY[300:350], MANY[350:] + 1).bin_boundaries))
case("Discretization adapts, then computes", lambda k: adapted(k.layers.Discretization(num_bins=4, output_mode="one_hot"), MANY)(MANY[:3]))
for name, options in {"none": {}, "both": dict(bin_boundaries=[1.0], num_bins=3), "bins": dict(num_bins=-1), "mode": dict(bin_boundaries=[1.0], output_mode="x")}.items():
    case(f"Discretization wrong {name}", lambda k, o=options: k.layers.Discretization(**o))
case("Discretization without boundaries", lambda k: k.layers.Discretization(num_bins=3)(FLOATS))
case("Discretization adapts boundaries", lambda k: adapted(k.layers.Discretization([1.0]), FLOATS))
case("Discretization config", lambda k: k.layers.Discretization([1.0, 2.0], name="d").get_config())
case("Discretization config adapted", lambda k: adapted(k.layers.Discretization(num_bins=3, name="d"), np.arange(10.0)).get_config())
for name, options in {"": {}, " of all": dict(axis=None), " of two axes": dict(axis=(1, 2)), " of axis 1": dict(axis=1), " inverted": dict(invert=True)}.items():
    case(f"Normalization{name}", lambda k, o=options: adapted(k.layers.Normalization(**o), NORMAL)(NORMAL[:2]))
case("Normalization given", lambda k: k.layers.Normalization(mean=[1.0, 2, 3], variance=[1.0, 4, 9])(NORMAL[:2]))
case("Normalization given numbers", lambda k: k.layers.Normalization(axis=None, mean=1.0, variance=2.0)(NORMAL[:2]))
case("Normalization at first", lambda k: k.layers.Normalization()(NORMAL))
case("Normalization of equal values", lambda k: adapted(k.layers.Normalization(), np.ones((4, 2)))(np.ones((1, 2)) * 3))
case("Normalization of integers", lambda k: adapted(k.layers.Normalization(), np.array([[1, 2], [3, 5]]))(np.array([[1, 2]])))
case("Normalization of a stream", lambda k: adapted(k.layers.Normalization(), iter([NORMAL[:1], NORMAL[1:4], NORMAL[4:]]))(NORMAL[:2]))
for name, options in {"mean alone": dict(mean=1.0), "shapes": dict(mean=[1.0, 2.0], variance=3.0)}.items():
    case(f"Normalization wrong {name}", lambda k, o=options: k.layers.Normalization(**o))
for name, (axis, shape) in {"unknown": (-1, (None, None)), "batch": (0, (None, 3)), "rank": (3, (2, 3))}.items():
    case(f"Normalization wrong axis {name}", lambda k, a=axis, s=shape: k.layers.Normalization(axis=a).build(s))
case("Normalization config", lambda k: k.layers.Normalization(axis=(1, 2), invert=True, name="n").get_config())
case("Normalization config given", lambda k: k.layers.Normalization(mean=np.ones(2), variance=[1.0, 2.0], name="n").get_config())


def answer(keras: Any, name: str, cases: dict = CASES) -> dict:
    """What a case gives, as JSON has it: a value, and its kind and shape if it is an array; or the type of the error."""
    try:
        y = cases[name](keras)
    except Exception as e:
        kind = next((t for t in (ValueError, TypeError) if isinstance(e, t)), Exception)
        return {"error": kind.__name__}
    if hasattr(y, "shape") and hasattr(y, "dtype"):
        y = np.asarray(y)
        return {"value": plain(y.tolist()), "shape": list(y.shape), "kind": "S" if y.dtype.kind in "OUS" else y.dtype.kind}
    return {"value": plain(y) if isinstance(y, (list, tuple, dict, int, float, str)) else None}


def plain(x: Any) -> Any:
    """Numbers, strings, lists and dicts, of what may be tracked lists, NumPy's numbers, and bytes."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, bytes):
        return x.decode()
    return x.item() if isinstance(x, np.generic) else x


def same(a: Any, b: Any) -> bool:
    """Equal, with floats nearly so, at any depth."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return bool(np.isclose(a, b, rtol=1e-5, atol=1e-5, equal_nan=True))
    return a == b
