# A decoder treats a video that is not the one that was prepared as one that cannot be used, and says so.
command -v ffmpeg >/dev/null || { echo "no ffmpeg to make videos with"; exit 77; }
fail() { echo "$1"; cat log; exit 1; }

sh "$CASE/make.sh"
# Videos that are the same in both folders, so that there are some to take the other's place.
for name in p q; do
    ffmpeg -v error -y -threads 1 -f lavfi -i testsrc=size=96x64:rate=25:duration=2 -c:v libx264 -crf 2"${#name}" -pix_fmt yuv420p a/$name.mp4
    cp a/$name.mp4 b
done
tandem prepare a >/dev/null
cp a/manifest.tandem b
cat >run.json5 <<'END'
{
  name: "run",
  sampling: { imageSize: 32 },
  mask: { ratio: 0.75 },
  model: { size: { patch: 8, width: 24, depth: 1, heads: 2 }, decoderSize: { width: 16, depth: 1, heads: 2 } },
  train: { steps: 10, batch: 4, microBatch: 4, threads: 1 },
  dataflow: { failureLimit: 0.9 },
}
END
train() {
    rm -rf runs "$1.log"
    timeout 120 tandem run run.json5 --set data.media="$1" --sample-log "$1.log" >log 2>&1 || fail "a run on $1"
}
size() { wc -c <"$1"; }

train a
! grep -q 'x.mp4 has' log || fail "a complaint of the video that was prepared"
train b
grep -q "x.mp4 has $(size b/x.mp4) bytes, $(size a/x.mp4) when it was prepared; prepare again" log || fail "nothing told of x.mp4"
grep -q 'replaced x.mp4' log || fail "x.mp4 is not replaced"
! cut -f 7 b.log | grep -qx x.mp4 || fail "samples of another x.mp4"

# Another rate, twice the frames, cut off, not there, a folder: all are replaced by the same rule.
for change in rate twice cut gone folder; do
    rm -rf b/x.mp4
    make="ffmpeg -v error -y -threads 1 -f lavfi -i testsrc2=size=96x64"
    case $change in
        rate) $make:rate=30:duration=2 -c:v libx264 -pix_fmt yuv420p b/x.mp4 ;;
        twice) $make:rate=25:duration=4 -c:v libx264 -pix_fmt yuv420p b/x.mp4 ;;
        cut) head -c 20000 a/x.mp4 >b/x.mp4 ;;
        gone) ;;
        folder) mkdir b/x.mp4 ;;
    esac
    mv b.log first.log
    train b
    grep -q 'replaced x.mp4' log || fail "x.mp4 ($change) is not replaced"
    cmp first.log b.log || fail "samples depend on what became of x.mp4 ($change)"
done

# Other content of the same size, by option.
rm -rf b/x.mp4
cp a/x.mp4 b/x.mp4
printf '\377\377\377\377' | dd of=b/x.mp4 bs=1 seek=$(($(size a/x.mp4) / 2)) conv=notrunc 2>/dev/null
rm -rf runs b.log
timeout 120 tandem run run.json5 --set data.media=b --set data.verifyContent=true --sample-log b.log >log 2>&1 || fail "a run with verifyContent"
grep -q 'x.mp4 has the MD5 sum' log || fail "other content of the same size"
