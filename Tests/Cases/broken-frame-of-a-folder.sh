# A reject of a folder of pictures says which picture is broken.
command -v ffmpeg > /dev/null || { echo "no ffmpeg to make pictures with"; exit 77; }
sh "$CASE/make.sh"
# A whole folder beside the broken ones, so that there is a manifest.
cp -r src/cut src/whole
cp src/whole/00002.jpg src/whole/00003.jpg
tandem prepare --transcode small --from-frames src
cat small/rejects.jsonl
for name in cut empty; do
    grep "\"path\":\"$name\"" small/rejects.jsonl | grep -q 00003.jpg || { echo "the broken picture of $name is not named"; exit 1; }
done
[ "$(wc -l < small/rejects.jsonl)" -eq 2 ] || { echo "other folders are rejected"; exit 1; }
tandem inspect --videos small | grep -q '"path":"whole.mp4"' || { echo "the whole folder is not in the manifest"; exit 1; }
