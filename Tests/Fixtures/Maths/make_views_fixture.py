"""Writes a small iBOT and a small SiameseIM in PyTorch, with ten steps of their training, into safetensors files beside this script.

Run with PyTorch and safetensors installed:  python make_views_fixture.py [NAME...]
Both: param.NAME, out.*, grad.NAME (of the first step, before they are clipped), train.* (a value for each of ten steps on one batch), after.NAME.
iBOT: teacher.NAME, center, center2; input.global [2 batch, 3, image, image] and input.local, the first crop of every picture, then the second;
input.masks [2 batch, patches], 1 where hidden; input.drop and input.drop_local [10, depth, 2, crops], 1 where a step keeps the branch of a crop
(attention, then MLP); after_teacher.NAME, after_center, after_center2.
SiameseIM: param. has the teacher (mm_*), the tables and the running values too; input.x1, x2, mask [batch, patches]; input.boxes [batch, 2, 4]
(top, left, height, width), flips and width, of which input.geometry is made.
Written with PyTorch's functional API on a dictionary of arrays, in float64; values are rounded to float32 at the end. No test can compare the
biases of keys after the ten steps: their gradient is rounding alone.
"""
import math
import sys

import torch
import torch.nn.functional as F

from training import write

STEPS = 10
CASES = {
    "ibot-small": dict(
        system="ibot", seed=41, image=24, local=12, locals=2, patch=4, dim=24, depth=2, heads=2, hidden=32, bottleneck=12, out=40, patch_out=40,
        shared_head=True, shared_head_teacher=True, norm_last_layer=False, drop_path=0.2, batch=2, lr=0.002, min_lr=1e-6, weight_decay=0.04,
        weight_decay_end=0.4, momentum=0.9, clip=0.5, freeze_last_layer=1, epochs=4, steps_per_epoch=3, warmup_epochs=1, temps=[0.04, 0.07],
        patch_temps=[0.05, 0.07], temp_epochs=3),
    "siamese-im-small": dict(
        system="siameseim", seed=42, image=24, patch=4, dim=24, depth=2, heads=3, ddim=16, dheads=2, projector=1, predictor=2, masked=21,
        train_patch_embed=False, neg_weight=0.02, batch=2, lr=0.002, min_lr=0.0, weight_decay=0.05, clip=0.5, momentum=0.9, epochs=4, steps_per_epoch=4,
        warmup_epochs=1),
}


def linear(state, name, x):
    return F.linear(x, state[name + ".weight"], state[name + ".bias"])


def layer_norm(state, name, x):
    return F.layer_norm(x, x.shape[-1:], state[name + ".weight"], state[name + ".bias"], 1e-6)


def batch_norm(state, name, x):
    """By the mean and the variance of all tokens of the batch; the running values move along."""
    state[name + ".bn.num_batches_tracked"] += 1
    running, affine = ([f"{name}.bn.{kind}" for kind in kinds] for kinds in (("running_mean", "running_var"), ("weight", "bias")))
    y = F.batch_norm(x.flatten(0, 1), *(state[key] for key in running + affine), training=True, momentum=0.1, eps=1e-5)
    return y.view_as(x)


def block(state, name, x, heads, norm=layer_norm, scales=(1, 1)):
    """`scales`: what the two branches are multiplied by."""
    q, k, v = linear(state, name + "attn.qkv", norm(state, name + "norm1", x)).unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1)
    x = x + scales[0] * linear(state, name + "attn.proj", (weights @ v).transpose(1, 2).flatten(2))
    return x + scales[1] * linear(state, name + "mlp.fc2", F.gelu(linear(state, name + "mlp.fc1", norm(state, name + "norm2", x))))


def patches(state, name, pictures):
    weight = state[name + ".proj.weight"]
    return F.conv2d(pictures, weight, state[name + ".proj.bias"], stride=weight.shape[2:]).flatten(2).transpose(1, 2)


def with_class_token(token, x):
    return torch.cat([token.expand(len(x), -1, -1), x], 1)


def cosine(start, end, share):
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def adamw(parameters, betas):
    """Tensors of one dimension are not decayed; the first group is."""
    groups = [[p for p in parameters if (p.ndim > 1) == decayed] for decayed in (True, False)]
    return torch.optim.AdamW([{"params": group, "weight_decay": 0.0} for group in groups], betas=betas, eps=1e-8)


def follow(pairs, momentum):
    """Moves each teacher's tensor towards its student's."""
    with torch.no_grad():
        for teacher, student in pairs:
            teacher.mul_(momentum).add_(student, alpha=1 - momentum)


class IBOT:
    """Zhou et al., arXiv 2111.07832. `arrays` has param.*, teacher.*, center, center2 and input.* of a fixture."""

    def __init__(self, config, arrays):
        self.config = config
        self.inputs = arrays_of(arrays, "input.")
        self.student, self.teacher = arrays_of(arrays, "param."), arrays_of(arrays, "teacher.")
        self.centers = [arrays["center"].double(), arrays["center2"].double()]
        for name, value in self.student.items():
            value.requires_grad_(not (config["norm_last_layer"] and name.endswith("weight_g")))

    def positions(self, state, count):
        """The table, resized to a smaller picture's patches by a factor that stands 0.1 patches off, as published."""
        table = state["backbone.pos_embed"]
        old, new = math.isqrt(table.shape[1] - 1), math.isqrt(count)
        if old == new:
            return table
        grid = table[:, 1:].unflatten(1, (old, old)).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, scale_factor=(new + 0.1) / old, mode="bicubic", align_corners=False, recompute_scale_factor=False)
        return torch.cat([table[:, :1], grid.flatten(2).transpose(1, 2)], 1)

    def encode(self, state, pictures, masks=None, kept=None):
        x = patches(state, "backbone.patch_embed", pictures)
        if masks is not None:
            x = torch.where(masks[..., None] == 1, state["backbone.masked_embed"], x)
        x = with_class_token(state["backbone.cls_token"], x) + self.positions(state, x.shape[1])
        depth = self.config["depth"]
        for i in range(depth):
            rate = self.config["drop_path"] * i / (depth - 1)
            scales = (1, 1) if kept is None or rate == 0 else kept[i].double()[..., None, None] / (1 - rate)
            x = block(state, f"backbone.blocks.{i}.", x, self.config["heads"], scales=scales)
        return layer_norm(state, "backbone.norm", x)

    def head(self, state, x, layer):
        """Logits of tokens; patches have no layer of their own where the head is shared."""
        layer = "head." + (layer if f"head.{layer}.weight_v" in state else "last_layer")
        for i in (0, 2):
            x = F.gelu(linear(state, f"head.mlp.{i}", x))
        x, v = F.normalize(linear(state, "head.mlp.4", x), dim=-1), state[layer + ".weight_v"]
        return x @ (state[layer + ".weight_g"] * v / v.norm(dim=1, keepdim=True)).T

    def logits(self, state, tokens):
        return self.head(state, tokens[:, 0], "last_layer"), self.head(state, tokens[:, 1:], "last_layer2")

    def forward(self, step, temperatures):
        """What a fixture holds under out., but for the centers."""
        inputs, out = self.inputs, {}
        masks, batch = inputs["masks"], self.config["batch"]
        with torch.no_grad():
            out["teacher.cls"], out["teacher.patch"] = self.logits(self.teacher, self.encode(self.teacher, inputs["global"]))
        out["student.tokens"] = self.encode(self.student, inputs["global"], masks, inputs["drop"][step] if "drop" in inputs else None)
        out["student.cls"], out["student.patch"] = self.logits(self.student, out["student.tokens"])
        views = list(out["student.cls"].split(batch))
        if "local" in inputs:
            out["local.tokens"] = self.encode(self.student, inputs["local"], kept=inputs["drop_local"][step] if "drop_local" in inputs else None)
            out["local.cls"] = self.head(self.student, out["local.tokens"][:, 0], "last_layer")
            out["pos_local"] = self.positions(self.student, out["local.tokens"].shape[1] - 1)
            views += out["local.cls"].split(batch)

        def entropy(target, prediction):
            return -(target * (prediction / 0.1).log_softmax(-1)).sum(-1)

        of_class, of_patches = (
            ((out["teacher." + kind] - center) / temperature).softmax(-1)
            for kind, center, temperature in zip(("cls", "patch"), self.centers, temperatures))
        terms = [entropy(target, view).mean() for q, target in enumerate(of_class.split(batch)) for v, view in enumerate(views) if v != q]
        out["loss_cls"] = sum(terms) / len(terms)
        # A crop of which nothing is hidden counts as 0.
        out["loss_patch"] = ((entropy(of_patches, out["student.patch"]) * masks).sum(1) / masks.sum(1).clamp(min=1)).mean()
        return out | {"loss": out["loss_cls"] + out["loss_patch"]}

    def schedules(self, step):
        c = self.config
        steps, warm, epoch = c["epochs"] * c["steps_per_epoch"], c["warmup_epochs"] * c["steps_per_epoch"], step // c["steps_per_epoch"]

        def temperature(start, end):
            return start + (end - start) * min(epoch / (c["temp_epochs"] - 1), 1)

        return {
            "lr": c["lr"] * step / (warm - 1) if step < warm else cosine(c["lr"], c["min_lr"], (step - warm) / (steps - warm)),
            "weight_decay": cosine(c["weight_decay"], c["weight_decay_end"], step / steps),
            "momentum": cosine(c["momentum"], 1, step / steps),
            "temp": temperature(*c["temps"]),
            "patch_temp": temperature(*c["patch_temps"]),
        }

    def run(self):
        """All results: out.*, grad.*, train.*, after.*, after_teacher.*, after_center, after_center2."""
        trained = {name: value for name, value in self.student.items() if value.requires_grad}
        optimizer, results, rows = adamw(trained.values(), (0.9, 0.999)), {}, []
        for step in range(STEPS):
            row = self.schedules(step)
            out = self.forward(step, (row["temp"], row["patch_temp"]))
            optimizer.zero_grad()
            out["loss"].backward()
            with torch.no_grad():
                for i, kind in enumerate(("cls", "patch")):
                    logits = out["teacher." + kind].flatten(0, -2)
                    self.centers[i] = 0.9 * self.centers[i] + 0.1 * logits.mean(0)
            if step == 0:
                results |= {"out." + name: value.clone() for name, value in out.items()}
                results |= {"out.center": self.centers[0], "out.center2": self.centers[1]}
                results |= {"grad." + name: value.grad.clone() for name, value in trained.items()}
            coefficients = [self.config["clip"] / (value.grad.norm() + 1e-6) for value in trained.values()]
            for value, coefficient in zip(trained.values(), coefficients):
                value.grad.mul_(coefficient.clamp(max=1))
            for name, value in trained.items():
                if "last_layer" in name and step < self.config["freeze_last_layer"] * self.config["steps_per_epoch"]:
                    value.grad = None  # the optimizer skips the tensor altogether
            for group, decay in zip(optimizer.param_groups, (row["weight_decay"], 0)):
                group.update(lr=row["lr"], weight_decay=decay)
            optimizer.step()
            follow([(value, self.student[name]) for name, value in self.teacher.items()], row["momentum"])
            row |= {"losses": out["loss"].item(), "losses_cls": out["loss_cls"].item(), "losses_patch": out["loss_patch"].item()}
            rows.append(row | {"clipped": sum(int(coefficient < 1) for coefficient in coefficients)})
        results |= {"after." + name: value for name, value in self.student.items()} | {"after_teacher." + name: value for name, value in self.teacher.items()}
        return results | train_arrays(rows) | {"after_center": self.centers[0], "after_center2": self.centers[1]}


class SiameseIM:
    """Tao et al., arXiv 2206.01204. `arrays` has param.* and input.* of a fixture."""

    def __init__(self, config, arrays):
        self.config, self.inputs, self.state = config, arrays_of(arrays, "input."), arrays_of(arrays, "param.")
        fixed = ("pos_embed", "decoder_pos_embed", "mm_") + (() if config["train_patch_embed"] else ("patch_embed.",))
        self.trained = {name: value for name, value in self.state.items() if not name.startswith(fixed) and not is_running(name)}
        for value in self.trained.values():
            value.requires_grad_()

    def project(self, prefix, x):
        """Tokens of the encoder, embedding and projector whose names start so."""
        for i in range(self.config["depth"]):
            x = block(self.state, f"{prefix}blocks.{i}.", x, self.config["heads"])
        x = linear(self.state, prefix + "decoder_embed", x)
        for i in range(self.config["projector"]):
            x = block(self.state, f"{prefix}projector_decoder_blocks.{i}.", x, self.config["dheads"], batch_norm)
        return x

    def forward(self, momentum):
        """What a fixture holds under out."""
        state, inputs, width = self.state, self.inputs, self.config["ddim"]
        seen = torch.stack([(mask == 0).nonzero()[:, 0] for mask in inputs["mask"]])
        take = lambda x: torch.stack([own[rows] for own, rows in zip(x.expand(len(seen), -1, -1), seen)])
        table = state["decoder_pos_embed"]
        x = take(patches(state, "patch_embed", inputs["x1"]) + state["pos_embed"][:, 1:])
        projected = self.project("", with_class_token(state["cls_token"] + state["pos_embed"][:, :1], x))
        relative = relative_positions(inputs["geometry"], self.config["image"] // self.config["patch"], width)
        queries = state["mask_token"] + linear(state, "decoder_pos_mlp", relative)
        x = torch.cat([projected + with_class_token(table[:, :1], take(table[:, 1:])), queries], 1)
        for i in range(self.config["predictor"]):
            x = block(state, f"predictor_decoder_blocks.{i}.", x, self.config["dheads"], batch_norm)
        prediction = linear(state, "decoder_pred", x)[:, -queries.shape[1] :]

        follow([(value, state[name[3:]]) for name, value in state.items() if name.startswith("mm_") and not is_running(name)], momentum)
        with torch.no_grad():
            x = with_class_token(state["mm_cls_token"], patches(state, "mm_patch_embed", inputs["x2"])) + state["pos_embed"]
            target = F.layer_norm(self.project("mm_", x)[:, 1:], (width,), eps=1e-5)
        p, t = prediction.flatten(0, 1), target.flatten(0, 1)
        positive, negative = (p - t).square().sum(1).mean(), torch.einsum("ni,ij,nj->n", p, t.T @ t / len(t), p).mean()
        return {
            "projected": projected, "relative": relative, "pred": prediction, "target": target, "loss_positive": positive, "loss_negative": negative,
            "loss": (positive + self.config["neg_weight"] * negative) / width}

    def schedules(self, step):
        c = self.config
        epoch, warm = step / c["steps_per_epoch"], c["warmup_epochs"]
        rate = c["lr"] * epoch / warm if epoch < warm else cosine(c["lr"], c["min_lr"], (epoch - warm) / (c["epochs"] - warm))
        return {"lr": rate, "momentum": cosine(c["momentum"], 1, epoch / c["epochs"])}

    def run(self):
        """All results: out.*, grad.*, train.*, after.*."""
        optimizer, results, rows = adamw(self.trained.values(), (0.9, 0.95)), {}, []
        for step in range(STEPS):
            row = self.schedules(step)
            out = self.forward(row["momentum"])
            optimizer.zero_grad()
            out["loss"].backward()
            if step == 0:
                results |= {"out." + name: value.clone() for name, value in out.items()}
                results |= {"grad." + name: value.grad.clone() for name, value in self.trained.items()}
            norm = torch.nn.utils.clip_grad_norm_(self.trained.values(), self.config["clip"])
            for group, decay in zip(optimizer.param_groups, (self.config["weight_decay"], 0)):
                group.update(lr=row["lr"], weight_decay=decay)
            optimizer.step()
            rows.append(row | {"losses": out["loss"].item(), "grad_norm": norm.item()})
        return results | {"after." + name: value for name, value in self.state.items()} | train_arrays(rows)


def is_running(name):
    """Whether a name is of batch normalization's running values, which are not parameters."""
    return ".running_" in name or name.endswith("num_batches_tracked")


def frequencies(width):
    return 10000.0 ** -(torch.arange(width // 4, dtype=torch.float64) / (width // 4))


def waves(values, width):
    """Sines, then cosines, of values [...]: [..., width / 2]."""
    angles = values[..., None] * frequencies(width)
    return torch.cat([angles.sin(), angles.cos()], -1)


def fixed_positions(side, width):
    """[1, 1 + side * side, width]: a row of zeros, then of each patch the waves of its row and those of its column."""
    row, column = torch.meshgrid(*[torch.arange(side, dtype=torch.float64)] * 2, indexing="ij")
    table = torch.cat([waves(row.flatten(), width), waves(column.flatten(), width)], -1)
    return F.pad(table, (0, 0, 1, 0))[None]


def geometry(boxes, flips, width):
    """[batch, 6]: where the second crop lies as seen from the first: down, right, height, width, whether mirrored, right if mirrored."""
    (top1, left1, h1, w1), (top2, left2, h2, w2) = boxes.double().permute(1, 2, 0)
    return torch.stack([(top2 - top1) / h1, (left2 - left1) / w1, h2 / h1, w2 / w1, (flips[:, 0] ^ flips[:, 1]).double(), (width - left1 - left2) / w1], 1)


def relative_positions(geometry, side, width):
    """[batch, side * side, 2 * width]: the second crop's patches in units of the first crop's, and the ratio of sizes."""
    down, right, height, breadth, is_mirrored, mirrored_right = geometry.T[..., None]
    cell = torch.arange(side, dtype=torch.float64) + 0.5
    y = height * cell + down * side - 0.5
    x = torch.where(is_mirrored == 1, mirrored_right * side - breadth * cell, breadth * cell + right * side) - 0.5
    cells = [y.repeat_interleave(side, 1), x.repeat(1, side)]
    sizes = [(10 * size.log()).expand(-1, side * side) for size in (height, breadth)]
    return torch.cat([waves(values, width) for values in cells + sizes], -1)


def arrays_of(arrays, prefix):
    """Copies of the arrays whose names start so, without the prefix; floats as float64."""
    own = {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}
    return {name: value.double() if value.is_floating_point() else value.clone() for name, value in own.items()}


def train_arrays(rows):
    return {"train." + name: torch.tensor([row[name] for row in rows], dtype=None if name == "clipped" else torch.float64) for name in rows[0]}


def block_shapes(name, width, norm):
    shapes = {f"{name}norm{i}{norm}.{part}": (width,) for i in (1, 2) for part in ("weight", "bias")}
    for layer, rows, columns in (("attn.qkv", 3, 1), ("attn.proj", 1, 1), ("mlp.fc1", 4, 1), ("mlp.fc2", 1, 4)):
        shapes |= {f"{name}{layer}.weight": (rows * width, columns * width), f"{name}{layer}.bias": (rows * width,)}
    return shapes


def layer_shapes(name, rows, *columns):
    return {name + ".weight": (rows, *columns), name + ".bias": (rows,)}


def drawn(shapes):
    """Float32 values around 0, those of norms' weights and of gains around 1."""
    around_one = lambda name: "norm" in name and name.endswith("weight") or name.endswith("weight_g")
    return {name: 0.15 * torch.randn(shape) + around_one(name) for name, shape in shapes.items()}


def ibot_arrays(config):
    width, patch, hidden, count = config["dim"], config["patch"], config["hidden"], (config["image"] // config["patch"]) ** 2
    shapes = {"cls_token": (1, 1, width), "pos_embed": (1, 1 + count, width)} | layer_shapes("patch_embed.proj", width, 3, patch, patch)
    for i in range(config["depth"]):
        shapes |= block_shapes(f"blocks.{i}.", width, "")
    shapes = {"backbone." + name: shape for name, shape in (shapes | layer_shapes("norm", width)).items()}
    for i, rows, columns in ((0, hidden, width), (2, hidden, hidden), (4, config["bottleneck"], hidden)):
        shapes |= layer_shapes(f"head.mlp.{i}", rows, columns)
    shapes |= {"head.last_layer.weight_g": (config["out"], 1), "head.last_layer.weight_v": (config["out"], config["bottleneck"])}
    student = drawn(shapes | {"backbone.masked_embed": (1, width)})
    # Near the student, as after some training, but not a copy.
    arrays = {"teacher." + name: student[name] + 0.05 * torch.randn(shape) for name, shape in shapes.items()}
    arrays |= {"param." + name: value for name, value in student.items()}
    crops, locals = 2 * config["batch"], config["locals"] * config["batch"]
    arrays |= {"center": 0.1 * torch.randn(config["out"]), "center2": 0.1 * torch.randn(config["patch_out"])}
    arrays |= {"input.global": torch.randn(crops, 3, *[config["image"]] * 2), "input.local": torch.randn(locals, 3, *[config["local"]] * 2)}
    masked = [7, 0, 15, 12]  # of each global crop
    arrays["input.masks"] = torch.stack([(torch.randperm(count) < number).long() for number in masked])
    for name, pictures in (("drop", crops), ("drop_local", locals)):
        arrays["input." + name] = (torch.rand(STEPS, config["depth"], 2, pictures) >= config["drop_path"]).long()
    return arrays


def siamese_im_arrays(config):
    width, own, patch, side = config["dim"], config["ddim"], config["patch"], config["image"] // config["patch"]
    shapes = {"cls_token": (1, 1, width), "mask_token": (1, 1, own)} | layer_shapes("patch_embed.proj", width, 3, patch, patch)
    for i in range(config["depth"]):
        shapes |= block_shapes(f"blocks.{i}.", width, "")
    shapes |= layer_shapes("decoder_embed", own, width)
    for i in range(config["projector"]):
        shapes |= block_shapes(f"projector_decoder_blocks.{i}.", own, ".bn")
    teacher = {"mm_" + name: shape for name, shape in shapes.items()}
    for i in range(config["predictor"]):
        shapes |= block_shapes(f"predictor_decoder_blocks.{i}.", own, ".bn")
    shapes |= layer_shapes("decoder_pred", own, own) | layer_shapes("decoder_pos_mlp", own, 2 * own)
    state = drawn(shapes)
    state |= {name: state[name[3:]] + 0.05 * torch.randn(shape) for name, shape in teacher.items()}
    for name in [name.removesuffix("weight") for name in state if name.endswith(".bn.weight")]:
        state |= {name + "running_mean": torch.zeros(own), name + "running_var": torch.ones(own), name + "num_batches_tracked": torch.tensor(0)}
    state |= {"pos_embed": fixed_positions(side, width).float(), "decoder_pos_embed": fixed_positions(side, own).float()}
    arrays = {"param." + name: value for name, value in state.items()}
    x1, x2 = torch.randn(2, config["batch"], 3, *[config["image"]] * 2)
    mask = torch.stack([(torch.randperm(side * side) < config["masked"]).long() for _ in range(config["batch"])])
    # One pair is mirrored, of which the second crop is the larger; the crops of the other overlap in part.
    boxes = torch.tensor([[[30, 12, 60, 80], [8, 5, 90, 70]], [[14, 90, 50, 40], [20, 60, 100, 120]]])
    flips, sizes = torch.tensor([[1, 1], [0, 1]]), torch.tensor([120, 200])
    arrays |= {"input.x1": x1, "input.x2": x2, "input.mask": mask, "input.boxes": boxes, "input.flips": flips, "input.width": sizes}
    return arrays | {"input.geometry": geometry(boxes, flips, sizes).float()}


SYSTEMS = {"ibot": (IBOT, ibot_arrays), "siameseim": (SiameseIM, siamese_im_arrays)}


def main():
    for name in sys.argv[1:] or CASES:
        config = CASES[name]
        torch.manual_seed(config["seed"])
        system, draw = SYSTEMS[config["system"]]
        arrays = draw(config)
        write(name, config, arrays | {key: value.reshape(1) if key.startswith("out.loss") else value for key, value in system(config, arrays).run().items()})


if __name__ == "__main__":
    main()
