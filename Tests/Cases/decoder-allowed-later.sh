# A decoder whose key is allowed while it waits joins, and says before that why it waits.
for program in ffmpeg tandem tandem-batcher tandem-decoder; do
  command -v "$program" > /dev/null || { echo "$program is not on the PATH"; exit 77; }
done
bash "$CASE/run.sh" > output.log 2>&1 || { cat output.log; echo "the decoder did not join"; exit 1; }
grep -q "is not among those allowed" output.log || { cat output.log; echo "the decoder did not say why it waits"; exit 1; }
