# Folders that are links are prepared: each once, and a link that leads back adds nothing.
command -v ffmpeg >/dev/null || { echo "no ffmpeg to make videos with"; exit 77; }
fail() { echo "$1"; exit 1; }
# The paths that a manifest lists.
listed() { grep -a -o 'cat[A-Z]/*[a-z]*\.mp4' "$1" | xargs; }

sh "$CASE/make.sh"
timeout 60 tandem prepare videos
[ "$(listed videos/manifest.tandem)" = "catA/a.mp4 catB/b.mp4" ] || fail "listed: $(listed videos/manifest.tandem)"
[ ! -s videos/rejects.jsonl ] || fail "rejected: $(cat videos/rejects.jsonl)"

# Nothing but links, two of them to one folder, and one to nothing.
mkdir links
ln -s ../elsewhere/catB links/catB
ln -s ../elsewhere/catB links/catC
ln -s ../nowhere links/catD
timeout 60 tandem prepare links
[ "$(listed links/manifest.tandem)" = "catB/b.mp4" ] || fail "listed of links: $(listed links/manifest.tandem)"
grep -q '"path":"catD"' links/rejects.jsonl || fail "catD, which leads nowhere, is not named"

# Folders of frames.
mkdir -p frames/catA other
for folder in frames/catA other; do ffmpeg -v error -i videos/catA/a.mp4 "$folder/%05d.png"; done
ln -s ../other frames/catB
ln -s . frames/back
timeout 60 tandem prepare frames --transcode out --from-frames
[ "$(listed out/manifest.tandem)" = "catA.mp4 catB.mp4" ] || fail "listed of frames: $(listed out/manifest.tandem)"
