"""Makes the picture fixtures of MediaTests. Needs Pillow, whose decoder also gives the expected colours of the JPEG file.

PNG files grey-N.png and palette-N.png: 19 x 7, N bits deep, value (3 x + 5 y) mod 2^N at (x, y), written without libpng so that nothing
rescales the values. grey-2-transparent.png adds a tRNS chunk, colour.png is 8-bit RGB of (10 x, 30 y, 7).
photo.jpg: a smooth 48 x 32 picture, 4:2:0, quality 95; photo.rgb holds what Pillow decodes it to.
"""
import os
import struct
import zlib

from PIL import Image

WIDTH, HEIGHT = 19, 7
FOLDER = os.path.dirname(os.path.abspath(__file__))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def write_png(name, depth, colour_type, rows, extra=b""):
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def packed_rows(depth):
    for y in range(HEIGHT):
        bits = "".join(format((3 * x + 5 * y) % (1 << depth), f"0{depth}b") for x in range(WIDTH))
        bits += "0" * (-len(bits) % 8)
        yield bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


for depth in (1, 2, 4, 8):
    palette = b"".join(bytes((i * 37 % 256, i * 91 % 256, i * 151 % 256)) for i in range(1 << depth))
    write_png(f"palette-{depth}.png", depth, 3, packed_rows(depth), chunk(b"PLTE", palette))
    write_png(f"grey-{depth}.png", depth, 0, packed_rows(depth))
write_png("grey-2-transparent.png", 2, 0, packed_rows(2), chunk(b"tRNS", struct.pack(">H", 1)))
write_png("colour.png", 8, 2, [bytes(v for x in range(WIDTH) for v in (10 * x, 30 * y, 7)) for y in range(HEIGHT)])

photo = Image.new("RGB", (48, 32))
photo.putdata([(5 * x, 8 * y, 255 - 3 * x - 2 * y) for y in range(32) for x in range(48)])
photo.save(os.path.join(FOLDER, "photo.jpg"), quality=95, subsampling=2)
with open(os.path.join(FOLDER, "photo.rgb"), "wb") as file:
    file.write(Image.open(os.path.join(FOLDER, "photo.jpg")).convert("RGB").tobytes())
