"""Hugging Face's transformers as a peer of Tandem's exports.

    transformers_peer.py run FOLDER INPUT OUTPUT    loads FOLDER strictly into the class that its config.json names. Of a ViTModel: the patches'
                                                    features of INPUT's `image`; of a ViTMAEForPreTraining: `loss`, `logits`, and `features` of
                                                    the visible patches, INPUT's `noise` deciding which those are; of a VideoMAEForPreTraining
                                                    the same of INPUT's `clip`, with its `mask`, 1 where a patch is hidden
    transformers_peer.py random CLASS FOLDER        saves a small model of CLASS with random weights, as this version of transformers does
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file


def run(folder, source, target):
    kind = json.loads(pathlib.Path(folder, "config.json").read_text())["architectures"][0]
    options = {"add_pooling_layer": False} if kind == "ViTModel" else {}
    model, info = getattr(transformers, kind).from_pretrained(folder, output_loading_info=True, **options)
    wrong = {name: keys for name, keys in info.items() if keys}
    assert not wrong, wrong
    model.eval()
    given = load_file(source)
    with torch.no_grad():
        if kind == "ViTModel":
            results = {"features": model(pixel_values=given["image"]).last_hidden_state[:, 1:]}
        elif kind == "VideoMAEForPreTraining":
            inputs = {"pixel_values": given["clip"], "bool_masked_pos": given["mask"].bool()}
            output, latent = model(**inputs), model.videomae(**inputs).last_hidden_state
            results = {"loss": output.loss.reshape(1), "logits": output.logits, "features": latent}
        else:
            output = model(pixel_values=given["image"], noise=given["noise"], output_hidden_states=True)
            latent = model.vit(pixel_values=given["image"], noise=given["noise"]).last_hidden_state
            results = {"loss": output.loss.reshape(1), "logits": output.logits, "features": latent}
    save_file({name: value.contiguous() for name, value in results.items()}, target)


def random(kind, folder):
    torch.manual_seed(6)
    sizes = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96, image_size=32, patch_size=8, layer_norm_eps=1e-6)
    if kind == "ViTModel":
        model = transformers.ViTModel(transformers.ViTConfig(**sizes), add_pooling_layer=False)
    else:
        decoder = dict(decoder_hidden_size=16, decoder_num_hidden_layers=2, decoder_num_attention_heads=2, decoder_intermediate_size=64)
        if kind == "VideoMAEForPreTraining":  # of the published size of clips, which no array tells
            clips = dict(image_size=224, patch_size=112, num_frames=16, tubelet_size=2, use_mean_pooling=False)
            model = transformers.VideoMAEForPreTraining(transformers.VideoMAEConfig(**(sizes | clips), **decoder))
        else:
            model = transformers.ViTMAEForPreTraining(transformers.ViTMAEConfig(**sizes, **decoder))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_((1 if "norm" in name and name.endswith("weight") else 0) + 0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    model.eval()
    if kind == "VideoMAEForPreTraining":
        clip = torch.randn(1, 16, 3, 224, 224)
        with torch.no_grad():
            features = model.videomae(pixel_values=clip).last_hidden_state
        save_file({"image": clip, "features": features.contiguous()}, pathlib.Path(folder, "features.safetensors"))
        return
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        backbone = model if kind == "ViTModel" else model.vit
        noise = {} if kind == "ViTModel" else {"noise": torch.arange(16.0)[None]}
        if noise:
            backbone.config.mask_ratio = 0.0
        features = backbone(pixel_values=image, **noise).last_hidden_state[:, 1:]
    save_file({"image": image, "features": features.contiguous()}, pathlib.Path(folder, "features.safetensors"))


if __name__ == "__main__":
    {"run": run, "random": random}[sys.argv[1]](*sys.argv[2:])
