"""A training step of SiamMAE in PyTorch, timed: what `tandem bench step` is compared with.

ViT-S/16 with MAE's decoder (512 wide, 8 blocks, 16 heads), 95 % of the future frame hidden, as PyTorch's users would write it: one linear
map for q, k and v, scaled_dot_product_attention, fused AdamW, autocast for bf16. Prints one JSON object with the fastest step's rate and
the most memory that the process took. Run with PyTorch installed:  python train_step.py --precision bf16 --compile
"""
import argparse
import contextlib
import json
import resource
import time

import torch
import torch.nn.functional as F
from torch import nn

IMAGE, PATCH, WIDTH, DEPTH, HEADS = 224, 16, 384, 12, 6
DECODER_WIDTH, DECODER_DEPTH, DECODER_HEADS = 512, 8, 16
PATCHES = (IMAGE // PATCH) ** 2
VISIBLE = int(PATCHES * 0.05)


def heads_of(x, heads):
    batch, tokens, width = x.shape
    return x.view(batch, tokens, heads, width // heads).transpose(1, 2)


def attend(q, k, v, heads):
    y = F.scaled_dot_product_attention(heads_of(q, heads), heads_of(k, heads), heads_of(v, heads))
    return y.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        return self.proj(attend(*self.qkv(x).chunk(3, dim=-1), self.heads))


class CrossAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.q, self.kv, self.proj = heads, nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)

    def forward(self, x, memory):
        return self.proj(attend(self.q(x), *self.kv(memory).chunk(2, dim=-1), self.heads))


class Block(nn.Module):
    """Pre-norm; looks at a memory first where there is one."""

    def __init__(self, width, heads, has_memory):
        super().__init__()
        self.has_memory = has_memory
        if has_memory:
            self.norm_q, self.norm_kv, self.cross = (*(nn.LayerNorm(width, eps=1e-6) for _ in range(2)), CrossAttention(width, heads))
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(width, eps=1e-6), SelfAttention(width, heads), nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, memory=None):
        if self.has_memory:
            x = x + self.cross(self.norm_q(x), self.norm_kv(memory))
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.cls = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        self.register_buffer("positions", torch.randn(1, 1 + PATCHES, WIDTH) * 0.02)
        self.blocks = nn.ModuleList(Block(WIDTH, HEADS, False) for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.decoder_embed = nn.Linear(WIDTH, DECODER_WIDTH)
        self.mask_token = nn.Parameter(torch.randn(1, 1, DECODER_WIDTH) * 0.02)
        self.register_buffer("decoder_positions", torch.randn(1, 1 + PATCHES, DECODER_WIDTH) * 0.02)
        self.decoder_blocks = nn.ModuleList(Block(DECODER_WIDTH, DECODER_HEADS, True) for _ in range(DECODER_DEPTH))
        self.decoder_norm = nn.LayerNorm(DECODER_WIDTH, eps=1e-6)
        self.predict = nn.Linear(DECODER_WIDTH, 3 * PATCH * PATCH)

    def encode(self, image, visible=None):
        x = self.embed(image).flatten(2).transpose(1, 2) + self.positions[:, 1:]
        if visible is not None:
            x = x.gather(1, visible[..., None].expand(-1, -1, WIDTH))
        x = torch.cat([(self.cls + self.positions[:, :1]).expand(len(x), -1, -1), x], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.decoder_embed(self.norm(x))

    def forward(self, past, future, visible):
        memory, seen = self.encode(past), self.encode(future, visible)
        places = visible[..., None].expand(-1, -1, DECODER_WIDTH)
        tokens = self.mask_token.to(seen.dtype).expand(len(seen), PATCHES, -1).scatter(1, places, seen[:, 1:])
        x = torch.cat([seen[:, :1], tokens], dim=1) + self.decoder_positions
        memory = memory + self.decoder_positions
        for block in self.decoder_blocks:
            x = block(x, memory)
        prediction = self.predict(self.decoder_norm(x[:, 1:])).float()
        side = IMAGE // PATCH
        target = future.view(-1, 3, side, PATCH, side, PATCH).permute(0, 2, 4, 3, 5, 1).flatten(1, 2).flatten(2)
        target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        hidden = torch.ones(len(future), PATCHES).scatter(1, visible, 0.0)
        return (((prediction - target) ** 2).mean(-1) * hidden).sum() / hidden.sum()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    options.add_argument("--compile", action="store_true")
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--steps", type=int, default=4, help="steps that are timed, after two that are not")
    options.add_argument("--threads", type=int, default=2)
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = Model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.05, fused=True)
    run = torch.compile(model) if options.compile else model
    precision = torch.autocast("cpu", torch.bfloat16) if options.precision == "bf16" else contextlib.nullcontext()
    seconds = []
    for _ in range(options.steps + 2):
        past, future = torch.randn(2, options.batch, 3, IMAGE, IMAGE)
        visible = torch.rand(options.batch, PATCHES).argsort(1)[:, :VISIBLE]
        start = time.perf_counter()
        with precision:
            loss = run(past, future, visible)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "samplesPerSecond": options.batch / min(seconds[2:]),
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "loss": loss.item(),
    }))


if __name__ == "__main__":
    main()
