"""Tracebacks without the library's own frames, so that what is left is the user's code.

`keras.config.disable_traceback_filtering()` shows everything.
"""

import functools
import pathlib
import types
from typing import Any, Callable

from kerasish.base import config

OURS = (str(pathlib.Path(__file__).parents[1]) + "/", "<kerasish ")  # the package, and programs that it emitted


def shorten(error: BaseException) -> None:
    """Drop our frames from the traceback of an error, and of the errors it came from.

    To be called in an `except` clause that ends with a bare `raise`: unlike `raise error`, that adds no frame again.
    """
    if not config.is_traceback_filtering_enabled():
        return
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        e = waiting.pop()
        if e is None or id(e) in seen:
            continue
        seen.add(id(e))
        e.__traceback__ = _without_ours(e.__traceback__)
        waiting += [e.__cause__, e.__context__]


def _without_ours(traceback: types.TracebackType | None) -> types.TracebackType | None:
    kept = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(OURS):
            kept.append(traceback)
        traceback = traceback.tb_next
    shorter = None
    for entry in reversed(kept):
        shorter = types.TracebackType(shorter, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return shorter


def filtered(fn: Callable) -> Callable:
    """Make errors that leave `fn` show the user's frames only."""

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        except Exception as e:
            shorten(e)
            raise

    return wrapper
