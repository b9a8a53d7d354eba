"""What the scripts beside this one have in common: ten steps of the optimizer, and the file."""
import json
import math
import pathlib

import torch
from safetensors.torch import save_file


def train(model, inputs, decays, clip=math.inf):
    """The arrays train.losses, train.norms (lengths of the gradients, before they are clipped) and after.NAME of ten AdamW steps.

    `model` has a dictionary of parameters and returns its loss last; `decays(NAME, PARAMETER)` says whether a parameter has weight decay.
    """
    groups = [[value for key, value in model.parameters.items() if decays(key, value) == decayed] for decayed in (True, False)]
    groups = [{"params": own, "weight_decay": decay} for own, decay in zip(groups, (0.05, 0))]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
    losses, norms = [], []
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(*inputs)[-1]
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters.values(), clip))
        optimizer.step()
        losses.append(loss.item())
    arrays = {"train.losses": torch.tensor(losses), "train.norms": torch.stack(norms)}
    return arrays | {"after." + key: value for key, value in model.parameters.items()}


def write(name, config, arrays):
    """Writes a fixture beside this script, its numbers rounded to float32, and says how the losses went."""
    losses = arrays["train.losses"].tolist()
    arrays = {key: (value if value.dtype == torch.int64 else value.float()).detach().contiguous() for key, value in arrays.items()}
    target = pathlib.Path(__file__).parent / (name + ".safetensors")
    save_file(arrays, target, metadata={"config": json.dumps(config)})
    print(name, target.stat().st_size, "bytes, losses", losses[0], "to", losses[-1])
