"""What every experiment works with: the built programs, data sets to run them on, a folder for results."""
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile

FAMILIES = ["dominoes", "textured", "patch"]
TINY_SET = ["--train-samples", 600, "--val-samples", 400, "--test-samples", 200, "--epochs", 25]
SHORT_RETRAINING = ["--epochs", 3, "--batches-per-epoch", 10]


class Failure(Exception):
    """What ends the experiments: one line."""


@dataclasses.dataclass
class Set:
    """Embeddings to run on. Sets of one group are averaged: `seed` is that of a run on this one."""
    group: str
    seed: int
    embeddings: pathlib.Path


class Workbench:
    def __init__(self, program, out, seeds, embeddings=(), quick=False):
        self.program, self.out = program.absolute(), out.absolute()
        self.seeds = list(range(1 if quick else seeds))
        self.quick = quick
        self._embeddings = embeddings
        for file in [self.program, *embeddings]:
            if not file.exists():
                raise Failure(f"{file}: there is no such file")
        self.out.mkdir(parents=True, exist_ok=True)

    @property
    def embeddings_given(self):
        return bool(self._embeddings)

    @property
    def families(self):
        return FAMILIES[:1] if self.quick else FAMILIES

    def log(self, text):
        print(text, file=sys.stderr, flush=True)

    def sets(self):
        """The folders that were given, each with every seed, or a benchmark set a family and seed."""
        if self._embeddings:
            return [Set(str(folder), seed, folder) for folder in self._embeddings for seed in self.seeds]
        return [Set(family, seed, self.benchmark_set(family, seed) / "embeddings")
                for family in self.families for seed in self.seeds]

    def benchmark_set(self, family, seed, correlation=0.95):
        """A folder with data/, erm.pt and embeddings/ of two classes; made unless it is there."""
        folder = self.out / "sets" / f"{family}-2-{correlation}-{seed}"
        if not (folder / "dataset.json").exists():
            self.log(f"  makes {folder}")
        self._run(self.program.parent / "bench/datasets", family, "--correlation", correlation, "--seed", seed,
                  "--out", folder, *(TINY_SET if self.quick else []))
        return folder

    def embed(self, model, data, name):
        """The folder of embeddings that a network has of some images; kept while both stay the same."""
        folder = self.out / "embeddings" / name
        self._run(self.program, "embed", "--model", model, "--data", data, "--out", folder, "--quiet")
        return folder

    def retraining(self):
        """Flags of every retraining."""
        return SHORT_RETRAINING if self.quick else []

    def neurontune(self, subcommand, *arguments):
        """The JSON that a subcommand prints; results it writes go to a folder that is then removed. The
        experiments are on the mask and its epochs: without another recipe it is `guarded`."""
        recipe = [] if "--recipe" in arguments else ["--recipe", "guarded"]
        with tempfile.TemporaryDirectory() as out:
            return self._json(self.program, subcommand, "--out", out, "--json", "--quiet", *recipe, *arguments)

    def steps(self, subcommand, *arguments):
        """The JSON that a subcommand of bench/experiments' program prints."""
        return self._json(self.program.parent / "bench/experiments", subcommand, *arguments)

    def _json(self, *command):
        return json.loads(self._run(*command))

    def _run(self, *command):
        command = [str(part) for part in command]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise Failure(f"{command[0]}: {error.strerror}") from error
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise Failure(f"{' '.join(command)}: {last.removeprefix('error: ')}")
        return done.stdout
