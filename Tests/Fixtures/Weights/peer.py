"""PyTorch and timm as peers of Tandem's files of weights.

    peer.py write FOLDER                        writes small files with torch.save, and what they hold as safetensors
    peer.py kinds FOLDER                        writes tensors of every kind, what those hold that are read, and why others are not
    peer.py readable FOLDER                     prints the names of the files that the safetensors library reads
    peer.py features WEIGHTS CALL INPUT OUTPUT  loads WEIGHTS strictly into the timm model that CALL makes; features of INPUT's `image`
    peer.py random CALL OUTPUT.pth              saves a timm model with random weights, CLS and positions included

The committed files beside this script were made by `peer.py write .` with torch 2.13.0. `make peers` installs what it needs.
"""

import argparse
import collections
import json
import os
import pathlib
import sys

import torch
from safetensors import SafetensorError, deserialize
from safetensors.torch import load_file, save_file


def encoder(width=8, depth=2, patch=4, grid=3, decoder=0, seed=0):
    """A state dict of a vision transformer in MAE's names."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"cls_token": (1, 1, width), "pos_embed": (1, 1 + grid * grid, width), "patch_embed.proj.weight": (width, 3, patch, patch),
              "patch_embed.proj.bias": (width,), "norm.weight": (width,), "norm.bias": (width,)}
    blocks = [("blocks", i, width) for i in range(depth)] + ([("decoder_blocks", 0, decoder)] if decoder else [])
    for kind, index, size in blocks:
        block = {"norm1": (), "attn.qkv": (3 * size, size), "attn.proj": (size, size), "norm2": (), "mlp.fc1": (4 * size, size),
                 "mlp.fc2": (size, 4 * size)}
        for name, shape in block.items():
            shapes[f"{kind}.{index}.{name}.weight"] = shape or (size,)
            shapes[f"{kind}.{index}.{name}.bias"] = (shape[0] if shape else size,)
    if decoder:
        shapes |= {"mask_token": (1, 1, decoder), "decoder_pos_embed": (1, 1 + grid * grid, decoder),
                   "decoder_embed.weight": (decoder, width), "decoder_embed.bias": (decoder,)}
    return collections.OrderedDict((name, torch.randn(shape, generator=generator)) for name, shape in shapes.items())


def renamed(prefix, weights):
    return collections.OrderedDict((prefix + name, value) for name, value in weights.items())


def zoo():
    """Tensors of every type and layout."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8 - 1
    tensors = {"whole": base, "transposed": base.t(), "rows": base[1:3], "columns": base[:, 2:5], "steps": base[::2, ::3],
               "permuted": base.reshape(2, 3, 4).permute(2, 0, 1), "scalar": torch.tensor(2.5), "empty": torch.empty(0, 3),
               "expanded": torch.tensor([1.0, 2.0])[:, None].expand(2, 5), "parameter": torch.nn.Parameter(base[3:])}
    for kind in ["float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"]:
        tensors[kind] = (base.abs() * 8).to(getattr(torch, kind))
    tensors["bool"] = base > 0
    return tensors


class Hostile:
    """Python runs a command when it unpickles this."""

    def __reduce__(self):
        return os.system, ("echo a file of weights ran this",)


def expected(path, weights):
    save_file({name: value.detach().to(torch.float32).contiguous().clone() for name, value in weights.items()}, str(path))


def write(folder):
    tensors = zoo()
    torch.save(tensors, folder / "zoo.pth")
    torch.save(tensors, folder / "zoo-old.pth", _use_new_zipfile_serialization=False)
    expected(folder / "zoo.safetensors", tensors)

    weights = encoder()
    expected(folder / "encoder.safetensors", weights)
    state = {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(8), "exp_avg_sq": torch.ones(8)}}
    groups = [{"lr": 1e-4, "betas": (0.9, 0.95), "params": [0], "weight_decay": 0.05}]
    torch.save({"model": weights | encoder(decoder=4), "optimizer": {"state": state, "param_groups": groups}, "epoch": 799,
                "scaler": {"scale": 65536.0, "growth_factor": 2.0},
                "args": argparse.Namespace(lr=1e-4, output_dir=pathlib.PurePosixPath("out"), shape=torch.Size([2, 3]))},
               folder / "mae.pth")
    torch.save({"student": renamed("module.backbone.", encoder(seed=1)) | {"module.head.mlp.0.weight": torch.ones(2, 8)},
                "teacher": renamed("backbone.", weights) | {"head.mlp.0.weight": torch.ones(2, 8)}, "epoch": 100}, folder / "dino.pth")
    torch.save({"state_dict": renamed("module.", weights) | {"module.head.weight": torch.ones(2, 8)}}, folder / "timm.pth")
    torch.save(renamed("encoder.", weights), folder / "encoder.pth", pickle_protocol=4)
    torch.save(weights, folder / "encoder-old.pth", _use_new_zipfile_serialization=False)

    torch.save({"model": {"cls_token": torch.zeros(1)}, "extra": Hostile()}, folder / "hostile.pth")


def kinds():
    """Tensors that are read, with what torch.load gives of them, and others that are not, with the word that their refusal holds."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8 - 1
    negated = torch.complex(torch.zeros_like(base), -base).conj().imag
    assert negated.is_neg() and torch.equal(negated, base)
    tagged = base.clone()
    tagged.tag = "a tensor with an attribute"
    parameter = torch.nn.Parameter(base[1:].clone())
    parameter.tag = "a parameter with an attribute"
    read = {"negated": negated, "negated view": negated[1:, ::2].t(), "negated parameter": torch.nn.Parameter(negated),
            "negated twice": torch._neg_view(negated), "negative zero": torch._neg_view(torch.tensor([0.0, -0.0])),
            "tagged": tagged, "parameter": parameter, "shared": base, "shared view": base[2:, 1:4], "scalar": negated[3, 5]}
    for kind in [torch.float64, torch.float16, torch.bfloat16]:
        read[f"negated {kind}"] = torch._neg_view(base.to(kind))
    refused = {"complex": (base.to(torch.complex64), "ComplexFloatStorage"), "conjugate": (base.to(torch.complex64).conj(), "conj"),
               "negated int64": (torch._neg_view(base.to(torch.int64)), "I64 with the metadata 'neg'"),
               "float8": (base.to(torch.float8_e4m3fn), "F8_E4M3"), "float8 e5m2": (base.to(torch.float8_e5m2), "F8_E5M2"),
               "uint16": (base.abs().to(torch.uint16), "U16"), "sparse": (base.to_sparse(), "a sparse tensor"),
               "sparse rows": (base.to_sparse_csr(), "a sparse tensor"), "meta": (base.to("meta"), "a meta tensor without numbers"),
               "quantized": (torch.quantize_per_tensor(base, 0.1, 0, torch.qint8), "a quantized tensor"),
               "quantized rows": (torch.quantize_per_channel(base, torch.ones(4), torch.zeros(4), 0, torch.quint8), "a quantized tensor"),
               "nested": (torch.nested.nested_tensor([base[0], base[1, :3]]), "a nested tensor"),
               "repeated": (torch.ones(1).expand(3000, 1000), "repeats 1 elements 3000000 times"),
               "numpy": (base.numpy(), "a NumPy array")}
    return read, refused


def write_kinds(folder):
    read, refused = kinds()
    torch.save(read | {name: tensor for name, (tensor, _) in refused.items()}, folder / "kinds.pth")
    torch.save(read, folder / "kinds-old.pth", _use_new_zipfile_serialization=False)
    loaded = torch.load(folder / "kinds-old.pth", weights_only=True)
    expected(folder / "kinds.safetensors", {name: loaded[name].resolve_neg() for name in read})
    (folder / "kinds.json").write_text(json.dumps({name: word for name, (_, word) in refused.items()}))


def print_readable(folder):
    for path in sorted(folder.iterdir()):
        try:
            deserialize(path.read_bytes())
            print(path.name)
        except SafetensorError:
            pass


def model(call):
    import timm

    return eval(call, {"timm": timm}).eval()


def features(weights, call, source, output):
    network = model(call)
    network.load_state_dict(load_file(weights), strict=True)
    with torch.no_grad():
        tokens = network.forward_features(load_file(source)["image"])
    save_file({"features": tokens[:, 1:].contiguous()}, output)


def random(call, output):
    network = model(call)
    torch.manual_seed(5)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(1 + 0.1 * torch.randn_like(parameter) if "norm" in name and name.endswith("weight")
                            else 0.05 * torch.randn_like(parameter))
    torch.save({"state_dict": network.state_dict(), "epoch": 3, "arch": "vit"}, output)


if __name__ == "__main__":
    command, arguments = sys.argv[1], sys.argv[2:]
    commands = {"write": lambda folder: write(pathlib.Path(folder)), "kinds": lambda folder: write_kinds(pathlib.Path(folder)),
                "readable": lambda folder: print_readable(pathlib.Path(folder)), "features": features, "random": random}
    commands[command](*arguments)
