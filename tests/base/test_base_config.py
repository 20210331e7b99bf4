"""The global settings: Keras's defaults, what is refused, and what is put back."""

import os
import subprocess
import sys

import pytest

from kerasish.base import config, registry

# getter: (setter, default, values and what is read back)
SETTINGS = {
    "floatx": ("set_floatx", "float32", {"float16": "float16", "bfloat16": "bfloat16", "float64": "float64"}),
    "epsilon": ("set_epsilon", 1e-7, {1e-3: 1e-3, 1: 1}),
    "image_data_format": (
        "set_image_data_format",
        "channels_last",
        {"channels_first": "channels_first", "Channels_First": "channels_first", "CHANNELS_LAST": "channels_last"},
    ),
    "max_epochs": ("set_max_epochs", None, {3: 3, 0: 0}),
    "max_steps_per_epoch": ("set_max_steps_per_epoch", None, {3: 3, 0: 0}),
}
REFUSED = {
    "set_floatx": ["float8", "int32", "FLOAT32", None, 32, float],
    "set_image_data_format": ["channels", None, 3, ""],
    "set_backend": ["jax", "torch", None],
}
SWITCHES = {"interactive_logging": True, "traceback_filtering": True}


@pytest.mark.parametrize("name", SETTINGS)
def test_setting(name):
    setter, default, values = SETTINGS[name]
    read, write = getattr(config, name), getattr(config, setter)
    assert read() == default
    try:
        for value, kept in values.items():
            write(value)
            assert read() == kept and type(read()) is type(kept)
    finally:
        write(default)
    assert read() == default


@pytest.mark.parametrize("setter, value", [(s, v) for s, vs in REFUSED.items() for v in vs])
def test_refused(setter, value):
    before = dict(config._settings)
    with pytest.raises(ValueError, match=r"Unknown `floatx`|`data_format` argument must be|Unable to set the backend"):
        getattr(config, setter)(value)
    assert config._settings == before


@pytest.mark.parametrize("name", SWITCHES)
def test_switch(name):
    is_on, enable, disable = (getattr(config, form.format(name)) for form in ("is_{}_enabled", "enable_{}", "disable_{}"))
    before = is_on()
    assert before is (SWITCHES[name] and name != "traceback_filtering")  # tests/conftest.py turns that off
    try:
        disable()
        assert is_on() is False
        enable()
        assert is_on() is True
    finally:
        (enable if before else disable)()


def test_flash_attention_is_on_by_default_as_none():
    assert config.is_flash_attention_enabled() is None
    try:
        config.disable_flash_attention()
        assert config.is_flash_attention_enabled() is False
    finally:
        config.enable_flash_attention()
    assert config.is_flash_attention_enabled() is None


def test_the_backend_is_numpy():
    config.set_backend("numpy")
    assert config.backend() == "numpy" and config.is_nnx_enabled() is False


@pytest.mark.parametrize(
    "given, meant", [(None, "channels_last"), ("channels_first", "channels_first"), ("Channels_Last", "channels_last")]
)
def test_standardize_data_format(given, meant):
    assert config.standardize_data_format(given) == meant


def test_standardize_data_format_follows_the_setting_and_refuses():
    config.set_image_data_format("channels_first")
    try:
        assert config.standardize_data_format(None) == "channels_first"
    finally:
        config.set_image_data_format("channels_last")
    with pytest.raises(ValueError, match="Received: data_format='NHWC'"):
        config.standardize_data_format("NHWC")


@pytest.mark.parametrize("value, printed", [("4", "4 None"), ("", "None None")])
def test_limits_from_the_environment(value, printed):
    code = "from kerasish.base import config; print(config.max_epochs(), config.max_steps_per_epoch())"
    env = {**os.environ, "KERAS_MAX_EPOCHS": value, "KERAS_MAX_STEPS_PER_EPOCH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed


def test_exported_under_their_keras_paths():
    for name in ("floatx", "set_floatx", "epsilon", "set_epsilon", "image_data_format", "set_image_data_format", "backend"):
        assert registry.lookup(f"keras.config.{name}") is registry.lookup(f"keras.backend.{name}") is getattr(config, name)
    for name in registry.exported("keras.config"):
        assert registry.lookup(f"keras.config.{name}").__doc__
