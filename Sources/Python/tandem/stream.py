"""A trainer's end of the dataflow."""

from __future__ import annotations

import os
import secrets
import stat
import sys
import time
from collections import deque
from itertools import islice
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional, Tuple

import numpy as np
import zmq

from . import protocol
from .protocol import Header, Layout, Plan, Replacement, TandemError

#: Steps asked for ahead, at most; the credit in bytes is what bounds them.
_STEPS_AHEAD = 64


class Batch(Dict[str, Any]):
    """Arrays by name, ``[samples, …]`` each: ``frames`` (uint8), ``mask`` (1 where a patch is hidden), ``views`` and what else a sampler has."""

    #: The run's number of the first sample.
    first: int
    #: Which samples these are, and of which videos.
    headers: List[Header]
    #: Visits to videos that failed, of these samples.
    replaced: List[Replacement]


class Stream:
    """Consecutive samples of a run, batch by batch, without end: an iterator of :class:`Batch`.

    The samples depend on the pipeline alone: neither on who decodes them, nor on how many do, nor on interruptions.

    Parameters
    ----------
    endpoint
        The batcher's, as ``tandem serve`` prints it: ``ipc:///PATH`` or ``tcp://HOST:PORT``.
    batch
        Samples of a step, of all ranks together.
    keys
        A folder with ``client.key`` and ``server.pub``, for tcp.
    rank, ranks
        Which of the processes that share the steps this is; each gets its part of each step.
    run
        With several ranks: a number that all have in common and that is another one after each start.
    start
        The first sample; ``load_state_dict`` sets it too.
    samples
        Samples of the run, after which the stream ends; None: it has no end.
    credit
        Bytes of samples that may be under way.
    timeout
        Seconds to wait for a batcher that is not there, or that has no decoders; 0: for ever.
    log
        Takes a line when there is something to wait for.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        batch: int,
        keys: Optional[str] = None,
        rank: int = 0,
        ranks: int = 1,
        run: Optional[int] = None,
        start: int = 0,
        samples: Optional[int] = None,
        credit: int = 256 << 20,
        timeout: float = 600.0,
        log: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
    ):
        if batch < 1 or not 0 <= rank < ranks or batch < ranks or start < 0:
            raise ValueError(f"batch={batch}, rank={rank}, ranks={ranks}, start={start}: a rank from 0 to below ranks, and a sample for each")
        if ranks > 1 and run is None:
            raise ValueError("several ranks want a number that they have in common and that changes with each start: run=…")
        self.endpoint, self.batch, self.rank, self.ranks, self.samples = endpoint, batch, rank, ranks, samples
        self.credit, self.timeout, self._log = credit, timeout, log
        self._trainer = protocol.trainer(secrets.randbits(64) if run is None else run, rank, ranks)
        self._address, self._keys = _batches(endpoint), keys and _read_keys(keys)
        self._socket: Optional[zmq.Socket] = None
        #: What is served; None before the first batch.
        self.plan: Optional[Plan] = None
        self._expected: Optional[int] = None
        self._fingerprint = 0
        self._layout: Optional[Layout] = None
        self._sample_bytes = 1
        self._was_open = False
        #: Decoders at work, by the batcher's last word.
        self.decoders = 0
        #: Seconds spent waiting for samples, without the wait for the first batch.
        self.waited_seconds = 0.0
        self._began: Optional[float] = None
        self._seek(start)

    # Where the stream stands

    def _seek(self, position: int) -> None:
        self._position = self._ahead = position
        self._requests: Deque[Tuple[int, int]] = deque()
        self._sent = 0
        self._arrived: Dict[int, Tuple[List[zmq.Frame], List[Replacement]]] = {}
        self._is_open = False
        self._announce_at = 0.0

    def state_dict(self) -> Dict[str, Any]:
        """Where the stream stands: the sample after the last batch that was handed out, and which plan it belongs to."""
        return {"position": self._position, "fingerprint": self._fingerprint if self.plan else self._expected}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Goes on where another stream was; the number of ranks and the batch may be others."""
        self._expected = state["fingerprint"]
        if self.plan is not None:
            self._check_plan()
        self._seek(state["position"])

    def _share(self, size: int) -> Tuple[int, int]:
        """First and number of this rank's samples of a step, counted from the step's first."""
        first = self.rank * size // self.ranks
        return first, (self.rank + 1) * size // self.ranks - first

    def _step_size(self, position: int) -> int:
        return self.batch if self.samples is None else min(self.batch, self.samples - position)

    # Batches

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        return self.next()

    def next(self, allocate: Callable[[str, Tuple[int, ...], str], np.ndarray] = lambda name, shape, kind: np.empty(shape, kind)) -> Batch:
        """The next batch.

        ``allocate`` makes the array that the samples of a batch are copied into, by name, shape and numpy's type.
        """
        size = self._step_size(self._position)
        if size <= 0:
            raise StopIteration
        offset, count = self._share(size)
        frames, replaced = self._wait(self._position + offset) if count else ([], [])
        batch = self._assemble(self._position + offset, frames, allocate)
        batch.first, batch.replaced = self._position + offset, replaced
        self._position += size
        return batch

    def _assemble(self, first: int, frames: List[zmq.Frame], allocate: Callable[[str, Tuple[int, ...], str], np.ndarray]) -> Batch:
        batch = Batch()
        buffers = [frame.buffer for frame in frames]
        if self._layout is None and buffers:
            self._layout = Layout.of(buffers[0])
        layout = self._layout
        batch.headers = [layout.header(buffer) for buffer in buffers] if layout else []
        for number, header in enumerate(batch.headers, first):
            if header.sample != number or header.fingerprint != self._fingerprint:
                raise TandemError(f"the batcher sent sample {header.sample} in the place of {number}")
        samples = [np.frombuffer(buffer, np.uint8) for buffer in buffers]
        for name, kind, shape, place, size in layout.arrays if layout else ():
            array = allocate(name, (len(buffers),) + shape, kind)
            target = array.view(np.uint8).reshape(len(buffers), size)
            for index, sample in enumerate(samples):
                target[index] = sample[place : place + size]
            batch[name] = array
        return batch

    def _wait(self, first: int) -> Tuple[List[zmq.Frame], List[Replacement]]:
        begin = time.monotonic()
        silence = lonely = 0.0
        told = begin
        self._ask_ahead()
        while True:
            while self.attend():
                silence, lonely = 0.0, lonely if self.decoders == 0 else 0.0
            if first in self._arrived:
                self._requests.popleft()
                self._sent -= 1
                arrived = self._arrived.pop(first)
                self._ask_ahead(acknowledges=True)
                now = time.monotonic()
                if self._began is None:
                    self._began = now
                else:
                    self.waited_seconds += now - begin
                return arrived
            before = time.monotonic()
            self._connection().poll(100)
            # A process that was stopped itself does not blame the batcher.
            passed = min(time.monotonic() - before, 0.5)
            silence += passed
            lonely += passed if self._is_open and self.decoders == 0 else 0.0
            if time.monotonic() - told > 5 and max(silence, lonely) > 3:
                told = time.monotonic()
                self._log(f"waiting for {'the batcher' if silence > 3 else 'decoders to join the batcher'} at {self.endpoint}")
            if 0 < self.timeout < silence:
                keys = "" if self._keys else ", or give keys if it asks for them"
                raise TandemError(f"no batcher answered at {self.endpoint} for {self.timeout:.0f} s; start 'tandem serve' there{keys}")
            if 0 < self.timeout < lonely:
                raise TandemError(f"no decoder joined the batcher at {self.endpoint} for {self.timeout:.0f} s; start tandem-decoder")

    @property
    def advice(self) -> Optional[str]:
        """What would spare waiting for samples, if more than a hundredth of the time goes there."""
        if self._began is None:
            return None
        share = self.waited_seconds / max(time.monotonic() - self._began, 1e-9)
        if share < 0.01:
            return None
        more = max(1, round(self.decoders * share / max(1 - share, 0.01)))
        return f"{share:.0%} of the time is spent waiting for samples: add about {more} decoder{'s' if more > 1 else ''}"

    def attend(self) -> bool:
        """Takes what has come and says what is due, without waiting; returns whether anything had come.

        For ranks that wait for one another: a batcher that was started again serves none of them before all have come back.
        """
        if time.monotonic() >= self._announce_at:
            self._announce()
        return self._receive()

    # Messages

    def _connection(self) -> zmq.Socket:
        if self._socket is None:
            self._socket = zmq.Context.instance().socket(zmq.DEALER)
            for option, value in ((zmq.LINGER, 1000), (zmq.SNDHWM, 4096), (zmq.RCVHWM, 4096), (zmq.IMMEDIATE, 1)):
                self._socket.setsockopt(option, value)
            if self._keys:
                self._socket.curve_secretkey, self._socket.curve_publickey, self._socket.curve_serverkey = self._keys
            self._socket.connect(self._address)
        return self._socket

    def _send(self, kind: int, fields: bytes = b"") -> bool:
        try:
            self._connection().send(protocol.pack(kind, fields), zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _numbers(self, *numbers: int) -> bytes:
        return self._trainer + b"".join(number.to_bytes(8, "little") for number in numbers)

    @property
    def _received(self) -> int:
        """This rank needs nothing before it."""
        return self._requests[0][0] if self._requests else self._ahead

    @property
    def _asked(self) -> List[Tuple[int, int]]:
        """Requests that were sent and whose batches were not handed out."""
        return list(islice(self._requests, self._sent))

    def _announce(self) -> None:
        if self.plan is None:
            sent = self._send(protocol.ASK)
        elif self._is_open:
            sent = self._ping()
        else:
            identity = self.plan.identity
            sent = self._send(
                protocol.OPEN,
                self._trainer + identity + self._received.to_bytes(8, "little") + bytes([self._was_open]),
            )
        self._announce_at = time.monotonic() + (1.0 if sent else 0.05)

    def _ping(self) -> bool:
        asked = self._requests[self._sent - 1] if self._sent else None
        return self._send(protocol.PING, self._numbers(self._received, sum(asked) if asked else self._received))

    def _ask_ahead(self, acknowledges: bool = False) -> None:
        """Asks for the steps to come, as far as the credit goes. A batch that was taken is acknowledged with it."""
        while len(self._requests) < _STEPS_AHEAD and (size := self._step_size(self._ahead)) > 0:
            offset, count = self._share(size)
            if count:
                self._requests.append((self._ahead + offset, count))
            self._ahead += size
        if not self._is_open:
            return
        before = self._sent
        under_way = sum(count for _, count in self._asked) * self._sample_bytes
        while self._sent < len(self._requests):
            under_way += self._requests[self._sent][1] * self._sample_bytes
            if self._sent and under_way > self.credit:
                break
            self._request(*self._requests[self._sent])
            self._sent += 1
        if acknowledges and self._sent == before and self._sent:
            self._ping()

    def _request(self, first: int, count: int) -> None:
        # One that is not sent is missing in the batcher's next status, and goes again then.
        self._send(protocol.SAMPLES, self._numbers(first, count, self._received))

    def _receive(self) -> bool:
        try:
            parts = self._connection().recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        kind, fields = protocol.unpack(parts[0].bytes)
        if kind == protocol.PLAN:
            self.plan = protocol.read_plan(fields)
            self._fingerprint = self.plan.fingerprint
            self._check_plan()
            self._announce_at = 0.0
        elif kind == protocol.ACCEPTED:
            self._sample_bytes = fields.number("q")
            self._is_open = self._was_open = True
            self._sent = 0
            self._arrived.clear()
            self._ask_ahead()
        elif kind == protocol.BATCH:
            self._take(fields.number("q"), fields.number("q"), fields.replacements(), parts[1:])
        elif kind == protocol.STATUS:
            self.decoders, asked = fields.number("q"), fields.number("q")
            pending = {fields.number("q") for _ in range(fields.number("I"))}
            for first, count in self._asked if self._is_open else []:
                if first + count <= asked and first not in self._arrived and first not in pending:
                    self._request(first, count)
        elif kind == protocol.UNKNOWN_PEER:
            self._is_open, self._announce_at = False, 0.0
        elif kind == protocol.REFUSED:
            raise TandemError(fields.text())
        else:
            raise TandemError(f"the batcher sent a message of the unknown type {kind}")
        return True

    def _take(self, first: int, count: int, replaced: List[Replacement], frames: List[zmq.Frame]) -> None:
        # A second copy of a batch is dropped, and one that was asked for before a jump.
        if first in self._arrived or (first, count) not in self._asked:
            return
        if len(frames) != count:
            raise TandemError(f"the batcher sent {len(frames)} samples where {count} were asked for")
        self._arrived[first] = (frames, replaced)

    def _check_plan(self) -> None:
        if self._expected is not None and self._fingerprint != self._expected:
            raise TandemError(
                f"the batcher at {self.endpoint} serves other samples than those of the state that was loaded: another manifest, seed or"
                " sampler; start it with the same pipeline"
            )

    def close(self) -> None:
        """Leaves the batcher."""
        if self._socket is not None:
            if self._is_open:
                self._send(protocol.GOODBYE, self._trainer)
            self._socket.close()
            self._socket, self._is_open = None, False

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def _batches(endpoint: str) -> str:
    """Where trainers reach a batcher: a file of its own, or the port after next."""
    if endpoint.startswith("ipc://") and len(endpoint) > 6:
        return endpoint + ".batches"
    host, colon, port = endpoint.rpartition(":")
    if endpoint.startswith("tcp://") and colon and len(host) > 6 and port.isdigit() and 1 <= int(port) <= 65533:
        return f"{host}:{int(port) + 2}"
    raise ValueError(f"'{endpoint}' is no endpoint; one reads ipc:///PATH or tcp://HOST:PORT")


def _read_keys(folder: str) -> Tuple[bytes, bytes, bytes]:
    """The own secret and public key, and the public one of the batcher."""

    def read(name: str) -> bytes:
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                key = file.read(1 << 16).split(b"\n")[0].strip()
        except OSError as error:
            raise TandemError(f"{path}: {error.strerror}; 'tandem keys FOLDER' makes keys") from None
        if len(key) != 40:
            raise TandemError(f"{path}: this is not a key; 'tandem keys FOLDER' makes keys")
        return key

    secret = os.path.join(folder, "client.key")
    if os.path.exists(secret) and stat.S_IMODE(os.stat(secret).st_mode) & 0o077:
        raise TandemError(f"{secret}: others can read this secret key: chmod 600 {secret}")
    own = read("client.key")
    return own, zmq.curve_public(own), read("server.pub")
