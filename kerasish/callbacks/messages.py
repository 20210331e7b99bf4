"""Messages to the person at the screen, or to the log where interactive logging is off."""

import logging
import sys
import weakref
from typing import Any

from kerasish.base import config

open_bars: "weakref.WeakSet[Any]" = weakref.WeakSet()  # the tqdm bars on the screen now


def print_msg(message: Any, line_break: bool = True) -> None:
    """Print to stdout, above any progress bar; to the log instead after `keras.config.disable_interactive_logging()`.

    The log is absl's if the program has loaded absl, else the `keras` logger, at level INFO.
    """
    message = str(message)
    if not config.is_interactive_logging_enabled():
        logging.getLogger("absl" if "absl.logging" in sys.modules else "keras").info(message)
        return
    bars = list(open_bars)
    for bar in bars:
        bar.clear()
    text = f"{message}\n" if line_break else message
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        sys.stdout.write(text.encode(encoding, errors="replace").decode(encoding))
    sys.stdout.flush()
    for bar in bars:
        bar.refresh()
