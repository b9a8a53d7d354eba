"""Makes the pictures by which changes of colour are judged: `python views.py`, with torchvision 0.29 and Pillow 13.0.

noise.rgb    48 x 40 pixels of packed RGB: noise, noise of few levels, greys, and the corners of the colour cube
views.txt    a case a line: height and width of a picture, which is the first pixels of noise.rgb, and what is done to it
views.rgb    what torchvision and Pillow make of them, one after another
"""
import pathlib

import numpy
from PIL import Image, ImageFilter, ImageOps
from torchvision.transforms import functional

FOLDER = pathlib.Path(__file__).resolve().parent
CASES = """
37 23 brightness=0.6
37 23 brightness=1.4
37 23 brightness=1
37 23 contrast=0.61
37 23 contrast=1.37
1 5 contrast=1.4
37 23 saturation=0.8
37 23 saturation=1.19
48 40 hue=0.1
48 40 hue=-0.1
48 40 hue=0
48 40 hue=-0.5
3 5 hue=0.07
37 23 grayscale
5 3 grayscale
37 23 blur=0.1
37 23 blur=1.2
37 23 blur=1.23
37 23 blur=2
48 40 blur=0.5
1 40 blur=1.7
40 1 blur=1.7
1 1 blur=1
2 5 blur=2
37 23 solarise
48 40 brightness=1.13 contrast=0.77 saturation=1.2 hue=0.033
48 40 hue=-0.08 saturation=0.83 contrast=1.31 brightness=0.71 blur=0.9
48 40 contrast=1.02 hue=0.05 brightness=0.95 saturation=0.9 grayscale blur=1.9 solarise
""".strip().splitlines()


def noise():
    """Rows of all kinds."""
    generator = numpy.random.default_rng(7)
    pixels = generator.integers(0, 256, (48, 40, 3))
    pixels[8:16] = generator.integers(0, 4, (8, 40, 3)) * 85
    pixels[16:20] = generator.integers(0, 256, (4, 40, 1))
    pixels[20:24] = generator.integers(0, 2, (4, 40, 3)) * 255
    pixels[24:28] //= 32
    pixels[28:32] = 255 - pixels[28:32] // 32
    return pixels.astype(numpy.uint8)


def change(picture, name, value):
    if name in ("brightness", "contrast", "saturation", "hue"):
        return getattr(functional, f"adjust_{name}")(picture, value)
    if name == "grayscale":
        return functional.rgb_to_grayscale(picture, num_output_channels=3)
    return picture.filter(ImageFilter.GaussianBlur(value)) if name == "blur" else ImageOps.solarize(picture)


def main():
    pixels = noise()
    made = b""
    for case in CASES:
        height, width, *changes = case.split()
        height, width = int(height), int(width)
        picture = Image.fromarray(pixels.reshape(-1, 3)[:height * width].reshape(height, width, 3))
        for text in changes:
            name, _, value = text.partition("=")
            picture = change(picture, name, float(value or 0))
        made += picture.tobytes()
    (FOLDER / "noise.rgb").write_bytes(pixels.tobytes())
    (FOLDER / "views.txt").write_text("".join(f"{case}\n" for case in CASES))
    (FOLDER / "views.rgb").write_bytes(made)


if __name__ == "__main__":
    main()
