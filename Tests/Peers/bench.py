"""Times Tandem's training step and PyTorch's in turn, on the same cores, and prints the ratios: `make bench-peers`.

The programs take turns, round after round, because a machine's speed drifts; each program's best round counts.
"""
import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def run(command):
    """The JSON object that a program prints last; its other output is not shown unless it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tandem", default=".build/release/tandem")
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--steps", type=int, default=3, help="timed steps of a program in a round")
    options.add_argument("--rounds", type=int, default=2)
    options = options.parse_args()
    common = ["--batch", str(options.batch), "--threads", str(options.threads), "--steps", str(options.steps)]

    def tandem(precision):
        return [options.tandem, "bench", "step", "--json", "--precision", precision, *common]

    def torch(precision, *more):
        return [sys.executable, "-B", HERE / "train_step.py", "--precision", precision, *more, *common]

    programs = {
        ("f32", "PyTorch eager"): torch("f32"), ("f32", "PyTorch compiled"): torch("f32", "--compile"), ("f32", "Tandem"): tandem("f32"),
        ("bf16", "PyTorch eager"): torch("bf16"), ("bf16", "PyTorch compiled"): torch("bf16", "--compile"), ("bf16", "Tandem"): tandem("bf16"),
    }
    results = {program: [] for program in programs}
    for round in range(options.rounds):
        for program, command in programs.items():
            results[program].append(run(command))
            print(f"round {round + 1}: {program[0]:5}{program[1]:18}{results[program][-1]['samplesPerSecond']:7.2f} pairs/s", file=sys.stderr)

    print(f"\nViT-S/16, decoder mae, {options.batch} pairs a step, {options.threads} threads")
    print(f"{'':5} {'':18}{'pairs/s':>9}{'memory':>12}")
    for precision in ["f32", "bf16"]:
        best = {name: max(r["samplesPerSecond"] for r in rs) for (p, name), rs in results.items() if p == precision}
        memory = {name: min(r["peakBytes"] for r in rs) for (p, name), rs in results.items() if p == precision}
        for name in best:
            print(f"{precision:5} {name:18}{best[name]:9.2f}{memory[name] / 2**30:8.2f} GiB")
        peer = max((name for name in best if name != "Tandem"), key=best.get)
        share = max(r["shareOfPeak"] for r in results[precision, "Tandem"])
        print(
            f"{precision:5} Tandem is {best['Tandem'] / best[peer]:.2f} times as fast as {peer}, with {memory['Tandem'] / memory[peer]:.2f} of"
            f" its memory, at {share * 100:.0f} % of the peak of products\n")


if __name__ == "__main__":
    main()
