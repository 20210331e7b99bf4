"""What compile() makes of `loss` and `metrics`: one object for each, whatever structure they were given in."""

from typing import Any

from kerasish import losses as losses_module
from kerasish import metrics as metrics_module
from kerasish import ops
from kerasish.base import tree
from kerasish.base.naming import to_snake_case
from kerasish.engine.dims import Dim
from kerasish.losses.loss import Loss
from kerasish.losses.wrapper import LossFunctionWrapper
from kerasish.metrics import Mean, MeanMetricWrapper, Metric


def _last(shape: Any) -> Any:
    d = shape[-1] if len(shape) else None
    return None if isinstance(d, Dim) else d


def get_metric(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    """A metric from a name, function or object; "accuracy" and "crossentropy" by the shapes, as in Keras."""
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    # the logs have a metric under the name it was given by
    name = identifier if isinstance(identifier, str) else to_snake_case(getattr(identifier, "__name__", type(identifier).__name__))
    short = str(identifier).lower() if isinstance(identifier, str) else ""
    if short in ("accuracy", "acc", "crossentropy", "ce"):
        accuracy = short in ("accuracy", "acc")
        binary = _last(y_pred.shape) == 1 or len(y_pred.shape) < 2
        sparse = len(y_true.shape) < len(y_pred.shape) or _last(y_true.shape) == 1
        if binary:
            fn = metrics_module.binary_accuracy if accuracy else losses_module.binary_crossentropy
        elif sparse:
            fn = metrics_module.sparse_categorical_accuracy if accuracy else losses_module.sparse_categorical_crossentropy
        else:
            fn = metrics_module.categorical_accuracy if accuracy else losses_module.categorical_crossentropy
        return MeanMetricWrapper(fn, name=name)
    found = metrics_module.get(identifier)
    if not isinstance(found, Metric):
        return MeanMetricWrapper(found, name=name)
    if isinstance(identifier, str):
        found.name = name
    return found


def _crossentropy(y_true: Any, y_pred: Any) -> Any:
    """The cross-entropy that suits the shapes of a target and an output."""
    if _last(y_pred.shape) == 1 or len(y_pred.shape) < 2:
        return losses_module.binary_crossentropy
    if len(y_true.shape) < len(y_pred.shape) or _last(y_true.shape) == 1:
        return losses_module.sparse_categorical_crossentropy
    return losses_module.categorical_crossentropy


def _crossentropy_of_shapes(y_true: Any, y_pred: Any) -> Any:
    return _crossentropy(y_true, y_pred)(y_true, y_pred)


def get_loss(identifier: Any) -> Any:
    """A function of y_true, y_pred and sample_weight that returns a scalar; "crossentropy" and "ce" go by the shapes."""
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        return LossFunctionWrapper(_crossentropy_of_shapes, name=identifier)
    found = losses_module.get(identifier)
    if isinstance(found, Loss):
        return found
    return LossFunctionWrapper(found, name=getattr(found, "__name__", None))


def _is_nested(outputs: Any) -> bool:
    """Whether outputs are deeper than a list or a dict of tensors."""
    children = outputs.values() if isinstance(outputs, dict) else outputs if isinstance(outputs, (list, tuple)) else ()
    return any(isinstance(x, (dict, list, tuple)) for x in children)


def _spread(value: Any, outputs: Any, what: str) -> list:
    """One entry an output, from a value that follows the outputs' nested structure; one above several is for each."""
    if isinstance(outputs, dict):
        if isinstance(value, dict):
            _check_keys(value, list(outputs), what, KeyError)
            return [entry for key in sorted(outputs) for entry in _spread(value.get(key), outputs[key], what)]
    elif isinstance(outputs, (list, tuple)):
        if isinstance(value, (list, tuple)):
            if len(value) != len(outputs):
                raise ValueError(
                    f"`{what}` must follow the structure of the model's outputs: {len(outputs)} entries are needed "
                    f"where these were given: {value}"
                )
            return [entry for v, o in zip(value, outputs, strict=True) for entry in _spread(v, o, what)]
    else:
        return [value]
    return [value] * len(tree.flatten(outputs))


def _nested_names(outputs: Any, names: list[str], prefix: str = "", key: str | None = None) -> list[str]:
    """The names of nested outputs' losses: keys joined by slashes; in a list, the output's own name."""
    if isinstance(outputs, dict):
        parts = [(f"{prefix}{key}/" if key else prefix, k, outputs[k]) for k in sorted(outputs)]
    elif isinstance(outputs, (list, tuple)):
        parts = [(f"{prefix}{key}/" if key else prefix, None, x) for x in outputs]
    else:
        return [prefix + (key or names[0])]
    found: list[str] = []
    for inner, k, x in parts:
        found += _nested_names(x, names[len(found) :], inner, k)
    return found


def _check_keys(value: dict, names: list[str], what: str, error: type[Exception] = ValueError) -> None:
    unknown = sorted(set(value) - set(names))
    if unknown:
        raise error(
            f"In the dict argument `{what}`, key '{unknown[0]}' does not correspond to any model output. "
            f"Received: {what}={value}; the model's outputs are {names}."
        )


def per_output(value: Any, names: list[str], what: str, outputs: Any = None) -> list:
    """One entry an output, from a dict by names, a list, a nested structure like the outputs', or one for all."""
    if _is_nested(outputs):
        return _spread(value, outputs, what)
    if isinstance(value, dict):
        # where outputs are a dict, an unknown key is a KeyError in Keras, where they have names only, a ValueError
        _check_keys(value, names, what, KeyError if isinstance(outputs, dict) else ValueError)
        return [value.get(n) for n in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(
                f"For a model with multiple outputs, `{what}` must have one entry for each of {names}. "
                f"Received: {what}={value}"
            )
        return list(value)
    return [value] * len(names)


def flat_by_output(value: Any, names: list[str], like: Any) -> list:
    """Targets or weights as one a output; a dict follows the outputs' names or their own structure."""
    if isinstance(value, dict) and not isinstance(like, dict):
        return [value.get(n) for n in names]
    if value is None:
        return [None] * len(names)
    flat = tree.flatten(value)
    return flat * len(names) if len(flat) == 1 else flat


class CompiledLoss:
    """The sum of the outputs' losses by their weights; with several outputs, each has a tracker."""

    def __init__(self, loss: Any, loss_weights: Any, names: list[str], outputs: Any = None):
        self.names = names
        given = per_output(loss, names, "loss", outputs)
        self.losses = [get_loss(x) for x in given]
        weights = per_output(loss_weights, names, "loss_weights", outputs) if loss_weights is not None else [None] * len(names)
        self.weights = weights
        several = sum(x is not None for x in self.losses) > 1
        shown = _nested_names(outputs, names) if _is_nested(outputs) else names
        self.trackers = [Mean(name=f"{n}_loss") if x is not None else None for n, x in zip(shown, self.losses, strict=True)]
        if not several:
            self.trackers = []

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        preds = tree.flatten(y_pred)
        trues = flat_by_output(y_true, self.names, y_pred)
        weights = flat_by_output(sample_weight, self.names, y_pred)
        # one target stands for all outputs only where a single one has a loss
        alone = not isinstance(y_true, dict) and len(tree.flatten(y_true)) == 1
        if len(trues) != len(preds) or alone and sum(x is not None for x in self.losses) > 1:
            raise ValueError(
                f"The model has {len(preds)} outputs {self.names}, but `y` has {len(tree.flatten(y_true))}. Pass one target an output."
            )
        total = None
        for i, (fn, t, p, w) in enumerate(zip(self.losses, trues, preds, weights, strict=True)):
            if fn is None or t is None:
                continue
            value = fn(t, p, w)
            if self.trackers:
                self.trackers[i].update_state(value, sample_weight=_batch(p))
            if self.weights[i] is not None:
                value = value * self.weights[i]
            total = value if total is None else total + value
        return total


def _batch(x: Any) -> Any:
    leaf = tree.flatten(x)[0]
    return ops.cast(leaf.shape[0] if len(leaf.shape) else 1, "float32")


class CompiledMetrics:
    """The metrics of the outputs, made when the first batch shows the shapes."""

    def __init__(self, metrics: Any, weighted_metrics: Any, names: list[str], outputs: Any = None):
        self._outputs = outputs if _is_nested(outputs) or isinstance(outputs, dict) else None
        if self._outputs is not None:  # its structure is all that is needed; tensors of a batch must not be kept
            self._outputs = tree.map_structure(lambda _: 0, outputs)
        self.names, self._given, self._given_weighted = names, metrics, weighted_metrics
        self.rows: list[tuple[int, Metric, bool, str]] | None = None

    def build(self, trues: list, preds: list) -> None:
        self.rows = []
        for given, weighted in ((self._given, False), (self._given_weighted, True)):
            if given is None:
                continue
            several = len(self.names) > 1
            if _is_nested(self._outputs):
                lists = [
                    list(x) if isinstance(x, (list, tuple)) else [x] for x in _spread(given, self._outputs, "metrics")
                ]
            elif several and isinstance(given, (list, tuple)) and not any(isinstance(g, (list, tuple)) for g in given):
                lists = [[g] for g in given] if len(given) == len(self.names) else [list(given)] * len(self.names)
            elif several or isinstance(given, dict):
                lists = [x if isinstance(x, (list, tuple)) else [x] for x in per_output(given, self.names, "metrics", self._outputs)]
            else:
                lists = [tree.flatten(given)]
            for i, entries in enumerate(lists):
                for entry in entries:
                    if entry is None or trues[i] is None:
                        continue
                    m = get_metric(entry, trues[i], preds[i])
                    self.rows.append((i, m, weighted, f"{self.names[i]}_{m.name}" if several else m.name))

    @property
    def metrics(self) -> list[Metric]:
        return [m for _, m, _, _ in self.rows or ()]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        preds = tree.flatten(y_pred)
        trues = flat_by_output(y_true, self.names, y_pred)
        weights = flat_by_output(sample_weight, self.names, y_pred)
        if self.rows is None:
            self.build(trues, preds)
        for i, m, weighted, _ in self.rows or ():
            m.update_state(trues[i], preds[i], **({"sample_weight": weights[i]} if weighted else {}))

    def results(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for _, m, weighted, name in self.rows or ():
            value = m.result()
            if isinstance(value, dict):
                out.update(value)
                continue
            if weighted and name in out:
                name = f"{name.removesuffix(m.name)}weighted_{m.name}"
            base, k = name, 1
            while name in out:
                name, k = f"{base}_{k}", k + 1
            out[name] = value
        return out
