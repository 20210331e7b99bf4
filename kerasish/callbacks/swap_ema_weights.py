"""SwapEMAWeights: evaluate with the moving average of the weights."""

from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback


@export("keras.callbacks.SwapEMAWeights")
class SwapEMAWeights(Callback):
    """Exchanges the weights with the optimizer's moving average of them during evaluation and prediction.

    For an optimizer with `use_ema=True`. With `swap_on_epoch=True` the averages also are in the model at the end of
    each epoch, for the callbacks that come after this one, such as `ModelCheckpoint`.

    >>> SwapEMAWeights(swap_on_epoch=True).swap_on_epoch
    True
    """

    state_attributes = ("_ema_weights_in_model",)

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._ema_weights_in_model = False

    def set_model(self, model: Any) -> None:
        if model is not self.model:
            self._ema_weights_in_model = False
        super().set_model(model)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._take_out()  # what an interrupted evaluation left

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._ema_weights_in_model = False  # fit has made the averages the weights

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.swap_on_epoch:
            self._take_out()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.swap_on_epoch:
            self._put_in()
            if self.params is not None and epoch == self.params["epochs"] - 1:
                # fit ends by copying the averages into the weights; after the swap they are in the wrong place.
                for optimizer in self._optimizers():
                    for weight, average in _pairs(optimizer):
                        average.assign(weight)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._put_in()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._take_out()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._put_in()

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self._take_out()

    def _put_in(self) -> None:
        if not self._ema_weights_in_model:
            self._swap()
            self._ema_weights_in_model = True

    def _take_out(self) -> None:
        if self._ema_weights_in_model:
            self._swap()
            self._ema_weights_in_model = False

    def _swap(self) -> None:
        for optimizer in self._optimizers():
            for weight, average in _pairs(optimizer):
                held = np.array(weight)
                weight.assign(average)
                average.assign(held)

    def _optimizers(self) -> list[Any]:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)  # of a LossScaleOptimizer
        averaging = [part for part in getattr(optimizer, "optimizers", [optimizer]) if getattr(part, "use_ema", False)]
        if not averaging or not all(hasattr(part, "_model_variables_moving_average") for part in averaging):
            raise ValueError(
                "SwapEMAWeights needs an optimizer with `use_ema=True`, which has been built. "
                f"Received: use_ema={getattr(optimizer, 'use_ema', False)}"
            )
        return averaging


def _pairs(optimizer: Any) -> Any:
    return zip(optimizer._trainable_variables, optimizer._model_variables_moving_average)
