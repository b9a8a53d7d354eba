# Null in place of metadata is none; float8 is refused by its name.
[ -x "${PEERS:-}" ] || { echo "no PyTorch to make the files with"; exit 77; }
weights=$TANDEM/Tests/Fixtures/Weights/encoder.safetensors
"$PEERS" "$CASE/make.py" "$weights" .
tandem import null.safetensors --output n.safetensors
tandem import "$weights" --output w.safetensors
cmp n.safetensors w.safetensors
for command in "import float8.pth --output f.safetensors" "export --weights float8.pth --output f.safetensors"; do
    if tandem $command 2>error; then echo "$command: float8 was read"; exit 1; fi
    grep -q "holds F8_E4M3, which cannot be read as numbers here" error || { cat error; exit 1; }
done
[ ! -e f.safetensors ]
tandem inspect float8.pth >output
grep -q "F8_E4M3" output || { cat output; exit 1; }
