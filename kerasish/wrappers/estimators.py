"""Models as estimators of scikit-learn: for its pipelines, searches and cross-validation."""

from typing import Any

import numpy as np

from kerasish.base.optional import optional
from kerasish.base.registry import export
from kerasish.models import Model, clone_model

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
except ImportError:  # the classes are there, and say what is missing when one is made

    class BaseEstimator:  # type: ignore[no-redef]
        pass

    class ClassifierMixin:  # type: ignore[no-redef]
        pass

    class RegressorMixin:  # type: ignore[no-redef]
        pass

    class TransformerMixin:  # type: ignore[no-redef]
        pass


class Estimator(BaseEstimator):
    """What the three kinds share.

    model:        a compiled model, of which each fit trains a fresh clone, or a function that makes one:
                  model(X=X, y=y, **model_kwargs).
    warm_start:   let another fit go on with the trained model, instead of a fresh one.
    model_kwargs: more arguments of that function.
    fit_kwargs:   arguments of the model's `fit`.

    After fit: `model_`, `history_`, `n_features_in_`.
    """

    def __init__(self, model: Any, warm_start: bool = False, model_kwargs: Any = None, fit_kwargs: Any = None):
        optional("sklearn", "sklearn", type(self).__name__)
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self) -> Any:
        model = clone_model(self.model) if isinstance(self.model, Model) else self.model
        kwargs = {name: getattr(self, name) for name in ("warm_start", "model_kwargs", "fit_kwargs")}
        return type(self)(model, **kwargs)

    @property
    def epoch_(self) -> int:
        """How many epochs the last fit ran."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def set_fit_request(self, **kwargs: Any) -> Any:
        """Say which metadata `fit` takes, as scikit-learn's metadata routing asks."""
        sklearn = optional("sklearn", "sklearn", "set_fit_request")
        if not sklearn.get_config().get("enable_metadata_routing", False):
            raise RuntimeError(
                "This method is only available when metadata routing is enabled. You can enable it using "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        requests = optional("sklearn.utils.metadata_routing", "sklearn", "set_fit_request")
        self._metadata_request = requests.MetadataRequest(owner=type(self).__name__)
        for param, alias in kwargs.items():
            self._metadata_request.fit.add_request(param=param, alias=alias)
        return self

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Train on rows X and their targets y; other arguments are those of the model's `fit`."""
        X, y = _validated(self, X, y)
        targets = self._encoded(y)
        if not (self.warm_start and hasattr(self, "model_")):
            self.model_ = self._fresh_model(X, targets)
        self.history_ = self.model_.fit(X, targets, **{**(self.fit_kwargs or {}), **kwargs})
        return self

    def _fresh_model(self, X: np.ndarray, y: np.ndarray) -> Any:
        model = clone_model(self.model) if isinstance(self.model, Model) else self.model(X=X, y=y, **(self.model_kwargs or {}))
        if not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError("Given model needs to be compiled, and have a loss and an optimizer. Call `model.compile`.")
        return model

    def _encoded(self, y: np.ndarray) -> np.ndarray:
        """The targets as the model learns them."""
        _target_type(y)
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _outputs(self, X: Any) -> np.ndarray:
        optional("sklearn.utils.validation", "sklearn", "predict").check_is_fitted(self, "model_")
        return self.model_.predict(_validated(self, X, reset=False), verbose=0)

    def predict(self, X: Any) -> np.ndarray:
        """What the model says of rows; a single number a row is an array of one axis."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs


def _validated(estimator: Any, *args: Any, **kwargs: Any) -> Any:
    return optional("sklearn.utils.validation", "sklearn", "fit").validate_data(estimator, *args, **kwargs)


def _target_type(y: np.ndarray) -> str:
    kind = optional("sklearn.utils.multiclass", "sklearn", "fit").type_of_target(y)
    if kind == "unknown":
        raise ValueError(f"Unknown label type for data: {y!r}")
    return kind


@export("keras.wrappers.SKLearnClassifier")
class SKLearnClassifier(ClassifierMixin, Estimator):
    """A model with one output a class as a classifier: it learns from one-hot labels, and predicts labels.

    See `Estimator` for the arguments. After fit, `classes_` has the labels in the order of the outputs.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def _encoded(self, y: np.ndarray) -> np.ndarray:
        kind = _target_type(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(f"Only binary and multiclass target types are supported. Target type: {kind}")
        classes = np.unique(y)
        if len(classes) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        self.classes_ = classes
        return (y.reshape(-1, 1) == classes).astype("float64")

    def predict(self, X: Any) -> np.ndarray:
        """The label of each row."""
        outputs = self._outputs(X)
        return self.classes_[np.argmax(outputs, axis=1)]

    def decision_function(self, X: Any) -> np.ndarray:
        """The model's outputs, one a class."""
        return self._outputs(X)


@export("keras.wrappers.SKLearnRegressor")
class SKLearnRegressor(RegressorMixin, Estimator):
    """A model with one output as a regressor. See `Estimator` for the arguments."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


@export("keras.wrappers.SKLearnTransformer")
class SKLearnTransformer(TransformerMixin, Estimator):
    """A model whose outputs are features for what comes after it. See `Estimator` for the arguments."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def transform(self, X: Any) -> np.ndarray:
        """The model's outputs for rows."""
        return self._outputs(X)
