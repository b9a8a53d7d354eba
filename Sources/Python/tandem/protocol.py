"""The messages between a trainer and a batcher, byte by byte: Sources/Dataflow/PROTOCOL.md."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

MAGIC = 0x4D444E54
VERSION = 14
SAMPLE_MAGIC = 0x534E4454
SAMPLE_VERSION = 1

_HEADER = struct.Struct("<IHHI")
_SAMPLE = struct.Struct("<IHHqQqqIIqII")
_ARRAY = struct.Struct("<16sII6Iqq")
_TRAINER = struct.Struct("<Qqq")

OPEN, SAMPLES, PING, GOODBYE, ASK = range(201, 206)
ACCEPTED, BATCH, STATUS, UNKNOWN_PEER, REFUSED, PLAN = range(301, 307)

#: The types of arrays' elements, by their numbers.
KINDS = {1: "u1", 2: "<i4", 3: "<f4"}


class TandemError(RuntimeError):
    """What went wrong between this process and the batcher, in a sentence that says what to do."""


@dataclass(frozen=True)
class Plan:
    """What a batcher serves."""

    #: Videos of an epoch; an epoch has as many samples.
    videos: int
    #: Samples that are drawn from a video in a row.
    replicas: int
    #: The manifest's hash.
    manifest: str
    #: The seed of all random choices.
    seed: int
    #: How samples are drawn: "framePairs", for example.
    sampler: str
    #: The sampler's settings.
    settings: Dict[str, Any]
    #: The bytes that stand for the plan in an ``open``.
    identity: bytes

    @property
    def fingerprint(self) -> int:
        """64 bits that every sample of this plan bears: FNV-1a of the identity."""
        value = 0xCBF29CE484222325
        for byte in self.identity:
            value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        return value


@dataclass(frozen=True)
class Replacement:
    """A visit to a video that could not give its frames; another video took its place."""

    ticket: int
    attempt: int
    kind: str
    reason: str
    decoder: int
    host: str


class Reader:
    """Reads fields one after the other; a message that ends too soon is an error."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, code: str) -> int:
        size = struct.calcsize("<" + code)
        if self.at + size > len(self.data):
            raise TandemError("the batcher sent a message that is cut off")
        value = struct.unpack_from("<" + code, self.data, self.at)[0]
        self.at += size
        return value

    def text(self) -> str:
        count = self.number("I")
        if self.at + count > len(self.data):
            raise TandemError("the batcher sent a message that is cut off")
        self.at += count
        return self.data[self.at - count : self.at].decode("utf-8", "replace")

    def replacements(self) -> List[Replacement]:
        return [
            Replacement(self.number("q"), self.number("q"), self.text(), self.text(), self.number("Q"), self.text())
            for _ in range(self.number("I"))
        ]


def pack(kind: int, fields: bytes = b"") -> bytes:
    """A message: magic, version, type, length of the whole; then its fields."""
    return _HEADER.pack(MAGIC, VERSION, kind, _HEADER.size + len(fields)) + fields


def unpack(message: bytes) -> Tuple[int, Reader]:
    """The type of a message, and its fields."""
    if len(message) < _HEADER.size:
        raise TandemError("this is no message of a batcher")
    magic, version, kind, length = _HEADER.unpack_from(message)
    if magic != MAGIC or length != len(message):
        raise TandemError("this is no message of a batcher")
    if version != VERSION:
        older = "batcher" if version < VERSION else "Python package"
        raise TandemError(f"the batcher speaks version {version}, this package {VERSION}: upgrade the {older}")
    reader = Reader(message)
    reader.at = _HEADER.size
    return kind, reader


def trainer(run: int, rank: int, ranks: int) -> bytes:
    """Who asks: one of the trainers of a run."""
    return _TRAINER.pack(run, ranks, rank)


def read_plan(reader: Reader) -> Plan:
    """The fields of a ``plan``."""
    videos, replicas = reader.number("q"), reader.number("q")
    begin = reader.at
    manifest, seed, sampler, settings = reader.text(), reader.number("Q"), reader.text(), reader.text()
    return Plan(videos, replicas, manifest, seed, sampler, json.loads(settings), reader.data[begin : reader.at])


class Header(NamedTuple):
    """Which sample it is: its number in the run, its visit to a video, and that video."""

    fingerprint: int
    sample: int
    ticket: int
    replica: int
    attempt: int
    video: int
    path: str
    #: What the list of spans calls it that was prepared; empty: nothing.
    label: str


@dataclass(frozen=True)
class Layout:
    """What the arrays of a plan's samples are and where they lie: the same in each sample but for the path behind them."""

    #: Name, numpy's type, shape, first byte and bytes of each array.
    arrays: Tuple[Tuple[str, str, Tuple[int, ...], int, int], ...]
    #: The bytes of the table, which all samples have.
    table: bytes
    #: First byte of the path, which the label follows.
    end: int

    @staticmethod
    def of(sample: memoryview) -> "Layout":
        count = _sample(sample)[2]
        arrays, end = [], _SAMPLE.size + _ARRAY.size * count
        if end > len(sample):
            raise TandemError("the batcher sent a sample that is cut off")
        table = bytes(sample[_SAMPLE.size : end])
        for index in range(count):
            name, kind, rank, *rest = _ARRAY.unpack_from(table, _ARRAY.size * index)
            shape, offset, size = tuple(rest[:rank]), rest[6], rest[7]
            if kind not in KINDS or rank > 6 or offset != end or offset + size > len(sample):
                raise TandemError("the batcher sent a sample whose arrays do not lie in it")
            arrays.append((name.rstrip(b"\0").decode(), KINDS[kind], shape, offset, size))
            end += -(-size // 64) * 64
        return Layout(tuple(arrays), table, end)

    def header(self, sample: memoryview) -> Header:
        """The header of a sample that must have this layout."""
        _, _, count, total, fingerprint, number, ticket, replica, attempt, video, path, label = _sample(sample)
        names = self.end + path
        if total != len(sample) or names + label != total or sample[_SAMPLE.size : _SAMPLE.size + len(self.table)] != self.table:
            raise TandemError(f"the batcher sent sample {number} with other arrays than those before")
        texts = str(sample[self.end : names], "utf-8", "replace"), str(sample[names:], "utf-8", "replace")
        return Header(fingerprint, number, ticket, replica, attempt, video, *texts)


def _sample(sample: memoryview) -> Tuple[int, ...]:
    if len(sample) < _SAMPLE.size:
        raise TandemError("the batcher sent a sample that is cut off")
    fields = _SAMPLE.unpack_from(sample)
    if fields[0] != SAMPLE_MAGIC or fields[1] != SAMPLE_VERSION:
        raise TandemError(f"the batcher sent a sample of version {fields[1]}, this package reads {SAMPLE_VERSION}: upgrade the older one")
    return fields
