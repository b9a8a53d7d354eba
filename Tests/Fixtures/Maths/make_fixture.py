"""Writes siammae-small.safetensors: a small SiamMAE in PyTorch, with one forward and backward pass and ten AdamW steps.

Run with PyTorch and safetensors installed:  python make_fixture.py
Arrays: param.NAME, input.f1, input.f2 (normalised images), input.keep (visible patches), out.memory, out.latent, out.pred, out.loss,
grad.NAME, train.losses, after.NAME; positions.HxW: the position table interpolated bicubically as DINO does.
The model is written with PyTorch's functional API on a dictionary of parameters, in float64; values are rounded to float32 at the end.
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

config = dict(image=12, patch=4, dim=8, depth=1, heads=2, ddim=4, ddepth=1, dheads=1, keep=2, batch=2, seed=11)
image, patch, dim, ddim, batch = (config[key] for key in ("image", "patch", "dim", "ddim", "batch"))
grid, pixels = image // patch, 3 * patch * patch
torch.manual_seed(config["seed"])


def positions(width):
    """Sine-cosine table [1 + grid * grid, width], the column of the patch first, zeros for CLS."""
    rows = [[0.0] * width]
    frequencies = [10000 ** (-4 * i / width) for i in range(width // 4)]
    for y in range(grid):
        for x in range(grid):
            rows.append([f(p * w) for p in (x, y) for f in (math.sin, math.cos) for w in frequencies])
    return torch.tensor(rows, dtype=torch.float32).double()


def linear_shapes(name, fan_in, fan_out):
    return {name + ".weight": (fan_out, fan_in), name + ".bias": (fan_out,)}


def norm_shapes(name, width):
    return {name + ".weight": (width,), name + ".bias": (width,)}


def block_shapes(name, width):
    return (
        norm_shapes(name + "norm1", width) | linear_shapes(name + "attn.qkv", width, 3 * width) | linear_shapes(name + "attn.proj", width, width)
        | norm_shapes(name + "norm2", width) | linear_shapes(name + "mlp.fc1", width, 4 * width) | linear_shapes(name + "mlp.fc2", 4 * width, width)
    )


def cross_shapes(name, width):
    return (
        norm_shapes(name + "norm_q", width) | norm_shapes(name + "norm_kv", width) | linear_shapes(name + "cross_attn.q", width, width)
        | linear_shapes(name + "cross_attn.kv", width, 2 * width) | linear_shapes(name + "cross_attn.proj", width, width)
    )


shapes = {"cls_token": (1, 1, dim), "patch_embed.proj.weight": (dim, 3, patch, patch), "patch_embed.proj.bias": (dim,)}
for i in range(config["depth"]):
    shapes |= block_shapes(f"blocks.{i}.", dim)
shapes |= norm_shapes("norm", dim) | linear_shapes("decoder_embed", dim, ddim) | {"mask_token": (1, 1, ddim)}
for i in range(config["ddepth"]):
    shapes |= cross_shapes(f"decoder_blocks.{i}.", ddim) | block_shapes(f"decoder_blocks.{i}.", ddim)
shapes |= norm_shapes("decoder_norm", ddim) | linear_shapes("decoder_pred", ddim, pixels)

# Float32 values in float64 arithmetic: what is written is exactly what was used.
parameters = {}
for name, shape in shapes.items():
    value = torch.randn(shape) * 0.15
    if "norm" in name and name.endswith("weight"):
        value += 1
    parameters[name] = value.double().requires_grad_()


def linear(name, x):
    return F.linear(x, parameters[name + ".weight"], parameters[name + ".bias"])


def norm(name, x):
    return F.layer_norm(x, x.shape[-1:], parameters[name + ".weight"], parameters[name + ".bias"], 1e-6)


def attend(q, k, v, heads):
    split = lambda t: t.unflatten(-1, (heads, -1)).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1)
    return (weights @ v).transpose(1, 2).flatten(2)


def block(name, x, heads):
    x = x + linear(name + "attn.proj", attend(*linear(name + "attn.qkv", norm(name + "norm1", x)).chunk(3, -1), heads))
    return x + linear(name + "mlp.fc2", F.gelu(linear(name + "mlp.fc1", norm(name + "norm2", x))))


def encode(frames, keep=None):
    x = F.conv2d(frames, parameters["patch_embed.proj.weight"], parameters["patch_embed.proj.bias"], stride=patch).flatten(2).transpose(1, 2)
    x = x + positions(dim)[1:]
    if keep is not None:
        x = torch.stack([tokens[own] for tokens, own in zip(x, keep)])
    x = torch.cat([parameters["cls_token"].expand(len(x), 1, dim), x], 1)
    for i in range(config["depth"]):
        x = block(f"blocks.{i}.", x, config["heads"])
    return norm("norm", x)


def model(f1, f2, keep):
    memory, latent = encode(f1), encode(f2, keep)
    m, visible = linear("decoder_embed", memory) + positions(ddim), linear("decoder_embed", latent)
    rows = []
    for tokens, own in zip(visible, keep):
        row = [parameters["mask_token"][0, 0]] * (1 + grid * grid)
        row[0] = tokens[0]
        for index, where in enumerate(own.tolist()):
            row[1 + where] = tokens[1 + index]
        rows.append(torch.stack(row))
    x = torch.stack(rows) + positions(ddim)
    for i in range(config["ddepth"]):
        name = f"decoder_blocks.{i}."
        q = linear(name + "cross_attn.q", norm(name + "norm_q", x))
        k, v = linear(name + "cross_attn.kv", norm(name + "norm_kv", m)).chunk(2, -1)
        x = x + linear(name + "cross_attn.proj", attend(q, k, v, config["dheads"]))
        x = block(name, x, config["dheads"])
    prediction = linear("decoder_pred", norm("decoder_norm", x))[:, 1:]

    target = f2.unfold(2, patch, patch).unfold(3, patch, patch).permute(0, 2, 3, 4, 5, 1).reshape(batch, grid * grid, pixels)
    target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
    hidden = torch.ones(batch, grid * grid, dtype=torch.bool).scatter(1, keep, False)
    loss = ((prediction - target) ** 2).mean(-1)[hidden].mean()
    return memory, latent, prediction, loss


f1, f2 = torch.randn(batch, 3, image, image), torch.randn(batch, 3, image, image)
keep = torch.stack([torch.randperm(grid * grid)[: config["keep"]] for _ in range(batch)])
arrays = {"param." + name: value.detach().clone() for name, value in parameters.items()} | {"input.f1": f1, "input.f2": f2, "input.keep": keep}

memory, latent, prediction, loss = model(f1.double(), f2.double(), keep)
loss.backward()
arrays |= {"out.memory": memory, "out.latent": latent, "out.pred": prediction, "out.loss": loss.reshape(1)}
arrays |= {"grad." + name: value.grad.clone() for name, value in parameters.items()}

groups = [
    {"params": [p for p in parameters.values() if p.ndim > 1], "weight_decay": 0.05},
    {"params": [p for p in parameters.values() if p.ndim == 1], "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
losses = []
for _ in range(10):
    optimizer.zero_grad()
    loss = model(f1.double(), f2.double(), keep)[-1]
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
arrays |= {"train.losses": torch.tensor(losses)} | {"after." + name: value for name, value in parameters.items()}

for height, width in ((3, 5), (6, 4)):
    table = positions(dim)[1:].float().reshape(1, grid, grid, dim).permute(0, 3, 1, 2)
    table = F.interpolate(table, scale_factor=((height + 0.1) / grid, (width + 0.1) / grid), mode="bicubic")
    assert table.shape[2:] == (height, width)
    arrays[f"positions.{height}x{width}"] = torch.cat([positions(dim)[:1].float(), table[0].permute(1, 2, 0).reshape(-1, dim)])

arrays = {name: value.detach().contiguous() if value.dtype == torch.int64 else value.detach().float().contiguous() for name, value in arrays.items()}
target = pathlib.Path(__file__).parent / "siammae-small.safetensors"
save_file(arrays, target, metadata={"config": json.dumps(config)})
print(target.stat().st_size, "bytes, losses", losses[0], "to", losses[-1])
