"""What PyTorch makes of features: weighted nearest neighbours and a linear probe, as DINO's and MAE's programs have them.

    peer.py PROBLEM.json ANSWER.json

PROBLEM names two .npy files, `train` and `val`, with their labels, and holds the first weights of the probe, the examples of every step, and
the numbers of the recipe. ANSWER holds the loss of every step, the last weights, and the classes of `val`, best first.
"""

import json
import math
import sys

import numpy as np
import torch

with open(sys.argv[1]) as file:
    problem = json.load(file)
train, val = (torch.from_numpy(np.load(problem[part])) for part in ("train", "val"))
labels = torch.tensor(problem["trainLabels"])
classes = problem["classes"]
depth = min(5, classes)


def neighbours():
    units = [torch.nn.functional.normalize(part, dim=1) for part in (train, val)]
    similarity, nearest = (units[1] @ units[0].T).topk(problem["k"], dim=1)
    votes = torch.zeros(len(val), classes)
    votes.scatter_add_(1, labels[nearest], (similarity / problem["temperature"]).exp())
    return votes.sort(dim=1, descending=True, stable=True).indices[:, :depth]


def rate(step):
    epoch, warm_up, epochs = step / problem["stepsOfEpoch"], problem["warmUpEpochs"], problem["epochs"]
    peak = problem["baseRate"] * problem["batch"] / 256
    if epoch < warm_up:
        return peak * epoch / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * (epoch - warm_up) / (epochs - warm_up)))


def probe():
    layer = torch.nn.Linear(train.shape[1], classes)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(problem["weight"]).reshape(layer.weight.shape))
        layer.bias.zero_()
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(train.shape[1], affine=False, eps=1e-6), layer)
    momentum = [torch.zeros_like(parameter) for parameter in layer.parameters()]
    losses = []
    for step, batch in enumerate(problem["batches"]):
        model.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(train[batch]), labels[batch])
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for parameter, moment in zip(layer.parameters(), momentum):
                gradient = parameter.grad
                if parameter.ndim > 1:
                    gradient = gradient * (0.001 * parameter.norm() / gradient.norm())
                moment.mul_(0.9).add_(gradient)
                parameter.sub_(moment, alpha=rate(step))
    model.eval()
    with torch.no_grad():
        scores = model(val)
    return losses, layer, scores.sort(dim=1, descending=True, stable=True).indices[:, :depth]


losses, layer, ranked = probe()
with open(sys.argv[2], "w") as file:
    json.dump({
        "losses": losses, "weight": layer.weight.flatten().tolist(), "bias": layer.bias.tolist(),
        "probe": ranked.tolist(), "neighbours": neighbours().tolist(),
    }, file)
