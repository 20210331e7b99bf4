"""What a student is compared with its teacher by: their outputs, or features of layers inside."""

from typing import Any, Callable

from kerasish import losses, ops
from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


def _functions(loss: Any) -> Any:
    """A structure of loss names, losses and None, with the names looked up."""
    return tree.map_structure(lambda entry: None if entry is None else losses.get(entry), loss)


@export("keras.distillation.DistillationLoss")
class DistillationLoss:
    """The base of what a `Distiller` compares teacher and student by: override `compute_loss`.

    A loss with attributes `teacher_layer_name` and `student_layer_name` is given the outputs of these layers instead of
    the models'.

    >>> class Difference(DistillationLoss):
    ...     def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
    ...         return ops.mean(ops.abs(teacher_outputs - student_outputs))
    >>> float(Difference().compute_loss(ops.ones((2, 3)), ops.zeros((2, 3))))
    1.0
    """

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The loss, a scalar, of outputs (or features) of the two models."""
        raise NotImplementedError(f"{type(self).__name__} must implement `compute_loss(teacher_outputs, student_outputs)`.")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """ValueError if the two outputs are structured differently."""
        tree.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """ValueError if this loss can't be had of these models."""

    def _total(self, value: Callable, teacher_outputs: Any, student_outputs: Any) -> Any:
        """The sum of `value(loss, teacher, student)` over the outputs that have a loss."""
        pairs = tree.map_structure_up_to(
            self.loss, lambda loss, t, s: None if loss is None else value(loss, t, s), self.loss, teacher_outputs, student_outputs
        )
        return ops.sum(ops.stack([v for v in tree.flatten(pairs) if v is not None]))

    loss: Any = None


@export("keras.distillation.LogitsDistillation")
class LogitsDistillation(DistillationLoss):
    """Compares the logits of teacher and student, both divided by a temperature.

    temperature: greater than 0; the higher, the softer.
    loss:        a name, a loss, or a structure of them like the models' outputs, with None for outputs to leave out.

    `losses.KLDivergence()`, the object, compares the softmax of the logits, times the temperature squared, as in
    Hinton, Vinyals and Dean (2015). Any other loss, and so the name "kl_divergence" too, is given the logits themselves,
    as in Keras.

    >>> softened = LogitsDistillation(temperature=2.0, loss=losses.KLDivergence())
    >>> round(float(softened.compute_loss(ops.array([[2.0, 0.0]]), ops.array([[0.0, 0.0]]))), 4)
    0.4438
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence"):
        self.temperature = temperature
        self.loss = _functions(loss)
        if all(entry is None for entry in tree.flatten(self.loss)):
            raise ValueError(f"At least one loss must be non-`None`. Received: loss={loss}")
        if not isinstance(temperature, (int, float)):
            raise ValueError(f"`temperature` must be a number. Received: {temperature!r} (of type {type(temperature)})")
        if temperature <= 0:
            raise ValueError(f"`temperature` must be positive. Received: {temperature}")

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        def value(loss: Any, teacher: Any, student: Any) -> Any:
            teacher, student = ops.divide(teacher, self.temperature), ops.divide(student, self.temperature)
            if isinstance(loss, losses.KLDivergence):
                return ops.mean(loss(ops.softmax(teacher), ops.softmax(student))) * self.temperature**2
            return ops.mean(loss(teacher, student))

        return self._total(value, teacher_outputs, student_outputs)

    def get_config(self) -> dict:
        return {"temperature": self.temperature, "loss": serialize_keras_object(self.loss)}

    @classmethod
    def from_config(cls, config: dict) -> "LogitsDistillation":
        return cls(**{**config, "loss": deserialize_keras_object(config["loss"])})


@export("keras.distillation.FeatureDistillation")
class FeatureDistillation(DistillationLoss):
    """Compares what layers inside teacher and student give.

    loss:               a name, a loss, or a structure of them like the layers' outputs, with None for what to leave out.
    teacher_layer_name: a layer of the teacher; None, its output.
    student_layer_name: a layer of the student; None, its output.

    Layers can be named in functional and sequential models only.

    >>> float(FeatureDistillation("mae").compute_loss(ops.ones((2, 3)), ops.zeros((2, 3))))
    1.0
    """

    def __init__(self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None):
        self.teacher_layer_name = teacher_layer_name
        self.student_layer_name = student_layer_name
        self.loss = _functions(loss)
        if all(entry is None for entry in tree.flatten(self.loss)):
            raise ValueError(f"`loss` of `FeatureDistillation` must have at least one non-`None` entry. Received: loss={loss}")

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        named = {"teacher": (teacher, self.teacher_layer_name), "student": (student, self.student_layer_name)}
        if any(layer is not None for _, layer in named.values()):
            opaque = [role for role, (model, _) in named.items() if not has_graph(model)]
            if opaque:
                raise ValueError(
                    f"`FeatureDistillation` of named layers needs functional or sequential models, but the "
                    f"{' and '.join(opaque)} has no graph of layers. Name no layers, to compare the outputs, or use "
                    "`LogitsDistillation`."
                )
        for role, (model, layer) in named.items():
            if layer is not None:
                try:
                    model.get_layer(name=layer)
                except ValueError as error:
                    raise ValueError(f"In the {role} model: {error}") from None

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        super().validate_outputs(teacher_outputs, student_outputs)
        try:
            tree.assert_same_structure(self.loss, teacher_outputs)
        except ValueError as error:
            raise ValueError(f"`loss` is not structured like the outputs: loss={self.loss}. {error}") from None

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        return self._total(lambda loss, t, s: ops.mean(loss(t, s)), teacher_outputs, student_outputs)

    def get_config(self) -> dict:
        return {
            "loss": serialize_keras_object(self.loss),
            "teacher_layer_name": self.teacher_layer_name,
            "student_layer_name": self.student_layer_name,
        }

    @classmethod
    def from_config(cls, config: dict) -> "FeatureDistillation":
        return cls(**{**config, "loss": deserialize_keras_object(config["loss"])})


def has_graph(model: Any) -> bool:
    """Whether a model knows its symbolic inputs and outputs."""
    return getattr(model, "inputs", None) is not None
