"""Layers that turn raw values into numbers: every case gives what Keras gives."""

import json
import pathlib

import numpy as np
import pytest
from preprocessing_cases import CASES, answer, same

import kerasish as keras
from kerasish.base.errors import UnsafeFileError
from kerasish.layers.preprocessing.fingerprints import fingerprints

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/preprocessing.json").read_text(encoding="utf-8"))


def test_every_case_has_an_answer():
    assert list(GOLDEN) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_answers_are_keras(name):
    ours, theirs = answer(keras, name), GOLDEN[name]
    if theirs.get("error") == "Exception":  # of TensorFlow's own kinds
        assert "error" in ours
    else:
        assert same(json.loads(json.dumps(ours)), theirs)


def test_unsplit_texts_are_filled_up_each():
    layer = keras.layers.TextVectorization(split=None, output_sequence_length=3, vocabulary=["x"])
    assert layer(["x", "y"]).tolist() == [[2, 0, 0], [1, 0, 0]]


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session()


# -- in models --------------------------------------------------------------------------------------------------------

TEXTS = np.array(["the dog", "a fox runs", "the the moon", "dog"] * 4)


def text_model():
    """A model of texts and numbers."""
    keras.utils.set_random_seed(3)
    texts, numbers = keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int64")
    words = keras.layers.TextVectorization(output_sequence_length=4)
    words.adapt(TEXTS)
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(words.vocabulary_size(), 3)(words(texts)))
    bins = keras.layers.Hashing(7, output_mode="one_hot")(numbers)
    return keras.Model([texts, numbers], keras.layers.Dense(1)(keras.layers.Concatenate()([x, bins])))


DATA = [TEXTS[:, None], np.arange(16)[:, None] << 33]  # wider than 32 bits


@pytest.mark.parametrize("eagerly", [False, True])
def test_strings_train_a_model(eagerly):
    model = text_model()
    model.compile("adam", "mse", run_eagerly=eagerly)
    history = model.fit(DATA, np.arange(16) % 2, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert np.isfinite(model.evaluate(DATA, np.ones(16), verbose=0))


def test_strings_go_into_a_model_in_every_way():
    model = text_model()
    expected = model.predict(DATA, verbose=0)
    objects = [DATA[0].astype(object), DATA[1]]
    flat = [DATA[0][:, 0], DATA[1][:, 0]]
    raw = [DATA[0].astype("S"), DATA[1]]
    for data in (objects, flat, raw):
        assert np.array_equal(model.predict(data, verbose=0), expected)
    np.testing.assert_allclose(model.predict(DATA, batch_size=3, verbose=0), expected, rtol=1e-5, atol=1e-6)
    small = [DATA[0], DATA[1] % 1000]
    np.testing.assert_allclose(model(small), model.predict_on_batch(small), rtol=1e-5, atol=1e-6)
    assert "on_host" in model.program("predict").source


def test_a_model_of_strings_is_saved(tmp_path):
    model = text_model()
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert np.array_equal(again.predict(DATA, verbose=0), model.predict(DATA, verbose=0))
    model.save(tmp_path / "m", zipped=False)
    assert (tmp_path / "m/assets/layers/text_vectorization/vocabulary.txt").read_text().split("\n")[:3] == ["", "[UNK]", "the"]


def test_texts_of_unknown_length_run_eagerly():
    layer = keras.layers.TextVectorization(vocabulary=["the", "dog"])
    model = keras.Sequential([
        keras.Input((), dtype="string"), layer, keras.layers.Embedding(4, 3), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1),
    ])  # fmt: skip
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="output_sequence_length"):
        model.fit(TEXTS, np.ones(16), verbose=0)
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.raises(TypeError, match="output_sequence_length"):
        model.fit(TEXTS, np.ones(16), verbose=0)


def test_a_layer_in_a_models_own_call():
    class Tags(keras.Model):
        def __init__(self):
            super().__init__()
            self.tags = keras.layers.StringLookup(vocabulary=["a", "b"], output_mode="multi_hot")
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(self.tags(x))

    model, x = Tags(), np.array([["a", "b"], ["c", "long word"]], dtype=object)
    model.compile("adam", "mse")
    model.fit(x, np.ones((2, 2)), verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x), rtol=1e-6)


def test_numbers_become_strings_in_a_model():
    numbers = keras.Input((2,), dtype="int64")
    words = keras.layers.StringLookup(vocabulary=["a", "b"], invert=True)(numbers)
    assert words.shape == (None, 2) and words.dtype == "string"
    back = keras.layers.StringLookup(vocabulary=["b", "a"])(words)
    model = keras.Model(numbers, [words, back])
    found = model.predict(np.array([[0, 1], [1, 2]]), verbose=0)
    assert found[0].tolist() == [["[UNK]", "a"], ["a", "b"]] and found[1].tolist() == [[0, 2], [2, 1]]


def test_strings_are_no_numbers():
    words = keras.layers.StringLookup(vocabulary=["a"], invert=True)([1])
    with pytest.raises(ValueError, match="dtype"):
        keras.ops.add(words, 1)


# -- adapt ------------------------------------------------------------------------------------------------------------


def test_adapt_takes_streams(tmp_path):
    numbers = np.random.RandomState(0).normal(3, 2, (100, 2))
    mapped = np.memmap(tmp_path / "numbers", "float64", "w+", shape=(100, 2))
    mapped[:] = numbers
    streams = [numbers, numbers.tolist(), iter(np.split(numbers, 5)), mapped, keras.ops.convert_to_tensor(numbers)]
    moments = []
    for data in streams:
        layer = keras.layers.Normalization()
        layer.adapt(data)
        moments.append(np.concatenate([np.asarray(layer.mean), np.asarray(layer.variance)]))
    assert all(np.allclose(m, [numbers.mean(0), numbers.var(0)], rtol=1e-5) for m in moments)
    layer = keras.layers.Normalization()
    layer.adapt(iter(np.split(numbers, 5)), steps=2)
    assert np.allclose(layer.mean, numbers[:40].mean(0)) and int(layer.count) == 40


def test_adapted_moments_are_used_by_programs_made_before():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Normalization()])
    x = np.random.RandomState(0).normal(3, 2, (50, 2)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), x, rtol=1e-6)
    model.layers[0].adapt(x)
    np.testing.assert_allclose(model.predict(x, verbose=0).mean(0), 0, atol=1e-5)


def test_pieces_of_data_are_counted_together():
    class Words(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return np.array([["a", "b"], ["a", "abc"[index]]])

    for data in (Words(), [np.array([["a", "b"], ["a", x]]) for x in "abc"].__iter__(), iter([["a"] * 7, ["b"] * 4, ["c"]])):
        layer = keras.layers.StringLookup()
        layer.adapt(data)
        assert layer.get_vocabulary() == ["[UNK]", "a", "b", "c"]
    with pytest.raises(ValueError, match="Leave out the targets"):
        layer.adapt(iter([(np.array(["a"]), np.array([1]))]))
    with pytest.raises(TypeError, match="adapt"):
        layer.adapt(object())


# -- vocabularies in files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["StringLookup", "TextVectorization"])
def test_a_vocabulary_is_read_from_the_users_file_alone(name, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("a\nWörter\n", encoding="utf-8")
    layer = getattr(keras.layers, name)(vocabulary=str(path))
    assert layer.get_vocabulary(include_special_tokens=False) == ["a", "Wörter"]
    config = layer.get_config()
    assert config["vocabulary"] == ["a", "Wörter"]
    assert type(layer).from_config(config).get_vocabulary() == layer.get_vocabulary()
    with pytest.raises(UnsafeFileError, match="not opened"):
        type(layer).from_config({**config, "vocabulary": str(path)})
    form = keras.saving.serialize_keras_object(layer)
    form["config"]["vocabulary"] = str(path)
    with pytest.raises(UnsafeFileError, match="not opened"):
        keras.saving.deserialize_keras_object(form)
    with pytest.raises(ValueError, match="does not exist"):
        getattr(keras.layers, name)(vocabulary=str(tmp_path / "nothing"))


def test_tokens_with_line_breaks_are_saved(tmp_path):
    layer = keras.layers.TextVectorization(split="character", standardize=None)
    layer.adapt(["a\nb"])
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, layer(texts))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again.layers[1].get_vocabulary() == layer.get_vocabulary() and "\n" in layer.get_vocabulary()


def test_a_table_is_taken_by_its_columns():
    class Column:  # as pandas has it
        def to_numpy(self):
            return np.array(["a", "b", None][:2], dtype=object)

    assert keras.layers.StringLookup(vocabulary=["b"])(Column()).tolist() == [0, 1]
    with pytest.raises(TypeError, match="Expected strings"):
        keras.layers.StringLookup(vocabulary=["b"])(np.array(["a", None], dtype=object))
    with pytest.raises(ValueError, match="different lengths"):
        keras.layers.StringLookup(vocabulary=["b"])([["a"], ["b", "c"]])


# -- hashes -----------------------------------------------------------------------------------------------------------


def test_hashes_of_all_lengths():
    words = [bytes((i * 7 + j * j) % 256 for j in range(i)) for i in range(300)]
    together = fingerprints(words * 2)
    assert np.array_equal(together[:300], together[300:]) and len(set(together.tolist())) == 300
    assert together[:300:50].tolist() == [fingerprints([w])[0] for w in words[::50]]
    # the reference vector of SipHash-2-4's authors
    key = tuple(int.from_bytes(bytes(range(i, i + 8)), "little") for i in (0, 8))
    assert fingerprints([bytes(range(15))], key)[0] == 0xA129CA6149BE45E5
