#!/usr/bin/env python3
"""Every method on the whole benchmark suite: makes the sets, compares, and writes the tables.

    quality.py PROGRAM [--out DIR] [--document FILE] [--families …] [--correlations …] [--seeds N]

PROGRAM is the built neurontune; bench/datasets is looked for beside it. A set is a family, a number
of classes, a correlation and a seed; it is made once (an ERM network is trained on it) and kept in
OUT/sets. `neurontune compare` then runs all methods on each. Prints Markdown tables, writes them with
all figures to OUT/quality.md and OUT/quality.json, and with --document into FILE between the lines
`<!-- quality -->` and `<!-- /quality -->`, as docs/results.md has them.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys

CLASSES = {"dominoes": [2, 3], "textured": [2, 4], "patch": [2, 10], "text": [2, 3]}
IMAGES = ["dominoes", "textured", "patch"]
METHODS = ["erm", "llr", "dfr", "afr", "shortcut_probe", "self", "neurontune", "neurontune_half", "rebalanced",
           "rebalanced_masked", "neurontune_default"]
CORRELATIONS = ["none", "0.9", "0.95", "0.99"]
BEGIN, END = "<!-- quality -->", "<!-- /quality -->"
QUICK = {"set": ["--train-samples", "400", "--val-samples", "400", "--test-samples", "400", "--epochs", "1"],
         "compare": ["--epochs", "1", "--batches-per-epoch", "5"]}

Set = collections.namedtuple("Set", "family classes correlation seed")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("quality-out"), help="[quality-out]")
    parser.add_argument("--document", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--families", nargs="+", choices=list(CLASSES), default=IMAGES,
                        help="text needs bench/requirements-text.txt [all but text]")
    parser.add_argument("--correlations", nargs="+", default=CORRELATIONS)
    parser.add_argument("--seeds", type=int, default=5, help="sets of each kind, seeds 0…N−1 [5]")
    parser.add_argument("--methods", help="as compare takes them [all]")
    parser.add_argument("--features", type=int, default=256, metavar="M",
                        help="of the networks behind images [256]")
    parser.add_argument("--unbiased-classes", type=int, default=0, metavar="K",
                        help="the first K classes have every attribute equally often [0]")
    parser.add_argument("--label-noise", type=float, default=0, metavar="X",
                        help="fraction of val's labels that are made wrong [0]")
    parser.add_argument("--jobs", type=int, default=2, help="sets at once, a thread each [2]")
    parser.add_argument("--resume", action="store_true", help="keep comparisons that an interrupted run has finished")
    parser.add_argument("--quick", action="store_true",
                        help="tiny sets and runs of binary classes: shows that all of it runs, nothing else")
    options = parser.parse_args()
    if "text" in options.families and (options.unbiased_classes or options.features != 256):
        parser.error("text sets have neither --unbiased-classes nor --features")
    return options


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        raise RuntimeError(f"{shlex.join(map(str, command))}: {said[-1]}")
    return json.loads(done.stdout)


def methods_on(of, options):
    """All but DFR on more than two classes without a correlation: there its balanced subsets are the whole split, and
    its 27 one-vs-rest regressions on that take a quarter of an hour for ten classes."""
    if options.methods:
        return ["--methods", options.methods]
    return ["--methods", ",".join(m for m in METHODS if m != "dfr")] if of.correlation == "none" and of.classes > 2 else []


def variant(options):
    """What tells a set of other than the suite's settings from the suite's."""
    return [*([f"m{options.features}"] if options.features != 256 else []),
            *([f"u{options.unbiased_classes}"] if options.unbiased_classes else [])]


def compare(of, options):
    """The comparison on a set, which is made if it is not there."""
    folder = options.out / "sets" / "-".join(map(str, [*of, *variant(options)]))
    compared = folder / ("compare" if not options.label_noise else f"compare-noise-{options.label_noise:g}")
    done = compared / "compare.json"
    if options.resume and done.exists():
        report = json.loads(done.read_text())
        return {"set": of._asdict(), "methods": report["methods"], "warnings": report["warnings"]}
    quick = QUICK if options.quick else {"set": [], "compare": []}
    make_set(of, folder, options, quick["set"])
    embeddings = noisy_copy(of, folder, options) if options.label_noise else folder / "embeddings"
    report = run(options.program, "compare", "--embeddings", embeddings, "--out", compared, "--seeds", 1, "--seed",
                 of.seed, "--threads", 1, "--quiet", "--json", *methods_on(of, options), *quick["compare"])
    return {"set": of._asdict(), "methods": report["methods"], "warnings": report["warnings"]}


def make_set(of, folder, options, quick):
    kind = ["--classes", of.classes, "--correlation", of.correlation, "--seed", of.seed, "--out", folder]
    if of.family == "text":
        run(sys.executable, pathlib.Path(__file__).parent / "text_dataset.py", *kind)
    else:
        run(options.program.parent / "bench/datasets", of.family, *kind, "--threads", 1, "--features", options.features,
            "--unbiased-classes", options.unbiased_classes, *quick)


def noisy_copy(of, folder, options):
    """The set's embeddings with a fraction of val's labels replaced by other ones."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    noisy = folder / f"embeddings-noise-{options.label_noise:g}"
    shutil.copytree(folder / "embeddings", noisy, dirs_exist_ok=True)
    val = load_file(noisy / "val.safetensors")
    generator = np.random.default_rng(of.seed)
    wrong = generator.random(len(val["labels"])) < options.label_noise
    val["labels"] = np.where(wrong, (val["labels"] + generator.integers(1, of.classes, len(wrong))) % of.classes, val["labels"])
    save_file(val, noisy / "val.safetensors")
    return noisy


def compare_all(options):
    classes = {family: [2] if options.quick else CLASSES[family] for family in options.families}
    sets = [Set(family, count, correlation, seed) for family in options.families for count in classes[family]
            for correlation in options.correlations for seed in range(options.seeds)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = []
        for done, result in enumerate(pool.map(lambda of: compare(of, options), sets)):
            results.append(result)
            print(f"{done + 1}/{len(sets)} {'-'.join(map(str, result['set'].values()))}", file=sys.stderr)
    return results


def figures(results, figure):
    """{(family, classes, correlation): {method: [a value a seed]}}; a method that failed has none."""
    values = {}
    for result in results:
        of = result["set"]
        row = values.setdefault((of["family"], of["classes"], of["correlation"]), {})
        for method in result["methods"]:
            row.setdefault(method["method"], [])
            if figure in method["test"]:
                row[method["method"]].append(method["test"][figure]["mean"])
    return values


def cell(values):
    if not values:
        return "–"
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}".removeprefix("0") + spread


def correlation_text(correlation):
    return "none" if correlation == "none" else f"{100 * float(correlation):g} %"


def all_methods(values):
    found = {method for row in values.values() for method in row}
    return [method for method in METHODS if method in found]


def table(values):
    methods = all_methods(values)
    lines = ["| set | correlation | " + " | ".join(methods) + " |", "|---" * (len(methods) + 2) + "|"]
    for (family, classes, correlation), row in values.items():
        lines.append(f"| {family}, {classes} classes | {correlation_text(correlation)} | "
                     + " | ".join(cell(row.get(method, [])) for method in methods) + " |")
    return "\n".join(lines)


def against_dfr(values):
    """Worst-group accuracy over DFR's on the same kind of set, on average over kinds, a row a correlation."""
    methods = all_methods(values)
    lines = ["| correlation | " + " | ".join(methods) + " |", "|---" * (len(methods) + 1) + "|"]
    for correlation in dict.fromkeys(key[2] for key in values):
        rows = [row for key, row in values.items() if key[2] == correlation]
        ratios = {method: [statistics.mean(row[method]) / statistics.mean(row["dfr"]) for row in rows
                           if row.get(method) and any(row.get("dfr", []))] for method in methods}
        lines.append(f"| {correlation_text(correlation)} | "
                     + " | ".join(f"{statistics.mean(ratios[method]):.2f}" if ratios[method] else "–" for method in methods)
                     + " |")
    return "\n".join(lines)


def set_by_set(results):
    """The default recipe's worst-group accuracy over DFR's on the same set: mean (lowest) over the seeds of each kind."""
    shares = {}
    for result in results:
        of = result["set"]
        found = {method["method"]: method["test"]["worst_group_accuracy"]["mean"] for method in result["methods"]
                 if "worst_group_accuracy" in method["test"]}
        if found.get("dfr") and "neurontune_default" in found:
            kinds = shares.setdefault(correlation_text(of["correlation"]), {})
            kinds.setdefault(f"{of['family']} {of['classes']}", []).append(found["neurontune_default"] / found["dfr"])
    kinds = list(dict.fromkeys(kind for row in shares.values() for kind in row))
    lines = ["| correlation | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for correlation, row in shares.items():
        cells = [f"{statistics.mean(row[kind]):.2f} ({min(row[kind]):.2f})" if kind in row else "–" for kind in kinds]
        lines.append(f"| {correlation} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def against_erm(results):
    """The largest loss of worst-group and of mean accuracy against ERM on a set without a spurious correlation."""
    lines = ["| | worst group: mean, worst set | mean accuracy: mean, worst set |", "|---|---|---|"]
    unbiased = [result for result in results if result["set"]["correlation"] == "none"]
    changes = {}
    for result in unbiased:
        test = {method["method"]: method["test"] for method in result["methods"]}
        for method, found in test.items():
            if method != "erm" and found and test.get("erm"):
                changes.setdefault(method, []).append(
                    [found[figure]["mean"] - test["erm"][figure]["mean"] for figure in ("worst_group_accuracy", "mean_accuracy")])
    for method, rows in changes.items():
        worst, mean = zip(*rows)
        lines.append(f"| {method} | {statistics.mean(worst):+.3f}, {min(worst):+.3f} | {statistics.mean(mean):+.3f}, {min(mean):+.3f} |")
    return "\n".join(lines)


def document(results, options):
    worst, mean = (figures(results, figure) for figure in ("worst_group_accuracy", "mean_accuracy"))
    command = "bench/quality.py build/release/neurontune" + (f" --seeds {options.seeds}" if options.seeds != 5 else "")
    for flag, chosen, default in (("families", options.families, IMAGES), ("correlations", options.correlations, CORRELATIONS)):
        command += "" if chosen == default else f" --{flag} {' '.join(chosen)}"
    command += f" --methods {options.methods}" if options.methods else ""
    command += f" --features {options.features}" if options.features != 256 else ""
    command += f" --unbiased-classes {options.unbiased_classes}" if options.unbiased_classes else ""
    command += f" --label-noise {options.label_noise:g}" if options.label_noise else ""
    failed = collections.Counter(f"{method['method']}: {method['failure']}" for result in results
                                 for method in result["methods"] if "failure" in method)
    parts = [f"`{command}`: {len(results)} sets, mean ± standard deviation over {options.seeds} seeds of data and network.",
             "#### Worst-group accuracy on test", table(worst), "#### Mean accuracy on test (groups equally often)", table(mean)]
    if any("dfr" in row for row in worst.values()):
        parts += ["#### Worst-group accuracy as a share of DFR's", against_dfr(worst)]
        if any("neurontune_default" in row for row in worst.values()):
            parts += ["#### The default recipe's share of DFR's, set by set: mean (lowest)", set_by_set(results)]
    if any(result["set"]["correlation"] == "none" for result in results):
        parts += ["#### Where there is nothing to gain: change against ERM without a spurious correlation", against_erm(results)]
    if failed:
        parts += ["Not run:", "\n".join(f"- {text} ({count} sets)" for text, count in failed.items())]
    return "\n\n".join(parts) + "\n"


def put_into(file, text):
    old = file.read_text()
    if BEGIN not in old or END not in old:
        raise RuntimeError(f"{file}: has no lines {BEGIN} and {END}")
    file.write_text(old[:old.index(BEGIN)] + BEGIN + "\n" + text + old[old.index(END):])


def main():
    options = parse_arguments()
    try:
        results = compare_all(options)
        (options.out / "quality.json").write_text(json.dumps(results, indent=1) + "\n")
        text = document(results, options)
        (options.out / "quality.md").write_text(text)
        print(text)
        if options.document:
            put_into(options.document, text)
    except (RuntimeError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
