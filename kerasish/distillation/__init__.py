"""`keras.distillation`: a small model, the student, learns what a large one, the teacher, has learned."""

from kerasish.distillation.distiller import Distiller
from kerasish.distillation.losses import DistillationLoss, FeatureDistillation, LogitsDistillation

__all__ = ["DistillationLoss", "Distiller", "FeatureDistillation", "LogitsDistillation"]
