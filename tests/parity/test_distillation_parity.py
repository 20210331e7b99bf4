"""Distillation live against an installed Keras: losses, whole fits, and files both ways."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from distillation_cases import CONFIGS, FITS, LOSSES, X, distiller, soft, train

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    assert LOSSES[name](kerasish) == pytest.approx(LOSSES[name](keras), rel=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_configs(name):
    assert CONFIGS[name](kerasish).get_config() == CONFIGS[name](keras).get_config()


@pytest.mark.parametrize("name", FITS)
def test_histories(name):
    want, found = FITS[name](keras), FITS[name](kerasish)
    assert set(found) == set(want)
    for key in want:
        np.testing.assert_allclose(found[key], want[key], rtol=1e-4, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("ours_first", [True, False])
def test_files(ours_first, tmp_path):
    write, read = (kerasish, keras) if ours_first else (keras, kerasish)
    made = distiller(write, [soft(write), write.distillation.FeatureDistillation("mse", "hidden", "hidden")])
    train(made)
    made.save(tmp_path / "distiller.keras")
    again = read.saving.load_model(tmp_path / "distiller.keras")
    np.testing.assert_allclose(again.predict(X, verbose=0), made.predict(X, verbose=0), rtol=1e-5)
    assert not again.teacher.trainable
