"""`keras.models`."""

from kerasish.models.model import Functional, Model
from kerasish.models.sequential import Sequential
from kerasish.saving.api import load_model, save_model

__all__ = ["Functional", "Model", "Sequential", "load_model", "save_model"]
