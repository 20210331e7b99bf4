"""Computing the items of a data set ahead of their use, in order, on threads or processes.

A worker that raises ends the iteration with what it raised. A worker process that dies ends it with a RuntimeError that
says how it died. Worker processes follow their parent when it dies.
"""

import os
import pickle
import signal
import threading
import time
import traceback
from collections import deque
from itertools import islice
from typing import Any, Iterator

import numpy as np

from kerasish.base.lazy import Lazy

futures, random = Lazy("concurrent.futures"), Lazy("random")


def in_parallel(
    dataset: Any, indices: Iterator[int], workers: int, processes: bool, ahead: int, seed: int
) -> Iterator[Any]:
    """Yield `dataset[i]` for each i, in order, with at most `ahead` items computed or under way beyond the one yielded.

    In worker processes, Python's and NumPy's global random generators are seeded from (seed, i) before each item, so
    that what an item draws does not depend on which worker computes it. Threads share the caller's generators.
    """
    executor, compute = _start_processes(dataset, workers, seed) if processes else _start_threads(dataset, workers)
    pending: deque[tuple[int, Any]] = deque()
    alive: dict[int, Any] = {}
    clean = False
    try:
        for index in islice(indices, max(ahead, 1)):
            pending.append((index, executor.submit(compute, index)))
            alive = alive or dict(getattr(executor, "_processes", None) or {})  # the pool forgets them when one dies
        while pending:
            index, future = pending.popleft()
            for following in islice(indices, 1):
                pending.append((following, executor.submit(compute, following)))
            yield _result(future, index, dataset, alive)
        clean = True
    except GeneratorExit:
        clean = True
        raise
    except futures.BrokenExecutor as error:  # raised by submit
        raise _death(error, pending[0][0] if pending else None, dataset, alive) from error
    finally:
        # After an error nobody waits for items that are still being computed: they may never finish.
        executor.shutdown(wait=clean, cancel_futures=True)
        if not clean:
            for process in alive.values():
                process.terminate()


def _start_threads(dataset: Any, workers: int) -> tuple[Any, Any]:
    return futures.ThreadPoolExecutor(workers, thread_name_prefix="kerasish_data"), dataset.__getitem__


def _start_processes(dataset: Any, workers: int, seed: int) -> tuple[Any, Any]:
    executor = futures.ProcessPoolExecutor(
        workers, initializer=_initialize_worker, initargs=(dataset, seed)
    )
    return executor, _compute_in_worker


def _result(future: Any, index: int, dataset: Any, alive: dict[int, Any]) -> Any:
    try:
        return future.result()
    except futures.BrokenExecutor as error:
        raise _death(error, index, dataset, alive) from error
    except StopIteration as error:  # inside a generator it would read as the end of the data
        raise RuntimeError(f"`{type(dataset).__name__}[{index}]` raised StopIteration.") from error
    except Exception as error:
        error.add_note(f"Raised while a worker computed `{type(dataset).__name__}[{index}]`.")
        raise


def _death(error: BaseException, index: int | None, dataset: Any, alive: dict[int, Any]) -> RuntimeError:
    codes = [_exit_code(process) for process in alive.values()]
    # The pool ends the survivors with SIGTERM.
    how = "; ".join(_describe_exit(code) for code in codes if code not in (None, 0, -signal.SIGTERM)) or str(error)
    where = "" if index is None else f", at or after `{type(dataset).__name__}[{index}]`"
    return RuntimeError(
        f"A worker process of {type(dataset).__name__} died{where}: {how}. Set `workers=1, use_multiprocessing=False` "
        "to see what happens in the main process."
    )


def _exit_code(process: Any) -> int | None:
    # The pool's own thread waits for the process too, and for a moment only one of the two knows the code.
    deadline = time.perf_counter() + 1
    while process.exitcode is None and time.perf_counter() < deadline:
        time.sleep(0.005)
    return process.exitcode


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"it exited with status {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    return f"it was ended by {name}" + (" (memory may have run out)" if name == "SIGKILL" else "")


# -- in the worker process --------------------------------------------------------------------------------------------

_worker_state: dict[str, Any] = {}


def _initialize_worker(dataset: Any, seed: int) -> None:
    _worker_state.update(dataset=dataset, seed=seed)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which then ends the workers
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    from multiprocessing import connection, parent_process  # in a worker they are loaded already

    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _compute_in_worker(index: int) -> Any:
    random.seed(f"{_worker_state['seed']}-{index}")
    np.random.seed((_worker_state["seed"], index % 2**32))
    try:
        return _worker_state["dataset"][index]
    except BaseException as error:
        raise _portable(error) from None


def _portable(error: BaseException) -> Exception:
    """The error if it survives the way to the parent, else a RuntimeError that tells of it."""
    text = "".join(traceback.format_exception(error))
    try:
        # SystemExit or KeyboardInterrupt would end the parent, silently.
        survives = isinstance(error, Exception) and type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        survives = False
    portable: Any = error if survives else RuntimeError(f"{type(error).__name__}: {error}")
    portable.add_note(f"In the worker process:\n{text}")
    return portable
