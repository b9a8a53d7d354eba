"""Times pairs delivered into a PyTorch loop that only counts them, on all cores of this machine: `make bench-peers VIDEOS=FOLDER`.

A pair is SiamMAE's: two exact frames 4 to 48 frames apart at 30 frames a second, of which the same random crop is resized to 224 pixels. The
peers are data sets whose __getitem__ opens a video for `--repeat` pairs, in a DataLoader with a worker a core; they resize by OpenCV, which does
not antialias. Tandem serves with a decoder a core, and the loop takes its batches by `tandem.torch.Loader`. Programs take turns, and each
program's best round counts.
"""
import argparse
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import decode

PEERS = ["torchcodec-0.17-exact", "torchcodec-0.17-approximate", "decord", "PyAV"]
BATCH = 64


def crop(frames, generator):
    """The frames' common random crop, as torchvision's RandomResizedCrop draws it, of half the area or more."""
    import cv2

    height, width = frames[0].shape[:2]
    while True:
        area, aspect = height * width * generator.uniform(0.5, 1), math.exp(generator.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if w <= width and h <= height:
            break
    x, y = generator.randint(0, width - w), generator.randint(0, height - h)
    return [cv2.resize(frame[y : y + h, x : x + w], (224, 224), interpolation=cv2.INTER_CUBIC) for frame in frames]


def count_peer(peer, folder, videos, pairs, repeat):
    """Pairs a second out of a DataLoader."""
    import cv2
    import numpy
    import torch

    class Videos(torch.utils.data.Dataset):
        def __len__(self):
            return 2 * (BATCH + pairs) // repeat

        def __getitem__(self, index):
            cv2.setNumThreads(1)
            generator, shown = random.Random(index), []
            # A peer that cannot give a video's frames goes on to another video.
            while len(shown) < 2 * repeat:
                path, frames, rate = videos[generator.randrange(len(videos))]
                samples = sorted(decode.frame_pairs(frames, rate, repeat))
                try:
                    shown = decode.reader(peer, f"{folder}/{path}")(samples)
                except Exception as error:
                    print(f"{path}: {error}", file=sys.stderr)
            cut = [crop(shown[2 * pair : 2 * pair + 2], generator) for pair in range(repeat)]
            return torch.from_numpy(numpy.array(cut))

    loader = torch.utils.data.DataLoader(Videos(), batch_size=BATCH // repeat, num_workers=os.cpu_count(), drop_last=True)
    return count((batch.flatten(0, 1) for batch in loader), pairs)


def count_tandem(program, folder, manifest, pairs, repeat):
    """Pairs a second out of a stream."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Sources/Python"))
    from tandem import Stream
    from tandem.torch import Loader

    with tempfile.TemporaryDirectory() as place:
        pipeline = {
            "name": "bench",
            "data": {"media": folder, "manifest": manifest},
            "sampling": {"repeatedSampling": repeat},
            "dataflow": {"decoders": os.cpu_count()},
        }
        pathlib.Path(place, "bench.json5").write_text(json.dumps(pipeline))
        serving = subprocess.Popen(
            [program, "serve", "bench.json5", "--bind", f"ipc://{place}/batcher"], cwd=place, stderr=subprocess.DEVNULL
        )
        try:
            stream = Stream(f"ipc://{place}/batcher", batch=BATCH, log=lambda line: None)
            return count((batch["frames"] for batch in Loader(stream)), pairs)
        finally:
            serving.terminate()
            serving.wait()


def count(batches, pairs):
    """Pairs a second after the first two batches, and this process's microseconds of processor time a pair."""
    first = [next(batches) for _ in range(2)]
    assert all(tuple(batch.shape) == (BATCH, 2, 224, 224, 3) for batch in first), first[0].shape
    seen, begin, busy = 0, time.monotonic(), time.process_time()
    for batch in batches:
        seen += len(batch)
        if seen >= pairs:
            break
    return {"pairs": seen / (time.monotonic() - begin), "microseconds": (time.process_time() - busy) / seen * 1e6}


def prepared(tandem, folder, place):
    """A folder's manifest, made in another folder where it has none."""
    if not pathlib.Path(folder, "manifest.tandem").exists():
        folder, media = place, folder
        subprocess.run([tandem, "prepare", "--no-stills", "--output", folder, media], stdout=subprocess.DEVNULL, check=True)
    return f"{folder}/manifest.tandem"


def listed(tandem, manifest):
    """Path, frames and rate, as a share of 30 a second, of each video of a manifest."""
    lines = subprocess.run([tandem, "inspect", "--videos", manifest], capture_output=True, text=True, check=True).stdout.splitlines()
    videos = []
    for video in map(json.loads, lines):
        times = video["timestamps"]
        frames, ticks = (times["count"], times["step"]) if isinstance(times, dict) else (len(times), (times[-1] - times[0]) / (len(times) - 1))
        seconds = ticks * video["timeBase"]["numerator"] / video["timeBase"]["denominator"]
        videos.append((video["path"], frames, 1 / seconds / 30))
    return videos


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", help="videos")
    options.add_argument("--tandem", default=".build/release/tandem")
    options.add_argument("--transcoded", metavar="FOLDER", help="the same, by 'tandem prepare --transcode'")
    options.add_argument("--pairs", type=int, default=1024)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--repeat", type=int, action="append", help="pairs from each opening; may stand several times (default: 1 and 2)")
    options.add_argument("--program", help="only time this one, and print JSON")
    options.add_argument("--manifest", help="with --program: the folder's")
    options = options.parse_args()
    tandem, folder = str(pathlib.Path(options.tandem).absolute()), str(pathlib.Path(options.folder).absolute())
    if options.program in PEERS:
        return print(json.dumps(count_peer(options.program, folder, listed(tandem, options.manifest), options.pairs, options.repeat[0])))
    if options.program:
        return print(json.dumps(count_tandem(tandem, folder, options.manifest, options.pairs, options.repeat[0])))

    with tempfile.TemporaryDirectory() as place:
        compare(options, tandem, folder, prepared(tandem, folder, place))


def compare(options, tandem, folder, manifest):
    """A table for each number of pairs from an opening."""
    programs = [("Tandem", folder, manifest)]
    if options.transcoded:
        programs.append(("Tandem, transcoded", options.transcoded, prepared(tandem, options.transcoded, "")))
    programs += [(peer, folder, manifest) for peer in PEERS]
    for repeat in options.repeat or [1, 2]:
        best = {}
        for _ in range(options.rounds):
            for program, media, list_of_videos in programs:
                command = [sys.executable, "-B", __file__, media, "--tandem", tandem, "--program", program, "--manifest", list_of_videos]
                done = subprocess.run(command + ["--pairs", str(options.pairs), "--repeat", str(repeat)], capture_output=True, text=True)
                if done.returncode:
                    print(f"{program} failed: {done.stderr[-400:]}", file=sys.stderr)
                    continue
                result = json.loads(done.stdout.strip().splitlines()[-1])
                best[program] = max(best.get(program, result), result, key=lambda one: one["pairs"])
        peer = max((best[program]["pairs"] for program in PEERS if program in best), default=math.nan)
        print(f"\n{repeat} from each opening of a video, {os.cpu_count()} cores: pairs a second, share of the best peer's, microseconds of the loop's process a pair")
        for program, result in best.items():
            print(f"{program:28}{result['pairs']:8.1f}{result['pairs'] / peer:8.2f}{result['microseconds']:8.0f}")


if __name__ == "__main__":
    main()
