"""Threads that nobody waits for: a download that hangs must not hold up Ctrl-C."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(work: Callable[[], T]) -> Future[T]:
    """Run `work` in a thread that ends with the process."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def settle() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=settle, daemon=True).start()
    return future
