# The frames of a stream that lacks a reference picture are the same in any order, and those that show it are listed.
video=$CASE/missing-picture.mp4

tandem frames "$video" --order sequential > sequential
tandem frames "$video" --order random > random
cmp sequential random || { echo "the frames in random order are not those of the sequential decode"; exit 1; }

mkdir videos
cp "$video" videos/
tandem prepare videos > prepared 2>&1
tandem inspect videos --videos > records
listed=$(sed 's/.*"damagedFrames":\[\([^]]*\)\].*/\1/' records)
[ "$listed" = "$(seq -s, 7 23)" ] || { echo "listed as damaged are the frames '$listed', not 7 to 23"; exit 1; }

command -v ffmpeg > /dev/null || { echo "no ffmpeg to compare with"; exit 77; }
ffmpeg -v quiet -threads 1 -i "$video" -map 0:v:0 -fps_mode passthrough -f framemd5 - | grep -v '^#' | awk '{print $NF}' > expected
grep -v '^#' sequential | awk '{print $NF}' | cmp - expected || { echo "the sequential frames are not ffmpeg's"; exit 1; }
