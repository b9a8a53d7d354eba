# A run that stands somewhere is refused by the key that changed, with both values and what to do, and stays as it was.
tandem synthesize data --videos 3 --sequences 1 --seed 1 >log 2>&1
tandem prepare data/train >>log 2>&1
cat >p.json5 <<'END'
{ name: "x", data: { media: "data/train" }, sampling: { imageSize: 32, frameGap: [1, 8] }, mask: { ratio: 0.75 },
  model: { size: { patch: 8, width: 24, depth: 1, heads: 2 }, decoderSize: { width: 16, depth: 1, heads: 2 } },
  train: { steps: 4, batch: 8, microBatch: 4 }, dataflow: { decoders: 1 } }
END
tandem run p.json5 >>log 2>&1 || { cat log; exit 1; }
cp runs/x/pipeline.json5 before
refused() { # KEY=VALUE, what the message says
    if tandem run p.json5 --set "$1" >refusal 2>&1; then echo "went on with $1"; exit 1; fi
    grep -qF "$2" refusal || { echo "of $1 it says:"; cat refusal; exit 1; }
    ! grep -qE 'Recipe\(|ClosedRange|Sampling\.' refusal || { echo "an internal value is shown:"; cat refusal; exit 1; }
}
refused 'sampling.frameGap=[1,9]' 'sampling.frameGap is [1, 9], where the run has [1, 8]'
refused 'model.size=s16' 'model.size is "s16", where the run has {'
refused 'mask.ratio=0.5' 'mask.ratio is 0.5, where the run has 0.75'
cmp before runs/x/pipeline.json5
