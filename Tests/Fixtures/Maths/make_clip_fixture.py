"""Writes a small VideoMAE, a V2 and an MGMAE in PyTorch, with one forward and backward pass and ten AdamW steps, into safetensors files beside this script.

Run with PyTorch and safetensors installed:  python make_clip_fixture.py [NAME...]
Arrays: param.NAME, input.frames [batch, 3, frames, height, width] (normalised), input.visible, in V2 input.decoded (ascending), out.latent, out.pred, out.loss,
grad.NAME, train.losses, train.norms, after.NAME. Of MGMAE the clips are input.clip, and out.mask has 1 for a hidden patch.
The model is written with PyTorch's functional API on a dictionary of parameters, in float64; values are rounded to float32 at the end.
One patch of each clip has a channel of one value, whose target is 0.
"""
import math
import sys

import torch
import torch.nn.functional as F

from training import train, write

SMALL = dict(height=4, width=6, patch=2, frames=4, tubelet=2, dim=8, depth=1, heads=2, ddim=6, ddepth=1, dheads=1, ratio=0.7, batch=2)
CASES = {
    "videomae-small": dict(SMALL, recipe="videomae", seed=21),
    "videomae-v2-small": dict(SMALL, recipe="videomae-v2", width=8, batch=3, ratio=0.8, starts=[1, 2, 0], dim=12, ddim=8, mlp=3.7, clip=0.05, seed=22),
}
CASES["mgmae-small"] = dict(SMALL, recipe="mgmae", height=8, frames=6, seed=23)
MEAN, DEVIATION = (torch.tensor(v, dtype=torch.float64).view(3, 1, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


def sinusoid(count, width):
    """Position table over flat token numbers, sine and cosine in turn."""
    rows = [[(math.cos if j % 2 else math.sin)(n / 10000 ** (j // 2 * 2 / width)) for j in range(width)] for n in range(count)]
    return torch.tensor(rows, dtype=torch.float32).double()


def block_shapes(name, width, ratio):
    hidden = int(width * ratio)
    norms = {f"{name}norm{i}.{part}": (width,) for i in (1, 2) for part in ("weight", "bias")}
    attention = {"attn.qkv.weight": (3 * width, width), "attn.q_bias": (width,), "attn.v_bias": (width,)}
    attention |= {"attn.proj.weight": (width, width), "attn.proj.bias": (width,)}
    mlp = {"mlp.fc1.weight": (hidden, width), "mlp.fc1.bias": (hidden,), "mlp.fc2.weight": (width, hidden), "mlp.fc2.bias": (width,)}
    return norms | {name + key: shape for key, shape in (attention | mlp).items()}


class Model:
    def __init__(self, config):
        self.config = config
        u, p, dim, ddim = (config[key] for key in ("tubelet", "patch", "dim", "ddim"))
        self.places = (config["height"] // p) * (config["width"] // p)
        self.count = config["frames"] // u * self.places
        shapes = {"encoder.patch_embed.proj.weight": (dim, 3, u, p, p), "encoder.patch_embed.proj.bias": (dim,)}
        for i in range(config["depth"]):
            shapes |= block_shapes(f"encoder.blocks.{i}.", dim, config.get("mlp", 4))
        shapes |= {"encoder.norm.weight": (dim,), "encoder.norm.bias": (dim,), "encoder_to_decoder.weight": (ddim, dim), "mask_token": (1, 1, ddim)}
        for i in range(config["ddepth"]):
            shapes |= block_shapes(f"decoder.blocks.{i}.", ddim, config.get("mlp", 4))
        shapes |= {"decoder.norm.weight": (ddim,), "decoder.norm.bias": (ddim,)}
        shapes |= {"decoder.head.weight": (3 * u * p * p, ddim), "decoder.head.bias": (3 * u * p * p,)}
        # Float32 values in float64 arithmetic: what is written is exactly what was used.
        self.parameters = {}
        for name, shape in shapes.items():
            value = torch.randn(shape) * 0.15 + (1 if "norm" in name and name.endswith("weight") else 0)
            self.parameters[name] = value.double().requires_grad_()

    def linear(self, name, x):
        return F.linear(x, self.parameters[name + ".weight"], self.parameters.get(name + ".bias"))

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.parameters[name + ".weight"], self.parameters[name + ".bias"], 1e-6)

    def block(self, name, x, heads):
        q, k, v = self.linear(name + "attn.qkv", self.norm(name + "norm1", x)).chunk(3, -1)
        q, v = q + self.parameters[name + "attn.q_bias"], v + self.parameters[name + "attn.v_bias"]
        q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
        weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1)
        x = x + self.linear(name + "attn.proj", (weights @ v).transpose(1, 2).flatten(2))
        return x + self.linear(name + "mlp.fc2", F.gelu(self.linear(name + "mlp.fc1", self.norm(name + "norm2", x))))

    def targets(self, frames):
        """Levels from 0 to 1 of each patch [batch, count, pixels, 3], each channel by itself without its mean and over its deviation."""
        u, p = self.config["tubelet"], self.config["patch"]
        x = (frames * DEVIATION + MEAN).unfold(2, u, u).unfold(3, p, p).unfold(4, p, p)
        x = x.permute(0, 2, 3, 4, 5, 6, 7, 1).reshape(len(frames), self.count, u * p * p, 3)
        return ((x - x.mean(2, keepdim=True)) / (x.var(2, keepdim=True).sqrt() + 1e-6)).flatten(2)

    def __call__(self, frames, visible, decoded):
        c = self.config
        take = lambda x, index: torch.stack([own[rows] for own, rows in zip(x.expand(len(index), -1, -1), index)])
        size = (c["tubelet"], c["patch"], c["patch"])
        x = F.conv3d(frames, self.parameters["encoder.patch_embed.proj.weight"], self.parameters["encoder.patch_embed.proj.bias"], stride=size)
        x = take(x.flatten(2).transpose(1, 2) + sinusoid(self.count, c["dim"]), visible)
        for i in range(c["depth"]):
            x = self.block(f"encoder.blocks.{i}.", x, c["heads"])
        latent = self.norm("encoder.norm", x)
        table = sinusoid(self.count, c["ddim"])[None]
        seen = self.linear("encoder_to_decoder", latent) + take(table, visible)
        x = torch.cat([seen, self.parameters["mask_token"] + take(table, decoded)], 1)
        for i in range(c["ddepth"]):
            x = self.block(f"decoder.blocks.{i}.", x, c["dheads"])
        prediction = self.linear("decoder.head", self.norm("decoder.norm", x[:, visible.shape[1] :]))
        hidden = torch.stack([torch.tensor([i not in seen for i in own]) for own, seen in zip(decoded.tolist(), visible.tolist())])
        loss = (prediction - take(self.targets(frames), decoded)).square().mean(-1)[hidden].mean()
        return latent, prediction, loss


def make(name, config):
    torch.manual_seed(config["seed"])
    model = Model(config)
    frames = torch.randn(config["batch"], 3, config["frames"], config["height"], config["width"])
    frames[:, 1, : config["tubelet"], : config["patch"], : config["patch"]] = 0.3
    keep = model.places - int(config["ratio"] * model.places)
    steps = range(config["frames"] // config["tubelet"])
    if config["recipe"] == "mgmae":  # other places in every step
        places = [[torch.randperm(model.places)[: int(model.places * (1 - config["ratio"]))].sort().values for _ in steps] for _ in range(config["batch"])]
    else:
        places = [[torch.randperm(model.places)[:keep].sort().values] * len(steps) for _ in range(config["batch"])]
    visible = torch.stack([torch.cat([own[step] + step * model.places for step in steps]) for own in places])
    if "starts" in config:  # V2: of each cell of four places two, which move on before every step
        columns = config["width"] // config["patch"]
        queue = lambda start, t, i: (2 * (i // columns % 2) + i % columns % 2 + start + t + 1) % 4
        cells = [[t * model.places + i for t in steps for i in range(model.places) if queue(start, t, i) >= 2] for start in config["starts"]]
        decoded = torch.tensor(cells)
    else:
        decoded = torch.stack([torch.tensor([i for i in range(model.count) if i not in own]) for own in visible.tolist()])
    inputs = (frames.double(), visible, decoded)
    arrays = {"param." + key: value.detach().clone() for key, value in model.parameters.items()}
    if config["recipe"] == "mgmae":
        arrays |= {"input.clip": frames, "out.mask": torch.ones(len(frames), model.count, dtype=torch.long).scatter(1, visible, 0)}
    else:
        arrays |= {"input.frames": frames, "input.visible": visible} | ({"input.decoded": decoded} if "starts" in config else {})

    latent, prediction, loss = model(*inputs)
    loss.backward()
    arrays |= {"out.latent": latent, "out.pred": prediction, "out.loss": loss.reshape(1)}
    arrays |= {"grad." + key: value.grad.clone() for key, value in model.parameters.items()}

    arrays |= train(model, inputs, lambda key, value: value.ndim > 1 and key != "mask_token", config.get("clip", math.inf))
    write(name, config, arrays)


for name in sys.argv[1:] or CASES:
    make(name, CASES[name])
