"""Low-rank adaptation of the layers that have it: what is trained, saved and computed."""

import numpy as np
import pytest
from layer_row import draw, fill

import kerasish as keras

layers = keras.layers
WORDS = np.array([[1, 2], [0, 4]], "int32")
KINDS = {
    "Dense": (lambda **more: layers.Dense(4, name="l", **more), draw(3, 5), "kernel", [(5, 2), (2, 4)]),
    "Embedding": (lambda **more: layers.Embedding(6, 3, name="l", **more), WORDS, "embeddings", [(6, 2), (2, 3)]),
    "EinsumDense": (lambda **more: layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", name="l", **more),
                    draw(2, 3, 5), "kernel", [(5, 2, 2), (2, 3)]),
    "Conv2D": (lambda **more: layers.Conv2D(4, 3, name="l", **more), draw(1, 5, 5, 2), "kernel", [(3, 3, 2, 2), (2, 4)]),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def test_factors_are_trained_and_the_weight_is_not(kind):
    make, x, name, shapes = kind
    layer = make()
    before = np.asarray(layer(x))
    layer.enable_lora(2)
    np.testing.assert_allclose(np.asarray(layer(x)), before, rtol=1e-6)  # the second factor starts as zeros
    factors = [v for v in layer.trainable_variables if v.name.startswith("lora")]
    assert [v.name for v in factors] == [f"lora_{name}_a", f"lora_{name}_b"] and [v.shape for v in factors] == shapes
    assert name not in [v.name for v in layer.trainable_variables]
    assert (layer.get_config()["lora_rank"], layer.get_config()["lora_alpha"]) == (2, 2)


def test_the_sum_is_what_computes_and_what_files_hold(kind, tmp_path):
    make, x, name, _ = kind
    layer = make(lora_rank=2, lora_alpha=4)
    layer(x)
    fill(layer)
    plain = make()
    plain(x)
    merged = np.asarray(getattr(layer, f"_{name}")) + 2 * np.asarray(layer._own("a")) @ np.asarray(layer._own("b"))
    np.testing.assert_allclose(np.asarray(getattr(layer, name)), merged, rtol=1e-5, atol=1e-6)
    plain.set_weights([merged, *layer.get_weights()[1 : len(plain.weights)]])
    np.testing.assert_allclose(np.asarray(plain(x)), np.asarray(layer(x)), rtol=1e-5, atol=1e-5)
    store = {}
    layer.save_own_variables(store)
    np.testing.assert_allclose(store["0"], merged, rtol=1e-5, atol=1e-6)
    again = make(lora_rank=2, lora_alpha=4)
    again(x)
    again.load_own_variables(store)
    np.testing.assert_allclose(np.asarray(again(x)), np.asarray(layer(x)), rtol=1e-5, atol=1e-5)


def test_training_moves_the_factors_alone(kind):
    make, x, name, _ = kind
    model = keras.Sequential([keras.Input(x.shape[1:], dtype=str(x.dtype)), make(lora_rank=2), layers.Flatten(), layers.Dense(1, trainable=False)])
    model.compile("sgd", "mse")
    layer = model.layers[0]
    frozen = np.array(getattr(layer, f"_{name}"))
    model.fit(x, np.ones((len(x), 1)), epochs=2, verbose=0)
    assert np.array_equal(np.asarray(getattr(layer, f"_{name}")), frozen) and np.asarray(layer._own("b")).any()


def test_mistakes(kind):
    make, x, name, _ = kind
    with pytest.raises(ValueError, match="isn't yet built"):
        make().enable_lora(2)
    layer = make(**{f"{name}_constraint": "non_neg"})
    layer(x)
    with pytest.raises(ValueError, match="incompatible"):
        layer.enable_lora(2)
    layer = make(lora_rank=2)
    layer(x)
    with pytest.raises(ValueError, match="already enabled"):
        layer.enable_lora(2)
