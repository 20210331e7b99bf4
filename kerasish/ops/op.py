"""`@op`: what turns a function of tensors into a member of keras.ops.

The function is written for tensors. The decorator gives it a KerasTensor's behaviour too (it becomes a node of the
functional graph, by an Operation class derived from the function), its public name, and errors that name it.
"""

import functools
import inspect
from typing import Any, Callable

from kerasish.base import tree
from kerasish.base.errors import InputError, TracingError
from kerasish.base.registry import export, export_later
from kerasish.base.tracebacks import shorten
from kerasish.engine.trace import infer
from kerasish.ops.dtypes import standardize_dtype
from kerasish.ops.symbolic import KerasTensor, Operation, any_symbolic_tensors, from_spec, to_spec

# Keras's public submodules of keras.ops; ops of other files are in the flat namespace alone
NAMESPACES = ("numpy", "nn", "linalg", "image")

OPS: dict[str, Callable] = {}


def is_symbolic(args: tuple, kwargs: dict) -> bool:
    """Whether a KerasTensor is among the arguments, at any depth."""
    for a in args:
        if isinstance(a, KerasTensor):
            return True
        if isinstance(a, (list, tuple, dict)) and any_symbolic_tensors((a,)):
            return True
    return bool(kwargs) and any_symbolic_tensors((), kwargs)


def spec_of(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """KerasTensors for what `fn` would return for these, some of which are KerasTensors."""

    args, kwargs = tree.map_structure(to_spec, (args, kwargs))
    return tree.map_structure(from_spec, infer(fn, *args, **kwargs))


class FunctionOperation(Operation):
    """An Operation that calls an op's function. Subclasses, one an op, are made by `@op`.

    The constructor takes what is saved in a model's file, and `call` the tensors.
    """

    function: Callable
    call_names: tuple = ()  # parameters of the function that `call` takes
    config_names: tuple = ()  # parameters that the constructor takes
    variadic = False  # `call` takes any number of tensors, after what the constructor took
    leading: tuple = ()  # of a variadic function: what comes before the tensors
    spec: Callable | None = None  # of a function that needs values: the symbolic results, or None if it does not need them

    def __init__(self, *args: Any, name: str | None = None, **config: Any):
        super().__init__(name=name)
        self.config = {**dict(zip(self.config_names, args, strict=False)), **config}
        if self.config.get("dtype") is not None:
            self.config["dtype"] = standardize_dtype(self.config["dtype"])
        if isinstance(self.config.get("newshape"), int):
            self.config["newshape"] = (self.config["newshape"],)  # as Keras wants to read it

    def call(self, *args: Any, **kwargs: Any) -> Any:
        fn = type(self).function
        if self.variadic:
            named = {k: v for k, v in self.config.items() if k in self.leading}
            rest = {k: v for k, v in self.config.items() if k not in self.leading}
            return fn(*named.values(), *args, **rest, **kwargs)
        return fn(**dict(zip(self.call_names, args, strict=False)), **{**self.config, **kwargs})

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        spec = type(self).spec
        found = spec(**dict(zip(self.call_names, args, strict=False)), **{**self.config, **kwargs}) if spec else None
        return found if found is not None else super().compute_output_spec(*args, **kwargs)

    def get_config(self) -> dict:
        return {"name": self.name, **self.config}


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _operation_class(fn: Callable, family: str, tensors: str | None, class_name: str | None) -> type:
    """The Operation class of an op, found by loaders under Keras's module name for it."""
    params = inspect.signature(fn).parameters.values()
    variadic = any(p.kind is p.VAR_POSITIONAL for p in params)
    plain = [p for p in params if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if tensors is not None:
        call_names = tuple(tensors.split())
    else:
        call_names = () if variadic else tuple(p.name for p in plain if p.default is p.empty)
    cls = type(
        class_name or _camel(fn.__name__),
        (FunctionOperation,),
        {
            "__module__": f"keras.src.ops.{family}",
            "__doc__": fn.__doc__,
            "function": staticmethod(fn),
            "call_names": call_names,
            "config_names": tuple(p.name for p in plain if p.name not in call_names),
            "variadic": variadic,
            "leading": tuple(p.name for p in plain if p.kind is p.POSITIONAL_OR_KEYWORD) if variadic else (),
        },
    )
    export(f"keras.src.ops.{family}.{cls.__name__}")(cls)
    return cls


def _received(signature: inspect.Signature, args: tuple, kwargs: dict) -> str:
    """The arguments of a call that failed, tensors by their shapes."""

    def show(x: Any) -> str:
        if hasattr(x, "shape"):
            return f"{type(x).__name__}(shape={tuple(x.shape)}, dtype={x.dtype})"
        if isinstance(x, (list, tuple)):
            return f"[{', '.join(map(show, x[:4]))}{', …' if len(x) > 4 else ''}]"
        return repr(x)[:80]

    try:
        bound = signature.bind(*args, **kwargs).arguments
    except TypeError:
        return ""
    return " Received: " + ", ".join(f"{k}={show(v)}" for k, v in bound.items())


def _named(e: Exception, name: str, signature: inspect.Signature, args: tuple, kwargs: dict) -> Exception:
    """An error of an op with the op's name and what it received.

    An op that is made of others puts its own name in place of theirs. One that was given a function leaves what is said
    inside of it alone, and so what tracing says.
    """
    known = hasattr(e, "_said")
    if isinstance(e, TracingError) or not (e.args and isinstance(e.args[0], str)):
        return e
    if known and any(map(callable, (*args, *kwargs.values()))):
        return e
    said = e._said if known else e.args[0]  # type: ignore[attr-defined]
    args = (f"ops.{name}: {said}{_received(signature, args, kwargs)}", *e.args[1:])
    if type(e) is ValueError:
        out: Exception = InputError(*args).with_traceback(e.__traceback__)
        out.__cause__, out.__suppress_context__ = e.__cause__, True
    else:
        out, e.args = e, args
    out._said = said  # type: ignore[attr-defined]
    return out


def plain(fn: Callable | None = None, *, family: str | None = None) -> Any:
    """Make `fn` a member of keras.ops that is no op (it takes no tensors, or makes a node itself): errors name it, too."""
    if fn is None:
        return functools.partial(plain, family=family)

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        except (ValueError, TypeError, IndexError) as e:
            raise _named(e, fn.__name__, inspect.signature(fn), args, kwargs)  # noqa: B904

    return public(wrapper, fn.__name__, family=family or fn.__module__.split(".")[2])


def op(
    fn: Callable | None = None,
    *,
    tensors: str | None = None,
    class_name: str | None = None,
    aliases: tuple = (),
    node_call: Callable | None = None,
    spec: Callable | None = None,
) -> Any:
    """Make `fn` an op of keras.ops under its own name.

    tensors:    the parameters that are tensors, separated by blanks; default: those without a default value.
    class_name: the name of its Operation in Keras, where it is not the function's in camel case.
    aliases:    further public names.
    node_call:  `call` of its Operation, where what a file holds is not quite what the function takes.
    spec:       for a function whose results are shaped by values: of the same arguments, KerasTensors for the results.
    """
    if fn is None:
        return functools.partial(
            op, tensors=tensors, class_name=class_name, aliases=aliases, node_call=node_call, spec=spec
        )
    family = fn.__module__.split(".")[2]
    name = fn.__name__

    # made when they are needed: importing the library must be quick
    @functools.cache
    def signature_of() -> inspect.Signature:
        return inspect.signature(fn)

    @functools.cache
    def operation() -> type:
        cls = _operation_class(fn, family, tensors, class_name)
        if node_call is not None:
            cls.call = node_call  # type: ignore[attr-defined]
        if spec is not None:
            cls.spec = staticmethod(spec)  # type: ignore[attr-defined]
        return cls

    def symbolic(args: tuple, kwargs: dict) -> Any:
        cls, signature = operation(), signature_of()
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        if cls.variadic:
            star = next(p.name for p in signature.parameters.values() if p.kind is p.VAR_POSITIONAL)
            extra = next((p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD), None)
            config = {k: given[k] for k in cls.config_names}
            return cls(**config)(*given[star], **(given[extra] if extra else {}))
        positional, keyword, config = [], {}, {}
        for p in signature.parameters.values():
            if p.kind is p.VAR_KEYWORD:
                keyword.update(given[p.name])
                continue
            value = given[p.name]
            if p.name in cls.call_names and p.default is p.empty and len(positional) < len(cls.call_names):
                positional.append(value)
            elif p.name in cls.call_names:
                if p.default is None and len(positional) < len(cls.call_names) and not keyword:
                    positional.append(value)  # Keras reads these by position, and wants them there if they are None
                elif value is not p.default:
                    keyword[p.name] = value
            elif any_symbolic_tensors((value,)):
                keyword[p.name] = value
            else:
                config[p.name] = value
        return cls(**config)(*positional, **keyword)

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            if is_symbolic(args, kwargs):
                return symbolic(args, kwargs)
            return fn(*args, **kwargs)
        except (ValueError, TypeError, IndexError) as e:
            named = _named(e, name, signature_of(), args, kwargs)
            try:
                raise named  # noqa: B904
            except type(named):
                shorten(named)
                raise

    wrapper.operation = operation  # type: ignore[attr-defined]
    export_later(f"keras.src.ops.{family}.{class_name or _camel(name)}", operation)
    return public(wrapper, name, *aliases, family=family)


def public(fn: Callable, *names: str, family: str) -> Callable:
    """Export a function as keras.ops.<name> and, where Keras has one, under its submodule; image ops only there."""
    paths = [] if family == "image" else [f"keras.ops.{n}" for n in names]
    if family in NAMESPACES:
        paths += [f"keras.ops.{family}.{n}" for n in names]
    export(*paths)(fn)
    for n in names if family != "image" else ():
        OPS[n] = fn
    return fn
