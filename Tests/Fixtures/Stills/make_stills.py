"""Makes the stills of MediaTests and what Pillow gives of them, with Pillow 13.0 (libjpeg-turbo 3.2).

    make_stills.py                     makes the files, crops.txt and crops.rgb
    make_stills.py LIST SIZE OUTPUT    writes the crops of a list like crops.txt, SIZE x SIZE each; a file's name stands last in its line there

Every file shows one pattern of 67 x 45 pixels, as its name says it is written. crops.txt lists crops of them, one a line: x, y,
width and height of a box, and the file; crops.rgb has them, 16 x 16 packed RGB each: Image.open(file).convert("RGB").resize((16, 16), BICUBIC, box=box).
Two kinds of files have a rule of their own in Pillow, or none: grey of 16 bits, which convert() cuts off at 255, is made with its upper
bytes in place; animation.webp, which is refused, has no crops. Black and white is cropped at its own size alone: else its edges overshoot, and
Pillow cuts that off between its two passes.
"""
import math
import os
import struct
import sys
import zlib

from PIL import Image

WIDTH, HEIGHT = 67, 45
FOLDER = os.path.dirname(os.path.abspath(__file__))
# All of it, parts at their own size at even and odd places, a part that grows, and one that shrinks across and grows down.
BOXES = [(0, 0, 67, 45), (8, 4, 16, 16), (51, 29, 16, 16), (21, 13, 9, 7), (3, 30, 60, 11)]


def pattern(x, y):
    """Slow and fast changes of light and colour, none of them as sharp as no camera draws them."""
    return (
        round(128 + 70 * math.sin(x / 5) + 40 * math.cos(y / 4)),
        round(128 + 90 * math.sin((x + y) / 9)),
        round(120 + 1.6 * x + 25 * math.cos(y / 3)) - 20,
    )


def path(name):
    return os.path.join(FOLDER, name)


def write_deep_png(name, colour_type, pixels):
    """A PNG file of 16-bit numbers, which Pillow does not write."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + b"".join(struct.pack(f">{len(p)}H", *p) for p in pixels[y * WIDTH : (y + 1) * WIDTH]) for y in range(HEIGHT))
    with open(path(name), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, colour_type, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def cropped(name, size, box):
    x, y, width, height = box
    name = os.path.join(FOLDER, name)
    picture = Image.open(path("grey.png") if name == path("deep-grey.png") else name).convert("RGB")
    return picture.resize((size, size), Image.Resampling.BICUBIC, box=(x, y, x + width, y + height)).tobytes()


def make_files():
    colours = Image.new("RGB", (WIDTH, HEIGHT))
    colours.putdata([pattern(x, y) for y in range(HEIGHT) for x in range(WIDTH)])
    grey = colours.convert("L")
    veil = Image.new("L", (WIDTH, HEIGHT))
    veil.putdata([(4 * x + 3 * y) % 256 for y in range(HEIGHT) for x in range(WIDTH)])
    veiled = colours.copy()
    veiled.putalpha(veil)

    for name, subsampling in (("420", "4:2:0"), ("422", "4:2:2"), ("444", "4:4:4")):
        colours.save(path(f"{name}.jpg"), quality=92, subsampling=subsampling)
    colours.save(path("progressive.jpg"), quality=92, progressive=True)
    colours.save(path("rgb.jpg"), quality=92, keep_rgb=True)
    colours.convert("CMYK").save(path("cmyk.jpg"), quality=92)
    grey.save(path("grey.jpg"), quality=92)
    colours.save(path("colours.png"))
    veiled.save(path("veiled.png"))
    colours.quantize(64).save(path("palette.png"), transparency=3)
    grey.save(path("grey.png"))
    grey.convert("1").save(path("bits.png"))
    Image.merge("LA", (grey, veil)).save(path("veiled-grey.png"))
    write_deep_png("deep.png", 2, [tuple(v << 8 | (7 * x) % 256 for v in colours.getpixel((x, y))) for y in range(HEIGHT) for x in range(WIDTH)])
    write_deep_png("deep-grey.png", 0, [(grey.getpixel((x, y)) << 8 | (7 * x) % 256,) for y in range(HEIGHT) for x in range(WIDTH)])
    colours.save(path("lossy.webp"), quality=92)
    veiled.save(path("veiled.webp"), quality=92)
    colours.save(path("lossless.webp"), lossless=True)
    colours.save(path("animation.webp"), save_all=True, append_images=[colours.rotate(180)])

    names = sorted(name for name in os.listdir(FOLDER) if name.endswith((".jpg", ".png", ".webp")) and name != "animation.webp")
    crops = [(name, box) for name in names for box in (BOXES[1:3] if name == "bits.png" else BOXES)]
    with open(path("crops.txt"), "w") as lines, open(path("crops.rgb"), "wb") as pixels:
        for name, box in crops:
            print(*box, name, file=lines)
            pixels.write(cropped(name, 16, box))


if len(sys.argv) == 1:
    make_files()
else:
    with open(sys.argv[1]) as lines, open(sys.argv[3], "wb") as pixels:
        for line in lines:
            *box, name = line.rstrip("\n").split(" ", 4)
            pixels.write(cropped(name, int(sys.argv[2]), tuple(map(int, box))))
