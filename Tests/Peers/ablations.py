"""Trains SiamMAE's ablations with several seeds at once on one device, in PyTorch, and scores each by label propagation.

    ablations.py VIDEOS DAVIS [--size 120 216] [--gap 2 16] [--seeds 5] [--steps 2500] [--also '{"lo": 8, "hi": 48}']…

VIDEOS is a folder of small videos (tandem prepare --transcode --short-side 144), which are held in the device's memory; DAVIS a data set in its
published layout. The network is that of Pipelines/demo.json5. All models of one variant are one more axis of every tensor, so that a GPU trains
seventy of them in the time of a few. Every sample is of a video of its own. Prints a line a variant: J&F's mean and standard deviation, Welch's p
against the base; all scores as JSON lines with --output.

Evaluation is family B of label propagation with the paper's F over a tolerance of 0.008 of the diagonal, as tandem-evaluator has it; of the same
weights both say the same within 0.1 points in the mean.
"""
import argparse
import glob
import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PRODUCTS = torch.bfloat16 if DEVICE == "cuda" else torch.float32
MEAN = torch.tensor([0.485, 0.456, 0.406], device=DEVICE)[:, None, None]
DEVIATION = torch.tensor([0.229, 0.224, 0.225], device=DEVICE)[:, None, None]
torch.backends.cuda.matmul.allow_tf32 = True

# What a group of models has in common, and what each may have of its own.
SHAPE = dict(
    image=64, patch=8, width=96, depth=4, heads=3, decoder_width=64, decoder_depth=2, decoder_heads=2, ratio=0.95, encoder="siamese",
    decoder="cross-self", frames="asymmetric", pattern="random", futures=1, batch=32, steps=2500,
)
OWN = dict(lo=2, hi=16, area_from=0.5, area_to=1.0, independent=0, rate=8e-3)


class Videos:
    """Every frame of every video in one buffer of RGBA words."""

    def __init__(self, folder):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            clips = [c for c in pool.map(self.read, sorted(glob.glob(f"{folder}/*.mp4"))) if len(c) > 1]
        self.words = torch.cat([torch.from_numpy(c.reshape(-1).view(np.int32)).to(DEVICE) for c in clips])
        shapes = torch.tensor([c.shape[:3] for c in clips])
        self.length, self.height, self.width = shapes.to(DEVICE).unbind(1)
        self.start = torch.cat([torch.zeros(1, dtype=torch.long), shapes.prod(1).cumsum(0)[:-1]]).to(DEVICE)

    @staticmethod
    def read(path):
        video, frames = cv2.VideoCapture(path), []
        while (picture := video.read())[0]:
            frames.append(cv2.cvtColor(picture[1], cv2.COLOR_BGR2RGBA))
        return np.stack(frames) if frames else np.zeros((0, 1, 1, 4), np.uint8)

    def crops(self, video, frame, box, flip, size):
        """box [n, 4]: y, x, height, width -> [n, 3, size, size], normalised; a pixel is the mean of four bilinear samples."""
        height, width = self.height[video], self.width[video]
        grid = (torch.arange(2 * size, device=DEVICE) + 0.5) / (2 * size)
        across = torch.where(flip[:, None], 1 - grid, grid)
        y = (box[:, :1] + box[:, 2:3] * grid - 0.5).clamp(min=0).minimum(height[:, None] - 1.0)
        x = (box[:, 1:2] + box[:, 3:] * across - 0.5).clamp(min=0).minimum(width[:, None] - 1.0)
        y0, x0 = y.long(), x.long()
        y1, x1 = torch.minimum(y0 + 1, height[:, None] - 1), torch.minimum(x0 + 1, width[:, None] - 1)
        down, right = (y - y0)[:, :, None], (x - x0)[:, None, :]
        start = (self.start[video] + frame * height * width)[:, None, None]
        out = 0
        for row, of_row in ((y0, 1 - down), (y1, down)):
            for column, of_column in ((x0, 1 - right), (x1, right)):
                word = self.words[start + row[:, :, None] * width[:, None, None] + column[:, None, :]]
                out = out + torch.stack([(word >> shift & 255).float() * (of_row * of_column) for shift in (0, 8, 16)], 1)
        return (F.avg_pool2d(out, 2) / 255 - MEAN) / DEVIATION

    def draw(self, own, models, batch, size, futures):
        """Frames [models, batch, 1 + futures, 3, size, size]: a past one and later ones at growing gaps, each sample of any video."""
        n = models * batch
        uniform = lambda: torch.rand(n, device=DEVICE)
        each = {name: values.repeat_interleave(batch) for name, values in own.items()}
        video = (uniform() * len(self.length)).long()
        length, height, width = self.length[video], self.height[video].float(), self.width[video].float()
        gaps = torch.stack([(each["lo"] + (uniform() * (each["hi"] - each["lo"] + 1)).floor()).long() for _ in range(futures)], 1)
        gaps = gaps.sort(1).values.minimum(length[:, None] - 1)
        past = (uniform() * (length - gaps[:, -1])).long()
        boxes, flips = [], []
        for index in range(1 + futures):
            area = (each["area_from"] + uniform() * (each["area_to"] - each["area_from"])) * height * width
            aspect = torch.exp((2 * uniform() - 1) * math.log(4 / 3))
            h, w = (area / aspect).sqrt().minimum(height), (area * aspect).sqrt().minimum(width)
            box, flip = torch.stack([uniform() * (height - h), uniform() * (width - w), h, w], 1), uniform() < 0.5
            alone = each["independent"] > 0
            boxes.append(torch.where(alone[:, None], box, boxes[0]) if boxes else box)
            flips.append(torch.where(alone, flip, flips[0]) if flips else flip)
        frames = torch.cat([past[:, None], past[:, None] + gaps], 1).flatten()
        videos = video.repeat_interleave(1 + futures)
        crops = self.crops(videos, frames, torch.stack(boxes, 1).flatten(0, 1), torch.stack(flips, 1).flatten(), size)
        return crops.view(models, batch, 1 + futures, 3, size, size)


def place_table(dim, height, width):
    def one(positions):
        angle = positions.reshape(-1, 1) / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim / 4))
        return torch.cat([angle.sin(), angle.cos()], 1)

    y, x = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    return torch.cat([one(x), one(y)], 1).float().to(DEVICE)


def patchify(pictures, patch):
    """[…, 3, height, width] -> […, patches, patch * patch * 3]"""
    *outer, _, height, width = pictures.shape
    cut = pictures.reshape(-1, 3, height // patch, patch, width // patch, patch).permute(0, 2, 4, 3, 5, 1)
    return cut.reshape(*outer, (height // patch) * (width // patch), patch * patch * 3)


def taken(tokens, places):
    return tokens.gather(2, places[..., None].expand(-1, -1, -1, tokens.shape[-1]))


class Networks:
    """SiamMAE several times: tokens are [models, batch, tokens, width], weights [models, in, out]."""

    def __init__(self, shape, seeds):
        self.shape, self.models, self.values = shape, len(seeds), {}
        self.generators = [torch.Generator().manual_seed(7919 * seed + 17) for seed in seeds]
        self.side = shape["image"] // shape["patch"]
        self.patches = self.side**2
        self.visible = max(1, int(self.patches * (1 - shape["ratio"]) + 1e-9))
        width, narrow, pixels = shape["width"], shape["decoder_width"], shape["patch"] ** 2 * 3
        self.linear("patch", pixels, width)
        for name, size in (("class", width), ("mask", narrow)):
            self.normal(name, size)
        for index in range(shape["depth"]):
            self.block(f"encoder{index}", width)
        self.norm("norm", width)
        self.linear("narrow", width, narrow)
        for index in range(shape["decoder_depth"]):
            self.block(f"decoder{index}", narrow, itself=shape["decoder"] != "cross", across=shape["decoder"] != "joint")
        self.norm("decoder_norm", narrow)
        self.linear("pixels", narrow, pixels)
        if shape["encoder"] == "joint":
            self.normal("frames", 2 * width)
        if shape["decoder"] == "joint":
            self.normal("decoder_frames", 2 * narrow)
        for value in self.values.values():
            value.requires_grad_(True)
        self.places, self.decoder_places = (place_table(size, self.side, self.side) for size in (width, narrow))

    def linear(self, name, inputs, outputs):
        bound = math.sqrt(6 / (inputs + outputs))
        weights = [(torch.rand(inputs, outputs, generator=generator) * 2 - 1) * bound for generator in self.generators]
        self.values[name + ".weight"] = torch.stack(weights).to(DEVICE)
        self.values[name + ".bias"] = torch.zeros(self.models, outputs, device=DEVICE)

    def normal(self, name, size):
        self.values[name] = torch.stack([torch.randn(size, generator=generator) * 0.02 for generator in self.generators]).to(DEVICE)

    def norm(self, name, size):
        self.values[name + ".gain"] = torch.ones(self.models, size, device=DEVICE)
        self.values[name + ".offset"] = torch.zeros(self.models, size, device=DEVICE)

    def block(self, name, width, itself=True, across=False):
        if across:
            self.norm(name + ".norm_query", width), self.norm(name + ".norm_memory", width)
            self.linear(name + ".query", width, width), self.linear(name + ".memory", width, 2 * width), self.linear(name + ".across", width, width)
        if itself:
            self.norm(name + ".norm1", width), self.linear(name + ".qkv", width, 3 * width), self.linear(name + ".proj", width, width)
        self.norm(name + ".norm2", width), self.linear(name + ".up", width, 4 * width), self.linear(name + ".down", 4 * width, width)

    def through(self, name, x):
        weight, bias = self.values[name + ".weight"], self.values[name + ".bias"]
        rows = x.reshape(self.models, -1, x.shape[-1]).to(PRODUCTS)
        return torch.baddbmm(bias[:, None].to(PRODUCTS), rows, weight.to(PRODUCTS)).view(*x.shape[:-1], -1)

    def normed(self, name, x):
        gain, offset = (self.values[f"{name}.{kind}"].view(self.models, *[1] * (x.dim() - 2), -1) for kind in ("gain", "offset"))
        return F.layer_norm(x.float(), x.shape[-1:], eps=1e-6) * gain + offset

    def attention(self, query, key, value, heads):
        split = lambda t: t.flatten(0, 1).unflatten(-1, (heads, -1)).transpose(1, 2)
        return F.scaled_dot_product_attention(split(query), split(key), split(value)).transpose(1, 2).reshape(query.shape)

    def apply_block(self, name, x, heads, memory=None):
        if memory is not None:
            key, value = self.through(name + ".memory", self.normed(name + ".norm_memory", memory)).chunk(2, -1)
            query = self.through(name + ".query", self.normed(name + ".norm_query", x))
            x = x + self.through(name + ".across", self.attention(query, key, value, heads)).float()
        if name + ".qkv.weight" in self.values:
            query, key, value = self.through(name + ".qkv", self.normed(name + ".norm1", x)).chunk(3, -1)
            x = x + self.through(name + ".proj", self.attention(query, key, value, heads)).float()
        return x + self.through(name + ".down", F.gelu(self.through(name + ".up", self.normed(name + ".norm2", x)))).float()

    def encode(self, tokens):
        """Tokens of patches -> the normed outputs of all blocks, a CLS token in front."""
        x, outputs = torch.cat([self.values["class"][:, None, None].expand(-1, tokens.shape[1], 1, -1), tokens], 2), []
        for index in range(self.shape["depth"]):
            x = self.apply_block(f"encoder{index}", x, self.shape["heads"])
            outputs.append(x)
        return outputs

    def places_to_see(self, batch):
        if self.shape["pattern"] == "grid":
            count = round(math.sqrt(self.visible))
            step = self.side // count
            offset = (torch.rand(self.models, batch, 2, device=DEVICE) * step).long()
            lattice = torch.arange(count, device=DEVICE) * step
            y, x = offset[..., :1] + lattice, offset[..., 1:] + lattice
            return (y[..., :, None] * self.side + x[..., None, :]).flatten(2)
        return torch.rand(self.models, batch, self.patches, device=DEVICE).argsort(-1)[..., : self.visible]

    def completed(self, tokens, seen):
        """[CLS, visible] -> [CLS, all], mask tokens where nothing was visible."""
        size = (self.models, tokens.shape[1], self.patches, tokens.shape[-1])
        places = seen[..., None].expand(-1, -1, -1, size[-1])
        whole = self.values["mask"][:, None, None].expand(size).float().scatter(2, places, tokens[:, :, 1:].float())
        return torch.cat([tokens[:, :, :1].float(), whole], 2)

    def loss(self, frames):
        """Of each model [models]."""
        shape, models, batch, futures = self.shape, self.models, frames.shape[1], frames.shape[2] - 1
        pixels = patchify(frames, shape["patch"])
        past, future = pixels[:, :, 0], pixels[:, :, 1:].flatten(1, 2)
        seen = self.places_to_see(batch * futures)
        seen_past = self.places_to_see(batch) if shape["frames"] == "symmetric" else None
        tokens = lambda patches: self.through("patch", patches).float() + self.places
        first, second = tokens(past), taken(tokens(future), seen)
        if seen_past is not None:
            first = taken(first, seen_past)
        if shape["encoder"] == "joint":
            kind = self.values["frames"].view(models, 2, 1, 1, -1)
            both = self.normed("norm", self.encode(torch.cat([first + kind[:, 0], second + kind[:, 1]], 2))[-1])
            first, second = both[:, :, : 1 + first.shape[2]], torch.cat([both[:, :, :1], both[:, :, 1 + first.shape[2] :]], 2)
        else:
            first, second = (self.normed("norm", self.encode(t)[-1]) for t in (first, second))
        memory, x = self.through("narrow", first).float(), self.completed(self.through("narrow", second), seen)
        if seen_past is not None:
            memory = self.completed(memory, seen_past)
        places = F.pad(self.decoder_places, (0, 0, 1, 0))
        memory, x = (memory + places).repeat_interleave(futures, 1), x + places
        if shape["decoder"] == "joint":
            kind = self.values["decoder_frames"].view(models, 2, 1, 1, -1)
            x, memory = torch.cat([x[:, :, :1], memory[:, :, 1:] + kind[:, 0], x[:, :, 1:] + kind[:, 1]], 2), None
        for index in range(shape["decoder_depth"]):
            x = self.apply_block(f"decoder{index}", x, shape["decoder_heads"], memory)
        predicted = self.through("pixels", self.normed("decoder_norm", x[:, :, -self.patches :])).float()
        target = (future - future.mean(-1, keepdim=True)) / (future.var(-1, keepdim=True) + 1e-6).sqrt()
        hidden = torch.ones(models, batch * futures, self.patches, device=DEVICE).scatter(2, seen, 0.0)
        return (((predicted - target) ** 2).mean(-1) * hidden).sum((1, 2)) / hidden.sum((1, 2))

    @torch.no_grad()
    def features(self, pictures, recomputed=False):
        """Pictures [frames, 3, height, width] -> for each block [models, frames, height, width, channels] of patches."""
        height, width = (size // self.shape["patch"] for size in pictures.shape[2:])
        table = self.places.view(1, self.side, self.side, -1).permute(0, 3, 1, 2)
        scale = ((height + 0.1) / self.side, (width + 0.1) / self.side)
        table = F.interpolate(table, scale_factor=scale, mode="bicubic")[0].permute(1, 2, 0).flatten(0, 1)
        if recomputed:
            table = place_table(self.shape["width"], height, width)
        patches = patchify(pictures, self.shape["patch"])[None].expand(self.models, -1, -1, -1)
        outputs = self.encode(self.through("patch", patches).float() + table)
        return [self.normed("norm", output)[:, :, 1:].unflatten(2, (height, width)) for output in outputs]


class Sequence:
    """One sequence of DAVIS: pictures [frames, 3, height, width], labels of its first frame by patches, masks [objects, frames, …]."""

    def __init__(self, root, name, size, patch):
        self.name, (height, width) = name, size
        paths = sorted(glob.glob(f"{root}/JPEGImages/480p/{name}/*.jpg"))
        pictures = [cv2.resize(cv2.imread(path)[:, :, ::-1].astype(np.float32) / 255, (width, height)) for path in paths]
        self.pictures = (torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).to(DEVICE) - MEAN) / DEVIATION
        names = [os.path.splitext(os.path.basename(path))[0] for path in paths]
        ids = np.stack([np.array(Image.open(f"{root}/Annotations/480p/{name}/{frame}.png")) for frame in names])
        ids = torch.from_numpy(ids).to(DEVICE).long()
        ids[ids == 255] = 0
        self.objects = int(ids[0].max())
        first = F.interpolate(ids[None, :1].float(), size=size, mode="nearest")[0, 0].long()
        first = F.one_hot(first, self.objects + 1).permute(2, 0, 1)[None].float()
        self.labels = F.interpolate(first, size=(height // patch, width // patch), mode="bilinear")[0].permute(1, 2, 0).flatten(0, 1)
        self.masks = torch.stack([ids == index for index in range(1, self.objects + 1)])
        self.edges = edges(self.masks)
        self.near = dilated(self.edges)


def edges(masks):
    """Pixels that differ from their neighbour to the right, below, or both."""
    right, below = (torch.cat([masks.narrow(d, 1, masks.shape[d] - 1), masks.narrow(d, masks.shape[d] - 1, 1)], d) for d in (-1, -2))
    both = torch.cat([right.narrow(-2, 1, right.shape[-2] - 1), right.narrow(-2, right.shape[-2] - 1, 1)], -2)
    return (masks ^ right) | (masks ^ below) | (masks ^ both)


def dilated(masks):
    """By a disc of 0.008 of the diagonal."""
    height, width = masks.shape[-2:]
    radius = math.ceil(0.008 * math.hypot(height, width))
    x = masks.reshape(-1, height, width).to(torch.float16 if DEVICE == "cuda" else torch.float32)
    out = torch.zeros_like(x)
    for dy in range(-radius, radius + 1):
        reach = int(math.sqrt(radius**2 - dy**2))
        row = F.max_pool2d(x, (1, 2 * reach + 1), 1, (0, reach))
        to, of = (out[:, dy:], row[:, : height - dy]) if dy >= 0 else (out[:, :dy], row[:, -dy:])
        torch.maximum(to, of, out=to)
    return (out > 0).view(masks.shape)


class Benchmark:
    def __init__(self, root, size, patch, neighbours=7, queue=7, radius=6, temperature=0.07):
        self.size, self.patch, self.neighbours, self.queue, self.temperature = size, patch, neighbours, queue, temperature
        names = sorted(os.path.basename(folder) for folder in glob.glob(f"{root}/JPEGImages/480p/*"))
        self.sequences = [Sequence(root, name, size, patch) for name in names]
        self.grid = tuple(side // patch for side in size)
        y, x = torch.meshgrid(*(torch.arange(side, device=DEVICE) for side in self.grid), indexing="ij")
        at = torch.stack([y, x], -1).flatten(0, 1).float()
        self.far = torch.cdist(at, at) >= radius

    @torch.no_grad()
    def propagate(self, features, labels):
        """Features [models, frames, height, width, channels] -> soft labels [models, frames, patches, classes]."""
        features = F.normalize(features.float(), dim=-1).flatten(2, 3)
        models, frames, patches, _ = features.shape
        soft = [labels.expand(models, -1, -1)]
        for t in range(1, frames):
            slots = [0] + [max(0, t - self.queue + slot) for slot in range(self.queue)]
            likeness = torch.stack([features[:, t] @ features[:, slot].transpose(1, 2) for slot in slots], 2)
            likeness[:, :, 1:].masked_fill_(self.far[None, :, None], -1e10)
            weights, chosen = (likeness.flatten(2) / self.temperature).topk(self.neighbours, -1)
            known = torch.stack([soft[slot] for slot in slots], 1).flatten(1, 2)
            votes = known.gather(1, chosen.flatten(1)[..., None].expand(-1, -1, known.shape[-1])).unflatten(1, (patches, -1))
            soft.append((weights.softmax(-1)[..., None] * votes).sum(2))
        return torch.stack(soft, 1)

    @torch.no_grad()
    def accuracy(self, soft, sequence):
        """J&F of one model's labels, without the first and the last frame, over objects and frames."""
        soft = F.interpolate(soft.unflatten(1, self.grid).permute(0, 3, 1, 2), size=self.size, mode="bilinear").argmax(1)
        ids = F.interpolate(soft[None].float(), size=sequence.masks.shape[-2:], mode="nearest")[0][1:-1]
        found, true = torch.stack([ids == index for index in range(1, sequence.objects + 1)]), sequence.masks[:, 1:-1]
        union = (found | true).sum((2, 3))
        region = torch.where(union == 0, 1.0, (found & true).sum((2, 3)) / union.clamp(min=1))
        edge, true_edge = edges(found), sequence.edges[:, 1:-1]
        counts = [e.sum((2, 3)) for e in (edge, true_edge)]
        precision = (edge & sequence.near[:, 1:-1]).sum((2, 3)) / counts[0].clamp(min=1)
        recall = (true_edge & dilated(edge)).sum((2, 3)) / counts[1].clamp(min=1)
        contour = torch.where(precision + recall > 0, 2 * precision * recall / (precision + recall).clamp(min=1e-9), 0.0)
        contour = torch.where((counts[0] == 0) & (counts[1] == 0), 1.0, contour)
        return 50 * (region.mean() + contour.mean()).item()

    def scores(self, networks, layer=-1, centred=False, recomputed=False):
        """J&F of each model over all objects."""
        totals = [0.0] * networks.models
        for sequence in self.sequences:
            features = networks.features(sequence.pictures, recomputed)[layer]
            if centred:
                features = features - features.mean((1, 2, 3), keepdim=True)
            for model, soft in enumerate(self.propagate(features, sequence.labels)):
                totals[model] += sequence.objects * self.accuracy(soft, sequence)
        return [total / sum(sequence.objects for sequence in self.sequences) for total in totals]

    def copied(self):
        """J&F of handing on the first frame's labels."""
        total = sum(s.objects * self.accuracy(s.labels.expand(len(s.pictures), -1, -1), s) for s in self.sequences)
        return total / sum(sequence.objects for sequence in self.sequences)


class Benchmarks:
    """One for each patch size: the pictures' sides are rounded up to whole patches, and the radius stays the same in pixels."""

    def __init__(self, root, size):
        self.root, self.size, self.made = root, size, {}

    def of(self, patch):
        if patch not in self.made:
            size = tuple(-(-side // patch) * patch for side in self.size)
            self.made[patch] = Benchmark(self.root, size, patch, radius=6 * SHAPE["patch"] / patch)
        return self.made[patch]


class Group:
    """Models of one shape that train together; on a GPU a step is a graph on a stream of its own."""

    def __init__(self, videos, name, shape, owns, seeds):
        self.name, self.videos, self.shape = name, videos, {**SHAPE, **shape}
        self.owns = [own for own in owns for _ in seeds]
        own = {key: torch.tensor([float(each[key]) for each in self.owns], device=DEVICE) for key in OWN}
        self.peak, self.own = own.pop("rate") * (self.shape["batch"] * self.shape["futures"]) / 256, own
        self.networks = Networks(self.shape, list(seeds) * len(owns))
        values = self.networks.values
        self.values, self.first, self.second = list(values.values()), *([torch.zeros_like(v) for v in values.values()] for _ in range(2))
        self.decaying = [v for name, v in values.items() if name.endswith(".weight") or "." not in name]
        steps, rising = self.shape["steps"], 0.1 * self.shape["steps"]
        rate = lambda step: step / rising if step < rising else 0.5 * (1 + math.cos(math.pi * min(1, (step - rising) / (steps - rising))))
        self.rates = torch.tensor([rate(step) for step in range(steps + 4)], device=DEVICE)
        self.steps, self.graph, self.stream = torch.zeros(1, dtype=torch.long, device=DEVICE), None, None

    def step(self):
        shape = self.shape
        frames = self.videos.draw(self.own, self.networks.models, shape["batch"], shape["image"], shape["futures"])
        gradients = torch.autograd.grad(self.networks.loss(frames).sum(), self.values)
        with torch.no_grad():
            rate = self.peak * self.rates.index_select(0, self.steps)
            count = self.steps.add_(1)[0].float()
            torch._foreach_lerp_(self.first, gradients, 0.1)
            torch._foreach_mul_(self.second, 0.95)
            torch._foreach_addcmul_(self.second, gradients, gradients, value=0.05)
            roots = torch._foreach_sqrt(torch._foreach_div(self.second, 1 - 0.95**count))
            torch._foreach_add_(roots, 1e-8)
            for value in self.decaying:
                value.mul_((1 - 0.05 * rate).view(-1, *[1] * (value.dim() - 1)))
            for value, change in zip(self.values, torch._foreach_div(self.first, roots)):
                value.sub_(change * (rate / (1 - 0.9**count)).view(-1, *[1] * (value.dim() - 1)))

    def begin(self):
        """Returns how many steps it took."""
        if DEVICE == "cpu":
            return 0
        self.stream, self.graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
        with torch.cuda.stream(self.stream):
            for _ in range(3):
                self.step()
        torch.cuda.synchronize()
        # Captured on the stream it is replayed on: products scribble in a workspace that graphs captured on one stream would share.
        with torch.cuda.graph(self.graph, stream=self.stream):
            self.step()
        return 3

    def advance(self):
        if self.graph is None:
            return self.step()
        with torch.cuda.stream(self.stream):
            self.graph.replay()


def mean(values):
    return sum(values) / len(values)


def variance(values):
    return sum((value - mean(values)) ** 2 for value in values) / max(1, len(values) - 1)


def welch(first, second):
    """Two-sided p that two means differ."""
    a, b = variance(first) / len(first), variance(second) / len(second)
    if min(len(first), len(second)) < 2 or a + b == 0:
        return None
    t = abs(mean(first) - mean(second)) / math.sqrt(a + b)
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    angle = torch.linspace(math.atan(t / math.sqrt(freedom)), math.pi / 2, 100001, dtype=torch.float64)
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    return 2 * scale * torch.trapezoid(angle.cos().clamp(min=0) ** (freedom - 1), angle).item()


def row(name, values, reference):
    p = None if values is reference else welch(values, reference)
    return f"| {name} | {mean(values):.1f} ± {math.sqrt(variance(values)):.1f} | {'' if p is None else f'{p:.3f}'} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos")
    parser.add_argument("davis")
    parser.add_argument("--size", type=int, nargs=2, default=(120, 216), help="of the pictures in the evaluation, in pixels")
    parser.add_argument("--gap", type=int, nargs=2, default=(2, 16), help="smallest and largest, in frames")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=SHAPE["steps"])
    parser.add_argument("--batch", type=int, default=SHAPE["batch"])
    also = "a further line: what it has of SHAPE and OWN above that the base has not, as JSON"
    parser.add_argument("--also", type=json.loads, action="append", default=[], help=also)
    parser.add_argument("--base-only", action="store_true", help="the base and --also, without the paper's ablations")
    parser.add_argument("--output", help="file that gets a JSON line a variant")
    options = parser.parse_args()
    common, base = dict(steps=options.steps, batch=options.batch), {**OWN, "lo": options.gap[0], "hi": options.gap[1]}
    papers = {
        "ratio 0.5": dict(ratio=0.5), "ratio 0.75": dict(ratio=0.75), "ratio 0.9": dict(ratio=0.9),
        "grid, ratio 0.75": dict(pattern="grid", ratio=0.75), "symmetric": dict(frames="symmetric"),
        "symmetric, ratio 0.5": dict(frames="symmetric", ratio=0.5), "decoder cross": dict(decoder="cross"),
        "decoder joint": dict(decoder="joint"), "encoder joint": dict(encoder="joint"),
        "two futures, the same pairs": dict(futures=2, batch=options.batch // 2), "patch 4": dict(patch=4), "patch 16": dict(patch=16),
    }
    variants = [("base", {}, [base, {**base, "independent": 1}])]
    if not options.base_only:
        variants += [(name, shape, [base]) for name, shape in papers.items()]
    for also in options.also:
        own, shape = ({key: value for key, value in also.items() if key in known} for known in (OWN, SHAPE))
        if len(own) + len(shape) < len(also):
            parser.error(f"--also knows {', '.join([*OWN, *SHAPE])}; not all of {', '.join(also)}")
        if shape:
            variants.append((json.dumps(shape), shape, [{**base, **own}]))
        else:
            variants[0][2].append({**base, **own})
    torch.manual_seed(1)
    began, videos = time.time(), Videos(options.videos)
    benchmarks = Benchmarks(options.davis, options.size)
    benchmark = benchmarks.of(SHAPE["patch"])
    print(f"{len(videos.length)} videos, {len(benchmark.sequences)} sequences; {time.time() - began:.0f} s to read them", flush=True)

    seeds = range(options.seeds)
    groups = [Group(videos, name, {**common, **shape}, owns, seeds) for name, shape, owns in variants]
    untrained = benchmark.scores(groups[0].networks)[: options.seeds]
    begun = max([group.begin() for group in groups])
    steps = max(group.shape["steps"] for group in groups)
    for step in range(begun, steps):
        for group in groups:
            if step < group.shape["steps"]:
                group.advance()
        if DEVICE == "cuda" and step % 50 == 0:
            torch.cuda.synchronize()
        if step % 500 == 0:
            print(f"step {step} of {steps}, {time.time() - began:.0f} s", flush=True)
    if DEVICE == "cuda":
        torch.cuda.synchronize()

    print(f"\n| | J&F | Welch's p |\n|---|---|---|\n| the first labels copied | {benchmark.copied():.1f} | |")
    reference = None
    for group in groups:
        scores = benchmarks.of(group.shape["patch"]).scores(group.networks)
        for index in range(0, len(scores), options.seeds):
            own = {key: value for key, value in group.owns[index].items() if value != base[key]}
            name, values = f"{group.name} {json.dumps(own) if own else ''}".strip(), scores[index : index + options.seeds]
            reference = reference or values
            print(row(name, values, reference), flush=True)
            if options.output:
                with open(options.output, "a") as file:
                    print(json.dumps(dict(name=name, steps=group.shape["steps"], scores=values)), file=file)
        if group is groups[0]:
            print(row("untrained", untrained, reference))
            for name, how in (("first layer", dict(layer=0)), ("centred", dict(centred=True)), ("recomputed places", dict(recomputed=True))):
                print(row(f"base, {name}", benchmark.scores(group.networks, **how)[: options.seeds], reference), flush=True)


if __name__ == "__main__":
    main()
