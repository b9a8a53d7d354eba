"""Prints what CLS and the sixth patch look at in the last layer of encoder.safetensors, head by head, in float64: the numbers of
EncoderTests. Run with PyTorch and safetensors installed:  python attention.py
"""

import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

HEADS, WIDTH, CELLS = 2, 8, 9

weights = {name: value.double() for name, value in load_file(str(pathlib.Path(__file__).parent / "encoder.safetensors")).items()}


def linear(name, x):
    return F.linear(x, weights[name + ".weight"], weights[name + ".bias"])


def norm(name, x):
    return F.layer_norm(x, (WIDTH,), weights[name + ".weight"], weights[name + ".bias"], 1e-6)


image = ((torch.arange(3 * 12 * 12) % 7) - 3).double().reshape(1, 3, 12, 12)
x = F.conv2d(image, weights["patch_embed.proj.weight"], weights["patch_embed.proj.bias"], stride=4).flatten(2).transpose(1, 2)
x = torch.cat([weights["cls_token"], x], 1) + weights["pos_embed"]
for block in ("blocks.0.", "blocks.1."):
    qkv = linear(block + "attn.qkv", norm(block + "norm1", x)).reshape(1, 1 + CELLS, 3, HEADS, WIDTH // HEADS)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    attention = (q @ k.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5).softmax(-1)
    x = x + linear(block + "attn.proj", (attention @ v).transpose(1, 2).reshape(1, 1 + CELLS, WIDTH))
    x = x + linear(block + "mlp.fc2", F.gelu(linear(block + "mlp.fc1", norm(block + "norm2", x))))
for token in (0, 6):
    for head in range(HEADS):
        print(token, head, [round(value, 6) for value in attention[0, head, token, 1:].tolist()])
