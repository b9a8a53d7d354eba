"""Times how fast Tandem and Pillow make samples of MAE out of stills, in turn, on one core: `python stills.py FOLDER`.

A sample is a part of a still, resized to 224 pixels: 0.2 to 1 of its area, drawn as torchvision's RandomResizedCrop draws it. Pillow does what
torchvision's ImageFolder and that transform do by it: open, convert("RGB"), crop, resize bicubically, in one process. Either program reads the
files in the order of their names, again and again. They take turns, because a machine's speed drifts, and the best round of each counts.
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


def time_pillow(files, count):
    """Prints what `tandem bench decode --json` prints, as far as Pillow has it."""
    from PIL import Image

    def serve(number, generator):
        with open(files[number % len(files)], "rb") as file:
            picture = Image.open(file).convert("RGB")
        return picture.crop(random_box(*picture.size, generator)).resize((224, 224), Image.Resampling.BICUBIC)

    generator = random.Random(0)
    for number in range(min(count, 20)):
        serve(number, generator)
    cpu = time.process_time()
    for number in range(count):
        serve(number, generator)
    print(json.dumps({"samplesPerCPUSecond": count / (time.process_time() - cpu)}))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--tandem", default=".build/release/tandem")
    options.add_argument("--samples", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core that both run on")
    options.add_argument("--pillow", action="store_true", help="only time Pillow, and print JSON")
    options = options.parse_args()
    files = sorted(file for file in options.folder.rglob("*") if file.suffix.lower() in ENDINGS)
    if options.pillow:
        return time_pillow(files, options.samples)
    os.sched_setaffinity(0, {options.core})
    commands = {
        "Tandem": [options.tandem, "bench", "decode", "--json", "--recipe", "mae", "--samples", str(options.samples), "--video", options.folder],
        "Pillow": [sys.executable, "-B", __file__, "--pillow", "--samples", str(options.samples), options.folder],
    }
    best = dict.fromkeys(commands, 0)
    for _ in range(options.rounds):
        for program, command in commands.items():
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            best[program] = max(best[program], json.loads(output.strip().splitlines()[-1])["samplesPerCPUSecond"])
    print(f"{len(files)} stills, samples per CPU second, best of {options.rounds} rounds of {options.samples}: "
          f"Tandem {best['Tandem']:.1f}, Pillow {best['Pillow']:.1f}, ratio {best['Tandem'] / best['Pillow']:.2f}")


if __name__ == "__main__":
    main()
