#!/usr/bin/env bash
# Binding a ZeroMQ socket to an ipc endpoint removes whatever regular file has the endpoint's path.
#
# libzmq 4.3.5, as pyzmq 27.1.0 brings it. zmq_ipc(7) says that an earlier binding to an endpoint is overridden. The file need be no socket
# for that: a file of any content is unlinked before the bind, without an error, and a socket stands in its place afterwards. A folder of
# the name is left alone, and the bind fails with "Address already in use".
#
# So a program that takes an endpoint from its user has to look at the path first.
#
# Output seen:
#   libzmq 4.3.5
#   before: a file of 8 bytes
#   after:  a socket
#   a folder: Address already in use
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyzmq==27.1.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON' | tee output
import os
import stat
import zmq

print("libzmq", zmq.zmq_version())
with open("notes", "w") as file:
    file.write("results\n")
print(f"before: a file of {os.path.getsize('notes')} bytes")
context = zmq.Context()
socket = context.socket(zmq.PULL)
socket.bind("ipc://notes")
mode = os.lstat("notes").st_mode
print("after: ", "a socket" if stat.S_ISSOCK(mode) else "a file")
os.mkdir("folder")
other = context.socket(zmq.PULL)
try:
    other.bind("ipc://folder")
    print("a folder: bound")
except zmq.ZMQError as error:
    print("a folder:", os.strerror(error.errno))
context.destroy(linger=0)
PYTHON
diff output - <<'EXPECTED'
libzmq 4.3.5
before: a file of 8 bytes
after:  a socket
a folder: Address already in use
EXPECTED
echo "as found"
