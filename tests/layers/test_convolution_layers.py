"""What layers over space refuse, low-rank adaptation, shapes over axes of unknown size."""

import json

import numpy as np
import pytest
from rows_convolution import ROWS as CONVOLUTIONS
from rows_padding import ROWS as PADDINGS
from rows_pooling import ROWS as POOLINGS

import kerasish as keras
from kerasish import layers

IMAGE = np.random.RandomState(0).normal(size=(2, 6, 5, 4)).astype("float32")


def conv(**options):
    return layers.Conv2D(**{"filters": 4, "kernel_size": 3} | options)


ERRORS = [
    (ValueError, "strictly positive", lambda: conv(filters=0)),
    (ValueError, "strictly positive", lambda: conv(filters=2.5)),
    (ValueError, "groups", lambda: conv(groups=0)),
    (ValueError, "divisible by the number of groups", lambda: conv(groups=3)),
    (ValueError, "input channels must be evenly divisible", lambda: conv(groups=2)(IMAGE[..., :3])),
    (ValueError, "`kernel_size` argument", lambda: conv(kernel_size=(3, 3, 3))),
    (ValueError, "`kernel_size` argument", lambda: conv(kernel_size=(3, 0))),
    (ValueError, "`kernel_size` argument", lambda: conv(kernel_size="3")),
    (ValueError, "`strides` argument", lambda: conv(strides=(1, None))),
    (ValueError, "not supported in conjunction", lambda: conv(strides=2, dilation_rate=2)),
    (ValueError, "`padding` argument", lambda: conv(padding="causal")),
    (ValueError, "`padding` argument", lambda: layers.Conv1D(2, 2, padding="full")),
    (ValueError, "data_format", lambda: conv(data_format="channels_middle")),
    (ValueError, "zero or negative", lambda: conv(kernel_size=7)(IMAGE)),
    (ValueError, "zero or negative", lambda: conv(dilation_rate=3).compute_output_shape((None, 6, 5, 4))),
    (ValueError, "must be known", lambda: conv().build((None, 6, 5, None))),
    (ValueError, "takes inputs of 4 axes", lambda: conv().build((None, 6, 5))),
    (ValueError, "min_ndim=4", lambda: conv()(IMAGE[0])),
    (ValueError, "expected axis -1", lambda: _twice(conv(), IMAGE, IMAGE[..., :2])),
    (ValueError, "expected axis 1", lambda: _twice(conv(data_format="channels_first", kernel_size=2), IMAGE, IMAGE[:, :3])),
    (ValueError, "strictly less than `strides`", lambda: layers.Conv2DTranspose(2, 3, strides=2, output_padding=2)),
    (ValueError, "`output_padding` argument", lambda: layers.Conv1DTranspose(2, 3, strides=2, output_padding=-1)),
    (ValueError, "not supported in conjunction", lambda: layers.Conv1DTranspose(2, 3, strides=2, dilation_rate=2)),
    (ValueError, "strictly positive", lambda: layers.DepthwiseConv2D(3, depth_multiplier=0)),
    (ValueError, "strictly positive", lambda: layers.SeparableConv1D(-1, 3)),
    (ValueError, "zero or negative", lambda: layers.SeparableConv2D(2, 9)(IMAGE)),
    (ValueError, "`pool_size` argument", lambda: layers.MaxPooling2D((2, 2, 2))),
    (ValueError, "`padding` argument", lambda: layers.AveragePooling1D(2, padding="causal")),
    (TypeError, "pool_size", lambda: layers.AveragePooling2D()),
    (ValueError, "ndim=4", lambda: layers.MaxPooling2D()(IMAGE[0])),
    (ValueError, "zero or negative", lambda: layers.MaxPooling2D(7).compute_output_shape((1, 6, 5, 4))),
    (ValueError, "does not fit", lambda: layers.AveragePooling2D(7)(IMAGE)),
    (ValueError, "ndim=3", lambda: layers.GlobalAveragePooling1D()(IMAGE)),
    (TypeError, "`output_size` must be", lambda: layers.AdaptiveMaxPooling2D("all")),
    (ValueError, "`output_size` argument", lambda: layers.AdaptiveAveragePooling3D((2, 2))),
    (ValueError, "`padding` argument", lambda: layers.ZeroPadding1D((1, 2, 3))),
    (ValueError, "`padding` should be", lambda: layers.ZeroPadding2D((1, 2, 3))),
    (ValueError, "`padding` should be", lambda: layers.ZeroPadding3D(None)),
    (ValueError, "entry 2 of padding", lambda: layers.ZeroPadding2D(((1, 2), (1, -2)))),
    (ValueError, "`cropping` argument", lambda: layers.Cropping1D(-1)),
    (ValueError, "`cropping` should be", lambda: layers.Cropping3D((1, 1))),
    (ValueError, "smaller than the input", lambda: layers.Cropping2D(3)(IMAGE)),
    (ValueError, "smaller than the input", lambda: layers.Cropping1D((2, 2)).compute_output_shape((None, 4, 2))),
    (TypeError, "integer value for `size`", lambda: layers.UpSampling1D((2,))),
    (ValueError, "`size` argument", lambda: layers.UpSampling1D(0)),
    (ValueError, "`size` argument", lambda: layers.UpSampling3D((2, 2))),
    (ValueError, "interpolation", lambda: layers.UpSampling2D(2, interpolation="sharp")(IMAGE)),
]


def _twice(layer, *inputs):
    for x in inputs:
        layer(x)


@pytest.mark.parametrize("kind, match, make", ERRORS, ids=[f"{i} {m}" for i, (_, m, _) in enumerate(ERRORS)])
def test_errors(kind, match, make):
    with pytest.raises(kind, match=match):
        make()


SPATIAL = [r for r in (*CONVOLUTIONS, *POOLINGS, *PADDINGS) if "mask" not in r.call]


@pytest.mark.parametrize("row", SPATIAL, ids=str)
def test_sizes_may_be_unknown(row):
    """Shapes are told without a size, without building, by the layer and by tracing its call."""
    layer = row.make(keras)
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    shape = row.inputs.shape
    space = len(shape) - 2
    unknown = (None, shape[1], *[None] * space) if first else (None, *[None] * space, shape[-1])
    expected = layer(row.inputs).shape
    told = row.make(keras).compute_output_shape(unknown)
    known = row.make(keras).compute_output_shape(shape)
    assert isinstance(told, tuple) and known == tuple(expected)
    assert all(a is None or a == b for a, b in zip(told, expected, strict=True))
    assert told.index(expected[1 if first else -1]) >= 0

    class Outer(keras.Layer):
        def call(self, x):
            return layer(x) * 1.0

    if "Adaptive" not in row.id and "bilinear" not in row.id and "bicubic" not in row.id and "lanczos" not in row.id:
        traced = Outer()(keras.Input(unknown[1:])).shape
        assert len(traced) == len(told) and all(a is None or a == b for a, b in zip(traced, expected, strict=True))


def test_a_model_of_windows_takes_images_of_any_size():
    x = keras.Input((None, None, 4))
    y = layers.Conv2D(3, 3, strides=2, padding="same")(x)
    y = layers.MaxPooling2D(2, padding="same")(layers.Conv2DTranspose(3, 3, strides=2, padding="same")(y))
    model = keras.Model(x, layers.UpSampling2D()(y))
    assert model.output_shape == (None, None, None, 3)
    assert model.predict(IMAGE, verbose=0).shape == (2, 6, 6, 3)
    assert model.predict(IMAGE[:, :3, :3], verbose=0).shape == (2, 4, 4, 3)


ALIASES = {
    **{f"Convolution{r}D": f"Conv{r}D" for r in (1, 2, 3)},
    **{f"Convolution{r}DTranspose": f"Conv{r}DTranspose" for r in (1, 2, 3)},
    **{f"SeparableConvolution{r}D": f"SeparableConv{r}D" for r in (1, 2)},
    **{f"{where}{short}Pool{r}D": f"{where}{long}Pooling{r}D"
       for where in ("", "Global") for short, long in (("Max", "Max"), ("Avg", "Average")) for r in (1, 2, 3)},
}  # fmt: skip


@pytest.mark.parametrize("alias", ALIASES)
def test_other_names(alias):
    cls = getattr(layers, ALIASES[alias])
    assert getattr(layers, alias) is cls
    form = {"class_name": alias, "module": "keras.layers", "config": {"name": "a"}}
    form["config"] |= {"filters": 2, "kernel_size": 2} if "Conv" in alias else {"pool_size": 2} if "Global" not in alias else {}
    assert type(keras.saving.deserialize_keras_object(form)) is cls


def test_positions_of_arguments_in_three_dimensions():
    layer = layers.Conv3DTranspose(2, 3, 2, "same", "channels_first", 1, 1, "relu")
    assert (layer.data_format, layer.output_padding) == ("channels_first", (1, 1, 1))
    assert layer.dilation_rate == (1, 1, 1) and layer.activation is keras.activations.relu


# -- low-rank adaptation ----------------------------------------------------------------------------------------------


def adapted(**options):
    layer = conv(bias_initializer="ones", **options)
    layer.build((None, 6, 5, 4))
    layer.enable_lora(2, lora_alpha=3)
    return layer


def test_lora_starts_from_the_kernel_and_trains_around_it():
    plain = conv()
    before = plain(IMAGE)
    kernel = plain.kernel.numpy()
    plain.enable_lora(2)
    np.testing.assert_allclose(plain(IMAGE), before, atol=1e-6)
    assert [w.name for w in plain.trainable_weights] == ["bias", "lora_kernel_a", "lora_kernel_b"]
    assert [tuple(w.shape) for w in plain.weights] == [(3, 3, 4, 4), (4,), (3, 3, 4, 2), (2, 4)]
    model = keras.Sequential([keras.Input((6, 5, 4)), plain])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(IMAGE, np.ones((2, 4, 3, 4)))
    assert np.array_equal(plain._kernel.numpy(), kernel) and not np.allclose(plain.kernel, kernel)


def test_lora_adds_the_product():
    layer = adapted()
    a, b = np.random.RandomState(1).normal(size=(3, 3, 4, 2)), np.random.RandomState(2).normal(size=(2, 4))
    layer.lora_kernel_a.assign(a)
    layer.lora_kernel_b.assign(b)
    np.testing.assert_allclose(layer.kernel, layer._kernel.numpy() + 3 / 2 * a @ b, rtol=1e-5, atol=1e-5)


def test_lora_is_merged_into_files(tmp_path):
    layer = adapted()
    layer.lora_kernel_b.assign(np.ones((2, 4)))
    model = keras.Sequential([keras.Input((6, 5, 4)), layer])
    expected = model(IMAGE)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert again.layers[0].lora_enabled
    np.testing.assert_allclose(again(IMAGE), expected, rtol=1e-5, atol=1e-5)
    model.save_weights(tmp_path / "m.weights.h5")
    plain = keras.Sequential([keras.Input((6, 5, 4)), conv()])
    plain.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(plain(IMAGE), expected, rtol=1e-5, atol=1e-5)


def test_lora_in_the_constructor_and_the_config():
    layer = conv(lora_rank=2)
    layer.build((None, 6, 5, 4))
    config = json.loads(json.dumps(layer.get_config()))
    assert layer.lora_enabled and (config["lora_rank"], config["lora_alpha"]) == (2, 2)
    assert layers.Conv2D.from_config(config).lora_rank == 2
    assert "lora_rank" not in conv().get_config()


def test_lora_cannot_be_enabled():
    with pytest.raises(ValueError, match="isn't yet built"):
        conv().enable_lora(2)
    with pytest.raises(ValueError, match="already enabled"):
        adapted().enable_lora(2)
    with pytest.raises(ValueError, match="kernel constraints"):
        adapted(kernel_constraint="non_neg")
    with pytest.raises(AttributeError, match="build the layer"):
        conv().kernel  # noqa: B018
