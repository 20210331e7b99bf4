"""`keras.config`."""

from kerasish.base.config import (
    backend,
    disable_flash_attention,
    disable_interactive_logging,
    disable_traceback_filtering,
    enable_flash_attention,
    enable_interactive_logging,
    enable_traceback_filtering,
    epsilon,
    floatx,
    image_data_format,
    is_flash_attention_enabled,
    is_interactive_logging_enabled,
    is_nnx_enabled,
    is_traceback_filtering_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_backend,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_max_epochs,
    set_max_steps_per_epoch,
)
from kerasish.dtype_policies import dtype_policy, set_dtype_policy
from kerasish.saving.serialization import enable_unsafe_deserialization

__all__ = [name for name in dir() if not name.startswith("_")]  # noqa: PLE0605
