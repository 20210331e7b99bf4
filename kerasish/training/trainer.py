"""Trainer: compile, fit, evaluate, predict. The one loop; it runs static programs, or the same steps eagerly."""

import warnings
from typing import Any, Callable

import numpy as np

from kerasish import ops, optimizers
from kerasish.base import tree
from kerasish.base.errors import TracingError
from kerasish.base.tracebacks import filtered
from kerasish.callbacks import CallbackList
from kerasish.data import Epochs, as_batches, train_validation_split, unpack_x_y_sample_weight
from kerasish.data.columns import batch_dtype
from kerasish.engine.autodiff import GradientTape
from kerasish.engine.static import Function
from kerasish.engine.tensor import Tensor
from kerasish.engine.trace import comes_from
from kerasish.engine.variable import StatelessScope
from kerasish.metrics import Mean
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.training.compiled import CompiledLoss, CompiledMetrics


class Trainer:
    """The training half of a Model."""

    def __init__(self) -> None:
        put = object.__setattr__
        for name in ("_compile_args", "_compiled_loss", "_compiled_metrics", "_loss_tracker", "_functions", "_optimizer"):
            put(self, name, None)
        put(self, "_functions", {})
        self.compiled = False
        self.stop_training = False
        self.run_eagerly = False
        self._initial_epoch = None

    @property
    def optimizer(self) -> Any:
        return self._optimizer

    @optimizer.setter
    def optimizer(self, value: Any) -> None:
        object.__setattr__(self, "_optimizer", value)

    # -- compile ------------------------------------------------------------------------------------------------------

    @filtered
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose the optimizer, the loss and the metrics.

        run_eagerly: compute step by step on a tape instead of by the static program.
        jit_compile: True raises where a step can't be made a program, instead of falling back to eager.
        """
        put = object.__setattr__
        for name, given, kinds in (
            ("metrics", metrics, (list, tuple, dict)),
            ("weighted_metrics", weighted_metrics, (list, tuple, dict)),
            ("loss_weights", loss_weights, (list, tuple, dict, float, int)),
        ):
            if given is not None and not isinstance(given, kinds):
                raise ValueError(
                    f"Expected the `{name}` argument of compile to be a list, tuple or dict"
                    f"{' or a number' if name == 'loss_weights' else ''}. Received: {name}={given!r}"
                )
        if steps_per_execution < 1:
            raise ValueError(f"`steps_per_execution` must be at least 1. Received: steps_per_execution={steps_per_execution}")
        optimizer = optimizers.get(optimizer)
        half = auto_scale_loss and self.dtype_policy.name == "mixed_float16"
        if half and not isinstance(optimizer, optimizers.LossScaleOptimizer):
            optimizer = optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
        put(self, "_optimizer", optimizer)
        put(
            self,
            "_compile_args",
            dict(
                optimizer=self._optimizer, loss=loss, loss_weights=loss_weights, metrics=metrics,
                weighted_metrics=weighted_metrics, run_eagerly=run_eagerly, steps_per_execution=steps_per_execution,
                jit_compile=jit_compile,
            ),
        )  # fmt: skip
        for kind, module in (("loss", loss), ("metrics", metrics)):
            if kind == "loss" and isinstance(module, str):
                CompiledLoss(module, None, ["output"])  # an unknown name is an error here, not in fit
        put(self, "loss", loss)
        put(self, "_compiled_loss", None)
        put(self, "_compiled_metrics", None)
        put(self, "_loss_tracker", Mean(name="loss"))
        self.run_eagerly, self.jit_compile = run_eagerly, jit_compile
        self.steps_per_execution = steps_per_execution
        self._functions.clear()
        self.stop_training = False
        self.compiled = True

    def get_compile_config(self) -> dict:
        """The arguments of compile, as they stand in files; empty if it was not called."""
        if not self.compiled or self._compile_args is None:
            return {}
        args = {**self._compile_args, "optimizer": self._optimizer}
        return {k: serialize_keras_object(v) for k, v in args.items()}

    def compile_from_config(self, config: dict) -> None:
        """Compile as `get_compile_config` says, and make the optimizer's slots."""
        self.compile(**deserialize_keras_object(config))
        if self._optimizer is not None and self.built:
            self._optimizer.build(self.trainable_variables)

    def _check_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(f"You must call `compile()` before calling `{method}()`.")

    def _output_names(self, y_pred: Any) -> list[str]:
        if isinstance(y_pred, dict):
            if all(not isinstance(x, (dict, list, tuple)) for x in y_pred.values()):
                return sorted(y_pred)
        names = getattr(self, "output_names", None)
        n = len(tree.flatten(y_pred))
        return list(names) if names and len(names) == n else [f"output_{i + 1}" for i in range(n)]

    def _prepare(self, y_pred: Any) -> None:
        if self._compiled_loss is None:
            args, names = self._compile_args, self._output_names(y_pred)
            put = object.__setattr__
            put(self, "_compiled_loss", CompiledLoss(args["loss"], args["loss_weights"], names, y_pred))
            put(self, "_compiled_metrics", CompiledMetrics(args["metrics"], args["weighted_metrics"], names, y_pred))

    # -- one step -----------------------------------------------------------------------------------------------------

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss to minimise: the compiled one, and what layers added."""
        total = None
        if self._compile_args["loss"] is not None and y is not None:
            self._prepare(y_pred)
            total = self._compiled_loss(y, y_pred, sample_weight)
        elif self._compile_args["loss"] is not None:
            raise ValueError("The model was compiled with a loss, but no target `y` was passed. Pass y, or compile without a loss.")
        for extra in self.losses:
            extra = ops.sum(ops.cast(extra, "float32"))
            total = extra if total is None else total + extra
        return ops.zeros(()) if total is None else total

    def stateless_compute_loss(
        self, trainable_variables: Any, non_trainable_variables: Any, metrics_variables: Any, x: Any = None, y: Any = None,
        y_pred: Any = None, sample_weight: Any = None, training: bool = True,
    ) -> tuple:  # fmt: skip
        """compute_loss with the given values of the variables: the loss, and the values that the variables have then (of
        the trainable ones, of the others, of the metrics)."""
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        given = (trainable_variables, non_trainable_variables, metrics_variables)
        pairs = [pair for group, values in zip(groups, given, strict=True) for pair in zip(group, values, strict=True)]
        with StatelessScope(state_mapping=pairs) as scope:
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        return loss, tuple([scope.get_current_value(v) for v in group] for group in groups)

    def compute_loss_and_updates(
        self, trainable_variables: Any, non_trainable_variables: Any, metrics_variables: Any, x: Any, y: Any,
        sample_weight: Any, training: bool = False, optimizer_variables: Any = None,
    ) -> tuple:  # fmt: skip
        """The loss as a function of the variables' values, for gradients taken by hand.

        Returns the loss, scaled where the optimizer scales it in training, and (the loss as it is, the outputs, the new
        values of the variables that are not trainable, those of the metrics).
        """
        options = {"training": training} if self._takes_training() else {}
        y_pred, others, _ = self.stateless_call(
            trainable_variables, non_trainable_variables, x, return_losses=True, **options
        )
        loss, (_, others, of_metrics) = self.stateless_compute_loss(
            trainable_variables, others, metrics_variables, x=x, y=y, y_pred=y_pred, sample_weight=sample_weight,
            training=training,
        )  # fmt: skip
        scaled = loss
        if training and self._optimizer is not None:
            with StatelessScope(state_mapping=list(zip(self._optimizer.variables, optimizer_variables or (), strict=False))):
                scaled = self._optimizer.scale_loss(loss)
        return scaled, (loss, y_pred, others, of_metrics)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict:
        """Update the compiled metrics by a batch and return all results."""
        if y is not None:
            self._prepare(y_pred)
            with comes_from("metrics"):
                self._compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict:
        """The present values of the loss and the metrics, by name."""
        out = {}
        if self._loss_tracker is not None:
            out["loss"] = self._loss_tracker.result()
        for m in self._extra_metrics():
            value = m.result()
            out.update(value) if isinstance(value, dict) else out.update({m.name: value})
        if self._compiled_loss is not None:
            out.update({t.name: t.result() for t in self._compiled_loss.trackers if t is not None})
        if self._compiled_metrics is not None:
            out.update(self._compiled_metrics.results())
        return out

    def _extra_metrics(self) -> list:
        return [m for layer in self._flatten_layers() for m in layer._metrics]

    @property
    def metrics(self) -> list:
        """The loss tracker, metrics of layers, the compiled ones."""
        out = [self._loss_tracker] if self._loss_tracker is not None else []
        out += self._extra_metrics()
        if self._compiled_loss is not None:
            out += [t for t in self._compiled_loss.trackers if t is not None]
        if self._compiled_metrics is not None:
            out += self._compiled_metrics.metrics
        return out

    @property
    def metrics_names(self) -> list[str]:
        return list(self.get_metrics_result())

    def reset_metrics(self) -> None:
        """Set all metrics back to their start."""
        for m in self.metrics:
            m.reset_state()

    def train_step(self, data: Any) -> dict:
        """One step of training on a batch; override it for training of your own."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        if self._optimizer is None:
            raise AttributeError("The model was compiled with optimizer=None, which can evaluate but not train. Compile it with one.")
        self._clear_losses()
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
            scaled = self._optimizer.scale_loss(loss)
        self._track_loss(loss, x)
        variables = self.trainable_variables
        if variables:
            if self._compile_args["loss"] is not None or self.losses or _overrides(self.compute_loss, Trainer.compute_loss):
                gradients = tape.gradient(scaled, variables)
                with comes_from(f"optimizer {self._optimizer.name}"):
                    self._optimizer.apply(gradients, variables)
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict:
        """One step of evaluation on a batch."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        self._clear_losses()
        y_pred = self(x, training=False)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for a batch."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def _track_loss(self, loss: Any, x: Any) -> None:
        n = tree.flatten(x)[0].shape[0]
        with comes_from("metrics"):
            self._loss_tracker.update_state(loss, sample_weight=ops.cast(n, "float32"))

    # -- programs -----------------------------------------------------------------------------------------------------

    def _is_own(self, kind: str) -> bool:
        """Whether a step, or what it returns for the logs, is not the library's."""
        if _overrides(getattr(self, f"{kind}_step"), LIBRARY_STEPS[kind]):
            return True
        return kind != "predict" and _overrides(self.compute_metrics, Trainer.compute_metrics)

    def _step_function(self, kind: str) -> tuple[Callable, bool]:
        """What runs a step on `(x, y, sample_weight)` or packed data; and whether its result are logs of its own."""
        method = {"train": self.train_step, "test": self.test_step, "predict": self.predict_step}[kind]
        own = self._is_own(kind)
        if kind in self._functions:
            return self._functions[kind], own

        def step(*data: Any) -> Any:
            if not own:
                # the library's own step: its logs are read from the metrics when somebody asks
                out = method(data)
                return out if kind == "predict" else 0
            return method(data[0])

        def eagerly(*data: Any) -> Any:
            return step(*tree.map_structure(_eager, data))

        if self.run_eagerly:
            self._functions[kind] = eagerly
            return eagerly, own
        program = Function(step, kind)

        def run(*data: Any) -> Any:
            try:
                return program(*data)
            except TracingError as e:
                if self.compiled and self.jit_compile is True:
                    raise
                warnings.warn(
                    f"The {kind} step can't be made a program and runs eagerly from now on: {e}", stacklevel=4
                )
                self._functions[kind] = eagerly
                run.current = eagerly  # type: ignore[attr-defined]
                return eagerly(*data)

        run.current = run  # type: ignore[attr-defined]
        run.function = program  # type: ignore[attr-defined]
        self._functions[kind] = run
        return run, own

    def _made(self, kind: str, force: bool) -> Callable:
        if force:
            self._functions.pop(kind, None)
        return self._step_function(kind)[0]

    def make_train_function(self, force: bool = False) -> Callable:
        """What runs a training step; made again with `force`."""
        return self._made("train", force)

    def make_test_function(self, force: bool = False) -> Callable:
        """What runs a step of evaluation; made again with `force`."""
        return self._made("test", force)

    def make_predict_function(self, force: bool = False) -> Callable:
        """What runs a step of prediction; made again with `force`."""
        return self._made("predict", force)

    def program(self, kind: str = "train") -> Any:
        """The latest static program of "train", "test" or "predict": see its `source` and `memory`."""
        function = getattr(self._functions.get(kind), "function", None)
        if function is None or not function.programs:
            raise ValueError(
                f"There is no {kind} program yet. Run fit, evaluate or predict first, without run_eagerly=True."
            )
        return function.programs[-1]

    def _ready(self, x: Any, y: Any = None, sample_weight: Any = None) -> None:
        """Build the model and the optimizer on the shapes of a first batch."""
        if not self.built:
            parts = self._flatten_layers(include_self=False)
            if not self._has_call() and parts and all(layer.built for layer in parts):
                self.built = True  # a model of built models, with a step of its own and no call
            else:
                self._build_on(x)
        if self._optimizer is not None and not self._optimizer.built and self.compiled:
            self._optimizer.build(self.trainable_variables)

    # -- the loops ----------------------------------------------------------------------------------------------------

    def _batches(self, x: Any, y: Any, sample_weight: Any, batch_size: Any, **options: Any) -> Any:
        return as_batches(x, y, sample_weight, batch_size=batch_size, **options)

    def _run_epoch(self, kind: str, epochs: Epochs, callbacks: CallbackList) -> dict:
        """One pass: a step a batch, and the callbacks around it. Returns the logs."""
        function, own = self._step_function(kind)
        wants = callbacks.wants_batches("train" if kind == "train" else "test")
        begin, end = (callbacks.on_train_batch_begin, callbacks.on_train_batch_end) if kind == "train" else (
            callbacks.on_test_batch_begin, callbacks.on_test_batch_end,
        )  # fmt: skip
        result: Any = None
        step = epochs.first_step
        together, waiting = max(1, self.steps_per_execution), 0  # callbacks see so many steps as one
        ready: dict[int, tuple] = {}  # for batches that come again, as those of arrays do: what runs the step on them
        for data in epochs.epoch():
            if step == 0 or not self.built:
                self._ready(unpack_x_y_sample_weight(data)[0])
            if wants and not waiting:
                begin(step)
            known = ready.get(id(data))
            if known is not None:
                known[1]()
            else:
                result = function(data) if own else function(*data)
            if self._functions.get(kind) is not function:
                function, _ = self._step_function(kind)
                ready.clear()
            elif known is None and len(ready) < 2 and not own and hasattr(function, "function"):
                again = function.function.again(data)
                if again is not None:
                    ready[id(data)] = data, again
            waiting = (waiting + 1) % together
            if wants and not waiting:
                logs = result if own else self.get_metrics_result
                end(step, (lambda logs=logs: dict(logs)) if own else logs)
            step += 1
            if self.stop_training and kind == "train":
                break
        if wants and waiting:
            logs = result if own else self.get_metrics_result
            end(step - 1, (lambda logs=logs: dict(logs)) if own else logs)
        if own and isinstance(result, dict):
            return {**result}
        return self.get_metrics_result()

    @filtered
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train for a number of epochs; returns the History callback, whose `history` has the logs of every epoch."""
        self._check_compiled("fit")
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = _split((x, y, sample_weight), validation_split)
        own = self._is_own("train")
        if isinstance(shuffle, bool) and shuffle and not _shuffles(x):
            shuffle = False
        batches = self._batches(
            x, y, sample_weight, batch_size, steps=steps_per_epoch, shuffle=shuffle, class_weight=class_weight
        )
        keep = None if own or self.run_eagerly else 2
        source = Epochs(batches, steps_per_epoch=steps_per_epoch, keep=keep, packed=own)
        object.__setattr__(self, "_training_epochs", source)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks, add_history=True, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=epochs,
                steps=source.num_batches,
            )  # fmt: skip
        self.stop_training = False
        validation: tuple | None = None
        if self.built:
            self._ready(None)
        callbacks.on_train_begin()
        logs: dict = {}
        for epoch in range(self._initial_epoch or initial_epoch, epochs):
            if self.stop_training or source.exhausted:
                break
            if not source.first_step:
                self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            logs = dict(self._pythonify(self._run_epoch("train", source, callbacks)))
            if self._optimizer is not None:
                self._optimizer.end_epoch()
            due = (epoch + 1) % validation_freq == 0 if isinstance(validation_freq, int) else epoch + 1 in validation_freq
            if validation_data is not None and due:
                if validation is None:
                    vx, vy, vw = _unpack_validation(validation_data)
                    size = validation_batch_size or batch_size
                    validation = (
                        self._batches(vx, vy, vw, size, steps=validation_steps),
                    )
                results = self._evaluate(
                    Epochs(validation[0], steps_per_epoch=validation_steps, packed=self._is_own("test")), callbacks
                )
                logs.update({f"val_{k}": v for k, v in results.items()})
            callbacks.on_epoch_end(epoch, logs)
        if self._optimizer is not None and self._optimizer.built and epochs > 0:
            self._optimizer.finalize_variable_values(self.trainable_variables)
        callbacks.on_train_end(logs)
        self._initial_epoch = None
        return self.history

    def get_training_state(self) -> dict:
        """Where a fit stands, besides weights and optimizer: for BackupAndRestore."""
        source = getattr(self, "_training_epochs", None)
        return {
            "epochs": source.get_state() if source is not None else None,
            "metrics": [v.numpy() for m in self.metrics for v in m.variables],
            "seeds": [s.state.numpy() for layer in self._flatten_layers() for s in layer._seed_generators],
        }

    def set_training_state(self, state: dict) -> None:
        """Go on from `get_training_state`."""
        if state.get("epochs") is not None:
            self._training_epochs.set_state(state["epochs"])
        variables = [v for m in self.metrics for v in m.variables]
        for v, value in zip(variables, state["metrics"], strict=False):
            v.assign(value)
        seeds = [s for layer in self._flatten_layers() for s in layer._seed_generators]
        for s, value in zip(seeds, state["seeds"], strict=True):
            s.state.assign(value)

    @staticmethod
    def _pythonify(logs: dict) -> dict:
        return {k: float(v) if np.ndim(v) == 0 else np.asarray(v) for k, v in logs.items()}

    def _evaluate(self, source: Epochs, callbacks: CallbackList) -> dict:
        callbacks.on_test_begin()
        self.reset_metrics()
        logs = self._pythonify(self._run_epoch("test", source, callbacks))
        callbacks.on_test_end(logs)
        return logs

    @filtered
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics over data, as a list in the order of `metrics_names`, or a dict."""
        self._check_compiled("evaluate")
        if kwargs:
            raise ValueError(f"Arguments not recognized: {kwargs}")
        source = Epochs(
            self._batches(x, y, sample_weight, batch_size, steps=steps), steps_per_epoch=steps, packed=self._is_own("test")
        )
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1, steps=source.num_batches
            )
        logs = self._evaluate(source, callbacks)
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    @filtered
    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto", steps: int | None = None, callbacks: Any = None
    ) -> Any:
        """The outputs for data, as arrays."""
        if callbacks is None and steps is None and (not verbose or verbose == "auto") and self._is_a_batch(x, batch_size):
            return self.predict_on_batch(x)
        own = self._is_own("predict")
        source = Epochs(self._batches(x, None, None, batch_size, steps=steps), steps_per_epoch=steps, packed=own)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks, add_progbar=verbose != 0 and verbose != "auto" or (verbose == "auto" and (source.num_batches or 2) > 1),
                model=self, verbose=verbose, epochs=1, steps=source.num_batches,
            )  # fmt: skip
        function, _ = self._step_function("predict")
        callbacks.on_predict_begin()
        wants = callbacks.wants_batches("predict")
        parts: list = []
        for step, data in enumerate(source.epoch()):
            if not self.built:
                self._ready(unpack_x_y_sample_weight(data)[0])
            if wants:
                callbacks.on_predict_batch_begin(step)
            out = function(data) if own else function(*data)
            function = self._functions["predict"]
            parts.append(tree.map_structure(_own_array, out))
            if wants:
                callbacks.on_predict_batch_end(step, {"outputs": parts[-1]})
        callbacks.on_predict_end()
        if not parts:
            raise ValueError("predict() received no batch of data.")
        if len(parts) == 1:
            return parts[0]
        return tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)

    def _is_a_batch(self, x: Any, batch_size: int | None) -> bool:
        """Whether data is an array that predict may hand to the program as it stands: served requests mostly are."""
        if type(x) is not np.ndarray or x.ndim < 2 or not 0 < len(x) <= (32 if batch_size is None else batch_size):
            return False
        return self.built and x.dtype.kind in "fi" and batch_dtype(x.dtype) == x.dtype and type(self).predict_step is Trainer.predict_step

    # -- single batches -----------------------------------------------------------------------------------------------

    def _on_batch(self, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
        self._check_compiled(f"{kind}_on_batch")
        batches = as_batches(x, y, sample_weight, batch_size=len(tree.flatten(x)[0]), class_weight=class_weight)
        function, own = self._step_function(kind)
        self.reset_metrics()  # what comes back is of this batch alone
        for data in Epochs(batches, packed=own).epoch():
            self._ready(unpack_x_y_sample_weight(data)[0])
            result = function(data) if own else function(*data)
        logs = self._pythonify(result if own else self.get_metrics_result())
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    @filtered
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step on one batch; returns the metrics as they stand."""
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    @filtered
    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluate one batch; returns the metrics as they stand."""
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    @filtered
    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        x = tree.map_structure(np.asarray, x)
        if not self.built:
            self._ready(x)
        function, own = self._step_function("predict")
        return tree.map_structure(_own_array, function(x) if not own else function((x,)))


LIBRARY_STEPS = {"train": Trainer.train_step, "test": Trainer.test_step, "predict": Trainer.predict_step}


def _overrides(method: Any, original: Callable) -> bool:
    return getattr(method, "__func__", None) is not original


def _own_array(t: Any) -> Any:
    return t.value if isinstance(t, Tensor) else np.asarray(t)


def _eager(x: Any) -> Any:
    """An array as a tensor; strings, which only layers for them take, as they are."""
    return ops.convert_to_tensor(x) if isinstance(x, np.ndarray) and x.dtype.kind not in "OUS" else x


def _shuffles(x: Any) -> bool:
    """Whether fit's shuffle=True can apply: arrays, not streams that bring their own order."""
    return all(hasattr(leaf, "shape") or isinstance(leaf, (int, float)) for leaf in tree.flatten(x)) or isinstance(
        x, (list, tuple)
    )


def _split(arrays: tuple, fraction: float) -> tuple[tuple, tuple]:
    return train_validation_split(arrays, validation_split=fraction)


def _unpack_validation(data: Any) -> tuple[Any, Any, Any]:
    if isinstance(data, (tuple, list)) and 2 <= len(data) <= 3:
        return unpack_x_y_sample_weight(tuple(data))
    return data, None, None
