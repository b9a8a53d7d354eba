"""Times Tandem's evaluation of a frame and PyTorch's in turn, and counts the pixels on which their masks agree: part of `make bench-peers`.

The PyTorch program is peers/propagate.py of the shared folder, on a sequence of its DAVIS folder, with a random ViT-S. Seconds are told twice:
on the clock, and of all cores together, which other programs on the machine hardly touch.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file

from bench import WITHOUT_AVX512

# Runs the program with a clock that counts the seconds of all cores.
ON_CORES = "import runpy, sys, time; time.perf_counter = time.process_time; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"


def run(command, **options):
    """What a program prints, and the most memory it took."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{errors[-2000:]}")
    return output, usage.ru_maxrss * 1024


def random_encoder(path, patch, width=384, depth=12):
    """Weights under timm's names, as timm draws them."""
    torch.manual_seed(0)

    def normal(*shape):
        return torch.nn.init.trunc_normal_(torch.empty(*shape), std=0.02)

    embedding = torch.nn.Conv2d(3, width, patch, patch)
    weights = {
        "cls_token": normal(1, 1, width), "pos_embed": normal(1, 1 + (224 // patch) ** 2, width),
        "patch_embed.proj.weight": embedding.weight.detach(), "patch_embed.proj.bias": embedding.bias.detach(),
    }
    norms = ["norm"] + [f"blocks.{block}.norm{n}" for block in range(depth) for n in (1, 2)]
    for name in norms:
        weights |= {f"{name}.weight": torch.ones(width), f"{name}.bias": torch.zeros(width)}
    shapes = {"attn.qkv": (3 * width, width), "attn.proj": (width, width), "mlp.fc1": (4 * width, width), "mlp.fc2": (width, 4 * width)}
    for block in range(depth):
        for name, shape in shapes.items():
            weights |= {f"blocks.{block}.{name}.weight": normal(*shape), f"blocks.{block}.{name}.bias": torch.zeros(shape[0])}
    save_file({name: weight.contiguous() for name, weight in weights.items()}, path, metadata={"format": "pt"})


def agreement(first, second):
    """The share of pixels that have the same number in the masks of two folders; the first frame's is given, and only Tandem keeps it."""
    names = sorted(path.name for path in second.iterdir())[1:]
    masks = [[numpy.array(Image.open(folder / name)) for name in names] for folder in (first, second)]
    return numpy.mean([numpy.mean(a == b) for a, b in zip(*masks)])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tandem", default=".build/release/tandem")
    options.add_argument("--shared", type=pathlib.Path, required=True, help="the folder of peers/propagate.py and data/davis")
    options.add_argument("--sequence", default="horsejump-high")
    options.add_argument("--weights", help="an encoder with timm's names; default: a random one")
    options.add_argument("--frames", type=int, default=24)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--avx2", action="store_true", help="keep all programs from AVX-512, as on a processor that lacks it")
    options = options.parse_args()
    precisions = ["f32"] if options.avx2 else ["f32", "bf16"]
    if options.avx2:
        os.environ.update(WITHOUT_AVX512)
    peer = options.shared.resolve() / "peers" / "propagate.py"

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        weights = options.weights or folder / "encoder.safetensors"
        if not options.weights:
            random_encoder(weights, patch=16)
        # The sequence's first frames only, for all programs.
        frames = folder / "davis"
        for kind in ("JPEGImages", "Annotations"):
            source, target = (root / kind / "480p" / options.sequence for root in (options.shared.resolve() / "data" / "davis", frames))
            target.mkdir(parents=True)
            for path in sorted(source.iterdir())[: options.frames]:
                (target / path.name).symlink_to(path)

        def torch_run(clock):
            command = [sys.executable, "-B", *(["-c", ON_CORES] if clock == "cores" else []), peer, "--threads", options.threads]
            command += ["--root", frames, "--sequence", options.sequence, "--weights", weights, "--out", folder / "peer"]
            output, memory = run(command, cwd=peer.parent)
            features, propagation = map(float, re.search(r"features ([\d.]+) s, propagation ([\d.]+) s", output).groups())
            return {"features": features, "propagation": propagation, "memory": memory}

        def tandem_run(precision):
            command = [options.tandem, "bench", "propagation", "--json", "--weights", weights, "--precision", precision]
            output, _ = run(command + ["--threads", options.threads])
            result = json.loads(output)
            return {"memory": result["peakBytes"]} | {
                name + suffix: result[name + key] for name in ("features", "propagation") for suffix, key in (("", "Seconds"), (" cores", "CoreSeconds"))
            }

        results = {"PyTorch": []} | {f"Tandem {precision}": [] for precision in precisions}
        for _ in range(options.rounds):
            cores = torch_run("cores")
            results["PyTorch"].append(torch_run("wall") | {name + " cores": cores[name] for name in ("features", "propagation")})
            for precision in precisions:
                results["Tandem " + precision].append(tandem_run(precision))
        best = {name: {key: min(run[key] for run in runs) for key in runs[0]} for name, runs in results.items()}

        print(f"\n480x880, 20 frames and the first one as context, {options.threads} threads; seconds a frame (core seconds), and how many times as fast")
        for name, numbers in best.items():
            columns = []
            for half in ("features", "propagation"):
                ratios = [best["PyTorch"][half + suffix] / numbers[half + suffix] for suffix in ("", " cores")]
                columns.append(f"{half} {numbers[half]:.3f} ({numbers[half + ' cores']:.3f}) x{ratios[0]:.2f} (x{ratios[1]:.2f})")
            print(f"{name:12} {columns[0]}  {columns[1]}  {numbers['memory'] / 2**20:6.0f} MiB")

        for precision in precisions:
            output = folder / precision
            command = [pathlib.Path(options.tandem).with_name("tandem-evaluator"), "--weights", weights, "--root", frames]
            command += ["--sequences", options.sequence, "--precision", precision, "--threads", options.threads, "--output", output]
            run(command)
            share = agreement(output / options.sequence, folder / "peer" / options.sequence)
            print(f"masks of Tandem in {precision}: {share * 100:.3f} % of pixels as PyTorch's")


if __name__ == "__main__":
    main()
