"""TensorBoard: what is in the files, read by a reader of our own."""

import json

import numpy as np
import pytest
from event_reader import events, picture
from tensorboard_runs import OPTIONS, X, read, run

import kerasish as keras
from kerasish.callbacks.event_file import EventFile, masked_crc, png

# what is written in each case: place, name and the steps
SCALARS = {
    ("fit/train", "epoch_loss"): [0, 1, 2],
    ("fit/train", "epoch_learning_rate"): [0, 1, 2],
    ("fit/validation", "epoch_loss"): [0, 1, 2],
    ("fit/validation", "evaluation_loss_vs_iterations"): [3, 6, 9],
    ("evaluate/validation", "evaluation_loss_vs_iterations"): [9],
}
GRAPHS = {("fit/train", "keras"): [0], ("evaluate/train", "keras"): [0]}
WEIGHTS = {
    ("fit/train", f"m/{layer}/{weight}/{kind}"): [0, 2]
    for layer in "ab"
    for weight in ("kernel", "bias")
    for kind in ("histogram", "image")
    if (layer, weight, kind) != ("b", "bias", "image")  # a single number
}
WRITTEN = {
    "plain": SCALARS | GRAPHS,
    "weights": SCALARS | GRAPHS | WEIGHTS,
    "every second batch": SCALARS | GRAPHS | {("fit/train", "batch_loss"): [2, 4, 6, 8]},
    "every batch, no graph": SCALARS | {("fit/train", "batch_loss"): list(range(1, 10))},
    "embeddings": SCALARS | GRAPHS,
}


@pytest.mark.parametrize("case", OPTIONS)
def test_what_is_written(case, tmp_path):
    run(keras, tmp_path, **OPTIONS[case])
    found, others = read(tmp_path, events)
    steps = {}
    for place, tag, step, _, _ in found:
        steps.setdefault((place, tag), []).append(step)
    assert steps == WRITTEN[case]
    checkpoints = [f"fit/train/keras_embedding.ckpt-{epoch}.weights.h5" for epoch in range(3)]
    configs = ["evaluate/projector_config.pbtxt", "fit/projector_config.pbtxt"]
    assert others == ([configs[0], configs[1], *checkpoints] if case == "embeddings" else [])


def test_values(tmp_path):
    model = run(keras, tmp_path, histogram_freq=2, write_images=True)
    found, _ = read(tmp_path, events)
    values = {(place, tag, step): (plugin, value) for place, tag, step, plugin, value in found}
    losses = [float(values["fit/train", "epoch_loss", epoch][1]) for epoch in range(3)]
    np.testing.assert_allclose(losses, model.history.history["loss"], rtol=1e-6)
    held_out = [float(values["fit/validation", "epoch_loss", epoch][1]) for epoch in range(3)]
    np.testing.assert_allclose(held_out, model.history.history["val_loss"], rtol=1e-6)
    assert values["fit/train", "epoch_learning_rate", 0] == ("scalars", np.float32(0.01))
    plugin, graph = values["fit/train", "keras", 0]
    assert plugin == "graph_keras_model" and json.loads(graph.item())["config"]["name"] == "m"
    kernel = model.layers[0].kernel.numpy()
    plugin, histogram = values["fit/train", "m/a/kernel/histogram", 2]
    assert plugin == "histograms" and histogram.shape == (30, 3) and histogram[:, 2].sum() == kernel.size
    assert (histogram[0, 0], histogram[-1, 1]) == (kernel.min(), kernel.max())
    plugin, image = values["fit/train", "m/a/kernel/image", 2]
    assert plugin == "images" and image[:2].tolist() == [b"4", b"3"]
    np.testing.assert_array_equal(picture(image[2])[..., 0], (np.clip(kernel.T, 0, 1) * 255).round().astype("uint8"))


def test_speed(tmp_path):
    run(keras, tmp_path, write_steps_per_second=True, update_freq="batch")
    speeds = {tag: value for _, tag, _, _, value in read(tmp_path, events)[0] if tag.endswith("steps_per_second")}
    assert sorted(speeds) == ["batch_steps_per_second", "epoch_steps_per_second"] and all(v > 0 for v in speeds.values())


def test_batches_cost_nothing_unless_wanted(tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path)
    assert not keras.callbacks.CallbackList([callback]).wants_batches("train")
    assert keras.callbacks.CallbackList([keras.callbacks.TensorBoard(tmp_path, update_freq=5)]).wants_batches("train")


def embedding(name="words"):
    model = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 2, name=name), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("metadata, path", [(None, None), ("words.tsv", "words.tsv"), ({"words": "some.tsv"}, "some.tsv")])
def test_projector(metadata, path, tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata=metadata)
    embedding().fit(np.ones((4, 3), "int32"), np.ones((4, 1)), verbose=0, callbacks=[callback])
    text = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_name: "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"' in text
    assert (f'metadata_path: "{path}"' in text) if path else ("metadata_path" not in text)
    assert (tmp_path / "train/keras_embedding.ckpt-0.weights.h5").exists()
    assert metadata is None or metadata in ("words.tsv", {"words": "some.tsv"})  # left as it was


def test_projector_of_a_layer_that_is_not_there(tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"letters": "x.tsv"})
    with pytest.raises(ValueError, match=r"Unrecognized `Embedding` layer names.*letters"):
        callback.set_model(embedding())


def test_profiling_is_elsewhere():
    with pytest.raises(ValueError, match=r"Received: profile_batch=2 \(must be 0\)"):
        keras.callbacks.TensorBoard(profile_batch=2)


def test_models_that_are_not_written(tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    model = Own()
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0, callbacks=[keras.callbacks.TensorBoard(tmp_path)])
    assert {tag for _, tag, _, _, _ in read(tmp_path, events)[0]} == {"epoch_loss", "epoch_learning_rate"}


def test_a_resumed_run_goes_on_counting(tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path, update_freq="batch")
    callback._global_train_batch = 7
    state = callback.get_state()
    callback.on_train_begin()
    callback.set_state(state)
    callback.on_train_batch_begin(0)
    assert callback._global_train_batch == 8


# -- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [], [np.nan, np.inf, 1.0, 3.0], list(range(100))])
def test_histograms_count_every_number(values, tmp_path):
    file = EventFile(str(tmp_path / "new" / "folder"))
    file.histogram("h", np.array(values), 3)
    file.flush()
    ((step, tag, _, rows),) = events(next((tmp_path / "new" / "folder").iterdir()))
    finite = np.isfinite(values).sum() if values else 0
    assert (step, tag) == (3, "h") and rows[:, 2].sum() == finite and (rows[:, 0] <= rows[:, 1]).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures(channels):
    pixels = np.arange(6 * channels, dtype="uint8").reshape(2, 3, channels)
    np.testing.assert_array_equal(picture(png(pixels)), pixels)


def test_files_of_one_second_have_names_of_their_own(tmp_path):
    for _ in range(3):
        EventFile(str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("step", [0, 127, 128, 2**40])
def test_steps(step, tmp_path):
    file = EventFile(str(tmp_path))
    file.scalar("x", 0.5, step)
    file.flush()
    assert [(s, tag, float(value)) for s, tag, _, value in events(next(tmp_path.iterdir()))] == [(step, "x", 0.5)]


def test_events_do_not_wait_for_long(tmp_path, monkeypatch):
    file = EventFile(str(tmp_path))
    file.scalar("x", 0.5, 1)
    assert list(events(next(tmp_path.iterdir()))) == []
    file.images("x", np.random.default_rng(0).random((3, 150, 150, 1)), 2)
    assert len(list(events(next(tmp_path.iterdir())))) == 2
    monkeypatch.setattr("time.monotonic", lambda now=file._flushed: now + 6)
    file.scalar("x", 0.5, 3)
    assert len(list(events(next(tmp_path.iterdir())))) == 3


def test_checksum():
    assert masked_crc(b"") == 0xA282EAD8
