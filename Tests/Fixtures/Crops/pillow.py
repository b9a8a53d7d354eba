"""Pillow as the judge of crops: its resize of a box of the whole frame, which swscale, through PyAV, converts to RGB.

    pillow.py write FOLDER                makes clip.mp4, a moving pattern of 96 x 64 pixels, and the crops of crops.txt, 32 x 32 each, with
                                          chroma halfway between left and middle: bicubic in crops.rgb, bilinear in crops-bilinear.rgb, and
                                          between the nearest pixels, which Pillow lacks, by NumPy in crops-unsmoothed.rgb
    pillow.py crops LIST SIZE SITE OUTPUT writes the crops of a list, SIZE x SIZE packed RGB each

SITE says where chroma lies, in 1/256 pixels right of the left one: 0 for the left, as H.264 has it and FFmpeg 8, 128 for the middle, as
FFmpeg 5.1 has it.

A list has a crop a line: frame, x, y, width and height of the box, width and height of the upright picture that the box lies in, and the
video's path, relative to the list. The committed files were made by `pillow.py write .` with av 18.1, Pillow 13.0.
"""
import pathlib
import sys

import av
import numpy
from PIL import Image

# Without the flags swscale repeats chroma and rounds down, which makes pictures darker by a level; param1 is the kernel's -a.
CONVERSION = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact:in_h_chr_pos={}:in_v_chr_pos=128:param0=0:param1=0.5"


def frames(path, wanted, site):
    """The frames of some indices of a sequential decode, as pictures."""
    with av.open(str(path)) as container:
        stream, graph = container.streams.video[0], av.filter.Graph()
        graph.link_nodes(graph.add_buffer(template=stream), graph.add("scale", "flags=" + CONVERSION.format(site)), graph.add("format", "rgb24"),
                         graph.add("buffersink")).configure()
        for index, frame in enumerate(container.decode(stream)):
            if index in wanted:
                graph.vpush(frame)
                yield index, Image.fromarray(graph.vpull().to_ndarray())


def bicubic(picture, size, box):
    return picture.resize((size, size), Image.Resampling.BICUBIC, box=box).tobytes()


def bilinear(picture, size, box):
    return picture.resize((size, size), Image.Resampling.BILINEAR, box=box).tobytes()


def unsmoothed(picture, size, box):
    """Each pixel between the four nearest ones of the whole picture."""
    pixels = numpy.asarray(picture).astype(float)

    def taps(first, last, count):
        place = numpy.clip(first + (numpy.arange(size) + 0.5) * (last - first) / size - 0.5, 0, count - 1)
        low = numpy.floor(place).astype(int)
        return low, numpy.minimum(low + 1, count - 1), place - low

    (left, right, across), (upper, lower, down) = taps(box[0], box[2], picture.width), taps(box[1], box[3], picture.height)
    rows = pixels[upper] * (1 - down)[:, None, None] + pixels[lower] * down[:, None, None]
    blended = rows[:, left] * (1 - across)[:, None] + rows[:, right] * across[:, None]
    return numpy.round(blended).clip(0, 255).astype(numpy.uint8).tobytes()


def write_crops(list_path, size, site, output, resize=bicubic):
    rows = [line.split(maxsplit=7) for line in list_path.read_text().splitlines()]
    crops = {}
    for path in {row[7] for row in rows}:
        pictures = dict(frames(list_path.parent / path, {int(row[0]) for row in rows if row[7] == path}, site))
        for number, row in enumerate(rows):
            if row[7] == path:
                picture = pictures[int(row[0])]
                x, y, width, height, whole_width, whole_height = map(int, row[1:7])
                across, down = picture.width / whole_width, picture.height / whole_height
                box = (x * across, y * down, (x + width) * across, (y + height) * down)
                crops[number] = resize(picture, size, box)
    output.write_bytes(b"".join(crops[number] for number in range(len(rows))))


def write_clip(path):
    """Slow and fast changes of light and colour, moving."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12", "preset": "slow"})
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = 96, 64, "yuv420p", 1
        y, x = numpy.mgrid[:64, :96]
        for index in range(12):
            across = x - 2 * index
            levels = [128 + 60 * numpy.sin(across / 5) + 40 * numpy.cos(y / 3), 128 + 90 * numpy.sin((across + y) / 17), 2 * x + 40 * (y // 16 % 2)]
            picture = numpy.stack(levels, axis=-1).clip(0, 255).astype(numpy.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "write":
        folder = pathlib.Path(arguments[0])
        write_clip(folder / "clip.mp4")
        for name, resize in [("crops", bicubic), ("crops-bilinear", bilinear), ("crops-unsmoothed", unsmoothed)]:
            write_crops(folder / "crops.txt", 32, 64, folder / f"{name}.rgb", resize)
    else:
        write_crops(pathlib.Path(arguments[0]), int(arguments[1]), int(arguments[2]), pathlib.Path(arguments[3]))
