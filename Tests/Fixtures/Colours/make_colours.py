"""Makes the small clips beside this script: one picture of six known colours, stored in many ways. Made with av 18.1.

The samples follow from the colours by the formulas of ITU-T H.273, 8.3, not by a library. A file's name says matrix, range and format;
ColourTests.swift has the same six colours.
"""
import pathlib

import av
import numpy

FOLDER = pathlib.Path(__file__).resolve().parent
COLOURS = [[[200, 40, 50], [40, 180, 70], [50, 60, 210]], [[235, 225, 215], [25, 20, 30], [220, 170, 30]]]
PICTURE = numpy.array(COLOURS, dtype=float).repeat(16, axis=0).repeat(16, axis=1)
HEIGHT, WIDTH = PICTURE.shape[:2]
# Kr, Kb and AVColorSpace.
MATRICES = {"bt601": (0.299, 0.114, 6), "bt709": (0.2126, 0.0722, 1), "bt2020": (0.2627, 0.0593, 9)}
# AVColorRange.
RANGES = {"limited": 1, "full": 2}


def samples(matrix, is_full, depth, shift):
    """Y, Cb and Cr as whole numbers, chroma shrunk `1 << shift` times both ways."""
    red, blue, _ = MATRICES[matrix]
    rgb = PICTURE / 255
    y = rgb @ [red, 1 - red - blue, blue]
    chroma = [(rgb[..., 2] - y) / (2 - 2 * blue), (rgb[..., 0] - y) / (2 - 2 * red)]
    unit, most, middle = 1 << (depth - 8), (1 << depth) - 1, 1 << (depth - 1)
    y = y * most if is_full else (219 * y + 16) * unit
    chroma = [c * most + middle if is_full else 224 * unit * c + middle for c in chroma]
    planes = [y] + [c[:: 1 << shift, :: 1 << shift] for c in chroma]
    return [p.round().clip(0, most).astype("u1" if depth == 8 else "<u2") for p in planes]


def stored(format, matrix, is_full):
    """The planes of a pixel format."""
    depth = 10 if format.endswith("10le") else 8
    y, u, v = samples(matrix, is_full, depth, 0 if "444" in format else 1)
    if format.startswith("gray"):
        return [y]
    if format == "nv12":
        return [y, numpy.stack([u, v], axis=-1).reshape(len(u), -1)]
    return [y, u, v] + ([numpy.full_like(y, 99)] if format == "yuva420p" else [])


def write(name, codec, format, matrix, extent, is_tagged=True, options={}):
    frame = av.VideoFrame(WIDTH, HEIGHT, format)
    for plane, rows in zip(frame.planes, stored(format, matrix, extent == "full")):
        memory = numpy.zeros((plane.height, plane.line_size), "u1")
        rows = numpy.ascontiguousarray(rows).view("u1").reshape(len(rows), -1)
        memory[:, : rows.shape[1]] = rows
        plane.update(memory)
    with av.open(str(FOLDER / name), "w", container_options={"fflags": "bitexact"}) as container:
        stream = container.add_stream(codec, rate=25, options={"flags": "bitexact", **options})
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = WIDTH, HEIGHT, format, 1
        if is_tagged:
            stream.codec_context.colorspace = frame.colorspace = MATRICES[matrix][2]
            stream.codec_context.color_range = frame.color_range = RANGES[extent]
        for index in range(2):
            frame.pts = index
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


H264 = {"qp": "0", "preset": "ultrafast", "tune": "zerolatency"}
for matrix in MATRICES:
    for extent in RANGES:
        write(f"{matrix}-{extent}-yuv420p.mp4", "libx264", "yuv420p", matrix, extent, options=H264)
        write(f"{matrix}-{extent}-yuv420p10le.mp4", "libx264", "yuv420p10le", matrix, extent, options=H264)
        write(f"{matrix}-{extent}-nv12.mkv", "rawvideo", "nv12", matrix, extent)
for extent in RANGES:
    write(f"bt709-{extent}-yuva420p.mkv", "ffv1", "yuva420p", "bt709", extent)
    write(f"bt709-{extent}-gray.mkv", "ffv1", "gray", "bt709", extent)
write("untagged-limited-yuv420p.mp4", "libx264", "yuv420p", "bt601", "limited", is_tagged=False, options=H264)
write("untagged-full-gray.mkv", "ffv1", "gray", "bt601", "full", is_tagged=False)
