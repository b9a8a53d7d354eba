"""Times how fast Tandem and torchvision make iBOT's views of one picture, in turn, on one core: `python views.py STILL`.

A sample is two views of 224 pixels and ten of 96, with the areas, chances and ranges of bytedance/ibot main_ibot.py: torchvision's
transforms, of a picture that Pillow holds decoded, in one thread. Neither program's decoding counts, nor what makes tensors of bytes. They
take turns, because a machine's speed drifts, and the best round of each counts. `TANDEM_MAX_INSTRUCTIONS=avx2` holds Tandem to less.
"""
import argparse
import json
import os
import pathlib
import random
import sys
import time

from bench import run

SMALL_VIEWS = 10


def blurred(picture):
    from PIL import ImageFilter

    return picture.filter(ImageFilter.GaussianBlur(radius=random.uniform(0.1, 2)))


def views():
    """A function that makes a sample of a picture."""
    import torch
    from PIL import ImageOps
    from torchvision import transforms

    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)

    def view(size, area, blur, solarise=0.0):
        def some(chance, change):
            return transforms.RandomApply([change], p=chance)

        return transforms.Compose([
            transforms.RandomResizedCrop(size, scale=area, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.RandomHorizontalFlip(),
            some(0.8, transforms.ColorJitter(0.4, 0.4, 0.2, 0.1)),
            transforms.RandomGrayscale(0.2),
            some(blur, transforms.Lambda(blurred)),
            some(solarise, transforms.Lambda(ImageOps.solarize)),
        ])

    large, second, small = view(224, (0.25, 1), 1), view(224, (0.25, 1), 0.1, 0.2), view(96, (0.05, 0.25), 0.5)
    return lambda picture: [large(picture), second(picture), *(small(picture) for _ in range(SMALL_VIEWS))]


def time_peer(still, count):
    """Prints milliseconds of a sample."""
    from PIL import Image

    picture, make = Image.open(still).convert("RGB"), views()
    for _ in range(min(count, 20)):
        make(picture)
    start = time.process_time()
    for _ in range(count):
        make(picture)
    print(json.dumps({"milliseconds": (time.process_time() - start) / count * 1e3}))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("still", type=pathlib.Path)
    options.add_argument("--tandem", default=".build/release/tandem")
    options.add_argument("--samples", type=int, default=200)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core that both programs run on")
    options.add_argument("--peer", action="store_true", help="only time torchvision, and print JSON")
    options = options.parse_args()
    if options.peer:
        return time_peer(options.still, options.samples)
    os.sched_setaffinity(0, {options.core})
    samples = ["--samples", str(options.samples), options.still]
    tandem, peer = [], []
    for _ in range(options.rounds):
        tandem.append(run([options.tandem, "bench", "views", "--json", *samples]))
        peer.append(run([sys.executable, "-B", __file__, "--peer", *samples])["milliseconds"])
    best = min(tandem, key=lambda result: result["cropMilliseconds"] + result["colourMilliseconds"])
    crops, colours = best["cropMilliseconds"], best["colourMilliseconds"]
    print(f"{best['viewsPerSample']} views of {best['width']}x{best['height']}, best of {options.rounds} rounds of {options.samples}, ms a sample: "
          f"Tandem {crops + colours:.2f} (cut and scaled {crops:.2f}, colours {colours:.2f}), torchvision {min(peer):.2f} "
          f"(ratio {min(peer) / (crops + colours):.2f})")


if __name__ == "__main__":
    main()
