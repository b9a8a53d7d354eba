"""The networks in PyTorch of the recipes that predict pixels, as its users would write them: what Tandem's are compared with.

Each does the work of the published one: the encoder sees the visible tokens alone, the decoder what is published of it, the targets are
normalised pixels. q, k and v are one linear map everywhere, which computes what MAE-ST's three do, and VideoMAE's without the keys' bias.
Tables of positions that are not trained hold random numbers: a step takes as long whatever they say.

Pictures are [batch, 3, height, width] and clips [batch, 3, time, height, width]; visible and decoded tokens are indices [batch, count].
"""
import torch
import torch.nn.functional as F
from torch import nn

IMAGE, PATCH, FRAMES, TUBELET = 224, 16, 16, 2
SIDE, STEPS = IMAGE // PATCH, FRAMES // TUBELET
PLACES = SIDE * SIDE
MEAN, DEVIATION = (torch.tensor(values).view(3, 1, 1, 1) for values in [(0.485, 0.456, 0.406), (0.229, 0.224, 0.225)])

# Width, depth and heads, by the names that Tandem's pipelines give them.
ENCODERS = {"s16": (384, 12, 6), "b16": (768, 12, 12), "l16": (1024, 24, 16)}
DECODERS = {"mae": (512, 8, 16), "small": (256, 4, 8), "mae-st": (512, 4, 16), "s": (192, 4, 3), "b": (384, 4, 6), "siamese-im": (768, 4, 16)}


def heads_of(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


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


class Transformer(nn.Module):
    """Blocks and a norm, which only the tokens from `first` on reach."""

    def __init__(self, width, depth, heads, has_memory=False):
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads, has_memory) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x, memory=None, first=0):
        for block in self.blocks:
            x = block(x, memory)
        return self.norm(x[:, first:])


def trained(count, width):
    return nn.Parameter(torch.randn(1, count, width) * 0.02)


def take(x, indices):
    """The tokens of x [batch or 1, tokens, width] at the indices."""
    return x.expand(len(indices), -1, -1).gather(1, indices[..., None].expand(-1, -1, x.shape[-1]))


def put(tokens, mask_token, visible, count):
    """`count` tokens: those given at their places, and the mask token elsewhere."""
    places = visible[..., None].expand(-1, -1, tokens.shape[-1])
    return mask_token.to(tokens.dtype).expand(len(tokens), count, -1).scatter(1, places, tokens)


def hidden(visible, count):
    """1 for each of `count` tokens that is not visible."""
    return torch.ones(len(visible), count).scatter(1, visible, 0.0)


def patches(clips, tubelet):
    """[batch, tokens, values]: a token's frames, rows, columns and channels."""
    batch, channels, frames = clips.shape[:3]
    x = clips.reshape(batch, channels, frames // tubelet, tubelet, SIDE, PATCH, SIDE, PATCH)
    return x.permute(0, 2, 4, 6, 3, 5, 7, 1).reshape(batch, -1, tubelet * PATCH * PATCH * channels)


def normalized(tokens):
    """MAE's normalisation: of all values of a token together."""
    return (tokens - tokens.mean(-1, keepdim=True)) / (tokens.var(-1, keepdim=True) + 1e-6).sqrt()


def normalized_by_channel(tokens):
    """VideoMAE's normalisation: of a token's red, green and blue values each."""
    x = tokens.unflatten(-1, (-1, 3))
    return ((x - x.mean(-2, keepdim=True)) / (x.std(-2, keepdim=True) + 1e-6)).flatten(-2)


def pixel_loss(prediction, target, weights):
    return (((prediction.float() - target) ** 2).mean(-1) * weights).sum() / weights.sum()


class ImageAutoencoder(nn.Module):
    """What MAE and SiamMAE have in common: a class token, and a decoder over all places."""

    def __init__(self, encoder, decoder, has_memory):
        super().__init__()
        width, decoder_width = encoder[0], decoder[0]
        self.embed = nn.Conv2d(3, width, PATCH, PATCH)
        self.cls, self.encoder = trained(1, width), Transformer(*encoder)
        self.register_buffer("positions", torch.randn(1, 1 + PLACES, width) * 0.02)
        self.decoder_embed, self.mask_token = nn.Linear(width, decoder_width), trained(1, decoder_width)
        self.decoder = Transformer(*decoder, has_memory=has_memory)
        self.register_buffer("decoder_positions", torch.randn(1, 1 + PLACES, decoder_width) * 0.02)
        self.predict = nn.Linear(decoder_width, 3 * PATCH * PATCH)

    def encode(self, image, visible=None):
        x = self.embed(image).flatten(2).transpose(1, 2) + self.positions[:, 1:]
        if visible is not None:
            x = take(x, visible)
        x = torch.cat([(self.cls + self.positions[:, :1]).expand(len(x), -1, -1), x], dim=1)
        return self.decoder_embed(self.encoder(x))

    def loss(self, image, visible, memory=None):
        """Of the hidden places' predictions."""
        seen = self.encode(image, visible)
        x = torch.cat([seen[:, :1], put(seen[:, 1:], self.mask_token, visible, PLACES)], dim=1) + self.decoder_positions
        prediction = self.predict(self.decoder(x, memory, first=1))
        return pixel_loss(prediction, normalized(patches(image[:, :, None], 1)), hidden(visible, PLACES))


class MAE(ImageAutoencoder):
    """He et al., arXiv 2111.06377: three quarters of a picture hidden."""

    def __init__(self, encoder, decoder):
        super().__init__(encoder, decoder, has_memory=False)

    def forward(self, image, visible):
        return self.loss(image, visible)

    @staticmethod
    def samples(batch):
        return torch.randn(batch, 3, IMAGE, IMAGE), torch.rand(batch, PLACES).argsort(1)[:, : PLACES // 4]


class SiamMAE(ImageAutoencoder):
    """Gupta et al., arXiv 2305.14344: 95 % of a frame hidden, another frame of the video seen whole."""

    def __init__(self, encoder, decoder):
        super().__init__(encoder, decoder, has_memory=True)

    def forward(self, past, future, visible):
        return self.loss(future, visible, memory=self.encode(past) + self.decoder_positions)

    @staticmethod
    def samples(batch):
        return *torch.randn(2, batch, 3, IMAGE, IMAGE), torch.rand(batch, PLACES).argsort(1)[:, : int(PLACES * 0.05)]


class VideoMAE(nn.Module):
    """Tong et al., arXiv 2203.12602: 20 of 196 places seen, in all steps of time; the decoder has these tokens, then those to predict."""

    def __init__(self, encoder, decoder):
        super().__init__()
        (width, *_), (decoder_width, *_) = encoder, decoder
        self.embed = nn.Conv3d(3, width, (TUBELET, PATCH, PATCH), (TUBELET, PATCH, PATCH))
        self.encoder, self.decoder = Transformer(*encoder), Transformer(*decoder)
        self.register_buffer("positions", torch.randn(1, STEPS * PLACES, width) * 0.02)
        self.decoder_embed, self.mask_token = nn.Linear(width, decoder_width, bias=False), trained(1, decoder_width)
        self.register_buffer("decoder_positions", torch.randn(1, STEPS * PLACES, decoder_width) * 0.02)
        self.predict = nn.Linear(decoder_width, 3 * TUBELET * PATCH * PATCH)

    def forward(self, clip, visible, decoded):
        x = self.embed(clip).flatten(2).transpose(1, 2) + self.positions
        seen = self.decoder_embed(self.encoder(take(x, visible))) + take(self.decoder_positions, visible)
        x = torch.cat([seen, self.mask_token + take(self.decoder_positions, decoded)], dim=1)
        prediction = self.predict(self.decoder(x, first=seen.shape[1]))
        target = take(normalized_by_channel(patches(clip * DEVIATION + MEAN, TUBELET)), decoded)
        return pixel_loss(prediction, target, hidden(visible, STEPS * PLACES).gather(1, decoded))

    @staticmethod
    def samples(batch):
        places = torch.rand(batch, PLACES).argsort(1)
        visible, decoded = places[:, : PLACES - int(PLACES * 0.9)], places[:, PLACES - int(PLACES * 0.9) :]
        every_step = [(chosen[:, None] + PLACES * torch.arange(STEPS)[:, None]).flatten(1) for chosen in (visible, decoded)]
        return torch.randn(batch, 3, FRAMES, IMAGE, IMAGE), *every_step


class VideoMAEV2(VideoMAE):
    """Wang et al., arXiv 2303.16727: VideoMAE whose decoder predicts half of the places, a moving pattern, those seen among them."""

    @staticmethod
    def samples(batch):
        clip, visible, _ = VideoMAE.samples(batch)
        step, row, column = torch.meshgrid(torch.arange(STEPS), torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
        cells = [(2 * (row % 2) + column % 2 + start + step) % 4 >= 2 for start in torch.randint(4, (batch,)).tolist()]
        return clip, visible, torch.stack([cell.flatten().nonzero()[:, 0] for cell in cells])


class MGMAE(VideoMAE):
    """Huang et al., arXiv 2308.10794: VideoMAE with other places in every step, 19 of 196; which ones is given."""

    @staticmethod
    def samples(batch):
        places = torch.rand(batch, STEPS, PLACES).argsort(2) + PLACES * torch.arange(STEPS)[:, None]
        kept = int(PLACES * (1 - 0.9))
        return torch.randn(batch, 3, FRAMES, IMAGE, IMAGE), places[..., :kept].flatten(1), places[..., kept:].flatten(1)


class MAEST(nn.Module):
    """Feichtenhofer et al., arXiv 2205.09113: 90 % of space and time hidden, trained positions, one frame of each step predicted."""

    def __init__(self, encoder, decoder):
        super().__init__()
        (width, *_), (decoder_width, *_) = encoder, decoder
        self.embed = nn.Conv3d(3, width, (TUBELET, PATCH, PATCH), (TUBELET, PATCH, PATCH))
        self.cls, self.encoder = trained(1, width), Transformer(*encoder)
        self.cls_position, self.space, self.time = trained(1, width), trained(PLACES, width), trained(STEPS, width)
        self.decoder_embed, self.mask_token = nn.Linear(width, decoder_width), trained(1, decoder_width)
        self.decoder, self.decoder_cls, self.decoder_cls_position = Transformer(*decoder), *(trained(1, decoder_width) for _ in range(2))
        self.decoder_space, self.decoder_time = trained(PLACES, decoder_width), trained(STEPS, decoder_width)
        self.predict = nn.Linear(decoder_width, 3 * PATCH * PATCH)

    def forward(self, clip, visible):
        batch, count = len(clip), STEPS * PLACES
        positions = (self.time[:, :, None] + self.space[:, None]).flatten(1, 2)
        x = take(self.embed(clip).flatten(2).transpose(1, 2), visible) + take(positions, visible)
        x = torch.cat([(self.cls + self.cls_position).expand(batch, -1, -1), x], dim=1)
        seen = self.decoder_embed(self.encoder(x, first=1))
        positions = (self.decoder_time[:, :, None] + self.decoder_space[:, None]).flatten(1, 2)
        x = put(seen, self.mask_token, visible, count) + positions
        x = torch.cat([(self.decoder_cls + self.decoder_cls_position).expand(batch, -1, -1), x], dim=1)
        prediction = self.predict(self.decoder(x, first=1))
        frames = torch.linspace(0, FRAMES - 1, STEPS).long()
        return pixel_loss(prediction, normalized(patches(clip[:, :, frames], 1)), hidden(visible, count))

    @staticmethod
    def samples(batch):
        count = STEPS * PLACES
        return torch.randn(batch, 3, FRAMES, IMAGE, IMAGE), torch.rand(batch, count).argsort(1)[:, : int(count * (1 - 0.9))]


# Each recipe's network, and the decoder that it has unless another is named.
RECIPES = {
    "siammae": (SiamMAE, "mae"),
    "mae": (MAE, "mae"),
    "videomae": (VideoMAE, "b"),
    "videomae-v2": (VideoMAEV2, "b"),
    "mgmae": (MGMAE, "b"),
    "mae-st": (MAEST, "mae-st"),
}
