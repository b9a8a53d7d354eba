"""Times how fast Tandem and the decoders of Python make frame pairs out of videos, in turn, on one core: `make bench-peers VIDEOS=FOLDER`.

A pair is two exact frames 4 to 48 frames apart at 30 frames a second, cropped and resized to 224 pixels. Every program opens a video anew
for each pair, as a data set's __getitem__ does, or for every `--repeat` pairs. The peers cut a fixed square and resize by OpenCV's bicubic,
which does not antialias; Tandem does what it does in a run. Programs take turns, because a machine's speed drifts, and each program's best
round counts. With `--transcoded FOLDER`, Tandem also reads the files of the same names there, whatever their extensions; the peers' best
on the originals is what that is compared with.
"""
import argparse
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import time

TORCHCODECS = [f"torchcodec-{version}-{mode}" for version in ("0.17", "0.13") for mode in ("exact", "approximate")]
PEERS = ["decord", *TORCHCODECS, "PyAV", "OpenCV"]
CONTAINERS = {".mp4", ".mkv", ".avi", ".webm", ".mov"}


def frame_pairs(path, count):
    """Pairs of frame indices, the same for every peer."""
    import cv2

    video = cv2.VideoCapture(path)
    rate = video.get(cv2.CAP_PROP_FPS) / 30
    frames = 0
    while video.grab():
        frames += 1
    ticks, generator = int((frames - 1) / rate), random.Random(0)
    for _ in range(count):
        gap = min(generator.randint(4, 48), ticks)
        start = generator.randint(0, ticks - gap)
        first, second = round(start * rate), round((start + gap) * rate)
        yield (first, second) if first < second else (second - 1, second)


def reader(peer, path):
    """A function that opens the video and gives the frames of some pairs as arrays [height, width, 3]."""
    if peer == "decord":
        import decord

        return lambda pairs: decord.VideoReader(path, num_threads=1).get_batch([i for pair in pairs for i in pair]).asnumpy()
    if peer in TORCHCODECS:
        _, version, mode = peer.split("-")
        # `make peers` installs one of the two beside the other packages and the other in a folder of its own.
        sys.path.insert(0, f"{sys.prefix}/torchcodec-{version}")
        import torch
        import torchcodec
        from torchcodec.decoders import VideoDecoder

        if not torchcodec.__version__.startswith(f"{version}."):
            sys.exit(f"this is torchcodec {torchcodec.__version__}; 'make peers' installs {version}")
        torch.set_num_threads(1)

        def with_torchcodec(pairs):
            decoder = VideoDecoder(path, num_ffmpeg_threads=1, seek_mode=mode, dimension_order="NHWC")
            return decoder.get_frames_at([i for pair in pairs for i in pair]).data.numpy()

        return with_torchcodec
    if peer == "PyAV":
        import av

        def with_pyav(pairs):
            frames = []
            with av.open(path) as container:
                stream = container.streams.video[0]
                stream.thread_count = 1
                rate, start = float(stream.average_rate), stream.start_time or 0
                for first, second in sorted(pairs):
                    container.seek(start + int(first / rate / stream.time_base), stream=stream, backward=True)
                    for frame in container.decode(stream):
                        index = round(float((frame.pts - start) * stream.time_base) * rate)
                        if index in (first, second):
                            frames.append(frame.to_ndarray(format="rgb24"))
                        if index >= second:
                            break
            return frames

        return with_pyav
    import cv2

    def with_opencv(pairs):
        video, frames = cv2.VideoCapture(path), []
        for first, second in sorted(pairs):
            video.set(cv2.CAP_PROP_POS_FRAMES, first)
            for index in range(first, second + 1):
                video.grab()
                if index in (first, second):
                    frames.append(video.retrieve()[1])
        return frames

    return with_opencv


def time_peer(peer, path, count, repeat):
    """Prints what `tandem bench decode --json` prints, as far as a peer has it."""
    import cv2

    cv2.setNumThreads(1)
    read, pairs = reader(peer, path), list(frame_pairs(path, count))
    read(pairs[:1])
    cpu = time.process_time()
    for start in range(0, count, repeat):
        for frame in read(pairs[start : start + repeat]):
            height, width = frame.shape[:2]
            side = int(0.7 * min(height, width))
            y, x = (height - side) // 2, (width - side) // 2
            cv2.resize(frame[y : y + side, x : x + side], (224, 224), interpolation=cv2.INTER_CUBIC)
    print(json.dumps({"samplesPerCPUSecond": count / (time.process_time() - cpu)}))


def run(command):
    """Pairs per CPU second of a program; 0 where it fails, because some peers cannot read some files."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{' '.join(map(str, command))} failed: {done.stderr[-300:]}", file=sys.stderr)
        return 0
    return json.loads(done.stdout.strip().splitlines()[-1])["samplesPerCPUSecond"]


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if all(values) else 0


def copy_of(clip, folder):
    """The file of the same name in another folder, or else of the same name but for the extension."""
    copies = sorted(pathlib.Path(folder).glob(f"{clip.stem}.*"), key=lambda copy: copy.name != clip.name)
    return copies[0] if copies else sys.exit(f"{folder} has no file named as {clip.name}: transcode the same videos")


def compare(options, clips, repeat):
    """One table: a row a clip, a column a program, in pairs per CPU second."""
    programs = ["Tandem"] + [f"Tandem, {pathlib.Path(folder).name}" for folder in options.transcoded] + PEERS
    common = ["--samples", str(options.pairs), "--repeat", str(repeat)]
    best = {}
    for clip in clips:
        copies = [clip] + [copy_of(clip, folder) for folder in options.transcoded]
        commands = [[options.tandem, "bench", "decode", "--json", "--video", copy, *common] for copy in copies]
        commands += [[sys.executable, "-B", __file__, "--peer", peer, *common, clip] for peer in PEERS]
        for _ in range(options.rounds):
            for program, command in zip(programs, commands):
                best[clip, program] = max(best.get((clip, program), 0), run(command))
        print(f"{clip.name}: {', '.join(f'{p} {best[clip, p]:.1f}' for p in programs)}", file=sys.stderr)

    print(f"\nPairs per CPU second, {repeat} from each opening of a video, best of {options.rounds} rounds of {options.pairs}")
    widths = [max(8, len(program)) for program in programs]
    print(f"{'':32}" + "".join(f"  {p:>{w}}" for p, w in zip(programs, widths)) + "  best peer                    ratio")
    ratios = []
    for clip in clips:
        peer = max(PEERS, key=lambda p: best[clip, p])
        ratios.append([best[clip, p] / best[clip, peer] for p in programs[: -len(PEERS)]])
        row = "".join(f"  {best[clip, p]:{w}.1f}" for p, w in zip(programs, widths))
        print(f"{clip.name[:32]:32}{row}  {peer:24}" + "".join(f"{ratio:10.2f}" for ratio in ratios[-1]))
    means = [geometric_mean([best[clip, p] for clip in clips]) for p in programs]
    row = "".join(f"  {mean:{w}.1f}" for mean, w in zip(means, widths))
    print(f"{'geometric mean':32}{row}  {'':24}" + "".join(f"{geometric_mean(column):10.2f}" for column in zip(*ratios)))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("clips", nargs="+", help="videos, or folders of them")
    options.add_argument("--tandem", default=".build/release/tandem")
    options.add_argument("--transcoded", action="append", default=[], metavar="FOLDER", help="may stand several times")
    options.add_argument("--samples", dest="pairs", type=int, default=100)
    options.add_argument("--repeat", type=int, action="append", help="pairs from each opening; may stand several times (default: 1, then 2)")
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core that all programs run on")
    options.add_argument("--peer", choices=PEERS, help="only time this peer, and print JSON")
    options = options.parse_args()
    repeats = options.repeat or [1, 2]
    if options.peer:
        return time_peer(options.peer, options.clips[0], options.pairs, repeats[0])
    os.sched_setaffinity(0, {options.core})
    os.environ.update(OMP_NUM_THREADS="1")
    paths = [pathlib.Path(clip).absolute() for clip in options.clips]
    clips = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path]) if file.suffix in CONTAINERS]
    for repeat in repeats:
        compare(options, clips, repeat)


if __name__ == "__main__":
    main()
