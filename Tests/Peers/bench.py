"""Times training steps of Tandem and of PyTorch in turn, on the same cores, and prints the ratios: `make bench-peers RECIPES="mae mae-st"`.

The programs take turns, round after round, because a machine's speed drifts; each program's best round counts.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# What a name stands for: the options that both programs take for it.
RECIPES = {
    "siammae": "--recipe siammae --model s16 --batch 16",
    "siammae-small": "--recipe siammae --model s16 --decoder small --batch 16",
    "siammae-b": "--recipe siammae --model b16 --batch 8",
    "mae": "--recipe mae --model b16 --batch 32",
    "videomae-s": "--recipe videomae --model s16 --decoder s --batch 2",
    "videomae-b": "--recipe videomae --model b16 --batch 1",
    "videomae-v2": "--recipe videomae-v2 --model b16 --batch 1",
    "mgmae": "--recipe mgmae --model s16 --decoder s --batch 2",
    "mae-st": "--recipe mae-st --model l16 --batch 1",
    "ibot": "--recipe ibot --model s16 --batch 8",
    "siamese-im": "--recipe siamese-im --model b16 --batch 16",
}
PRECISIONS = ["f32", "bf16"]
# What Tandem, oneDNN and MKL go by. PyTorch's element-wise kernels keep AVX-512, which favours it.
WITHOUT_AVX512 = {"TANDEM_MAX_INSTRUCTIONS": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def run(command):
    """The JSON object that a program prints last; its other output is not shown unless it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def trained_by(tandem):
    """The recipes that a build of Tandem knows."""
    text = subprocess.run([tandem, "bench", "step", "--help"], capture_output=True, text=True, check=True).stdout
    return re.search(r"--recipe (\S+)", text)[1].split("|")


def processor():
    """The processor's name, where the system tells it."""
    names = re.findall(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return names[0] if names else platform.machine()


def compare(name, options):
    """Prints a table of one recipe."""
    work = [*RECIPES[name].split(), "--threads", str(options.threads), "--steps", str(options.steps)]
    torch = [sys.executable, "-B", HERE / "train_step.py"]
    programs = {"PyTorch eager": torch, "PyTorch compiled": [*torch, "--compile"], "Tandem": [options.tandem, "bench", "step", "--json"]}
    results = {(precision, program): [] for precision in PRECISIONS for program in programs}
    for round in range(options.rounds):
        for precision, program in results:
            result = run([*programs[program], "--precision", precision, *work])
            results[precision, program].append(result)
            print(f"{name}, round {round + 1}: {precision:5}{program:18}{result['samplesPerSecond']:7.2f} samples/s", file=sys.stderr)

    print(f"\n{name}: {' '.join(work)}")
    print(f"{'':5} {'':18}{'samples/s':>10}{'memory':>12}")
    for precision in PRECISIONS:
        rates = {program: max(r["samplesPerSecond"] for r in results[precision, program]) for program in programs}
        memory = {program: min(r["peakBytes"] for r in results[precision, program]) for program in programs}
        for program in programs:
            print(f"{precision:5} {program:18}{rates[program]:10.2f}{memory[program] / 2**30:8.2f} GiB")
        peer = max((program for program in programs if program != "Tandem"), key=rates.get)
        rate, space = rates["Tandem"] / rates[peer], memory["Tandem"] / memory[peer]
        share = max(r["shareOfPeak"] for r in results[precision, "Tandem"])
        print(
            f"{precision:5} Tandem is {rate:.2f} times as fast as {peer}, with {space:.2f} of its memory, at {share * 100:.0f} % of the"
            " peak of products\n", flush=True)
    return results["f32", "Tandem"][0]["device"]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(RECIPES)}; default: all")
    options.add_argument("--tandem", default=".build/release/tandem")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--steps", type=int, default=3, help="timed steps of a program in a round")
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--avx2", action="store_true", help="keep all programs from AVX-512, as on a processor that lacks it")
    arguments = options.parse_args()
    if arguments.avx2:
        os.environ.update(WITHOUT_AVX512)
        PRECISIONS.remove("bf16")  # it is computed as f32 there, by PyTorch a number at a time
    for name in arguments.recipes:
        if name not in RECIPES:
            options.error(f"'{name}' is none of {', '.join(RECIPES)}")
    known, device = trained_by(arguments.tandem), None
    for name in arguments.recipes or RECIPES:
        if RECIPES[name].split()[1] in known:
            device = compare(name, arguments)
        else:
            print(f"\n{name}: left out, because {arguments.tandem} does not know this recipe; it knows {', '.join(known)}\n")
    print(f"{processor()}; Tandem: {device}" if device else processor())


if __name__ == "__main__":
    main()
