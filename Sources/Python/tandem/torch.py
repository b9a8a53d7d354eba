"""Batches as PyTorch tensors."""

from __future__ import annotations

import queue
import threading
from typing import Any, Dict, Iterator, Optional, Tuple, Union

import numpy as np
import torch

from .stream import Batch, Stream


class Dataset(torch.utils.data.IterableDataset):
    """The batches of a :class:`tandem.Stream` as a data set, for what wants one: ``DataLoader(Dataset(stream), batch_size=None)``.

    A batch is ready as it comes, so a loader needs no workers and no collation; several workers would each want a rank of their own.
    """

    def __init__(self, stream: Stream):
        super().__init__()
        self.stream = stream

    def __iter__(self) -> Iterator[Dict[str, torch.Tensor]]:
        worker = torch.utils.data.get_worker_info()
        if worker is not None and worker.num_workers > 1:
            raise RuntimeError("the batcher decodes already, on as many cores as it has decoders: use num_workers=0, or 1")
        for batch in self.stream:
            yield {name: torch.from_numpy(array) for name, array in batch.items()}

    def state_dict(self) -> Dict[str, Any]:
        """As torchdata's stateful loaders ask for it."""
        return self.stream.state_dict()

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self.stream.load_state_dict(state)


class Loader:
    """Batches ahead of the loop, filled by a thread of its own: an iterator of :class:`tandem.Batch` whose arrays are tensors.

    Each byte is copied once on its way into a tensor. Iterating begins where the loop before it ended.

    Parameters
    ----------
    stream
        Where they come from; nobody else may use it meanwhile.
    pin_memory
        Whether tensors lie in pinned memory, from which copies to a GPU need not be waited for.
    prefetch
        Batches that are ready ahead, at most.
    device
        Where tensors are moved to, if anywhere.
    """

    def __init__(
        self, stream: Stream, *, pin_memory: bool = False, prefetch: int = 2, device: Union[torch.device, str, None] = None
    ):
        self.stream, self.pin_memory, self.device = stream, pin_memory, device
        self._ready: "queue.Queue[Tuple[Any, Any]]" = queue.Queue(max(prefetch, 1))
        self._state = stream.state_dict()
        self._thread: Optional[threading.Thread] = None
        self._is_stopped = threading.Event()

    def __iter__(self) -> Iterator[Batch]:
        if self._thread is None:
            self._is_stopped.clear()
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        while True:
            batch, state = self._ready.get()
            if isinstance(batch, BaseException):
                self._thread = None
                if isinstance(batch, StopIteration):
                    return
                raise batch
            self._state = state
            if self.device is not None:
                for name, tensor in batch.items():
                    batch[name] = tensor.to(self.device, non_blocking=self.pin_memory)
            yield batch

    def _work(self) -> None:
        while not self._is_stopped.is_set():
            try:
                item: Tuple[Any, Any] = self._make(), self.stream.state_dict()
            except BaseException as error:  # the loop gets it
                item = error, None
            while not self._is_stopped.is_set():
                try:
                    self._ready.put(item, timeout=0.1)
                    break
                except queue.Full:
                    self.stream.attend()
            if item[1] is None:
                return

    def _make(self) -> Batch:
        tensors: Dict[str, torch.Tensor] = {}

        def allocate(name: str, shape: Tuple[int, ...], kind: str) -> np.ndarray:
            kinds = {"u1": torch.uint8, "<i4": torch.int32, "<f4": torch.float32}
            tensors[name] = torch.empty(shape, dtype=kinds[kind], pin_memory=self.pin_memory)
            return tensors[name].numpy()

        batch = self.stream.next(allocate)
        batch.update(tensors)
        return batch

    def state_dict(self) -> Dict[str, Any]:
        """Where the loop stands: batches that are ready and were not handed out come again."""
        return self._state

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Goes on where another loop was."""
        self._state = state
        self.close()

    def close(self) -> None:
        """Ends the thread, and throws away what it has made ahead: a loop that begins again goes on where this one was."""
        if self._thread is not None:
            self._is_stopped.set()
            self._thread.join()
            self._thread = None
        while not self._ready.empty():
            self._ready.get_nowait()
        self.stream.load_state_dict(self._state)
