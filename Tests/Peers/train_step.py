"""Training steps of a recipe in PyTorch, timed: what `tandem bench step` is compared with, and takes the same names for.

The networks are those of networks.py and networks_views.py, trained as PyTorch's users would do it: scaled_dot_product_attention, fused
AdamW, autocast for bf16, _foreach for gradients that are clipped one by one and for teachers. Prints one JSON object with the fastest step's
rate and the most memory that the process took. Run with PyTorch installed:
python train_step.py --recipe videomae --model b16 --batch 1 --precision bf16 --compile
"""
import argparse
import contextlib
import json
import random
import resource
import time

import torch

import networks_views
from networks import DECODERS, ENCODERS, RECIPES

RECIPES = RECIPES | networks_views.RECIPES


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--recipe", choices=RECIPES, default="siammae")
    options.add_argument("--model", choices=ENCODERS, default="s16", help="the encoder")
    options.add_argument("--decoder", choices=DECODERS, help="default: the recipe's")
    options.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    options.add_argument("--compile", action="store_true")
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--steps", type=int, default=4, help="steps that are timed, after two that are not")
    options.add_argument("--threads", type=int, default=2)
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    random.seed(0)
    network, decoder = RECIPES[options.recipe]
    model = network(ENCODERS[options.model], DECODERS.get(options.decoder or decoder))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, betas=(0.9, 0.95), weight_decay=0.05, fused=True)
    run = torch.compile(model) if options.compile else model
    clip_gradients, move_teacher = (getattr(model, name, lambda: None) for name in ("clip_gradients", "move_teacher"))
    precision = torch.autocast("cpu", torch.bfloat16) if options.precision == "bf16" else contextlib.nullcontext()
    seconds = []
    for _ in range(options.steps + 2):
        samples = network.samples(options.batch)
        start = time.perf_counter()
        with precision:
            loss = run(*samples)
        loss.backward()
        clip_gradients()
        optimizer.step()
        move_teacher()
        optimizer.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "samplesPerSecond": options.batch / min(seconds[2:]),
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "loss": loss.item(),
    }))


if __name__ == "__main__":
    main()
