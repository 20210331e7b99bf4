"""Layer: variables, and a computation on tensors. What every layer and model is."""

import functools
import inspect
import warnings
from typing import Any, Callable, Iterator

import numpy as np

from kerasish import dtype_policies, ops
from kerasish.base import naming, tree
from kerasish.base.registry import canonical_path, export, get_registered_object, resolve
from kerasish.base.tracebacks import filtered
from kerasish.engine.core import context, suspended
from kerasish.engine.dims import Dim
from kerasish.engine.tensor import Tensor, TensorSpec
from kerasish.engine.trace import infer
from kerasish.engine.variable import AutocastScope, StatelessScope, Variable, is_float
from kerasish.layers import input_spec
from kerasish.layers.calls import Call, calls
from kerasish.layers.rematerialized import call_again, losses_of, restore
from kerasish.layers.tracking import TrackedDict, TrackedList, tracked
from kerasish.metrics.metric import Metric
from kerasish.ops.symbolic import KerasTensor, Node, Operation, from_spec
from kerasish.random import SeedGenerator
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@functools.lru_cache(maxsize=4096)
def _signature(fn: Callable) -> tuple[tuple[str, ...], bool, bool]:
    """The names of a call's parameters (without self), and whether `training` and `mask` are among them."""
    parameters = inspect.signature(fn).parameters
    names = tuple(n for n, p in parameters.items() if n != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
    return names, "training" in names, "mask" in names


@functools.lru_cache(maxsize=4096)
def _masked_arguments(fn: Callable) -> tuple[tuple[int, str], ...]:
    """The positions and names of a call's parameters for whose masks it has parameters too: `query` and `query_mask`."""
    names = _signature(fn)[0]
    return tuple((i, name) for i, name in enumerate(names) if f"{name}_mask" in names)


@functools.lru_cache(maxsize=4096)
def training_default(fn: Callable) -> Any:
    """What a call takes for its argument `training` if nobody says anything; None if it has no such argument."""
    parameter = inspect.signature(fn).parameters.get("training")
    return None if parameter is None or parameter.default is parameter.empty else parameter.default


def shape_of(x: Any) -> Any:
    """The shape of a tensor with None for sizes that are not known yet."""
    return tuple(None if isinstance(d, Dim) else d for d in x.shape)


class _Meta(type):
    """Makes a Layer remember what it was constructed with."""

    @filtered
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = cls.__new__(cls, *args, **kwargs)
        if not isinstance(instance, cls):
            return instance
        if "_constructed" not in instance.__dict__:
            object.__setattr__(instance, "_constructed", (type(instance), args, kwargs))
        type(instance).__init__(instance, *args, **kwargs)
        return instance

    @property
    def __signature__(cls) -> inspect.Signature:
        """What `help` and `inspect.signature` show: the constructor's, not that of `__call__` above."""
        own = inspect.signature(cls.__init__)
        return own.replace(parameters=list(own.parameters.values())[1:])


@export("keras.layers.Layer", "keras.Layer")
class Layer(Operation, metaclass=_Meta):
    """The base of all layers: override `__init__`, `build(input_shape)` and `call(inputs)`.

    activity_regularizer: a regularizer of the output.
    trainable:            whether the variables are trained.
    dtype:                a dtype or DTypePolicy.
    autocast:             whether floating-point inputs are cast to the compute dtype.
    """

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        self._track_init()
        super().__init__(name=name)
        shape = kwargs.pop("input_shape", None)
        if kwargs.pop("input_dim", None) is not None or shape is not None:
            if shape is not None:
                self._input_shape_arg = tuple(shape)
                warnings.warn(
                    "Do not pass an `input_shape`/`input_dim` argument to a layer. When using Sequential models, prefer "
                    "using an `Input(shape)` object as the first layer in the model instead.",
                    stacklevel=4,
                )
        if kwargs:
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}. Check their spelling, or "
                "take them in the layer's own __init__."
            )
        if isinstance(activity_regularizer, str):
            activity_regularizer = resolve("regularizers", activity_regularizer)()
        elif isinstance(activity_regularizer, dict):
            activity_regularizer = deserialize_keras_object(activity_regularizer)
        self.activity_regularizer = activity_regularizer
        self.dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self.input_spec: Any = None
        self._trainable = bool(trainable)
        self.supports_masking = False
        self.built = False
        self._build_shapes_dict: dict | None = None
        self._called = False

    def _track_init(self) -> None:
        if "_layers" not in self.__dict__:
            put = object.__setattr__
            put(self, "_layers", [])
            put(self, "_metrics", [])
            put(self, "_trainable_variables", [])
            put(self, "_non_trainable_variables", [])
            put(self, "_seed_generators", [])
            put(self, "_losses", [])
            put(self, "_locked", False)
            put(self, "_path", None)

    # -- tracking -----------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if "_layers" not in self.__dict__ and isinstance(value, (Layer, Variable, Metric, SeedGenerator, list, dict)):
            if not name.startswith("_"):
                self._track_init()
        if "_layers" in self.__dict__:
            old = self.__dict__.get(name)
            if old is not None and old is not value:
                self._untrack(old)
            value = tracked(self, value)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._untrack(self.__dict__.get(name))
        object.__delattr__(self, name)

    def _lists(self, value: Any) -> Iterator[list]:
        if isinstance(value, Variable):
            yield self._trainable_variables if value.trainable else self._non_trainable_variables
        elif isinstance(value, Layer):
            yield self._layers
        elif isinstance(value, Metric):
            yield self._metrics
        elif isinstance(value, SeedGenerator):
            yield self._seed_generators

    def _track(self, value: Any) -> None:
        """Remember a variable, layer, metric or seed generator that became part of this layer."""
        if isinstance(value, Variable) and any(v is value for v in (*self._trainable_variables, *self._non_trainable_variables)):
            return  # where it is: freezing the layer does not move it from one list to the other
        for kept in self._lists(value):
            if not any(v is value for v in kept):
                if self._locked and isinstance(value, (Variable, Layer)):
                    raise ValueError(
                        "You cannot add new elements of state (variables or sub-layers) to a layer that is already "
                        "built. All state must be created in the `__init__()` method or in the `build()` method."
                    )
                kept.append(value)
                if isinstance(value, Variable) and not self.__dict__.get("_trainable", True):
                    value.trainable = False  # though it counts as one that may be trained, when the layer is thawed

    def _untrack(self, value: Any) -> None:
        for kept in (self._trainable_variables, self._non_trainable_variables, self._layers, self._metrics):
            kept[:] = [v for v in kept if v is not value]

    # -- variables ----------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a variable of this layer. `initializer`: a name, an Initializer, or a function of shape and dtype."""
        self._check_super_called()
        dtype = dtype if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if is_float(dtype) else "zeros"
        with naming.name_scope(self.name) if not naming.current_path().endswith(self.name) else _nothing():
            variable = Variable(
                _get("initializers", initializer),
                shape=() if shape is None else shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = _get("regularizers", regularizer)
        variable.constraint = _get("constraints", constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._track(variable)
        return variable

    add_variable = add_weight

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Not in Keras 3 any more: says what to do instead."""
        raise NotImplementedError(
            "Layer `add_metric()` method is deprecated. Pass metrics to `Model.compile(metrics=[...])`, or make them in "
            "`__init__()` or `build()` and call their `update_state()` in `call()`."
        )

    def _check_super_called(self) -> None:
        if "_called" not in self.__dict__:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the first statement in the "
                "`__init__()` method. Go add it!"
            )

    @property
    def trainable(self) -> bool:
        """Whether the variables are trained; setting it sets it for all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        object.__setattr__(self, "_trainable", value)
        for v in self._trainable_variables:
            v.trainable = value
        for layer in self._layers:
            layer.trainable = value

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list["Layer"]:
        out, seen, stack = [], set(), [self] if include_self else list(self._layers)
        while stack:
            layer = stack.pop(0)
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            out.append(layer)
            if recursive or (include_self and layer is self):
                stack = list(layer._layers) + stack
        return out

    @property
    def variables(self) -> list[Variable]:
        """All variables, seeds included; those of metrics are `metrics_variables`."""
        out = {id(v): v for v in self._weights_of_all()}
        for layer in self._flatten_layers():
            for seed in layer._seed_generators:
                out.setdefault(id(seed.state), seed.state)
        return list(out.values())

    def _weights_of_all(self) -> list[Variable]:
        found: dict[int, Variable] = {}
        for layer in self._flatten_layers():
            for v in (*layer._trainable_variables, *layer._non_trainable_variables):
                found.setdefault(id(v), v)
        return list(found.values())

    @property
    def weights(self) -> list[Variable]:
        """The variables that make up the layer: not seeds, not metrics."""
        return self._weights_of_all()

    @property
    def trainable_variables(self) -> list[Variable]:
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        return [v for v in self.variables if not v.trainable] if self.trainable else self.variables

    @property
    def trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def metrics(self) -> list[Metric]:
        return [m for layer in self._flatten_layers() for m in layer._metrics]

    @property
    def metrics_variables(self) -> list[Variable]:
        return [v for m in self.metrics for v in m.variables]

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`, as arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: list) -> None:
        """Set the values of `weights` from arrays of the same shapes, in the same order."""
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length {len(weights)}, "
                f"but the layer was expecting {len(own)} weights."
            )
        for v, w in zip(own, weights, strict=True):
            if tuple(v.shape) != tuple(np.shape(w)):
                raise ValueError(
                    f"Layer {self.name} weight shape {v.shape} is not compatible with provided weight shape {np.shape(w)}."
                )
        for v, w in zip(own, weights, strict=True):
            v.assign(w)

    def count_params(self) -> int:
        """The number of scalars in `weights`."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You can build it "
                f"manually via: `layer.build(input_shape)`."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    # -- dtypes -------------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> str:
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return dtype_policies.of_path(self.dtype_policy, self.path).compute_dtype

    @property
    def variable_dtype(self) -> str:
        return dtype_policies.of_path(self.dtype_policy, self.path).variable_dtype

    @property
    def input_dtype(self) -> str:
        return self.compute_dtype

    @property
    def path(self) -> str:
        return self._path or self.name

    # -- building -----------------------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _wrap_build(cls.__dict__["build"])  # type: ignore[method-assign]

    def build(self, input_shape: Any) -> None:
        """Make the variables. The default makes none, or runs `call` on symbolic inputs so that layers inside build."""
        self._check_super_called()
        if self._layers and not all(layer.built for layer in self._layers):
            shapes = input_shape
            single = isinstance(shapes, tuple) and all(d is None or isinstance(d, int) for d in shapes)
            try:
                spec = TensorSpec(shapes, self.compute_dtype) if single else tree.map_shape_structure(
                    lambda s: TensorSpec(s, self.compute_dtype), shapes
                )
                infer(self.call, spec)
            except Exception as e:
                if not all(layer.built for layer in self._layers):
                    warnings.warn(
                        f"`build()` was called on layer '{self.name}', however the layer does not have a `build()` method "
                        f"implemented and its `call` could not be traced ({type(e).__name__}: {e}). Implement "
                        "`def build(self, input_shape)` to create its state.",
                        stacklevel=2,
                    )
        self.built = True

    def _maybe_build(self, args: tuple, kwargs: dict, names: tuple) -> None:
        if self.built:
            return
        self._check_super_called()
        with naming.name_scope(self.name) if self._outside_own_scope() else _nothing():
            object.__setattr__(self, "_path", naming.current_path())
            bound = dict(zip(names, args, strict=False)) | kwargs
            tensors = {
                k: v for k, v in bound.items() if k not in ("training", "mask") and any(map(_is_tensor, tree.flatten(v)))
            }
            shapes = {k: tree.map_structure(lambda t: shape_of(t) if _is_tensor(t) else None, v) for k, v in tensors.items()}
            build = type(self).build
            wanted = [p for p in inspect.signature(build).parameters if p not in ("self", "args", "kwargs")]
            if build is Layer.build:
                # without a build of its own: layers inside are built by tracing the call once
                if self._layers and not all(layer.built for layer in self._layers):
                    self._trace_call(args, kwargs)
                self._build_shapes_dict = {k: _plain(v) for k, v in shapes.items()} or None
                if len(shapes) == 1:
                    self._build_shapes_dict = {"input_shape": next(iter(shapes.values()))}
                self.built = True
            elif len(wanted) > 1 or (wanted and wanted[0].removesuffix("_shape") in shapes and len(shapes) > 1):
                self.build(**{w: shapes.get(w.removesuffix("_shape")) for w in wanted})
            else:
                self.build(next(iter(shapes.values()), None))
            self.built = True
        object.__setattr__(self, "_locked", True)

    def _outside_own_scope(self) -> bool:
        path = naming.current_path()
        return path.split("/")[-1] != self.name

    def _trace_call(self, args: tuple, kwargs: dict) -> None:
        def spec(x: Any) -> Any:
            return TensorSpec(shape_of(x), x.dtype) if _is_tensor(x) else x

        infer(self.call, *tree.map_structure(spec, args), **tree.map_structure(spec, kwargs))

    def get_build_config(self) -> dict | None:
        """The shapes the layer was built with, for `build_from_config`."""
        if self._build_shapes_dict is None:
            return None
        if len(self._build_shapes_dict) == 1:
            return {"input_shape": next(iter(self._build_shapes_dict.values()))}
        return {"shapes_dict": self._build_shapes_dict}

    def build_from_config(self, config: dict) -> None:
        """Build with the shapes of `get_build_config`."""
        if not config:
            return
        with naming.name_scope(self.name) if self._outside_own_scope() else _nothing():
            if "input_shape" in config:
                self.build(_tupled(config["input_shape"]))
            elif "shapes_dict" in config:
                shapes = {k: _tupled(v) for k, v in config["shapes_dict"].items()}
                wanted = inspect.signature(type(self).build).parameters
                self.build(**shapes) if all(k in wanted for k in shapes) else self.build(next(iter(shapes.values())))
        self.built = True

    # -- calling ------------------------------------------------------------------------------------------------------

    @filtered
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        names, has_training, has_mask = _signature(type(self).call)
        if "_called" not in self.__dict__:
            self._check_super_called()
        if args:
            args = (tree.map_structure(self._convert, args[0]), *[_converted(a) for a in args[1:]])
            if self.autocast and len(args) > 1:
                args = (args[0], *[tree.map_structure(self._cast, a) for a in args[1:]])
        if kwargs:
            kwargs = {k: _converted(v) if k != "mask" else v for k, v in kwargs.items()}
        symbolic = self._is_symbolic(args, kwargs)
        if args and self.input_spec is not None:
            input_spec.check(self.input_spec, args[0], self.name)
        if not self.built:
            self._maybe_build(args, kwargs, names)

        outer = getattr(calls, "now", None)
        call = outer or Call()
        training = kwargs.get("training")
        if training is None and has_training and len(args) > names.index("training"):
            training = args[names.index("training")]
        said = training is not None  # by the caller, not by the layer around
        if training is None:
            training = call.training
        if training is not None and not isinstance(training, bool) and not isinstance(training, Tensor):
            training = bool(training)
        if has_training and training is not None:
            if len(args) <= names.index("training"):
                kwargs["training"] = training
        elif "training" in kwargs and not has_training:
            kwargs.pop("training")
        if args and "mask" not in kwargs and (has_mask or outer is None or True):
            mask = _masks(args[0])
            if has_mask and mask is not None and len(args) <= names.index("mask"):
                kwargs["mask"] = mask
        else:
            mask = kwargs.get("mask")
        for i, name in _masked_arguments(type(self).call):
            given = args[i] if i < len(args) else kwargs.get(name)
            found = getattr(given, "_keras_mask", None)
            if found is not None and kwargs.get(f"{name}_mask") is None and not isinstance(found, _SymbolicMask):
                kwargs[f"{name}_mask"] = found
        if outer is None:
            self._clear_losses()  # losses are those of the last call
        before = call.training
        call.training = training
        calls.now = call
        try:
            if symbolic:
                outputs = self._symbolic(args, kwargs, said)
            else:
                with AutocastScope(self.compute_dtype if is_float(self.compute_dtype) else None):
                    if context.trace is not None and self._outside_own_scope():
                        with naming.name_scope(self.name):
                            outputs = self._compute(args, kwargs)
                    elif self._remat is None:
                        outputs = self.call(*args, **kwargs)
                    else:
                        outputs = self._compute(args, kwargs)
            if mask is not None or type(self).compute_mask is not Layer.compute_mask:
                outputs = self._set_mask(args[0] if args else None, outputs, mask)
            if self.activity_regularizer is not None and not symbolic:
                for out in tree.flatten(outputs):
                    n = ops.cast(ops.shape(out)[0], out.dtype)
                    self.add_loss(self.activity_regularizer(out) / n)
        finally:
            call.training = before
            if outer is None:
                calls.now = None
        return outputs

    def _compute(self, args: tuple, kwargs: dict) -> Any:
        """`call`, in a `RematScope` so that what it computes on the way is computed again for its gradient."""
        if self._remat is None or not context.tapes:
            return self.call(*args, **kwargs)
        return self.rematerialized_call(self.call, *args, **kwargs)(*args, **kwargs)

    def rematerialized_call(self, layer_call: Callable, *args: Any, **kwargs: Any) -> Callable:
        """`layer_call` as the `RematScope` in which the layer was made would have it for these arguments."""
        losses = losses_of(self)
        wrapped = super().rematerialized_call(layer_call, *args, **kwargs)
        restore(losses)  # what was added while shapes were inferred
        return wrapped

    def _again(self, layer_call: Callable) -> Callable:
        return call_again(self, layer_call)

    def _is_symbolic(self, args: tuple, kwargs: dict) -> bool:
        for a in args:
            if isinstance(a, KerasTensor):
                return True
            if isinstance(a, (list, tuple, dict)) and any(isinstance(x, KerasTensor) for x in tree.flatten(a)):
                return True
        return any(isinstance(x, KerasTensor) for v in kwargs.values() for x in tree.flatten(v)) if kwargs else False

    def _convert(self, x: Any) -> Any:
        """An input as a tensor in the compute dtype."""
        if isinstance(x, Variable):
            x = x.value
        if isinstance(x, Tensor):
            return self._cast(x)
        if isinstance(x, (np.ndarray, float, int, np.generic, bool)):
            array = np.asarray(x)
            if array.dtype.kind in "SUO":
                return x
            if array.dtype.kind == "f" and self.autocast and is_float(self.compute_dtype):
                array = array.astype(self.compute_dtype)
            return ops.convert_to_tensor(array)
        return self._cast(x)

    def _cast(self, x: Any) -> Any:
        if not self.autocast or not _is_tensor(x) or not is_float(x.dtype) or not is_float(self.compute_dtype):
            return x
        if x.dtype == self.compute_dtype:
            return x
        y = ops.cast(x, self.compute_dtype)
        if getattr(x, "_keras_mask", None) is not None:
            y._keras_mask = x._keras_mask
        return y

    def _symbolic(self, args: tuple, kwargs: dict, keep_training: bool) -> Any:
        outputs = self.compute_output_spec(*args, **kwargs)
        flat = tree.flatten((args, kwargs))
        if any(o is x for o in tree.flatten(outputs) for x in flat if isinstance(x, KerasTensor)):
            outputs = tree.map_structure(lambda o: KerasTensor(o.shape, o.dtype), outputs)
        recorded = {k: v for k, v in kwargs.items() if k != "training" or v is not None}
        if "mask" in recorded and any(isinstance(m, _SymbolicMask) for m in tree.flatten(recorded["mask"])):
            recorded.pop("mask")
        if not keep_training:
            recorded.pop("training", None)
        Node(self, args, recorded, outputs)
        return outputs

    @classmethod
    def _takes_training(cls) -> bool:
        """Whether `call` has a parameter `training`."""
        return _signature(cls.call)[1]

    @classmethod
    def _takes_mask(cls) -> bool:
        """Whether `call` has a parameter `mask`."""
        return _signature(cls.call)[2]

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call()` method implemented.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs: by compute_output_shape where a layer defines it, else by tracing."""
        if type(self).compute_output_shape is not Layer.compute_output_shape and len(args) == 1 and isinstance(
            args[0], KerasTensor
        ):
            shape = self.compute_output_shape(args[0].shape)
            single = isinstance(shape, tuple) and all(d is None or isinstance(d, int) for d in shape)
            if single:
                return KerasTensor(shape, dtype=self.compute_dtype)
            if isinstance(shape, (list, tuple)) and shape and all(isinstance(s, tuple) for s in shape):
                return type(shape)(KerasTensor(s, dtype=self.compute_dtype) for s in shape)
        return self._inferred(args, kwargs)

    def _inferred(self, args: tuple, kwargs: dict) -> Any:
        def spec(x: Any) -> Any:
            return TensorSpec(x.shape, x.dtype) if isinstance(x, KerasTensor) else x

        kwargs = {k: v for k, v in kwargs.items() if not any(isinstance(m, _SymbolicMask) for m in tree.flatten(v))}
        with AutocastScope(self.compute_dtype if is_float(self.compute_dtype) else None):
            out = infer(self.call, *tree.map_structure(spec, args), **tree.map_structure(spec, kwargs))
        return tree.map_structure(from_spec, out)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The output shape for an input shape, found by tracing the call."""
        specs = tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), args)
        if not self.built:
            self.build(*args, **kwargs)
        return tree.map_structure(lambda t: tuple(t.shape), self._inferred(tuple(specs), {}))

    # -- masks --------------------------------------------------------------------------------------------------------

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs: the one of the inputs, for layers that support masking."""
        return previous_mask

    def _set_mask(self, inputs: Any, outputs: Any, mask: Any) -> Any:
        flat = tree.flatten(outputs)
        if type(self).compute_mask is Layer.compute_mask and not self.supports_masking:
            if mask is not None and not self._mask_warned and not isinstance(self, MaskTransparent):
                object.__setattr__(self, "_mask_warned", True)
                warnings.warn(
                    f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with a mask attached to it. "
                    "However, this layer does not support masking and will therefore destroy the mask information. "
                    "Downstream layers will not see the mask.",
                    stacklevel=3,
                )
            return outputs
        if isinstance(flat[0], KerasTensor):
            masks: list = [_SymbolicMask()] * len(flat)
            if type(self).compute_mask is not Layer.compute_mask and mask is None and not self._makes_mask():
                masks = [None] * len(flat)
        else:
            masks = tree.flatten(self.compute_mask(inputs, mask))
        if len(masks) == 1 and len(flat) > 1:
            masks = masks + [None] * (len(flat) - 1)
        given = {id(x) for x in tree.flatten(inputs)}
        for i, (o, m) in enumerate(zip(flat, masks, strict=False)):
            if m is None or not isinstance(o, (Tensor, KerasTensor)):
                continue
            if id(o) in given and getattr(o, "_keras_mask", None) is not m:
                flat[i] = o = ops.copy(o) if isinstance(o, Tensor) else KerasTensor(o.shape, o.dtype)
            o._keras_mask = m
        return tree.pack_sequence_as(outputs, flat)

    _mask_warned = False

    def _makes_mask(self) -> bool:
        """Whether outputs have a mask though the inputs have none (Embedding with mask_zero, Masking)."""
        return False

    # -- losses -------------------------------------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add a scalar (or several) to what is minimised, during `call`."""
        for x in tree.flatten(loss):
            if callable(x) and not isinstance(x, Tensor):
                x = x()
            self._losses.append(x)

    @property
    def losses(self) -> list:
        """The losses added in the last call, and the regularization of the trainable variables."""
        out = [x for layer in self._flatten_layers() for x in layer._losses]
        for v in self.trainable_weights:
            if v.regularizer is not None:
                out.append(v.regularizer(v))
        return out

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call with the given values of the variables; returns the outputs and the new non-trainable values."""
        if not self.built:
            raise ValueError(
                f"To call stateless_call, {type(self).__name__} must be built (i.e. its variables must have been already "
                "created). You can build it by calling it on some data."
            )
        mapping = list(zip(self.trainable_variables, trainable_variables, strict=True))
        mapping += list(zip(self.non_trainable_variables, non_trainable_variables, strict=True))
        with StatelessScope(state_mapping=mapping) as scope:
            if return_losses:
                self._clear_losses()
            outputs = self(*args, **kwargs)
            losses = self.losses
        new = [scope.get_current_value(v) for v in self.non_trainable_variables]
        return (outputs, new, losses) if return_losses else (outputs, new)

    # -- config -------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        """What the constructor needs to make the layer again."""
        base = {"name": self.name, "trainable": self.trainable, "dtype": dtype_policies.serialize(self.dtype_policy)}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = serialize_keras_object(self.activity_regularizer)
        cls, args, kwargs = self._constructed
        if cls.__init__ is Layer.__init__:
            return base
        if canonical_path(cls) is not None:
            return {**base, **{k: self._config_value(k) for k in _own_parameters(cls)}}
        if type(self).get_config is not Layer.get_config:
            return base
        # a user's layer without get_config: the arguments it was made with, if they can be written down
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        bound = inspect.signature(cls.__init__).bind(None, *args, **kwargs)
        bound.apply_defaults()
        own = {p.name: bound.arguments[p.name] for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        rest = [p for p in parameters if p.kind is p.VAR_KEYWORD]
        if rest:  # what is passed on to Layer, which writes its own arguments in `base`
            own |= bound.arguments[rest[0].name]
        positional = any(bound.arguments[p.name] for p in parameters if p.kind is p.VAR_POSITIONAL)
        known = {k: v for k, v in base.items() if rest or k in own}
        if positional or not all(_is_basic(v) for k, v in own.items() if k not in known):
            raise NotImplementedError(
                f"Object {cls.__name__} was created by passing non-serializable argument values in `__init__()`, and "
                "therefore the object must override `get_config()` in order to be serializable. Please implement it."
            )
        return {**own, **known}

    def _config_value(self, name: str) -> Any:
        value = getattr(self, name)
        if isinstance(value, (TrackedList, TrackedDict)):
            value = list(value) if isinstance(value, TrackedList) else dict(value)
        if isinstance(value, (int, float, str, bool, type(None), tuple, list)) and _is_basic(value):
            return value
        if inspect.isfunction(value) and canonical_path(value) is not None:
            return value.__name__
        return serialize_keras_object(value)

    @classmethod
    def from_config(cls, config: dict) -> Any:
        config = dict(config)
        dtype = config.get("dtype")
        if isinstance(dtype, dict):
            config["dtype"] = dtype_policies.get(dtype)
        try:
            return cls(**config)
        except Exception as e:
            raise TypeError(
                f"Error when deserializing class '{cls.__name__}' using config={config}.\n\nException encountered: {e}"
            ) from e

    _not_saved = frozenset((
        "_layers", "_metrics", "_trainable_variables", "_non_trainable_variables", "_seed_generators", "_losses",
        "_constructed", "_functional", "_stack", "_compile_args", "_compiled_loss", "_compiled_metrics", "_loss_tracker",
        "_functions", "_optimizer", "_training_epochs", "_inbound_nodes", "_outbound_nodes", "_build_shapes_dict",
        "history",
    ))  # fmt: skip

    def _saveable_children(self) -> list[tuple[str, Any]]:
        """What the layer owns, by attribute, in the order files have."""
        names = sorted(self.__dict__, key=lambda n: f"~{n}" if n.startswith("_") else n)
        return [(n, self.__dict__[n]) for n in names if n not in self._not_saved]

    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own variables into a dictionary-like store."""
        for i, v in enumerate((*self._trainable_variables, *self._non_trainable_variables)):
            store[f"{i}"] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the layer's own variables from a store."""
        own = (*self._trainable_variables, *self._non_trainable_variables)
        if len(store.keys()) != len(own):
            if not own and not self.built:
                raise ValueError(
                    f"Layer '{self.name}' was never built and thus it doesn't have any variables. However the weights "
                    f"file lists {len(store.keys())} variables for this layer. Build the layer before loading."
                )
            raise ValueError(
                f"Layer '{self.name}' expected {len(own)} variables, but received {len(store.keys())} variables during "
                f"loading. Expected: {[v.name for v in own]}"
            )
        for i, v in enumerate(own):
            v.assign(store[f"{i}"])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.__dict__.get('built', False)}>"

    def __str__(self) -> str:
        return repr(self)


class MaskTransparent:
    """Marks layers that may drop a mask without a word."""


class _SymbolicMask:
    """Stands for the mask of a symbolic tensor: only that there is one is known."""


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *exc: Any) -> None: ...


def _wrap_build(build: Callable) -> Callable:
    """A layer's build under its name scope, which keeps the shapes it was given."""
    if getattr(build, "_wrapped", False):
        return build

    @functools.wraps(build)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        self._check_super_called()
        with naming.name_scope(self.name) if self._outside_own_scope() else _nothing():
            object.__setattr__(self, "_path", naming.current_path())
            names = [p for p in inspect.signature(build).parameters if p != "self"]
            shapes = dict(zip(names, args, strict=False)) | kwargs
            object.__setattr__(self, "_build_shapes_dict", {k: _plain(v) for k, v in shapes.items()})
            with suspended():  # what variables start with is a number, also where the call around is being traced
                build(self, *args, **kwargs)
        self.built = True

    wrapped._wrapped = True  # type: ignore[attr-defined]
    return wrapped


def _get(kind: str, identifier: Any) -> Any:
    """An initializer, regularizer or constraint from its name or config."""
    if identifier is None or (callable(identifier) and not isinstance(identifier, (type, str))):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, dict):
        return deserialize_keras_object(identifier)
    found = resolve(kind, identifier) or get_registered_object(identifier)
    if found is None:
        raise ValueError(f"Could not interpret {kind[:-1]} identifier: {identifier}")
    return found() if isinstance(found, type) else found


def _is_tensor(x: Any) -> bool:
    return isinstance(x, (Tensor, KerasTensor, Variable, np.ndarray))


def _converted(x: Any) -> Any:
    return tree.map_structure(
        lambda v: ops.convert_to_tensor(v) if isinstance(v, np.ndarray) and v.dtype.kind not in "SUO" else v, x
    )


def _masks(x: Any) -> Any:
    """The masks of the inputs in their structure; None if there is none."""
    if not isinstance(x, (list, tuple, dict)):
        return getattr(x, "_keras_mask", None)
    masks = tree.map_structure(lambda t: getattr(t, "_keras_mask", None), x)
    return masks if any(m is not None for m in tree.flatten(masks)) else None


def _plain(shape: Any) -> Any:
    return tuple(shape) if isinstance(shape, list) and all(d is None or isinstance(d, int) for d in shape) else shape


def _tupled(shape: Any) -> Any:
    """A shape from JSON, where tuples became lists."""
    if isinstance(shape, dict):
        return {k: _tupled(v) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)):
        if all(d is None or isinstance(d, int) for d in shape):
            return tuple(shape)
        return [_tupled(s) for s in shape]
    return shape


def _is_basic(x: Any) -> bool:
    if isinstance(x, dict):
        return all(isinstance(k, str) and _is_basic(v) for k, v in x.items())
    if isinstance(x, (list, tuple)):
        return all(map(_is_basic, x))
    return x is None or isinstance(x, (bool, int, float, str))


@functools.lru_cache(maxsize=1024)
def _own_parameters(cls: type) -> tuple[str, ...]:
    """The constructor's parameters that are the layer's own, in order, inherited ones first."""
    names: dict[str, None] = {}
    for base in reversed(cls.__mro__):
        init = base.__dict__.get("__init__")
        if init is None or base in (Layer, Operation, object):
            continue
        for p in inspect.signature(init).parameters.values():
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in ("self", "name", "trainable", "dtype"):
                names[p.name] = None
    hidden = getattr(cls, "_not_in_config", ())
    return tuple(n for n in names if n not in hidden)
