"""Times how fast Tandem and the decoders of Python make samples out of videos, in turn, on one core: `make bench-peers VIDEOS=FOLDER`.

SiamMAE's sample is a pair: two exact frames 4 to 48 frames apart at 30 frames a second, cropped and resized to 224 pixels. VideoMAE's is a
clip: 16 exact frames, 4 apart, of which a rectangle is resized to 224 pixels. Every program opens a video anew for each sample, as a data
set's __getitem__ does, or for every `--repeat` samples. The peers resize by OpenCV, which does not antialias, pairs bicubically out of a
fixed square and clips bilinearly out of MultiScaleCrop's boxes; Tandem does what it does in a run. Programs take turns, because a machine's
speed drifts, and each program's best round counts. With `--transcoded FOLDER`, Tandem also reads the files of the same names there,
whatever their extensions; the peers' best on the originals is what that is compared with.
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
# Names of samples, by recipe.
RECIPES = {"siammae": "Pairs", "videomae": "Clips"}
# VideoMAE's clips.
SIZE, FRAMES, STRIDE = 224, 16, 4


def frame_pairs(frames, rate, count):
    """Pairs of frame indices, the same for every peer; the rate is the video's as a share of 30 frames a second."""
    ticks, generator = int((frames - 1) / rate), random.Random(0)
    for _ in range(count):
        gap = min(generator.randint(4, 48), ticks)
        start = generator.randint(0, ticks - gap)
        first, second = round(start * rate), round((start + gap) * rate)
        yield [first, second] if first < second else [second - 1, second]


def clips_of(frames, count):
    """Clips as frame indices, the same for every peer; what would reach the last frame repeats the one before (VideoMAE's kinetics.py)."""
    generator = random.Random(0)
    for _ in range(count):
        index, clip = generator.randint(0, max(0, frames - FRAMES * STRIDE)), []
        for _ in range(FRAMES):
            clip.append(index)
            index += STRIDE if index + STRIDE < frames - 1 else 0
        yield clip


def samples_of(recipe, path, count):
    import cv2

    video = cv2.VideoCapture(path)
    rate = video.get(cv2.CAP_PROP_FPS) / 30
    frames = 0
    while video.grab():
        frames += 1
    return list(frame_pairs(frames, rate, count) if recipe == "siammae" else clips_of(frames, count))


def multi_scale_box(width, height, generator):
    """A box of VideoMAE's MultiScaleCrop: x, y, width, height."""
    shorter = min(width, height)
    sides = [min(SIZE, shorter) if abs(int(shorter * scale) - SIZE) < 3 else int(shorter * scale) for scale in (1, 0.875, 0.75, 0.66)]
    w, h = generator.choice([(sides[i], sides[j]) for i in range(4) for j in range(4) if abs(i - j) <= 1])
    x, y = generator.choice([(x, y) for x in (0, 2, 4) for y in (0, 2, 4)] + [(x, y) for x in (1, 3) for y in (1, 3)])
    return x * ((width - w) // 4), y * ((height - h) // 4), w, h


def resize(recipe, frames, generator):
    """What a data set does with a sample's frames [height, width, 3]."""
    import cv2

    height, width = frames[0].shape[:2]
    side = int(0.7 * min(height, width))
    is_pair = recipe == "siammae"
    x, y, w, h = ((width - side) // 2, (height - side) // 2, side, side) if is_pair else multi_scale_box(width, height, generator)
    filter = cv2.INTER_CUBIC if is_pair else cv2.INTER_LINEAR
    return [cv2.resize(frame[y : y + h, x : x + w], (SIZE, SIZE), interpolation=filter) for frame in frames]


def reader(peer, path):
    """A function that opens the video and gives the frames of some samples, in order, as arrays [height, width, 3]."""
    if peer == "decord":
        import decord

        return lambda samples: decord.VideoReader(path, num_threads=1).get_batch(sum(samples, [])).asnumpy()
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

        def with_torchcodec(samples):
            decoder = VideoDecoder(path, num_ffmpeg_threads=1, seek_mode=mode, dimension_order="NHWC")
            return decoder.get_frames_at(sum(samples, [])).data.numpy()

        return with_torchcodec
    if peer == "PyAV":
        import av

        def with_pyav(samples):
            frames = []
            with av.open(path) as container:
                stream = container.streams.video[0]
                stream.thread_count = 1
                rate, start = float(stream.average_rate), stream.start_time or 0
                for sample in samples:
                    container.seek(start + int(sample[0] / rate / stream.time_base), stream=stream, backward=True)
                    for frame in container.decode(stream):
                        index = round(float((frame.pts - start) * stream.time_base) * rate)
                        if index in sample:
                            frames += [frame.to_ndarray(format="rgb24")] * sample.count(index)
                        if index >= sample[-1]:
                            break
            return frames

        return with_pyav
    import cv2

    def with_opencv(samples):
        video, frames = cv2.VideoCapture(path), []
        for sample in samples:
            video.set(cv2.CAP_PROP_POS_FRAMES, sample[0])
            for index in range(sample[0], sample[-1] + 1):
                video.grab()
                if index in sample:
                    frames += [video.retrieve()[1]] * sample.count(index)
        return frames

    return with_opencv


def time_peer(peer, recipe, path, count, repeat):
    """Prints what `tandem bench decode --json` prints, as far as a peer has it."""
    import cv2

    cv2.setNumThreads(1)
    read, samples, generator = reader(peer, path), samples_of(recipe, path, count), random.Random(0)
    read(samples[:1])
    cpu = time.process_time()
    for start in range(0, count, repeat):
        visit = sorted(samples[start : start + repeat])
        frames = read(visit)
        for first in range(0, len(frames), len(visit[0])):
            resize(recipe, frames[first : first + len(visit[0])], generator)
    print(json.dumps({"samplesPerCPUSecond": count / (time.process_time() - cpu)}))


def run(command):
    """Samples per CPU second of a program; 0 where it fails, because some peers cannot read some files."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{' '.join(map(str, command))} failed: {done.stderr[-300:]}", file=sys.stderr)
        return 0
    return json.loads(done.stdout.strip().splitlines()[-1])["samplesPerCPUSecond"]


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if all(values) else 0


def copy_of(video, folder):
    """The file of the same name in another folder, or else of the same name but for the extension."""
    copies = sorted(pathlib.Path(folder).glob(f"{video.stem}.*"), key=lambda copy: copy.name != video.name)
    return copies[0] if copies else sys.exit(f"{folder} has no file named as {video.name}: transcode the same videos")


def compare(options, recipe, videos, repeat):
    """One table: a row a video, a column a program, in samples per CPU second."""
    programs = ["Tandem"] + [f"Tandem, {pathlib.Path(folder).name}" for folder in options.transcoded] + PEERS
    common = ["--recipe", recipe, "--samples", str(options.samples), "--repeat", str(repeat)]
    best = {}
    for video in videos:
        copies = [video] + [copy_of(video, folder) for folder in options.transcoded]
        commands = [[options.tandem, "bench", "decode", "--json", "--video", copy, *common] for copy in copies]
        commands += [[sys.executable, "-B", __file__, "--peer", peer, *common, video] for peer in PEERS]
        for _ in range(options.rounds):
            for program, command in zip(programs, commands):
                best[video, program] = max(best.get((video, program), 0), run(command))
        print(f"{video.name}: {', '.join(f'{p} {best[video, p]:.1f}' for p in programs)}", file=sys.stderr)

    title = f"{RECIPES[recipe]} per CPU second, {repeat} from each opening of a video"
    print(f"\n{title}, best of {options.rounds} rounds of {options.samples}")
    widths = [max(8, len(program)) for program in programs]
    print(f"{'':32}" + "".join(f"  {p:>{w}}" for p, w in zip(programs, widths)) + "  best peer                    ratio")
    ratios = []
    for video in videos:
        peer = max(PEERS, key=lambda p: best[video, p])
        ratios.append([best[video, p] / best[video, peer] for p in programs[: -len(PEERS)]])
        row = "".join(f"  {best[video, p]:{w}.1f}" for p, w in zip(programs, widths))
        print(f"{video.name[:32]:32}{row}  {peer:24}" + "".join(f"{ratio:10.2f}" for ratio in ratios[-1]))
    means = [geometric_mean([best[video, p] for video in videos]) for p in programs]
    row = "".join(f"  {mean:{w}.1f}" for mean, w in zip(means, widths))
    print(f"{'geometric mean':32}{row}  {'':24}" + "".join(f"{geometric_mean(column):10.2f}" for column in zip(*ratios)))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("videos", nargs="+", help="videos, or folders of them")
    options.add_argument("--tandem", default=".build/release/tandem")
    options.add_argument("--transcoded", action="append", default=[], metavar="FOLDER", help="may stand several times")
    options.add_argument("--recipe", choices=RECIPES, action="append", help="may stand several times (default: all)")
    options.add_argument("--samples", type=int, default=100)
    options.add_argument(
        "--repeat", type=int, action="append", help="samples from each opening; may stand several times (default: 1; of pairs, then 2)")
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core that all programs run on")
    options.add_argument("--peer", choices=PEERS, help="only time this peer, and print JSON")
    options = options.parse_args()
    recipes = options.recipe or list(RECIPES)
    if options.peer:
        return time_peer(options.peer, recipes[0], options.videos[0], options.samples, options.repeat[0] if options.repeat else 1)
    os.sched_setaffinity(0, {options.core})
    os.environ.update(OMP_NUM_THREADS="1")
    paths = [pathlib.Path(video).absolute() for video in options.videos]
    videos = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path]) if file.suffix in CONTAINERS]
    for recipe in recipes:
        for repeat in options.repeat or ([1, 2] if recipe == "siammae" else [1]):
            compare(options, recipe, videos, repeat)


if __name__ == "__main__":
    main()
