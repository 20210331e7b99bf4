"""keras.wrappers inside scikit-learn, and beside Keras's."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
LABELS = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
VALUES = X @ np.array([1.0, -2.0, 0.5, 0.0]) + 3


def maker(k, outputs, loss, units=8, rate=0.05):
    """A function that makes compiled models with the same weights in both."""

    def make(X, y, units=units):
        layers = [k.layers.Dense(units, activation="relu"), k.layers.Dense(outputs, activation="softmax" if loss else None)]
        model = k.Sequential([k.Input((X.shape[1],)), *layers])
        rng = np.random.default_rng(1)
        model.set_weights([rng.normal(size=w.shape).astype("float32") * 0.3 for w in model.get_weights()])
        model.compile(k.optimizers.Adam(rate), loss or "mse")
        return model

    return make


KINDS = {
    "SKLearnClassifier": (2, "categorical_crossentropy", LABELS),
    "SKLearnRegressor": (1, None, VALUES),
    "SKLearnTransformer": (3, None, np.zeros(60)),
}
FIT = {"epochs": 5, "batch_size": 20, "shuffle": False, "verbose": 0}


def made(k, kind, **options):
    outputs, loss, _ = KINDS[kind]
    return getattr(k.wrappers, kind)(maker(k, outputs, loss), fit_kwargs=dict(FIT), **options)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_numbers(kind):
    y = KINDS[kind][2]
    ours, theirs = (made(k, kind).fit(X, y) for k in (kerasish, keras))
    method = "transform" if kind == "SKLearnTransformer" else "predict"
    a, b = getattr(ours, method)(X), getattr(theirs, method)(X)
    assert a.shape == b.shape
    np.testing.assert_array_equal(a, b) if a.dtype.kind == "U" else np.testing.assert_allclose(a, b, atol=2e-4)
    assert ours.n_features_in_ == theirs.n_features_in_ == 4
    if kind == "SKLearnClassifier":
        assert list(ours.classes_) == list(theirs.classes_) == ["no", "yes"]
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=2e-4)
    if kind != "SKLearnTransformer":
        assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_clones(kind):
    estimator = made(kerasish, kind, model_kwargs={"units": 3})
    copy = clone(estimator)
    assert copy.get_params() == estimator.get_params() and list(copy.get_params()) == sorted(["model", "warm_start", "model_kwargs", "fit_kwargs"])
    copy.fit(X, KINDS[kind][2])
    assert copy.model_.layers[0].units == 3


@pytest.mark.parametrize("kind", KINDS)
def test_not_fitted(kind):
    estimator = made(kerasish, kind)
    assert estimator.epoch_ == 0
    with pytest.raises(NotFittedError):
        (estimator.transform if kind == "SKLearnTransformer" else estimator.predict)(X)


def test_a_compiled_model_is_cloned_for_each_fit():
    model = maker(kerasish, 1, None)(X, VALUES)
    before = model.get_weights()
    estimator = kerasish.wrappers.SKLearnRegressor(model, fit_kwargs=FIT).fit(X, VALUES, epochs=2)
    assert estimator.epoch_ == 2 and FIT["epochs"] == 5
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_warm_start():
    estimator = made(kerasish, "SKLearnRegressor", warm_start=True).fit(X, VALUES)
    first, loss = estimator.model_, estimator.history_.history["loss"][-1]
    estimator.fit(X, VALUES)
    assert estimator.model_ is first and estimator.history_.history["loss"][0] < loss
    assert made(kerasish, "SKLearnRegressor").fit(X, VALUES).model_ is not first


def test_in_a_pipeline_and_a_search():
    pipeline = make_pipeline(StandardScaler(), made(kerasish, "SKLearnClassifier"))
    assert cross_val_score(pipeline, X, LABELS, cv=3).mean() > 0.6
    search = GridSearchCV(made(kerasish, "SKLearnClassifier"), {"model_kwargs": [{"units": 1}, {"units": 16}]}, cv=2)
    assert search.fit(X, LABELS).best_params_["model_kwargs"]["units"] in (1, 16)
    features = make_pipeline(made(kerasish, "SKLearnTransformer"), StandardScaler()).fit_transform(X, np.zeros(60))
    assert features.shape == (60, 3)


BAD = {
    "one class": ("SKLearnClassifier", np.zeros(60), ValueError),
    "numbers for classes": ("SKLearnClassifier", VALUES, ValueError),
    "too few": ("SKLearnRegressor", VALUES[:5], ValueError),
}


@pytest.mark.parametrize("k", [keras, kerasish])
@pytest.mark.parametrize("case", BAD)
def test_bad_targets(case, k):
    kind, y, error = BAD[case]
    with pytest.raises(error):
        made(k, kind).fit(X, y)


@pytest.mark.parametrize("k", [keras, kerasish])
def test_models_must_be_compiled(k):
    with pytest.raises(RuntimeError, match="needs to be compiled"):
        k.wrappers.SKLearnRegressor(k.Sequential([k.Input((4,)), k.layers.Dense(1)])).fit(X, VALUES)


@pytest.mark.parametrize("k", [keras, kerasish])
def test_metadata_routing_must_be_on(k):
    with pytest.raises(RuntimeError, match="enable_metadata_routing"):
        made(k, "SKLearnRegressor").set_fit_request(sample_weight=True)


def test_metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = made(kerasish, "SKLearnRegressor").set_fit_request(sample_weight=True)
        assert cross_val_score(estimator, X, VALUES, cv=2, params={"sample_weight": np.ones(60)}).shape == (2,)
