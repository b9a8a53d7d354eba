"""Writes small SiamMAEs and an MAE in PyTorch, each with one forward and backward pass and ten AdamW steps, into safetensors files beside
this script.

Run with PyTorch and safetensors installed:  python make_fixture.py [NAME...]
Arrays of a SiamMAE: param.NAME, input.f1, input.f2 (normalised images), input.keep (visible patches of f2), input.keep1 (of f1, where that is
masked too), out.memory, out.latent (siamese encoders only), out.pred, out.loss, grad.NAME, train.losses, after.NAME;
of one with several past or future frames they are input.f1, f2, f3 and so on in the order of time, the visible patches of several future frames
input.keep2, keep3 and so on by the numbers of their frames, and out.* all frames of the first sample, then all of the second; of an MAE input.frames and no out.memory, but train.norms, the lengths of the gradients;
in siammae-small positions.HxW: the position table interpolated bicubically as DINO does.
The model is written with PyTorch's functional API on a dictionary of parameters, in float64; values are rounded to float32 at the end.
"""
import math
import sys

import torch
import torch.nn.functional as F

from training import train, write

SMALL = dict(image=12, patch=4, dim=8, depth=1, heads=2, ddim=4, ddepth=1, dheads=1, keep=2, batch=2, seed=11)
TINY = dict(image=6, patch=2, dim=8, depth=1, heads=2, ddim=4, ddepth=2, dheads=1, keep=3, batch=2)
SEVERAL = dict(SMALL, dim=12, ddim=8, dheads=2)
CASES = {
    "siammae-small": SMALL,
    "siammae-cross-symmetric": dict(TINY, seed=12, encoder="siamese", decoder="cross", keep1=4),
    "siammae-joint-encoder": dict(TINY, seed=13, encoder="joint", decoder="cross-self", ddepth=1, batch=3),
    "siammae-joint-symmetric": dict(TINY, seed=14, encoder="joint", decoder="joint", keep1=5),
    "siammae-futures": dict(SEVERAL, seed=16, futures=3),
    "siammae-futures-joint": dict(SEVERAL, seed=17, futures=2, decoder="joint", keep1=4),
    "siammae-pasts": dict(SEVERAL, seed=18, pasts=2, ddepth=2),
    "siammae-pasts-cross": dict(SEVERAL, seed=19, pasts=3, decoder="cross", keep1=5),
    "siammae-pasts-joint": dict(SEVERAL, seed=20, pasts=2, decoder="joint"),
    "mae-small": dict(TINY, recipe="mae", seed=15, decoder="self", ratio=0.6, normalize=False),
}


def positions(width, grid):
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


def attention_shapes(name, width):
    return norm_shapes(name + "norm1", width) | linear_shapes(name + "attn.qkv", width, 3 * width) | linear_shapes(name + "attn.proj", width, width)


def mlp_shapes(name, width):
    return (
        norm_shapes(name + "norm2", width) | linear_shapes(name + "mlp.fc1", width, 4 * width) | linear_shapes(name + "mlp.fc2", 4 * width, width)
    )


def cross_shapes(name, width):
    return (
        norm_shapes(name + "norm_q", width) | norm_shapes(name + "norm_kv", width) | linear_shapes(name + "cross_attn.q", width, width)
        | linear_shapes(name + "cross_attn.kv", width, 2 * width) | linear_shapes(name + "cross_attn.proj", width, width)
    )


class Model:
    def __init__(self, config):
        self.encoder, self.decoder = config.get("encoder", "siamese"), config.get("decoder", "cross-self")
        self.heads, self.dheads, self.patch = config["heads"], config["dheads"], config["patch"]
        self.depth, self.ddepth = config["depth"], config["ddepth"]
        grid, pixels = config["image"] // self.patch, 3 * self.patch**2
        dim, ddim = config["dim"], config["ddim"]
        self.count, self.normalizes = grid * grid, config.get("normalize", True)
        self.positions, self.decoder_positions = positions(dim, grid), positions(ddim, grid)
        shapes = {"cls_token": (1, 1, dim), "patch_embed.proj.weight": (dim, 3, self.patch, self.patch), "patch_embed.proj.bias": (dim,)}
        for i in range(self.depth):
            shapes |= attention_shapes(f"blocks.{i}.", dim) | mlp_shapes(f"blocks.{i}.", dim)
        shapes |= norm_shapes("norm", dim) | linear_shapes("decoder_embed", dim, ddim) | {"mask_token": (1, 1, ddim)}
        for i in range(self.ddepth):
            name = f"decoder_blocks.{i}."
            shapes |= cross_shapes(name, ddim) if self.decoder.startswith("cross") else {}
            shapes |= attention_shapes(name, ddim) if self.decoder != "cross" else {}
            shapes |= mlp_shapes(name, ddim)
        shapes |= norm_shapes("decoder_norm", ddim) | linear_shapes("decoder_pred", ddim, pixels)
        shapes |= {"frame_embed": (1, 2, dim)} if self.encoder == "joint" else {}
        shapes |= {"decoder_frame_embed": (1, 2, ddim)} if self.decoder == "joint" else {}

        # Float32 values in float64 arithmetic: what is written is exactly what was used.
        self.parameters = {}
        for name, shape in shapes.items():
            value = torch.randn(shape) * 0.15
            if "norm" in name and name.endswith("weight"):
                value += 1
            self.parameters[name] = value.double().requires_grad_()

    def linear(self, name, x):
        return F.linear(x, self.parameters[name + ".weight"], self.parameters[name + ".bias"])

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.parameters[name + ".weight"], self.parameters[name + ".bias"], 1e-6)

    @staticmethod
    def attend(q, k, v, heads):
        split = lambda t: t.unflatten(-1, (heads, -1)).transpose(1, 2)
        q, k, v = split(q), split(k), split(v)
        weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1)
        return (weights @ v).transpose(1, 2).flatten(2)

    def self_attention(self, name, x, heads):
        return x + self.linear(name + "attn.proj", self.attend(*self.linear(name + "attn.qkv", self.norm(name + "norm1", x)).chunk(3, -1), heads))

    def cross_attention(self, name, x, memory, heads):
        q = self.linear(name + "cross_attn.q", self.norm(name + "norm_q", x))
        k, v = self.linear(name + "cross_attn.kv", self.norm(name + "norm_kv", memory)).chunk(2, -1)
        return x + self.linear(name + "cross_attn.proj", self.attend(q, k, v, heads))

    def mlp(self, name, x):
        return x + self.linear(name + "mlp.fc2", F.gelu(self.linear(name + "mlp.fc1", self.norm(name + "norm2", x))))

    def tokens(self, frames, keep):
        """The visible patches, embedded and with positions, in the order of keep (all of them where that is None); without CLS."""
        weight, bias = self.parameters["patch_embed.proj.weight"], self.parameters["patch_embed.proj.bias"]
        x = F.conv2d(frames, weight, bias, stride=self.patch).flatten(2).transpose(1, 2) + self.positions[1:]
        return x if keep is None else torch.stack([tokens[own] for tokens, own in zip(x, keep)])

    def transform(self, x):
        x = torch.cat([self.parameters["cls_token"].expand(len(x), 1, -1), x], 1)
        for i in range(self.depth):
            x = self.mlp(f"blocks.{i}.", self.self_attention(f"blocks.{i}.", x, self.heads))
        return self.norm("norm", x)

    def encode(self, pasts, futures, keeps, keeps1):
        """The latents of the past frames and of the future frames; each frame by itself, or one of each together."""
        past, future = ([self.tokens(*own) for own in zip(frames, masks)] for frames, masks in ((pasts, keeps1), (futures, keeps)))
        if self.encoder == "siamese":
            return [self.transform(x) for x in past], [self.transform(x) for x in future]
        frame = self.parameters["frame_embed"][0]
        both = self.transform(torch.cat([past[0] + frame[0], future[0] + frame[1]], 1))
        count = 1 + past[0].shape[1]
        return [both[:, :count]], [torch.cat([both[:, :1], both[:, count:]], 1)]

    def restore(self, latent, keep):
        """All tokens of a frame as the decoder sees them: mask tokens where nothing was visible."""
        embedded = self.linear("decoder_embed", latent)
        if keep is None:
            return embedded + self.decoder_positions
        rows = []
        for tokens, own in zip(embedded, keep):
            row = [self.parameters["mask_token"][0, 0]] * (1 + self.count)
            row[0] = tokens[0]
            for index, where in enumerate(own.tolist()):
                row[1 + where] = tokens[1 + index]
            rows.append(torch.stack(row))
        return torch.stack(rows) + self.decoder_positions

    def decode(self, memories, x):
        """The patches of one future frame from the tokens of the past frames, one after the other, and its own."""
        if self.decoder == "joint":
            frame = self.parameters["decoder_frame_embed"][0]
            x = torch.cat([x[:, :1], *(memory[:, 1:] + frame[0] for memory in memories), x[:, 1:] + frame[1]], 1)
        memory = torch.cat(memories, 1) if memories else None
        for i in range(self.ddepth):
            name = f"decoder_blocks.{i}."
            if self.decoder.startswith("cross"):
                x = self.cross_attention(name, x, memory, self.dheads)
            if self.decoder != "cross":
                x = self.self_attention(name, x, self.dheads)
            x = self.mlp(name, x)
        return self.linear("decoder_pred", self.norm("decoder_norm", x))[:, -self.count :]

    def loss(self, frame, keep, prediction):
        p = self.patch
        target = frame.unfold(2, p, p).unfold(3, p, p).permute(0, 2, 3, 4, 5, 1).reshape(len(frame), self.count, 3 * p * p)
        if self.normalizes:
            target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        hidden = torch.ones(len(frame), self.count, dtype=torch.bool).scatter(1, keep, False)
        return ((prediction - target) ** 2).mean(-1)[hidden].mean()

    def __call__(self, pasts, futures, keeps, keeps1):
        """Lists of frames, and of the patches that are visible of each: latents, predictions, and the mean of the future frames' losses."""
        memories, latents = self.encode(pasts, futures, keeps, keeps1)
        restored = [self.restore(*own) for own in zip(memories, keeps1)]
        predictions = [self.decode(restored, self.restore(*own)) for own in zip(latents, keeps)]
        losses = [self.loss(*own) for own in zip(futures, keeps, predictions)]
        by_sample = lambda frames: torch.stack(frames, 1).flatten(0, 1) if frames else None
        return by_sample(memories), by_sample(latents), by_sample(predictions), torch.stack(losses).mean()


def interpolated(config):
    grid, dim = config["image"] // config["patch"], config["dim"]
    for height, width in ((3, 5), (6, 4)):
        table = positions(dim, grid)[1:].float().reshape(1, grid, grid, dim).permute(0, 3, 1, 2)
        table = F.interpolate(table, scale_factor=((height + 0.1) / grid, (width + 0.1) / grid), mode="bicubic")
        assert table.shape[2:] == (height, width)
        yield f"positions.{height}x{width}", torch.cat([positions(dim, grid)[:1].float(), table[0].permute(1, 2, 0).reshape(-1, dim)])


def make(name, config):
    torch.manual_seed(config["seed"])
    model = Model(config)
    shape = (config["batch"], 3, config["image"], config["image"])
    pasts, futures = (config.get(key, 1) for key in ("pasts", "futures"))
    frames = [torch.randn(shape) for _ in range(pasts + futures)]

    def masks(key, count):
        return [torch.stack([torch.randperm(model.count)[: config[key]] for _ in range(config["batch"])]) if key in config else None for _ in range(count)]

    keeps, keeps1 = masks("keep", futures), masks("keep1", pasts)
    arrays = {"param." + name: value.detach().clone() for name, value in model.parameters.items()}
    is_mae = model.decoder == "self"  # of the last frame by itself
    arrays |= {"input.frames": frames[-1]} if is_mae else {f"input.f{1 + i}": frame for i, frame in enumerate(frames)}
    arrays |= {"input.keep" if futures == 1 else f"input.keep{1 + pasts + i}": keep for i, keep in enumerate(keeps)}
    arrays |= {f"input.keep{1 + i}": keep for i, keep in enumerate(keeps1) if keep is not None}
    doubles = [frame.double() for frame in frames]
    inputs = ([], doubles[1:], keeps, []) if is_mae else (doubles[:pasts], doubles[pasts:], keeps, keeps1)

    memory, latent, prediction, loss = model(*inputs)
    loss.backward()
    arrays |= {"out.memory": memory} if model.encoder == "siamese" and not is_mae else {}
    arrays |= {"out.latent": latent} if model.encoder == "siamese" else {}
    arrays |= {"out.pred": prediction, "out.loss": loss.reshape(1)}
    arrays |= {"grad." + name: value.grad.clone() for name, value in model.parameters.items()}

    steps = train(model, inputs, lambda _, value: value.ndim > 1)
    if not is_mae:
        del steps["train.norms"]
    arrays |= steps
    if name == "siammae-small":
        arrays |= dict(interpolated(config))
    write(name, config, arrays)


for name in sys.argv[1:] or CASES:
    make(name, CASES[name])
