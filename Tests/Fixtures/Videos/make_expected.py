"""Writes expected.txt: for every video that ffmpeg decodes, its frame count and the MD5 of all raw frames in order.

usage: make_expected.py DATA_FOLDER    (the folder that holds videos/)
"""
import os
import subprocess
import sys

root = sys.argv[1]
lines = []
for folder, _, names in os.walk(os.path.join(root, "videos")):
    for name in names:
        path = os.path.join(folder, name)
        # The frames as decoded, none doubled, dropped or turned; one thread, on whose number the concealment of damage depends.
        command = ["ffmpeg", "-v", "error", "-noautorotate", "-threads", "1", "-i", path, "-an", "-sn", "-dn", "-fps_mode", "passthrough"]
        frames = subprocess.run(command + ["-f", "framemd5", "-"], capture_output=True, text=True).stdout
        count = sum(not line.startswith("#") for line in frames.splitlines())
        if count >= 2:
            digest = subprocess.run(command + ["-c:v", "rawvideo", "-f", "md5", "-"], capture_output=True, text=True).stdout
            lines.append(f"{os.path.relpath(path, root)} {count} {digest.strip().removeprefix('MD5=')}")
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected.txt"), "w") as file:
    file.write("\n".join(sorted(lines)) + "\n")
