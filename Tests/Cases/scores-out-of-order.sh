# Scores that two evaluators bring out of order all stand in TensorBoard: as its default loader reads the event files, and as its server
# shows them where TensorBoard is installed. The case's run.sh pauses an evaluator until a later checkpoint has its score.
python=$(command -v "${PEERS:-}" python3 | head -n 1) || true
[ -n "$python" ] || { echo "no Python to read event files with"; exit 77; }

steps=$(bash "$CASE/run.sh" | tee run.out | grep -o '"step": [0-9]*' | cut -d' ' -f2)
folder=$(sed -n 's/^in //p' run.out)
trap 'rm -rf "$folder"' EXIT
echo "scores.jsonl has steps" $steps
[ "$(echo $steps)" != "$(echo $steps | tr ' ' '\n' | sort -n | xargs)" ] || { echo "they came in order: nothing was tried"; exit 77; }

cat >shown.py <<'END'
# shown.py RUNS: the steps of scores/davis_jf that TensorBoard shows, by the rule of its data server and by the server itself.
import glob, json, os, socket, struct, subprocess, sys, time, urllib.request

def fields(data):
    at = 0
    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]; at += 1
            value |= (byte & 127) << shift; shift += 7
            if byte < 128: return value
    while at < len(data):
        key = varint()
        if key & 7 == 0: yield key >> 3, varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or varint()
            yield key >> 3, data[at:at + size]
            at += size

def by_rule(runs, tag):  # a step that goes back drops what is at it and behind it
    shown = []
    for path in sorted(glob.glob(runs + '/*/events.out.tfevents.*')):
        data, at = open(path, 'rb').read(), 0
        while at + 16 <= len(data):
            length = struct.unpack_from('<Q', data, at)[0]
            event = list(fields(data[at + 12:at + 12 + length])); at += 16 + length
            step = dict(event).get(2, 0)
            for entry in (v for n, summary in event if n == 5 for m, v in fields(summary) if m == 1):
                if dict(fields(entry))[1] == tag.encode(): shown = [s for s in shown if s < step] + [step]
    return shown

def by_server(runs, tag):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0)); port = s.getsockname()[1]
    server = subprocess.Popen([sys.executable, '-m', 'tensorboard.main', '--logdir', runs, '--host', '127.0.0.1', '--port', str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shown, address = [], f'http://127.0.0.1:{port}/data/plugin/scalars/scalars?run={os.listdir(runs)[0]}&tag={tag}'
    try:
        for _ in range(300):
            time.sleep(0.2)
            try: now = [point[1] for point in json.load(urllib.request.urlopen(address))]
            except OSError: continue
            if now and now == shown: break
            shown = now
    finally:
        server.terminate(); server.wait()
    return shown

expected = sorted(map(int, sys.argv[2:]))
ways = [by_rule]
try: import tensorboard; ways += [by_server]
except ImportError: pass
for way in ways:
    shown = way(sys.argv[1], 'scores/davis_jf')
    print('TensorBoard,', way.__name__, 'shows steps', *shown)
    if shown != expected: sys.exit(f'but there are scores of steps {expected}')
END
"$python" shown.py "$folder/runs" $steps
