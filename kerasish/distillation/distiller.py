"""Distiller: the model that trains a student by its targets and by its teacher."""

import warnings
from typing import Any

from kerasish import ops
from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.distillation.losses import has_graph
from kerasish.metrics import Mean
from kerasish.models import Functional, Model
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object

FINAL = "final_output"


@export("keras.distillation.Distiller")
class Distiller(Model):
    """Trains a student by targets and by the outputs or features of a trained teacher, which is frozen.

    teacher, student:          models with equal input and output shapes and dtypes.
    distillation_losses:       one `DistillationLoss`, or a list of them.
    distillation_loss_weights: a weight for each; 1 unless given.
    student_loss_weight:       from 0 to 1: how much the loss given to `compile` counts; the teacher counts the rest.

    `call` is the student's. Besides `loss`, the logs have `student_loss`, `distillation_loss` and `total_loss`; these
    are means over the batches, as in Keras, however many rows the last one has.

    >>> from kerasish import Sequential, layers
    >>> from kerasish.distillation import LogitsDistillation
    >>> large, small = (Sequential([layers.Input((4,)), layers.Dense(n), layers.Dense(3)]) for n in (64, 4))
    >>> distiller = Distiller(large, small, LogitsDistillation(temperature=2.0, loss="mse"))
    >>> distiller.compile("adam", loss="mse")
    >>> sorted(distiller.fit(ops.ones((8, 4)), ops.ones((8, 3)), verbose=0).history)
    ['distillation_loss', 'loss', 'student_loss', 'total_loss']
    """

    _not_saved = Model._not_saved | {"_teacher_features", "_student_features"}

    def __init__(
        self,
        teacher: Any,
        student: Any,
        distillation_losses: Any,
        distillation_loss_weights: Any = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        if not isinstance(student_loss_weight, (int, float)):
            raise ValueError(
                f"`student_loss_weight` must be a number. Received: {student_loss_weight!r} (of type {type(student_loss_weight)})"
            )
        if not 0 <= student_loss_weight <= 1:
            raise ValueError(f"`student_loss_weight` must be between 0.0 and 1.0. Received: {student_loss_weight}")
        if distillation_losses is None:
            raise ValueError(
                "`distillation_losses` cannot be `None`. Pass a distillation loss, for example `LogitsDistillation()`, or a list."
            )
        several = isinstance(distillation_losses, (list, tuple))
        losses = list(distillation_losses) if several else [distillation_losses]
        if distillation_loss_weights is None or not several:
            distillation_loss_weights = [1.0] * len(losses)
        if len(distillation_loss_weights) != len(losses):
            raise ValueError(
                f"The number of `distillation_loss_weights` ({len(distillation_loss_weights)}) must match the number of "
                f"`distillation_losses` ({len(losses)})."
            )
        for loss in losses:
            loss.validate_model_compatibility(teacher, student)
        self.teacher, self.student = teacher, student
        self.distillation_losses = losses
        self.distillation_loss_weights = list(distillation_loss_weights)
        self.student_loss_weight = student_loss_weight
        self.teacher.trainable = False
        self.student_loss_tracker = Mean(name="student_loss")
        self.distillation_loss_tracker = Mean(name="distillation_loss")
        self.total_loss_tracker = Mean(name="total_loss")
        # They share the layers of teacher and student: nothing to track, or to save.
        put = object.__setattr__
        put(self, "_teacher_features", _extractor(teacher, {_layer_name(loss, "teacher") for loss in losses}))
        put(self, "_student_features", _extractor(student, {_layer_name(loss, "student") for loss in losses}))

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:  # type: ignore[override]
        """As `Model.compile`; `loss` is the student's, and must be given."""
        if loss is None:
            raise ValueError("`loss` cannot be `None`: it is what the student is trained by besides its teacher.")
        if metrics is not None and not isinstance(metrics, (list, tuple)):
            raise ValueError(f"`metrics` must be a list or tuple. Received: {metrics!r} (of type {type(metrics)})")
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def compile_from_config(self, config: dict) -> None:
        """As `Model.compile_from_config`. Files of Keras do not hold the loss of a distiller: it is then to be compiled."""
        if config.get("loss") is None:
            warnings.warn("The file does not hold the distiller's loss: call `compile` before training it on.", stacklevel=2)
        else:
            super().compile_from_config(config)

    def call(self, inputs: Any, training: Any = None, **kwargs: Any) -> Any:
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the student's loss (none without targets) and the distillation losses."""
        if y_pred is None:
            y_pred = self(x, training=training)
        student_loss = distillation_loss = ops.zeros(())
        if self.student_loss_weight > 0 and y is not None:
            student_loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if self.student_loss_weight < 1:
            distillation_loss = self._distillation_loss(x, y_pred)
        total = self.student_loss_weight * student_loss + (1 - self.student_loss_weight) * distillation_loss
        self.student_loss_tracker.update_state(student_loss)
        self.distillation_loss_tracker.update_state(distillation_loss)
        self.total_loss_tracker.update_state(total)
        return total

    def _distillation_loss(self, x: Any, y_pred: Any) -> Any:
        if self._teacher_features is None:
            teacher = {FINAL: self.teacher(x, training=False)}
        else:
            teacher = self._teacher_features(x, training=False)
        # in training mode in evaluation too, as in Keras
        student = {FINAL: y_pred} if self._student_features is None else self._student_features(x, training=True)
        total = ops.zeros(())
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            pair = teacher[_layer_name(loss, "teacher")], student[_layer_name(loss, "student")]
            loss.validate_outputs(*pair)
            total = total + weight * loss.compute_loss(*pair)
        return total

    def get_config(self) -> dict:
        parts = {
            "teacher": serialize_keras_object(self.teacher),
            "student": serialize_keras_object(self.student),
            "distillation_losses": [serialize_keras_object(loss) for loss in self.distillation_losses],
            "distillation_loss_weights": list(self.distillation_loss_weights),
            "student_loss_weight": self.student_loss_weight,
        }
        base = {"name": self.name, "trainable": self.trainable, "dtype": serialize_keras_object(self.dtype_policy)}
        return {**base, **parts}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> "Distiller":
        parts = {
            key: deserialize_keras_object(config[key], custom_objects=custom_objects)
            for key in ("teacher", "student", "distillation_losses")
        }
        return cls(**{**config, **parts})


def _layer_name(loss: Any, role: str) -> str:
    return getattr(loss, f"{role}_layer_name", None) or FINAL


def _extractor(model: Any, names: set[str]) -> Any:
    """A model of the same layers that gives a dict of their outputs; None if only the last one is wanted."""
    names = names - {FINAL}
    if not names:
        return None
    outputs = {name: model.get_layer(name).output for name in sorted(names)}
    inputs = model.inputs
    return Functional(inputs, {FINAL: model.output, **outputs}, name=f"{model.name}_features")


def _check_models(teacher: Any, student: Any) -> None:
    """ValueError unless both are models, and symbolic inputs and outputs, where known, are alike."""
    for role, model in (("Teacher", teacher), ("Student", student)):
        if not isinstance(model, Model):
            raise ValueError(f"{role} must be a `keras.Model`. Received: {model!r} (of type {type(model)})")
    if not (has_graph(teacher) and has_graph(student)):
        return
    for what in ("input", "output"):
        tensors = [tree.flatten(getattr(model, f"{what}s")) for model in (teacher, student)]
        if len(tensors[0]) != len(tensors[1]):
            raise ValueError(f"Teacher and student have {len(tensors[0])} and {len(tensors[1])} {what}s; they must be alike.")
        for t, s in zip(*tensors, strict=True):
            known = [a == b for a, b in zip(t.shape, s.shape, strict=False) if a is not None and b is not None]
            if len(t.shape) != len(s.shape) or not all(known):
                raise ValueError(
                    f"Teacher and student {what} shapes are incompatible. Teacher: {t.shape}, student: {s.shape}. All "
                    "dimensions must match."
                )
            if t.dtype != s.dtype:
                raise ValueError(f"Teacher and student {what} dtypes must match. Teacher: {t.dtype}, student: {s.dtype}.")
