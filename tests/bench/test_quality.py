"""bench/quality.py: the suite once, on tiny sets, and what its tables must hold."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).parents[2] / "bench"
PROGRAM = os.environ["NEURONTUNE_PROGRAM"]


def quality(*arguments):
    return subprocess.run([sys.executable, "-B", BENCH / "quality.py", PROGRAM, "--quick", *map(str, arguments)],
                          capture_output=True, text=True)


class Quality(unittest.TestCase):
    def test_tables_hold_every_set_and_method(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            done = quality("--out", folder / "out", "--seeds", 1, "--families", "dominoes", "patch", "--correlations", "none",
                           "0.9", "--methods", "erm,llr,dfr")
            self.assertEqual(done.returncode, 0, done.stderr)
            results = json.loads((folder / "out/quality.json").read_text())
            text = (folder / "out/quality.md").read_text()
        self.assertEqual([tuple(result["set"].values()) for result in results],
                         [(family, 2, correlation, 0) for family in ("dominoes", "patch") for correlation in ("none", "0.9")])
        self.assertEqual(done.stdout.strip(), text.strip())
        self.assertRegex(text, r"^`bench/quality.py ")
        for row in ("| set | correlation | erm | llr | dfr |", "| dominoes, 2 classes | none |", "| patch, 2 classes | 90 % |"):
            self.assertEqual(text.count(row), 2, row)  # worst-group and mean accuracy
        worst = {method["method"]: method["test"]["worst_group_accuracy"]["mean"] for method in results[0]["methods"]}
        self.assertIn("| dominoes, 2 classes | none | " + " | ".join(f"{worst[m]:.3f}"[1:] for m in ("erm", "llr", "dfr")) + " |",
                      text)
        unbiased = [{method["method"]: method["test"]["worst_group_accuracy"]["mean"] for method in result["methods"]}
                    for result in results if result["set"]["correlation"] == "none"]
        changes = [of["dfr"] - of["erm"] for of in unbiased]
        self.assertIn(f"| dfr | {sum(changes) / 2:+.3f}, {min(changes):+.3f} |", text)

    def test_sets_of_other_settings_than_the_suites_stand_apart(self):
        with tempfile.TemporaryDirectory() as name:
            done = quality("--out", name, "--seeds", 1, "--families", "textured", "--correlations", "0.9", "--methods", "erm",
                           "--unbiased-classes", 1)
            self.assertEqual(done.returncode, 0, done.stderr)
            made = json.loads((pathlib.Path(name) / "sets/textured-2-0.9-0-u1/dataset.json").read_text())
        self.assertEqual(made["unbiased_classes"], 1)
        self.assertIn("--unbiased-classes 1`: 1 sets", done.stdout)

    def test_failures_end_with_one_line(self):
        with tempfile.TemporaryDirectory() as name:
            done = quality("--out", name, "--families", "dominoes", "--correlations", "2", "--seeds", 1)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.strip().splitlines()[-1], r"^error: .*datasets dominoes .*correlation")
        done = quality("--families", "text", "--unbiased-classes", 1)
        self.assertEqual(done.returncode, 2)
        self.assertIn("text sets have neither --unbiased-classes nor --features", done.stderr)


if __name__ == "__main__":
    unittest.main()
