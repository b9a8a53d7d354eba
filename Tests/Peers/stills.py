"""Times how fast Tandem, Pillow and torchvision make samples of MAE out of stills, in turn, on one core: `python stills.py FOLDER`.

A sample is a part of a still, resized to 224 pixels: 0.2 to 1 of its area, drawn as torchvision's RandomResizedCrop draws it. Pillow does
what torchvision's ImageFolder and that transform do by it: open, convert("RGB"), crop, resize bicubically, in one process; torchvision does
the same on tensors, which its own decode_image reads. Each program reads the files in the order of their names, again and again. They take
turns, because a machine's speed drifts, and the best round of each counts.
"""
import argparse
import json
import math
import os
import pathlib
import random
import sys
import time

from bench import run

ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def random_box(width, height, generator):
    """RandomResizedCrop.get_params of torchvision, scale (0.2, 1), ratio (3/4, 4/3)."""
    for _ in range(10):
        area = width * height * generator.uniform(0.2, 1)
        aspect = math.exp(generator.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            x, y = generator.randint(0, width - w), generator.randint(0, height - h)
            return x, y, x + w, y + h
    side = min(width, height)
    x, y = (width - side) // 2, (height - side) // 2
    return x, y, x + side, y + side


def pillow():
    """A function that makes a sample of a file."""
    from PIL import Image

    generator = random.Random(0)

    def serve(file):
        with open(file, "rb") as bytes:
            picture = Image.open(bytes).convert("RGB")
        return picture.crop(random_box(*picture.size, generator)).resize((224, 224), Image.Resampling.BICUBIC)

    return serve


def torchvision():
    """A function that makes a sample of a file."""
    import torch
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    torch.manual_seed(0)
    crop = v2.RandomResizedCrop(224, scale=(0.2, 1), interpolation=v2.InterpolationMode.BICUBIC, antialias=True)
    return lambda file: crop(decode_image(str(file), mode=ImageReadMode.RGB))


PEERS = {"Pillow": pillow, "torchvision": torchvision}


def time_peer(serve, files, count):
    """Prints what `tandem bench decode --json` prints, as far as a peer has it."""
    for number in range(min(count, 20)):
        serve(files[number % len(files)])
    cpu = time.process_time()
    for number in range(count):
        serve(files[number % len(files)])
    print(json.dumps({"samplesPerCPUSecond": count / (time.process_time() - cpu)}))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--tandem", default=".build/release/tandem")
    options.add_argument("--samples", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core that all programs run on")
    options.add_argument("--peer", choices=PEERS, help="only time this peer, and print JSON")
    options = options.parse_args()
    files = sorted(file for file in options.folder.rglob("*") if file.suffix.lower() in ENDINGS)
    if options.peer:
        return time_peer(PEERS[options.peer](), files, options.samples)
    os.sched_setaffinity(0, {options.core})
    samples = ["--samples", str(options.samples)]
    commands = {
        "Tandem": [options.tandem, "bench", "decode", "--json", "--recipe", "mae", *samples, "--video", options.folder],
        **{peer: [sys.executable, "-B", __file__, "--peer", peer, *samples, options.folder] for peer in PEERS},
    }
    best = dict.fromkeys(commands, 0)
    for _ in range(options.rounds):
        for program, command in commands.items():
            best[program] = max(best[program], run(command)["samplesPerCPUSecond"])
    print(f"{len(files)} stills, samples per CPU second, best of {options.rounds} rounds of {options.samples}: Tandem {best['Tandem']:.1f}, "
          + ", ".join(f"{peer} {best[peer]:.1f} (ratio {best['Tandem'] / best[peer]:.2f})" for peer in PEERS))


if __name__ == "__main__":
    main()
