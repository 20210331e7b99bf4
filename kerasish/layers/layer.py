"""Layer: variables, and a computation on tensors. What every layer and model is."""

import inspect
import warnings
from typing import Any, Callable

import numpy as np

from kerasish import dtype_policies, ops
from kerasish.base import naming, tree
from kerasish.base.registry import export
from kerasish.base.tracebacks import filtered
from kerasish.engine.core import context
from kerasish.engine.tensor import Tensor, TensorSpec
from kerasish.engine.trace import infer
from kerasish.engine.variable import AutocastScope, StatelessScope, Variable, is_float
from kerasish.layers import input_spec
from kerasish.layers.building import Building
from kerasish.layers.calls import Call, calls, converted, is_tensor, masked_arguments, signature_of
from kerasish.layers.masks import Masked, SymbolicMask, masks_of
from kerasish.layers.rematerialized import call_again, losses_of, restore
from kerasish.layers.state import State, named_part
from kerasish.layers.storage import Storable
from kerasish.ops.symbolic import KerasTensor, Node, Operation, from_spec


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
class Layer(State, Building, Masked, Storable, Operation, metaclass=_Meta):
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
        self.activity_regularizer = named_part("regularizers", activity_regularizer)
        self.dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self.input_spec: Any = None
        self._trainable = bool(trainable)
        self.supports_masking = False
        self.built = False
        self._build_shapes_dict: dict | None = None
        self._called = False

    @filtered
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        names, has_training, has_mask = signature_of(type(self).call)
        if "_called" not in self.__dict__:
            self._check_super_called()
        if args:
            args = (tree.map_structure(self._convert, args[0]), *[converted(a) for a in args[1:]])
            if self.autocast and len(args) > 1:
                args = (args[0], *[tree.map_structure(self._cast, a) for a in args[1:]])
        if kwargs:
            kwargs = {k: converted(v) if k != "mask" else v for k, v in kwargs.items()}
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
        if args and "mask" not in kwargs:
            mask = masks_of(args[0])
            if has_mask and mask is not None and len(args) <= names.index("mask"):
                kwargs["mask"] = mask
        else:
            mask = kwargs.get("mask")
        for i, name in masked_arguments(type(self).call):
            given = args[i] if i < len(args) else kwargs.get(name)
            found = getattr(given, "_keras_mask", None)
            if found is not None and kwargs.get(f"{name}_mask") is None and not isinstance(found, SymbolicMask):
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
            if mask is not None or type(self).compute_mask is not Masked.compute_mask:
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
        if not self.autocast or not is_tensor(x) or not is_float(x.dtype) or not is_float(self.compute_dtype):
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
        if "mask" in recorded and any(isinstance(m, SymbolicMask) for m in tree.flatten(recorded["mask"])):
            recorded.pop("mask")
        if not keep_training:
            recorded.pop("training", None)
        Node(self, args, recorded, outputs)
        return outputs

    @classmethod
    def _takes_training(cls) -> bool:
        """Whether `call` has a parameter `training`."""
        return signature_of(cls.call)[1]

    @classmethod
    def _takes_mask(cls) -> bool:
        """Whether `call` has a parameter `mask`."""
        return signature_of(cls.call)[2]

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
        """Symbolic outputs, found by tracing the call. The layer stays as it is: before it is built, a copy is traced."""
        if not self.built:
            return self._sketch(args, kwargs, signature_of(type(self).call)[0])._inferred(args, kwargs)

        def spec(x: Any) -> Any:
            return TensorSpec(x.shape, x.dtype) if isinstance(x, KerasTensor) else x

        kwargs = {k: v for k, v in kwargs.items() if not any(isinstance(m, SymbolicMask) for m in tree.flatten(v))}
        with AutocastScope(self.compute_dtype if is_float(self.compute_dtype) else None):
            out = infer(self.call, *tree.map_structure(spec, args), **tree.map_structure(spec, kwargs))
        return tree.map_structure(from_spec, out)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The output shape for an input shape (or `query_shape`, `value_shape` for a call of query and value), found by
        tracing the call."""
        names = signature_of(type(self).call)[0]
        named = {k.removesuffix("_shape"): v for k, v in kwargs.items() if v is not None}
        args = (*args, *[named.pop(k) for k in list(named) if k not in names])

        def symbolic(shape: Any) -> Any:
            return None if shape is None else tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), shape)

        inputs, named = tuple(map(symbolic, args)), {k: symbolic(v) for k, v in named.items()}
        return tree.map_structure(lambda t: tuple(t.shape), self._inferred(inputs, named))

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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.__dict__.get('built', False)}>"

    def __str__(self) -> str:
        return repr(self)
