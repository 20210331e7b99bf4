"""TensorBoard: the logs, and what the weights look like, for the program TensorBoard to show."""

import os
import time
import warnings
from typing import Any

import numpy as np

from kerasish.base import config
from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback
from kerasish.callbacks.event_file import EventFile

EMBEDDING = "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"


@export("keras.callbacks.TensorBoard")
class TensorBoard(Callback):
    """Writes event files into log_dir/train and log_dir/validation; `tensorboard --logdir logs` shows them.

    histogram_freq:  after how many epochs to write histograms of the weights; 0 for never.
    write_graph:     write the model's layers, if it is functional or sequential.
    write_images:    with the histograms, the weights as pictures, too.
    update_freq:     "epoch"; or "batch", or after how many batches to write the logs of the batches, too.
    write_steps_per_second: how fast it goes.
    embeddings_freq: after how many epochs to save the weights for TensorBoard's projector.
    embeddings_metadata: the file with the names of an Embedding's rows, or a dict of such files by the layers' names.

    Needs no other package. `profile_batch` has to be 0: `model.program("train").profile(x, y)` tells where time is spent.

    >>> TensorBoard("logs", update_freq="batch").update_freq
    1
    """

    state_attributes = ("_global_train_batch", "_global_test_batch")

    def __init__(
        self, log_dir: Any = "logs", histogram_freq: int = 0, write_graph: bool = True, write_images: bool = False,
        write_steps_per_second: bool = False, update_freq: Any = "epoch", profile_batch: Any = 0,
        embeddings_freq: int = 0, embeddings_metadata: Any = None,
    ):  # fmt: skip
        super().__init__()
        if profile_batch:
            raise ValueError(
                "Profiling is not available here: use `model.program('train').profile(x, y)`, which prints the time of every "
                f"layer. Received: profile_batch={profile_batch} (must be 0)"
            )
        self.log_dir = str(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._global_train_batch = 0
        self._global_test_batch = 0
        self._files: dict[str, EventFile] = {}

    def set_model(self, model: Any) -> None:
        self._close()
        super().set_model(model)
        if self.write_graph and type(model).__name__ in ("Functional", "Sequential"):
            try:
                text = model.to_json()
            except Exception as e:  # of a user's layer: no reason not to train
                warnings.warn(f"The model's graph is not written for TensorBoard, since it can't be serialized: {e}", stacklevel=2)
            else:
                self._file("train").text("keras", "graph_keras_model", text, 0)
        if self.embeddings_freq:
            self._write_projector_config()

    def _file(self, part: str) -> EventFile:
        if part not in self._files:
            self._files[part] = EventFile(os.path.join(self.log_dir, part))
        return self._files[part]

    def _close(self) -> None:
        self._flush()
        self._files.clear()

    def _wants_batches(self) -> bool:
        return self.update_freq != "epoch"

    # -- training -----------------------------------------------------------------------------------------------------

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._global_train_batch = 0

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._close()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch_start = time.perf_counter(), int(self.model.optimizer.iterations) if self.write_steps_per_second else 0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._global_train_batch += 1
        self._batch_start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        step = self._global_train_batch
        if step % self.update_freq:
            return
        file = self._file("train")
        if self.write_steps_per_second:
            file.scalar("batch_steps_per_second", 1 / (time.perf_counter() - self._batch_start), step)
        for name, value in (logs or {}).items():
            file.scalar(f"batch_{name}", value, step)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs:
            self._write_logs(epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            folder = os.path.join(self.log_dir, "train")
            os.makedirs(folder, exist_ok=True)
            self.model.save_weights(os.path.join(folder, f"keras_embedding.ckpt-{epoch}.weights.h5"))
        self._flush()

    def _flush(self) -> None:
        for file in self._files.values():
            file.flush()

    def _write_logs(self, epoch: int, logs: dict[str, Any]) -> None:
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        train |= self._learning_rates()
        if self.write_steps_per_second:
            begin, steps = self._epoch_start
            train["steps_per_second"] = (int(self.model.optimizer.iterations) - steps) / (time.perf_counter() - begin)
        for name, value in train.items():
            self._file("train").scalar(f"epoch_{name}", value, epoch)
        for name, value in logs.items():
            if name.startswith("val_"):
                self._file("validation").scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)

    def _learning_rates(self) -> dict[str, float]:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if hasattr(optimizer, "optimizers"):
            return {f"learning_rate_{part.name}": float(part.learning_rate) for part in optimizer.optimizers}
        return {"learning_rate": float(optimizer.learning_rate)} if hasattr(optimizer, "learning_rate") else {}

    def _write_weights(self, epoch: int) -> None:
        file = self._file("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                name, values = weight.path.replace(":", "_"), np.asarray(weight)
                if values.dtype.kind not in "fiub":
                    values = values.astype("float32")
                file.histogram(f"{name}/histogram", values, epoch)
                images = _as_images(values) if self.write_images else None
                if images is not None:
                    file.images(f"{name}/image", images, epoch)

    # -- evaluation ---------------------------------------------------------------------------------------------------

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._global_test_batch += 1

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        iterations = getattr(self.model.optimizer, "iterations", None)
        if iterations is None:
            return
        file = self._file("validation")
        for name, value in (logs or {}).items():
            file.scalar(f"evaluation_{name}_vs_iterations", value, int(iterations))
        self._flush()

    # -- the projector ------------------------------------------------------------------------------------------------

    def _write_projector_config(self) -> None:
        """The file that tells TensorBoard's projector of the embeddings."""
        given = self.embeddings_metadata
        by_layer = dict(given) if given and not isinstance(given, (str, os.PathLike)) else {}
        text = ""
        for layer in self.model.layers:
            if not any(cls.__name__ == "Embedding" for cls in type(layer).__mro__):
                continue
            path = by_layer.pop(layer.name, None) if isinstance(given, dict) else given
            text += f'embeddings {{\n  tensor_name: "{EMBEDDING}"\n'
            text += (f'  metadata_path: "{os.fspath(path)}"\n' if path else "") + "}\n"
        if by_layer:
            raise ValueError(
                "Unrecognized `Embedding` layer names passed to `keras.callbacks.TensorBoard` `embeddings_metadata` argument: "
                f"{list(by_layer)}"
            )
        os.makedirs(self.log_dir, exist_ok=True)
        with open(os.path.join(self.log_dir, "projector_config.pbtxt"), "w", encoding="utf-8") as file:
            file.write(text)


def _as_images(values: np.ndarray) -> np.ndarray | None:
    """Weights as pictures, (n, height, width, channels), as Keras lays them out; None if they have too many axes."""
    values = values.squeeze()
    if values.ndim == 1:
        return values.reshape(1, -1, 1, 1)
    if values.ndim == 2:
        values = values.T if values.shape[0] > values.shape[1] else values
        return values[None, :, :, None]
    if values.ndim == 3:
        return (values.transpose(2, 0, 1) if config.image_data_format() == "channels_last" else values)[..., None]
    return values if values.ndim == 4 and values.shape[-1] in (1, 3, 4) else None
