# A folder that may only be read is prepared with --output; the error says so, and what a run then takes.
command -v ffmpeg >/dev/null || { echo "no ffmpeg to make a video with"; exit 77; }
mkdir writable videos
ffmpeg -nostdin -v error -threads 1 -f lavfi -i testsrc2=size=64x48:rate=25 -t 0.4 -c:v libx264 -pix_fmt yuv420p writable/a.mp4
unshare -m sh -c 'mount --bind writable videos && mount -o remount,bind,ro videos' 2>/dev/null || { echo "mounting is not permitted"; exit 77; }
unshare -m bash -euc '
    mount --bind writable videos
    mount -o remount,bind,ro videos
    if tandem prepare videos >output 2>&1; then echo "it was written into"; exit 1; fi
    grep -qi "read-only" output && grep -q -- "--output FOLDER" output && grep -q "data.manifest=FOLDER/manifest.tandem" output || { cat output; exit 1; }
    tandem prepare --output prepared videos
'
test -s prepared/manifest.tandem
