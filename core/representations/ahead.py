"""Reading ahead: the next batches are made while the present one is learned from."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_WAITING = 1
"""Items that wait to be wanted; one more is under way or in hand."""
_LOOK_UP_SECONDS = 0.1


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items in their order, made by a thread of their own, at most two before they are wanted.

    NumPy and PyTorch let go of the interpreter while they work, so on two cores or with a GPU
    making them costs next to no time. What goes wrong there is raised here; closing the generator
    ends the thread.
    """
    maker = _Maker(items)
    maker.start()
    try:
        while True:
            made = maker.made.get()
            if made is None:
                break
            yield made.item
    finally:
        maker.stopped.set()
        maker.join()
    if maker.trouble is not None:
        raise maker.trouble


class _Made(Generic[T]):
    """An item in the queue; None there means that no more will come."""

    def __init__(self, item: T) -> None:
        self.item = item


class _Maker(threading.Thread, Generic[T]):
    """Makes the items until there are no more, or nobody wants them any longer."""

    def __init__(self, items: Iterator[T]) -> None:
        super().__init__(name="reading ahead", daemon=True)
        self.items = items
        self.made: queue.Queue[_Made[T] | None] = queue.Queue(maxsize=_WAITING)
        self.stopped = threading.Event()
        self.trouble: BaseException | None = None

    def run(self) -> None:
        try:
            for item in self.items:
                if not self._put(_Made(item)):
                    return
        except BaseException as trouble:  # told where the items are wanted
            self.trouble = trouble
        self._put(None)

    def _put(self, made: _Made[T] | None) -> bool:
        """Wait for room in the queue; False where nobody takes from it any longer."""
        while not self.stopped.is_set():
            try:
                self.made.put(made, timeout=_LOOK_UP_SECONDS)
            except queue.Full:
                continue
            return True
        return False
