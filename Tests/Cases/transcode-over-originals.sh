# A preparation that would replace originals, or what another preparation made, is refused before anything is encoded.
command -v ffmpeg >/dev/null || { echo "no ffmpeg to make the videos with"; exit 77; }
sh "$CASE/make.sh"

sums() { find "$@" -type f -exec md5sum {} + | sort; }

# refused FOLDER COMMAND...: the command fails, says what lies in FOLDER, and leaves it as it was.
refused() {
    folder=$1
    shift
    sums "$folder" >before
    if "$@" >output 2>&1; then echo "not refused: $*"; cat output; exit 1; fi
    grep -q "$folder/a.mp4 is there and was not made by this preparation.*choose an empty folder" output || { cat output; exit 1; }
    sums "$folder" | diff before - || { echo "'$*' changed $folder"; exit 1; }
}

tandem prepare --transcode small videos
refused videos tandem prepare --transcode videos small
tandem prepare --transcode out train
refused out tandem prepare --transcode out val
# What was begun goes on.
tandem prepare --transcode out train | grep -q "2 files were unchanged"
