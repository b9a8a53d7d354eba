"""Small files as iBOT and SiameseIM write them, and what timm makes of their encoders.

    views.py FOLDER     writes there
        ibot.pth                 a full checkpoint: `student` with a last layer for CLS and one for patches, `teacher` with one for both
        ibot-backbone.pth        a file with the teacher's encoder alone
        siamese-im.pth           a whole model with its averaged copies and running values
        NAME.safetensors         the weights of NAME.pth under the names of Tandem's checkpoints; nothing else that the file holds
        features.safetensors     `image`, and the features of its patches, NAME.student and NAME.teacher

The committed files beside this script were made by `views.py .` with torch 2.15.0 and timm 1.0.31. `make peers` installs what it needs.
"""

import argparse
import pathlib
import sys

import torch
from safetensors.torch import save_file
from timm.models import VisionTransformer

WIDTH, SIZES = 8, dict(img_size=4, patch_size=2, embed_dim=8, depth=1, num_heads=2, num_classes=0)
HIDDEN, BOTTLENECK, OUTPUTS, DECODER = 5, 3, 6, 4
generator = torch.Generator().manual_seed(7)


def numbers(*shape):
    return torch.randn(shape, generator=generator) / 2


def encoder(image, **options):
    """A state dict with random numbers everywhere, and the features of the image's patches."""
    network = VisionTransformer(**SIZES, **options).eval()
    network.load_state_dict({name: numbers(*value.shape) for name, value in network.state_dict().items()}, strict=True)
    with torch.no_grad():
        return dict(network.state_dict()), network.forward_features(image)[:, 1:].contiguous()


def linear(name, out, width):
    return {name + ".weight": numbers(out, width), name + ".bias": numbers(out)}


def head(is_shared):
    sizes = [(0, HIDDEN, WIDTH), (2, HIDDEN, HIDDEN), (4, BOTTLENECK, HIDDEN)]
    weights = {key: value for index, out, width in sizes for key, value in linear(f"mlp.{index}", out, width).items()}
    layers = ["last_layer"] if is_shared else ["last_layer", "last_layer2"]
    for layer in layers:
        weights |= {layer + ".weight_g": numbers(OUTPUTS, 1), layer + ".weight_v": numbers(OUTPUTS, BOTTLENECK)}
    return weights


def renamed(prefix, weights):
    return {prefix + name: value for name, value in weights.items()}


def optimizer():
    state = {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2), "exp_avg_sq": torch.ones(2)}}
    return {"state": state, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.95), "params": [0], "weight_decay": 0.05}]}


def write_ibot(folder, image, features):
    networks = {}
    for branch in ["student", "teacher"]:
        backbone, features["ibot." + branch] = encoder(image)
        masked = {"masked_embed": numbers(1, WIDTH)} if branch == "student" else {}
        networks[branch] = renamed("backbone.", backbone | masked) | renamed("head.", head(branch == "teacher"))
    center, center2 = numbers(1, OUTPUTS), numbers(1, 1, OUTPUTS)
    own = networks["student"] | renamed("teacher.", networks["teacher"])
    save_file(own | {"center": center.flatten(), "center2": center2.flatten()}, folder / "ibot.safetensors")
    # PyTorch has the one layer under both of its names.
    teacher = networks["teacher"]
    shared = {name.replace("last_layer.", "last_layer2."): value for name, value in teacher.items() if "last_layer." in name}
    torch.save({"student": renamed("module.", networks["student"]), "teacher": teacher | shared, "optimizer": optimizer(), "epoch": 800,
                "args": argparse.Namespace(arch="vit_tiny"), "ibot_loss": {"center": center, "center2": center2}, "fp16_scaler": None},
               folder / "ibot.pth")
    backbone = {name.removeprefix("backbone."): value for name, value in teacher.items() if name.startswith("backbone.")}
    torch.save({"state_dict": backbone}, folder / "ibot-backbone.pth")


def blocks(kind, count):
    weights = {}
    for index in range(count):
        block = linear("attn.qkv", 3 * DECODER, DECODER) | linear("attn.proj", DECODER, DECODER)
        block |= linear("mlp.fc1", 4 * DECODER, DECODER) | linear("mlp.fc2", DECODER, 4 * DECODER)
        for norm in ["norm1.bn.", "norm2.bn."]:
            state = torch.nn.BatchNorm1d(DECODER).state_dict()
            block |= {norm + name: numbers(*value.shape) if value.shape else torch.tensor(12) for name, value in state.items()}
        weights |= renamed(f"{kind}.{index}.", block)
    return weights


def write_siamese_im(folder, image, features):
    weights = {}
    for branch, prefix in [("student", ""), ("teacher", "mm_")]:
        backbone, _ = encoder(image, final_norm=False)
        if prefix:
            backbone["pos_embed"] = weights["pos_embed"]
        network = VisionTransformer(**SIZES, final_norm=False).eval()
        network.load_state_dict(backbone, strict=True)
        with torch.no_grad():
            features["siamese-im." + branch] = network.forward_features(image)[:, 1:].contiguous()
        own = {name: value for name, value in backbone.items() if not (prefix and name == "pos_embed")}
        own |= linear("decoder_embed", DECODER, WIDTH) | {"mask_token": numbers(1, 1, DECODER)} | blocks("projector_decoder_blocks", 1)
        weights |= renamed(prefix, own)
    weights |= linear("decoder_pos_mlp", DECODER, 2 * DECODER) | linear("decoder_pred", DECODER, DECODER)
    weights |= {"decoder_pos_embed": numbers(1, 5, DECODER)} | blocks("predictor_decoder_blocks", 1)
    save_file({name: value.float().contiguous() for name, value in weights.items()}, folder / "siamese-im.safetensors")
    torch.save({"model": weights, "optimizer": optimizer(), "epoch": 1599, "scaler": {"scale": 65536.0}, "args": argparse.Namespace(lr=1e-4)},
               folder / "siamese-im.pth")


if __name__ == "__main__":
    folder, image = pathlib.Path(sys.argv[1]), numbers(1, 3, 4, 4)
    features = {"image": image}
    write_ibot(folder, image, features)
    write_siamese_im(folder, image, features)
    save_file(features, folder / "features.safetensors")
