"""`keras.losses`: what training makes small."""

from kerasish.base.registry import export
from kerasish.losses.classes import *  # noqa: F403
from kerasish.losses.classes import LossFunctionWrapper
from kerasish.losses.loss import Loss
from kerasish.losses.losses import *  # noqa: F403
from kerasish.saving.lookup import lookup_functions

get, serialize, deserialize = lookup_functions("losses", Loss)
for _f, _name in ((get, "get"), (serialize, "serialize"), (deserialize, "deserialize")):
    export(f"keras.losses.{_name}")(_f)

__all__ = ["Loss", "LossFunctionWrapper", "deserialize", "get", "serialize"]
