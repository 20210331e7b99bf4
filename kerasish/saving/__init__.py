"""`keras.saving`: models, weights and configs, to files and back. README.md tells the parts."""

from kerasish.base.registry import CustomObjectScope as CustomObjectScope
from kerasish.base.registry import get_custom_objects as get_custom_objects
from kerasish.base.registry import get_registered_name as get_registered_name
from kerasish.base.registry import get_registered_object as get_registered_object
from kerasish.base.registry import register_keras_serializable as register_keras_serializable
from kerasish.saving.api import load_model as load_model
from kerasish.saving.api import load_weights as load_weights
from kerasish.saving.api import save_model as save_model
from kerasish.saving.api import save_weights as save_weights
from kerasish.saving.file_editor import KerasFileEditor as KerasFileEditor
from kerasish.saving.serialization import deserialize_keras_object as deserialize_keras_object
from kerasish.saving.serialization import serialize_keras_object as serialize_keras_object

custom_object_scope = CustomObjectScope
