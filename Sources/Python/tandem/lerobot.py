"""Lists of the episodes of LeRobot data sets, for ``tandem prepare DATASET --list``.

Versions 2.0 and 2.1 keep an episode a file, version 3 many episodes one behind the other in one. What is known of an episode stands in
``meta``: in ``info.json`` the frames a second, the cameras and how paths are made, and a line or a row for each episode.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

from .protocol import TandemError


class Span(NamedTuple):
    """Frames of a video that are an episode, as ``tandem prepare --list`` reads them."""

    #: Relative to the data set's folder.
    path: str
    start_frame: int
    #: The frame behind the last one.
    end_frame: int
    #: What the robot was to do.
    label: str


def cameras(dataset: Path) -> List[str]:
    """The cameras of a data set that have videos, such as ``observation.images.top``."""
    return [name for name, feature in _info(dataset)["features"].items() if feature["dtype"] == "video"]


def spans(dataset: Path, wanted: Optional[Sequence[str]] = None) -> Iterator[Span]:
    """The episodes of a data set, as some cameras saw them; by default as all did."""
    info, names = _info(dataset), cameras(dataset)
    if not names:
        raise TandemError(f"{dataset} has no videos: its pictures lie in its tables, or it has none")
    for name in wanted or []:
        if name not in names:
            raise TandemError(f"{dataset} has no videos of '{name}'; its cameras are {', '.join(names)}")
    version = str(info["codebase_version"])
    episodes = _whole_files(dataset, info) if version.startswith("v2.") else _rows(dataset) if version.startswith("v3.") else None
    if episodes is None:
        raise TandemError(f"{dataset} is of version {version}; versions 2 and 3 are read: LeRobot converts older ones")
    for episode in episodes:
        for camera in wanted or names:
            place = {key.rsplit("/", 1)[1]: value for key, value in episode.items() if key.startswith(f"videos/{camera}/")}
            path = info["video_path"].format(
                video_key=camera,
                episode_index=episode["episode_index"],
                episode_chunk=episode["episode_index"] // info.get("chunks_size", 1000),
                chunk_index=place.get("chunk_index"),
                file_index=place.get("file_index"),
            )
            start = round(place.get("from_timestamp", 0.0) * info["fps"])
            yield Span(path, start, start + episode["length"], "; ".join(episode["tasks"]))


def _info(dataset: Path) -> Dict[str, Any]:
    path = dataset / "meta" / "info.json"
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise TandemError(f"{path}: {error.strerror}; name the folder of a LeRobot data set, in which 'meta' lies") from None
    except ValueError as error:
        raise TandemError(f"{path}: {error}") from None


def _whole_files(dataset: Path, info: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    with open(dataset / "meta" / "episodes.jsonl") as lines:
        yield from map(json.loads, lines)


def _rows(dataset: Path) -> Iterator[Dict[str, Any]]:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise TandemError("episodes of version 3 are listed in Parquet files: pip install 'tandem-stream[lerobot]'") from None
    files = sorted((dataset / "meta" / "episodes").glob("*/*.parquet"))
    if not files:
        raise TandemError(f"{dataset}/meta/episodes holds no Parquet file; the data set is not whole")
    for file in files:
        names = parquet.read_schema(file).names
        wanted = [name for name in names if name in ("episode_index", "tasks", "length") or name.startswith("videos/")]
        yield from parquet.read_table(file, columns=wanted).to_pylist()


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """``python -m tandem.lerobot``."""
    parser = argparse.ArgumentParser(
        prog="python -m tandem.lerobot",
        description="Lists the episodes of a LeRobot data set (version 2 or 3) as 'tandem prepare DATASET --list FILE' takes them.",
    )
    parser.add_argument("dataset", type=Path, help="the data set's folder, in which 'meta' and 'videos' lie")
    parser.add_argument("--cameras", nargs="+", metavar="NAME", help="the cameras that are wanted (default: all)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the list goes (default: it is printed)")
    options = parser.parse_args(arguments)
    try:
        found = list(spans(options.dataset, options.cameras))
        out = open(options.output, "w", newline="") if options.output else sys.stdout
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(Span._fields)
        writer.writerows(found)
    except (TandemError, OSError) as error:
        sys.exit(f"tandem.lerobot: error: {error}")
    if options.output:
        out.close()
        print(f"{len(found)} spans of {len({span.path for span in found})} videos in {options.output}")


if __name__ == "__main__":
    main()
