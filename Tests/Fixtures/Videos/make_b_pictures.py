"""Makes the small clips with B-pictures of MPEG-1, MPEG-2 and MPEG-4 beside this script, which x264 cannot. Made with av 18.1."""
import pathlib

import av
import numpy

FOLDER = pathlib.Path(__file__).resolve().parent

for codec, name in [("mpeg1video", "b-pictures-1.mkv"), ("mpeg2video", "b-pictures-2.mkv"), ("mpeg4", "b-pictures-4.mp4")]:
    with av.open(str(FOLDER / name), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"bf": "2", "g": "12", "b": "60k", "flags": "bitexact"})
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = 64, 48, "yuv420p", 1
        y, x = numpy.mgrid[:48, :64]
        for index in range(40):
            levels = [128 + 100 * numpy.sin((x - index) / 9), 128 + 100 * numpy.cos((y + 2 * index) / 11), 4 * x + index]
            picture = numpy.stack(levels, axis=-1).clip(0, 255).astype(numpy.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
