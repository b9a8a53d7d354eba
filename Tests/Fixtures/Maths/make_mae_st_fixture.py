"""Writes a small MAE-ST in PyTorch, with one forward and backward pass and ten AdamW steps, into a safetensors file beside this script.

Run with PyTorch and safetensors installed:  python make_mae_st_fixture.py
Arrays: param.NAME, input.frames [batch, 3, frames, size, size] (normalised), input.keep (not sorted), out.latent, out.pred, out.loss, grad.NAME,
train.losses, train.norms, after.NAME.
Written with PyTorch's functional API on a dictionary of parameters, in float64; values are rounded to float32 at the end. One patch of each
clip is of one value, whose target is 0; no clip shows the places of the last row.
"""
import math

import torch
import torch.nn.functional as F

from training import train, write

CONFIG = dict(
    recipe="mae-st", image=6, patch=2, frames=6, tubelet=2, predicted=3, dim=8, depth=1, heads=2, ddim=6, ddepth=1, dheads=3, ratio=0.8, batch=2,
    clip=0.05, seed=31)
SIZE, PATCH, FRAMES, TUBELET = (CONFIG[key] for key in ("image", "patch", "frames", "tubelet"))
PLACES, STEPS = (SIZE // PATCH) ** 2, FRAMES // TUBELET
SHOWN = [0, 2, 5]  # evenly spaced from 0 to 5, rounded down


def shapes():
    yield "patch_embed.proj.weight", (CONFIG["dim"], 3, TUBELET, PATCH, PATCH)
    yield "patch_embed.proj.bias", (CONFIG["dim"],)
    for prefix, blocks, width in (("", "blocks", CONFIG["dim"]), ("decoder_", "decoder_blocks", CONFIG["ddim"])):
        for name, count in (("cls_token", 1), ("pos_embed_class", 1), ("pos_embed_spatial", PLACES), ("pos_embed_temporal", STEPS)):
            yield prefix + name, (1, count, width)
        for norm in (f"{blocks}.0.norm1", f"{blocks}.0.norm2", prefix + "norm"):
            yield norm + ".weight", (width,)
            yield norm + ".bias", (width,)
        for linear, rows, columns in [(f"attn.{x}", width, width) for x in ("q", "k", "v", "proj")] + [("mlp.fc1", 4 * width, width), ("mlp.fc2", width, 4 * width)]:
            yield f"{blocks}.0.{linear}.weight", (rows, columns)
            yield f"{blocks}.0.{linear}.bias", (rows,)
    yield "mask_token", (1, 1, CONFIG["ddim"])
    for name, rows, columns in (("decoder_embed", CONFIG["ddim"], CONFIG["dim"]), ("decoder_pred", 3 * PATCH * PATCH, CONFIG["ddim"])):
        yield name + ".weight", (rows, columns)
        yield name + ".bias", (rows,)


class Model:
    def __init__(self):
        self.parameters = {}
        for name, shape in shapes():
            value = torch.randn(shape) * 0.15 + (1 if "norm" in name and name.endswith("weight") else 0)
            self.parameters[name] = value.double().requires_grad_()

    def linear(self, name, x):
        return F.linear(x, self.parameters[name + ".weight"], self.parameters[name + ".bias"])

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.parameters[name + ".weight"], self.parameters[name + ".bias"], 1e-6)

    def block(self, name, x, heads):
        y = self.norm(name + "norm1", x)
        q, k, v = (self.linear(f"{name}attn.{part}", y).unflatten(-1, (heads, -1)).transpose(1, 2) for part in "qkv")
        weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1)
        x = x + self.linear(name + "attn.proj", (weights @ v).transpose(1, 2).flatten(2))
        return x + self.linear(name + "mlp.fc2", F.gelu(self.linear(name + "mlp.fc1", self.norm(name + "norm2", x))))

    def positions(self, prefix):
        """[1, 1 + steps * places, width], CLS first."""
        own = [self.parameters[prefix + "pos_embed_" + part] for part in ("class", "temporal", "spatial")]
        return torch.cat([own[0], (own[1][:, :, None] + own[2][:, None]).flatten(1, 2)], 1)

    def __call__(self, frames, keep):
        count = len(frames)
        embedded = F.conv3d(frames, self.parameters["patch_embed.proj.weight"], self.parameters["patch_embed.proj.bias"], stride=(TUBELET, PATCH, PATCH))
        x = torch.cat([self.parameters["cls_token"].expand(count, -1, -1), embedded.flatten(2).transpose(1, 2)], 1) + self.positions("")
        x = torch.stack([own[torch.cat([torch.tensor([0]), 1 + rows])] for own, rows in zip(x, keep)])
        latent = self.norm("norm", self.block("blocks.0.", x, CONFIG["heads"]))[:, 1:]
        rows = [[self.parameters["mask_token"][0, 0]] * (STEPS * PLACES) for _ in range(count)]
        for clip, own in enumerate(self.linear("decoder_embed", latent)):
            for place, token in zip(keep[clip].tolist(), own):
                rows[clip][place] = token
        x = torch.stack([torch.stack([self.parameters["decoder_cls_token"][0, 0]] + own) for own in rows]) + self.positions("decoder_")
        x = self.norm("decoder_norm", self.block("decoder_blocks.0.", x, CONFIG["dheads"]))
        prediction = self.linear("decoder_pred", x)[:, 1:]
        target = frames[:, :, SHOWN].unfold(3, PATCH, PATCH).unfold(4, PATCH, PATCH).permute(0, 2, 3, 4, 5, 6, 1).reshape(count, STEPS * PLACES, -1)
        target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        hidden = torch.ones(count, STEPS * PLACES, dtype=bool).scatter(1, keep, False)
        return latent, prediction, (prediction - target).square().mean(-1)[hidden].mean()


torch.manual_seed(CONFIG["seed"])
model = Model()
frames = torch.randn(CONFIG["batch"], 3, FRAMES, SIZE, SIZE)
frames[:, :, :TUBELET, :PATCH, :PATCH] = 0.3
seen = [i for i in range(STEPS * PLACES) if i % PLACES < PLACES - SIZE // PATCH]
keep = torch.stack([torch.tensor(seen)[torch.randperm(len(seen))[: int(STEPS * PLACES * (1 - CONFIG["ratio"]))]] for _ in range(CONFIG["batch"])])
arrays = {"param." + key: value.detach().clone() for key, value in model.parameters.items()}
arrays |= {"input.frames": frames, "input.keep": keep}
latent, prediction, loss = model(frames.double(), keep)
loss.backward()
arrays |= {"out.latent": latent, "out.pred": prediction, "out.loss": loss.reshape(1)}
arrays |= {"grad." + key: value.grad.clone() for key, value in model.parameters.items()}
arrays |= train(model, (frames.double(), keep), lambda key, value: value.ndim > 1, CONFIG["clip"])
write("mae-st-small", CONFIG, arrays)
