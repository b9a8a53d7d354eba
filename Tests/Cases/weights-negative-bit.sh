# Lazily negated tensors give the numbers of the plain ones, bit for bit.
[ -x "${PEERS:-}" ] || { echo "no PyTorch to make the files with"; exit 77; }
"$PEERS" "$CASE/make.py" .
tandem import plain.pth --output p.safetensors
tandem import negative.pth --output n.safetensors
cmp p.safetensors n.safetensors

# The numbers are those that PyTorch reads.
"$PEERS" - <<'PYTHON'
import torch
from safetensors.torch import load_file
weights = torch.load("negative.pth", weights_only=True)
imported = load_file("n.safetensors")
assert imported.keys() == weights.keys()
assert all(torch.equal(imported[name], weights[name]) for name in weights)
PYTHON
