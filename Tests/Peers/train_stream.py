"""Trains a PyTorch SiamMAE on a stream's batches from the first weights of a run of Tandem's, and prints how far its losses are from the run's.

    train_stream.py ENDPOINT RUN_FOLDER FOLDER_OF_siammae_ref.py BATCH '{"image": 32, "patch": 8, …}'

The rates are those of the run's log; AdamW leaves biases and norms undecayed, as the run does.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import load_file

endpoint, run, peers, batch_size, sizes = sys.argv[1:]
sys.path[:0] = [peers, str(pathlib.Path(__file__).resolve().parents[2] / "Sources/Python")]
from siammae_ref import SiamMAE  # noqa: E402
from tandem import Stream  # noqa: E402
from tandem.torch import Loader  # noqa: E402

model = SiamMAE(**json.loads(sizes))
arrays = load_file(f"{run}/checkpoints/step-00000000.safetensors")
model.load_state_dict({name: array for name, array in arrays.items() if not name.startswith("optimizer.")})
steps = [json.loads(line) for line in open(f"{run}/log.txt")]
groups = [[p for p in model.parameters() if (p.ndim > 1) == decays] for decays in (True, False)]
optimizer = torch.optim.AdamW(
    [{"params": groups[0], "weight_decay": 0.05}, {"params": groups[1], "weight_decay": 0}], lr=0, betas=(0.9, 0.95)
)
mean, deviation = (torch.tensor(values).view(1, 1, 3, 1, 1) for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
stream = Stream(endpoint, batch=int(batch_size), samples=len(steps) * int(batch_size), timeout=60)
worst = 0.0
for step, batch in zip(steps, Loader(stream)):
    for group in optimizer.param_groups:
        group["lr"] = step["train_lr"]
    past, future = ((batch["frames"].permute(0, 1, 4, 2, 3) / 255 - mean) / deviation).unbind(1)
    loss, _ = model(past, future, (batch["mask"] == 0).nonzero()[:, 1].view(len(past), -1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    worst = max(worst, abs(loss.item() / step["train_loss"] - 1))
print(json.dumps({"steps": len(steps), "worst": worst}))
