"""The networks in PyTorch of the recipes that learn from a teacher's view of a picture: iBOT and SiameseIM, in the manner of networks.py.

Crops of one size go through the encoder together. A network has its teacher in it, and two functions for what follows the gradients:
`clip_gradients`, and `move_teacher` after the optimizer's step. SiameseIM's teacher moves just before it is asked, as published, which is
after the previous step.
"""
import copy
import math
import random

import torch
import torch.nn.functional as F
from torch import nn

from networks import IMAGE, PATCH, PLACES, SIDE, Block, take, trained

# iBOT's head, and its crops beside the two large ones.
HIDDEN, BOTTLENECK, OUT = 2048, 256, 8192
LOCAL, LOCALS = 96, 10
DROP_PATH = 0.1


def without_gradients(module):
    """A copy as a teacher's."""
    return copy.deepcopy(module).requires_grad_(False)


def move(teacher, student, momentum):
    with torch.no_grad():
        torch._foreach_lerp_(list(teacher.parameters()), list(student.parameters()), 1 - momentum)


class DroppedBlock(Block):
    """A block of which each crop skips each branch by chance while it is trained."""

    def __init__(self, width, heads, rate):
        super().__init__(width, heads, has_memory=False)
        self.rate = rate

    def kept(self, x):
        """What a branch is multiplied by, for each crop."""
        return x.new_empty(len(x), 1, 1).bernoulli_(1 - self.rate) / (1 - self.rate)

    def forward(self, x):
        if not self.training or self.rate == 0:
            return super().forward(x)
        x = x + self.kept(x) * self.attn(self.norm1(x))
        return x + self.kept(x) * self.mlp(self.norm2(x))


class Tokenizer(nn.Module):
    """iBOT's encoder and head."""

    def __init__(self, encoder):
        super().__init__()
        width, depth, heads = encoder
        self.embed, self.cls, self.hidden = nn.Conv2d(3, width, PATCH, PATCH), trained(1, width), trained(1, width)
        self.positions = trained(1 + PLACES, width)
        self.blocks = nn.Sequential(*(DroppedBlock(width, heads, DROP_PATH * i / (depth - 1)) for i in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, BOTTLENECK))
        self.last = nn.utils.parametrizations.weight_norm(nn.Linear(BOTTLENECK, OUT, bias=False))

    def positions_of(self, count):
        """The table, resized where a crop has another number of patches."""
        if count == PLACES:
            return self.positions
        side = math.isqrt(count)
        grid = self.positions[:, 1:].transpose(1, 2).unflatten(2, (SIDE, SIDE))
        grid = F.interpolate(grid, scale_factor=(side + 0.1) / SIDE, mode="bicubic")
        return torch.cat([self.positions[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)

    def encode(self, crops, masks=None):
        x = self.embed(crops).flatten(2).transpose(1, 2)
        if masks is not None:
            x = torch.where(masks[..., None], self.hidden, x)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1) + self.positions_of(x.shape[1])
        return self.norm(self.blocks(x))

    def head(self, x):
        return self.last(F.normalize(self.mlp(x), dim=-1))


class IBOT(nn.Module):
    """Zhou et al., arXiv 2111.07832: the teacher's distributions over 8192 classes, of all crops and of hidden patches, by one head.

    The head is asked about all tokens of the large crops, as published, but about the small crops' CLS alone: the published one computes
    the logits of their patches too, and nothing from these.
    """

    def __init__(self, encoder, _):
        super().__init__()
        self.student = Tokenizer(encoder)
        self.teacher = without_gradients(self.student).eval()
        self.register_buffer("center", torch.zeros(OUT))
        self.register_buffer("patch_center", torch.zeros(OUT))

    def targets(self, logits, center, temperature=0.07):
        """The teacher's distributions; the center moves on once it is used."""
        targets = F.softmax((logits - center) / temperature, dim=-1, dtype=torch.float32)
        center.lerp_(logits.float().flatten(0, -2).mean(0), 0.1)
        return targets

    def forward(self, crops, local_crops, masks):
        batch = len(crops) // 2
        with torch.no_grad():
            logits = self.teacher.head(self.teacher.encode(crops))
            targets, patch_targets = self.targets(logits[:, 0], self.center), self.targets(logits[:, 1:], self.patch_center)
        logits = self.student.head(self.student.encode(crops, masks))
        of_crops = [logits[:, 0]] + ([self.student.head(self.student.encode(local_crops)[:, 0])] if len(local_crops) else [])
        logs = F.log_softmax(torch.cat(of_crops) / 0.1, dim=-1, dtype=torch.float32)

        # Every crop but the teacher's own.
        with torch.autocast("cpu", enabled=False):
            pairs = torch.einsum("qbk,vbk->qv", targets.unflatten(0, (2, batch)), logs.unflatten(0, (-1, batch))) / batch
        loss = (pairs.diagonal().sum() - pairs.sum()) / (pairs.numel() - 2)
        entropy = -(patch_targets * F.log_softmax(logits[:, 1:] / 0.1, dim=-1, dtype=torch.float32)).sum(-1)
        return loss + ((entropy * masks).sum(1) / masks.sum(1).clamp(min=1)).mean()

    def clip_gradients(self, largest=3.0):
        """Each tensor's on its own."""
        gradients = [value.grad for value in self.student.parameters()]
        factors = torch.stack(torch._foreach_norm(gradients)).add(1e-6).reciprocal().mul(largest).clamp(max=1)
        torch._foreach_mul_(gradients, list(factors.unbind()))

    def move_teacher(self):
        move(self.teacher, self.student, 0.996)

    @staticmethod
    def samples(batch):
        masks = [block_mask(random.uniform(0.1, 0.5) * PLACES if i % 2 else 0) for i in range(2 * batch)]
        crops, local_crops = torch.randn(2 * batch, 3, IMAGE, IMAGE), torch.randn(LOCALS * batch, 3, LOCAL, LOCAL)
        return crops, local_crops, torch.stack(masks).flatten(1)


def block_mask(most):
    """Rectangles of 16 places at least that together hide as many as that, or nearly."""
    mask, failures = torch.zeros(SIDE, SIDE, dtype=torch.bool), 0
    while failures < 10 and mask.sum() < most:
        area, aspect = random.uniform(16, most - mask.sum().item()), math.exp(random.uniform(math.log(0.3), -math.log(0.3)))
        height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        larger = mask.clone()
        if height < SIDE and width < SIDE:
            top, left = random.randint(0, SIDE - height), random.randint(0, SIDE - width)
            larger[top : top + height, left : left + width] = True
        fails = larger.sum() > most or larger.equal(mask)
        mask, failures = (mask, failures + 1) if fails else (larger, 0)
    return mask


class TokenNorm(nn.BatchNorm1d):
    """By the mean and the variance of all tokens of a batch, in f32."""

    def forward(self, x):
        return super().forward(x.float().flatten(0, 1)).view_as(x)


class BatchBlock(Block):
    def __init__(self, width, heads):
        super().__init__(width, heads, has_memory=False)
        self.norm1, self.norm2 = TokenNorm(width), TokenNorm(width)


class Branch(nn.Module):
    """SiameseIM's encoder, without a norm, and projector: what the teacher has a copy of."""

    def __init__(self, encoder, decoder):
        super().__init__()
        (width, depth, heads), (decoder_width, _, decoder_heads) = encoder, decoder
        self.embed, self.cls = nn.Conv2d(3, width, PATCH, PATCH), trained(1, width)
        self.blocks = nn.Sequential(*(Block(width, heads, has_memory=False) for _ in range(depth)))
        self.decoder_embed = nn.Linear(width, decoder_width)
        self.projector = nn.Sequential(*(BatchBlock(decoder_width, decoder_heads) for _ in range(2)))

    def forward(self, crops, positions, visible=None):
        x = self.embed(crops).flatten(2).transpose(1, 2) + positions[:, 1:]
        if visible is not None:
            x = take(x, visible)
        x = torch.cat([(self.cls + positions[:, :1]).expand(len(x), -1, -1), x], dim=1)
        return self.projector(self.decoder_embed(self.blocks(x)))


class SiameseIM(nn.Module):
    """Tao et al., arXiv 2206.01204: of a crop with 118 places hidden, the teacher's tokens of another crop, given where that one lies."""

    def __init__(self, encoder, decoder):
        super().__init__()
        (width, *_), (decoder_width, depth, heads) = encoder, decoder
        self.online = Branch(encoder, decoder)
        self.online.embed.requires_grad_(False)
        self.teacher = without_gradients(self.online)
        self.register_buffer("positions", torch.randn(1, 1 + PLACES, width) * 0.02)
        self.register_buffer("decoder_positions", torch.randn(1, 1 + PLACES, decoder_width) * 0.02)
        self.mask_token, self.place = trained(1, decoder_width), nn.Linear(2 * decoder_width, decoder_width)
        self.predictor = nn.Sequential(*(BatchBlock(decoder_width, heads) for _ in range(depth)))
        self.predict = nn.Linear(decoder_width, decoder_width)
        frequencies = 10000 ** -(torch.arange(decoder_width // 4, dtype=torch.float64) / (decoder_width // 4))
        self.register_buffer("frequencies", frequencies.float())
        self.register_buffer("cells", torch.arange(SIDE) + 0.5)

    def relative_positions(self, geometry):
        """Of the other crop's places, as seen from this one: sines and cosines of rows, columns, and ratios of height and of width."""
        down, right, height, width, is_mirrored, mirrored_right = geometry.unsqueeze(-1).unbind(1)
        rows = height * self.cells + down * SIDE - 0.5
        columns = torch.where(is_mirrored > 0, mirrored_right * SIDE - width * self.cells, right * SIDE + width * self.cells) - 0.5
        angles = [values[..., None] * self.frequencies for values in (rows, columns, 10 * height.log(), 10 * width.log())]
        rows, columns, *sizes = (torch.cat([values.sin(), values.cos()], dim=-1) for values in angles)
        shape = (-1, SIDE, SIDE, -1)
        parts = [rows[:, :, None].expand(*shape), columns[:, None].expand(*shape)] + [size[:, None].expand(*shape) for size in sizes]
        return torch.cat(parts, dim=-1).flatten(1, 2)

    def forward(self, crops, other_crops, visible, geometry):
        with torch.no_grad():
            target = self.teacher(other_crops, self.positions)[:, 1:].float()
            target = F.layer_norm(target, target.shape[-1:], eps=1e-5)
        seen = self.online(crops, self.positions, visible)
        places = torch.cat([self.decoder_positions[:, :1].expand(len(visible), -1, -1), take(self.decoder_positions[:, 1:], visible)], dim=1)
        x = torch.cat([seen + places, self.mask_token + self.place(self.relative_positions(geometry))], dim=1)
        prediction = self.predict(self.predictor(x)[:, seen.shape[1] :])
        with torch.autocast("cpu", enabled=False):
            p, t = prediction.float().flatten(0, 1), target.flatten(0, 1)
            correlation = t.T @ t / len(t)
            return (((p - t) ** 2).sum(1).mean() + 0.02 * ((p @ correlation) * p).sum(1).mean()) / p.shape[1]

    def clip_gradients(self):
        nn.utils.clip_grad_norm_(self.parameters(), 1.0)

    def move_teacher(self):
        move(self.teacher, self.online, 0.995)

    @staticmethod
    def samples(batch):
        visible = torch.rand(batch, PLACES).argsort(1)[:, : PLACES - 118]
        offsets, sizes, mirrored = torch.rand(batch, 2) - 0.5, torch.rand(batch, 2) + 0.5, torch.randint(2, (batch, 1))
        return *torch.randn(2, batch, 3, IMAGE, IMAGE), visible, torch.cat([offsets, sizes, mirrored, torch.rand(batch, 1)], dim=1)


RECIPES = {"ibot": (IBOT, None), "siamese-im": (SiameseIM, "siamese-im")}
