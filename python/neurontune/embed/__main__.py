"""Writes a model's embeddings as a folder that `neurontune run --embeddings` reads.

For models of Hugging Face, timm and JAX. TorchScript models need another program, `neurontune
embed`.
"""

import argparse
import importlib
import importlib.util
import pathlib
import sys
from collections.abc import Callable
from typing import Any

from . import embed_huggingface, embed_jax, embed_timm, framework, huggingface, timm
from .data_files import by_split, from_arrays, from_csv, from_image_folder
from .embedded import Embedded, check_folder, safetensors
from .errors import naming, one_line
from .lines import as_line
from .samples import Samples

_FILES = "a file for each split"

_CSV = """\
Each CSV is a split named as the file: train.csv and val.csv, and any others. Its columns:
  label       integers from 0
  text        the input; with text_pair, the second of two texts. Or:
  image       the input, even beside a text: a path relative to the CSV
  attribute   optional: integers from 0, empty or -1 where not known
  id          optional: the name that reports show"""

_IMAGES = """
Instead of CSVs, one folder with SPLIT/CLASS/ and images in it. Classes are numbered in order of
name, as timm numbers them in training."""

_JAX = """\
MODEL is FILE.py:FUNCTION or MODULE:FUNCTION. The function takes nothing and returns
  features    a function from inputs [n, ...] to what enters the last layer, [n, M]
  kernel      of the last layer, [M, C]
  bias        [C], or None

Each NPZ is a split named as the file: train.npz and val.npz, and any others. Its arrays: inputs
[N, ...], labels [N], and optionally attributes [N] and ids [N]."""


def make_parser() -> argparse.ArgumentParser:
    """The command line; needs none of the frameworks."""
    parser = argparse.ArgumentParser(prog="python -m neurontune.embed", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="FRAMEWORK")

    def add(name: str, help: str, details: str, run: Callable[..., Embedded],
            batch_size: int) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name, help=help, description=help + ".", epilog=details,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        command.set_defaults(run=run)
        command.add_argument("--batch-size", type=int, default=batch_size, metavar="N",
                             help="inputs at once [%(default)s]")
        return command

    command = add("huggingface", "texts or images, by a classifier of transformers", _CSV,
                  run_huggingface, 32)
    command.add_argument("model", metavar="MODEL", help="folder, or name on the Hub")
    _add_out_and_data(command, "CSV", _FILES)
    _add_device(command)
    command.add_argument("--head", metavar="NAME", help="the last linear layer [the one found]")

    command = add("timm", "images, by a classifier of timm", _CSV + "\n" + _IMAGES, run_timm, 64)
    command.add_argument("architecture", metavar="ARCHITECTURE", help="such as resnet50")
    command.add_argument("checkpoint", type=pathlib.Path, metavar="CHECKPOINT",
                         help="the weights that you trained")
    _add_out_and_data(command, "DATA", _FILES + ", or one folder of images")
    _add_device(command)
    command.add_argument("--classes", type=_positive, metavar="C",
                         help="of the model [as many as the data has]")

    command = add("jax", "arrays, by functions of JAX", _JAX, run_jax, 256)
    command.add_argument("model", metavar="MODEL", help="FILE.py:FUNCTION or MODULE:FUNCTION")
    _add_out_and_data(command, "NPZ", _FILES)
    return parser


def _add_out_and_data(command: argparse.ArgumentParser, data: str, help: str) -> None:
    command.add_argument("out", type=pathlib.Path, metavar="OUT", help="folder to write")
    command.add_argument("data", type=pathlib.Path, metavar=data, nargs="+", help=help)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument("--device", help="cpu, cuda, … [cuda where there is one]")


def run_huggingface(options: argparse.Namespace) -> Embedded:
    splits = by_split(options.data, from_csv)
    check_folder(options.out, splits)
    device = _device(options.device)
    with naming(f"{options.model} cannot be loaded"):
        model = huggingface.load_model(options.model).to(device)
    return embed_huggingface(model, splits, head=options.head, batch_size=options.batch_size)


def run_timm(options: argparse.Namespace) -> Embedded:
    splits, names = _images(options.data)
    check_folder(options.out, splits)
    classes = options.classes or len(names) or 1 + max(max(split.labels)
                                                       for split in splits.values())
    library, device = framework.load("timm.models", timm.INSTALL), _device(options.device)
    with naming(options.architecture):
        model = library.create_model(options.architecture, num_classes=classes)
    with naming(f"{options.checkpoint} cannot be loaded"):
        options.checkpoint.open("rb").close()  # timm's own error of an absent file is empty
        library.load_checkpoint(model, str(options.checkpoint))
    embedded = embed_timm(model.to(device), splits, batch_size=options.batch_size)
    return embedded._replace(label_names=names or None)


def run_jax(options: argparse.Namespace) -> Embedded:
    framework.load("jax", "pip install jax")
    splits = by_split(options.data, from_arrays)
    check_folder(options.out, splits)
    with naming(options.model):
        found = _function(options.model)()
        if not isinstance(found, (tuple, list)) or len(found) != 3 or not callable(found[0]):
            raise ValueError(f"it returns a {type(found).__name__}, expected a tuple of features "
                             f"(a function), kernel and bias")
    features, kernel, bias = found

    def named_features(inputs: Any) -> Any:
        with naming(options.model):
            return features(inputs)

    return embed_jax(named_features, kernel, bias, splits, batch_size=options.batch_size)


def _images(data: list[pathlib.Path]) -> tuple[dict[str, Samples], list[str]]:
    if len(data) == 1 and data[0].is_dir():
        return from_image_folder(data[0])
    return by_split(data, from_csv), []


def _function(name: str) -> Callable[[], Any]:
    """The function that FILE.py:FUNCTION or MODULE:FUNCTION names."""
    module_name, _, function = name.rpartition(":")
    if not module_name or not function:
        raise ValueError("expected FILE.py:FUNCTION or MODULE:FUNCTION")
    if module_name.endswith(".py"):
        spec = importlib.util.spec_from_file_location(pathlib.Path(module_name).stem, module_name)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(module_name)
    found: Callable[[], Any] | None = getattr(module, function, None)
    if not callable(found):
        raise ValueError(f"there is no function {function}")
    return found


def _device(name: str | None) -> str:
    torch = framework.load("torch", "pip install torch")
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    with naming(f"--device {name}"):
        torch.empty(0, device=name)
    return name


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line.

    Returns
    -------
    int
        The exit code: 0, 1 after an error, 2 (by argparse) where the arguments are wrong.
    """
    options = make_parser().parse_args(arguments)
    try:
        safetensors()
        embedded: Embedded = options.run(options)
        embedded.save(options.out)
    except Exception as error:  # a framework's may be of any kind
        sys.stderr.write("error: " + as_line(one_line(error)))
        return 1
    except KeyboardInterrupt:
        return 130
    for name, split in embedded.splits.items():
        print(f"{name}: {len(split.labels)} samples, {split.embeddings.shape[1]} dimensions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
