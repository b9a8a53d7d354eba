#!/usr/bin/env bash
# transformers 5 saves ViT-MAE's decoder under names that transformers 4 and the published checkpoints do not have.
#
# ViTMAEForPreTraining.save_pretrained of transformers 5.24.0 writes `decoder.decoder_encoder.layer.0.…`. In facebook/vit-mae-base and in
# transformers 4.57.1 the same arrays are `decoder.decoder_layers.0.…`. Version 4 loads such a folder with a warning and a decoder of random
# numbers: predictions are noise, no error is raised. Version 5 reads both names.
#
# So a program that reads such folders has to know both, and one that writes them takes the old names.
#
# Output seen:
#   saved by 5.24.0: decoder.decoder_encoder.layer.0.layernorm_before.bias
#   loaded by 5.24.0: 0 missing
#   loaded by 4.57.1: 16 missing, decoder.decoder_layers.0.layernorm_before.bias among them
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
for version in 5.24.0 4.57.1; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "transformers==$version" torch==2.15.0 numpy
done
cd "$folder"
export HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error
5.24.0/bin/python - <<'PYTHON' | tee output
import transformers
from safetensors import safe_open

sizes = dict(hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=96, image_size=32, patch_size=8)
decoder = dict(decoder_hidden_size=16, decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=64)
transformers.ViTMAEForPreTraining(transformers.ViTMAEConfig(**sizes, **decoder)).save_pretrained("saved")
with safe_open("saved/model.safetensors", "pt") as file:
    name = [key for key in file.keys() if key.startswith("decoder.") and key.endswith("layernorm_before.bias")]
print(f"saved by {transformers.__version__}:", *name)
PYTHON
for version in 5.24.0 4.57.1; do
    $version/bin/python - 2>/dev/null <<'PYTHON' | tee -a output
import transformers

_, info = transformers.ViTMAEForPreTraining.from_pretrained("saved", output_loading_info=True)
missing = sorted(info["missing_keys"])
name = "decoder.decoder_layers.0.layernorm_before.bias"
print(f"loaded by {transformers.__version__}: {len(missing)} missing" + (f", {name} among them" if name in missing else ""))
PYTHON
done
diff output - <<'EXPECTED'
saved by 5.24.0: decoder.decoder_encoder.layer.0.layernorm_before.bias
loaded by 5.24.0: 0 missing
loaded by 4.57.1: 16 missing, decoder.decoder_layers.0.layernorm_before.bias among them
EXPECTED
echo "as found"
