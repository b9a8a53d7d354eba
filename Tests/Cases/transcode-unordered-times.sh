# Encoding anew: the frames and times of the plain manifest, whatever times the packets have.
for program in python3 ffprobe; do
    command -v $program > /dev/null || { echo "no $program to compare with"; exit 77; }
done
mkdir videos
cp "$CASE"/*.avi "$CASE"/*.mpg "$CASE"/*.mkv videos
tandem prepare --output plain videos
tandem prepare --transcode small videos

# Name, frames and the times from the first frame, in microseconds.
times() {
    tandem inspect --videos "$1" | python3 -c '
import json, os, sys
for record in map(json.loads, sys.stdin):
    times, base = record["timestamps"], record["timeBase"]
    if isinstance(times, dict):
        times = [times["start"] + i * times["step"] for i in range(times["count"])]
    seconds = base["numerator"] / base["denominator"]
    print(os.path.splitext(record["path"])[0], len(times), [round((t - times[0]) * seconds * 1e6) for t in times])
'
}
times plain > plain.txt
times small > small.txt
cat plain.txt
[ "$(cut -d' ' -f1,2 plain.txt | tr '\n' ' ')" = "bframes 10 doubletimes 40 program 10 " ] || { echo "not the frames that ffmpeg wrote"; exit 1; }
diff plain.txt small.txt || { echo "the encoded videos have other frames or times"; exit 1; }
[ ! -s small/rejects.jsonl ] || { echo "rejected:"; cat small/rejects.jsonl; exit 1; }

# ffprobe reads the same times from the files themselves.
for name in bframes doubletimes program; do
    ffprobe -v error -select_streams v -show_entries frame=pts_time -of csv=p=0 small/$name.mp4 | tr -d ',' > $name.txt
    python3 - $name <<'END'
import json, sys
name = sys.argv[1]
found = [float(line) for line in open(name + ".txt") if line.strip()]
listed = next(line for line in open("plain.txt") if line.startswith(name + " ")).split(" ", 2)[2]
expected = json.loads(listed)
assert len(found) == len(expected), f"{name}: ffprobe counts {len(found)} frames"
assert all(abs((f - found[0]) * 1e6 - e) < 2 for f, e in zip(found, expected)), f"{name}: ffprobe's times are {found}"
END
done
