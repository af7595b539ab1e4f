"""--help and --help-all: every flag with its default and range, in groups, at any width; and that what it says holds."""

import os
import re
import subprocess
import unittest

from cli_test_case import QUICK, CliTest
from fixture import PROGRAM, neurontune, succeed

GROUPS = ["Model", "Images", "Splits", "Identification", "Retraining", "Selection", "Output", "General"]

MODEL = ("--model --data --format --output --preload-lib --extract-batch --embedding-dtype --amp --skip-bad --resize "
         "--interpolation --crop --channels --mean --std ").split()
HEAD = ["--head", "--head-name"]
EMBEDDINGS = ["--embeddings", "--arrays"]
IDENTIFICATION = ("--threshold --threshold-quantile --aggregate --activation --keep-at-least --mask-value --significance "
                  "--false-discovery-rate").split()
TUNING = ("--tune --refresh --start --epochs --batches-per-epoch --batch-size --learning-rate --lr --momentum "
          "--weight-decay --criterion --guard --max-drop --evidence-threshold --seed").split()
SETTINGS = ["--device", "--threads", "--config", "--recipe", "--json", "--color"]
METHOD = [*MODEL, *HEAD, *EMBEDDINGS, "--identify", *IDENTIFICATION, *TUNING, *SETTINGS, "--out"]
SPLIT_MODEL = ["--model", *HEAD, "--output", "--preload-lib"]
EVERYWHERE = ["-h", "--help", "--help-all", "--quiet", "--log-level", "--log-file"]

FLAGS = {
    "inspect": [*SPLIT_MODEL, "--input-shape", "--json", "--color"],
    "embed": [*MODEL, *HEAD, *SETTINGS, "--out"],
    "score": [*EMBEDDINGS, "--identify", *IDENTIFICATION, *SETTINGS, "--out"],
    "run": [*METHOD, "--exit-code", "--no-report", "--no-images", "--vocabulary"],
    "export": [*SPLIT_MODEL, "--out", "--force"],
    "eval": [*MODEL, *HEAD, *EMBEDDINGS, *SETTINGS, "--split", "--require", "--junit", "--predictions"],
    "compare": [*METHOD, "--methods", "--seeds", "--baseline", "--tolerance", "--junit", "--no-report"],
    "ablate": [*METHOD, "--sweep", "--seeds", "--trajectory", "--no-report"],
    "report": [],
    "demo": [*IDENTIFICATION, *TUNING, *SETTINGS, "--out", "--fashion-mnist", "--no-report", "--no-images"],
}


def help_of(*arguments, columns=None):
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    if columns is not None:
        environment["COLUMNS"] = str(columns)
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=True, env=environment).stdout


def flags_in(text):
    """The flags that a help has an entry for."""
    return [flag for line in text.splitlines() if re.match(r"  -", line)
            for flag in re.match(r"  (-[-\w]+(?:, -[-\w]+)*)", line)[1].split(", ")]


def entries(text):
    """flag → what a help says of it, in one line."""
    found = {}
    for block in re.split(r"\n(?=  -)", text):
        lines = [line.strip() for line in re.split(r"\n(?! )", block)[0].splitlines()]
        if lines and lines[0].startswith("-"):
            found[re.match(r"-[-\w]+", lines[0])[0]] = " ".join(lines)
    return found


class Help(CliTest):
    def test_help_all_has_every_flag_once(self):
        for command, flags in FLAGS.items():
            with self.subTest(command=command):
                self.assertEqual(sorted(flags_in(help_of(command, "--help-all"))), sorted([*flags, *EVERYWHERE]))

    def test_help_has_what_a_first_user_needs(self):
        for command in FLAGS:
            shown, every = (flags_in(help_of(command, flag)) for flag in ("--help", "--help-all"))
            self.assertEqual(shown, [flag for flag in every if flag in shown], "the same order")
            rare = set(every) - set(shown)
            self.assertEqual(f"neurontune {command} --help-all also shows" in help_of(command, "--help"), bool(rare))
            for flag in ("--model", "--data", "--embeddings", "--out", "--config", "--recipe", "--seed", "--device", "--json",
                         *EVERYWHERE):
                self.assertNotIn(flag, rare)
        self.assertLess(len(help_of("run", "--help").splitlines()), 0.7 * len(help_of("run", "--help-all").splitlines()))

    def test_short_and_long_help_are_the_same(self):
        self.assertEqual(help_of("run", "-h"), help_of("run", "--help"))

    def test_flags_stand_in_groups(self):
        for arguments in (["run", "--help"], ["run", "--help-all"]):
            self.assertEqual(re.findall(r"^(\w+):$", help_of(*arguments), re.MULTILINE), GROUPS)
        text = help_of("run", "--help-all")
        for flag, group in [("--arrays", "Model"), ("--crop", "Images"), ("--tune", "Splits"), ("--mask-value", "Identification"),
                            ("--momentum", "Retraining"), ("--criterion", "Selection"), ("--log-file", "Output"),
                            ("--recipe", "General")]:
            before = text[:text.index(f"\n  {flag}")]
            self.assertEqual(re.findall(r"^(\w+):$", before, re.MULTILINE)[-1], group, flag)

    def test_defaults_ranges_and_what_is_required(self):
        text = help_of("run", "--help-all")
        for line in ("  --mask-value V [0] 0 to 1\n", "  --learning-rate, --lr X [0.01] over 0\n", "  --epochs N [20] 1 to 100000\n",
                     "  --criterion NAME [inferred_groups]\n      inferred_groups, worst_group, sfit or guarded_sfit.\n",
                     "  --out OUT (required)\n", "  --quiet\n",
                     "  --log-level LEVEL [warn] trace, debug, info, warn, error or off\n"):
            self.assertIn(line, text)
        self.assertIn("  --seeds N [5] 1 to 10000\n", help_of("compare", "--help"))

    def test_no_line_is_wider_than_the_terminal(self):
        for command in ([], *([name] for name in FLAGS)):
            for columns, most in ((None, 80), (200, 80), (80, 80), (60, 60), (40, 40), ("wide", 80)):
                for line in help_of(*command, "--help-all", columns=columns).splitlines():
                    # A path, a list or an address is one word.
                    self.assertTrue(len(line) <= most or len(line.split()) == 1, (command, columns, line))

    def test_the_words_are_the_same_at_any_width(self):
        def words(columns):
            return re.sub(r"\.? ", " ", " ".join(help_of("run", "--help-all", columns=columns).split()))

        self.assertEqual(words(80), words(40))

    def test_the_program_lists_its_subcommands(self):
        text = help_of("--help")
        self.assertEqual(re.findall(r"^  (\w+)  +\w", text[text.index("Subcommands:"):], re.MULTILINE), list(FLAGS))
        whole = help_of("--help-all")
        for command in FLAGS:
            self.assertIn(f"neurontune {command} [OPTIONS]", whole)

    def test_choices_are_those_that_the_program_takes(self):
        said = entries(help_of("run", "--help-all", columns=80))
        for flag in ("--embedding-dtype", "--interpolation", "--aggregate", "--activation", "--significance", "--start",
                     "--criterion", "--log-level", "--color"):
            last = neurontune("run", "--embeddings", self.embeddings, "--out", self.out(), flag, "x").stderr.splitlines()[-1]
            choices = re.search(r"expected one of (.*)$", last)[1].split(", ")
            after_default = said[flag].split("] ", 1)[1]
            listed = re.split(r", | or ", re.match(r"\w+(?:, \w+)* or \w+", after_default)[0])
            self.assertEqual(sorted(listed), sorted(choices), flag)

    def test_numbers_are_refused_outside_the_range_alone(self):
        said = entries(help_of("run", "--help-all", columns=80))
        for flag, inside, outside in [
                ("--mask-value", ["0", "1"], ["-0.1", "1.1"]), ("--guard", ["0", "1"], ["-0.1", "1.1"]),
                ("--max-drop", ["0", "1"], ["-0.1", "1.1"]), ("--momentum", ["0"], ["-0.1", "1"]),
                ("--learning-rate", ["0.001"], ["0", "-1"]), ("--weight-decay", ["0"], ["-1"]),
                ("--epochs", ["1"], ["0", "100001"]), ("--batch-size", ["1"], ["0", "1000001"]),
                ("--batches-per-epoch", ["1"], ["0", "1000001"]), ("--refresh", ["0"], ["-1"]), ("--seed", ["0"], ["-1"]),
                ("--threshold-quantile", ["none", "0.9"], ["-0.1", "1.1"]), ("--keep-at-least", ["auto", "1"], ["-1"]),
                ("--false-discovery-rate", ["0.5"], ["0", "1"]), ("--evidence-threshold", ["0"], ["-1"]),
                ("--extract-batch", ["1", "1000000"], ["0", "1000001"]), ("--channels", ["3"], ["2"]),
                ("--resize", ["1", "65535"], ["0", "65536"]), ("--std", ["0.1"], ["0", "-1"])]:
            for value in outside:
                self.assert_fails(2, "expected", "run", "--embeddings", self.embeddings, "--out", self.out(), *QUICK, flag, value)
            for value in inside:
                message = neurontune("run", "--embeddings", self.embeddings, "--out", self.out(), *QUICK, flag, value).stderr
                self.assertNotIn("expected", message, (flag, value))
            self.assertRegex(said[flag], r"\] .*(\d|auto|none)", flag)

    def test_demands_are_not_asked_of_who_wants_help(self):
        self.assertIn("--sweep", succeed("ablate", "--help"))
        self.assertIn("--sweep", succeed("ablate", "--help-all", "--epochs", 3))


if __name__ == "__main__":
    unittest.main()
