"""What a person sees: the closing message, tables and progress at any width, colour where it is wanted."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

import torch
from torch import nn

from cli_test_case import QUICK, CliTest
from fixture import PROGRAM, SIZES, neurontune, read_terminal, succeed

EMPHASIS = "\x1b[1;35m"


def environment(**more):
    plain = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "TERM")}
    return plain | {"TERM": "xterm"} | more


def on_terminal(*arguments, columns=80, stream="stdout", **more):
    """What a program writes to a terminal of so many columns that is its stdout or its stderr."""
    primary, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | {stream: terminal}
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], env=environment(**more), **streams)
    os.close(terminal)
    shown = read_terminal(primary)
    assert process.wait() == 0
    return shown.decode().replace("\r\n", "\n")


class Terminal(CliTest):
    def run_arguments(self, out, *more, embeddings=None):
        return ["run", "--embeddings", embeddings or self.embeddings, "--out", out, *QUICK, *more]

    # --- The closing message --------------------------------------------------------------------

    def test_a_run_says_first_what_a_person_wants_first(self):
        out = self.out()
        text = succeed("run", "--model", self.model, "--data", self.data, "--out", out, *QUICK)
        result = json.loads((out / "result.json").read_text())
        before, after = (f"{100 * result[head]['test']['worst_group_accuracy']:.1f} %" for head in ("erm", "tuned"))
        lines = text.splitlines()
        change = f"{before} → {after}" if before != after else f"{after} before and after"
        self.assertTrue(lines[0].startswith(f"Worst-group accuracy on test: {change} ("), lines[0])
        self.assertTrue(lines[1].startswith("Mean accuracy on test: "), lines[1])
        self.assertLess(text.index(result["conclusion"].split()[0]), text.index("Written to"))
        listed = re.findall(r"^  (\S+)", text[text.index(f"Written to {out}:"):], re.MULTILINE)
        self.assertEqual(sorted(listed), sorted([*result["files"], "MODEL_CARD.md", "report.html", "result.json"]))
        for name in listed:
            self.assertTrue((out / name).is_file(), name)

    def test_without_attributes_it_says_the_worst_class(self):
        lines = succeed(*self.run_arguments(self.out(), embeddings=self.without_attributes())).splitlines()
        self.assertRegex(lines[0], "^Worst(-class accuracy on test|.*, an estimate)")
        self.assertTrue(any(line.startswith("Worst-class accuracy on test: ") for line in lines[:2]), lines)
        self.assertNotIn("Worst-group", "\n".join(lines))

    def test_a_run_into_the_folder_of_another_says_so(self):
        out = self.out()
        self.assertNotIn("replaces", neurontune(*self.run_arguments(out)).stderr)
        again = neurontune(*self.run_arguments(out))
        self.assertEqual(again.stderr.splitlines()[0],
                         f"info: {out} holds the result of an earlier run, which this one replaces")
        self.assertEqual(again.returncode, 0)
        self.assertNotIn("replaces", neurontune(*self.run_arguments(out, "--quiet")).stderr)

    def test_export_says_what_it_wrote(self):
        out, head = self.out() / "m.pt", self.embeddings / "head.safetensors"
        process = neurontune("export", self.model, "--head", head, "--out", out)
        self.assertEqual(process.stderr, f"info: wrote {out}: {self.model} with the head of {head}\n")
        self.assertEqual(process.stdout, "")

    # --- Width ----------------------------------------------------------------------------------

    def commands(self):
        splits = ["--embeddings", self.embeddings]
        return [self.run_arguments(self.out()), ["eval", *splits], ["score", *splits],
                ["compare", *splits, "--methods", "erm,llr,dfr", "--seeds", 2, "--out", self.out()],
                ["ablate", *splits, "--sweep", "identify.mask_value=0,0.5", "--sweep", "tune.start=erm,fresh", "--out",
                 self.out(), *QUICK]]

    def test_no_line_is_wider_than_the_terminal(self):
        for columns in (80, 40):
            for arguments in self.commands():
                shown = on_terminal(*arguments, "--color", "never", columns=columns)
                for line in shown.splitlines():
                    self.assertTrue(len(line) <= columns or len(line.split()) == 1, (arguments[0], columns, line))

    def test_a_narrow_table_keeps_its_figures(self):
        wide, narrow = (on_terminal("eval", "--embeddings", self.embeddings, "--color", "never", columns=columns)
                        for columns in (80, 40))
        wide_head, narrow_head = ("\n".join(text.splitlines()[:3]) for text in (wide, narrow))  # the first table
        figures = re.findall(r"0\.\d{3}", wide_head)
        self.assertEqual(len(figures), 3)
        self.assertEqual(re.findall(r"0\.\d{3}", narrow_head), figures)
        self.assertIn("…", narrow)
        self.assertNotIn("…", wide)

    def test_elsewhere_a_table_is_as_wide_as_it_needs(self):
        embeddings = self.copy(self.embeddings)
        (embeddings / "names.json").write_text(json.dumps({"labels": ["a" * 60, "b" * 60], "attributes": ["c", "d"]}))
        text = succeed("eval", "--embeddings", embeddings)
        self.assertGreater(max(map(len, text.splitlines())), 80)
        self.assertNotIn("…", text)

    # --- Colour ---------------------------------------------------------------------------------

    def test_the_worst_group_stands_out_on_a_terminal_alone(self):
        arguments = ["eval", "--embeddings", self.embeddings]
        self.assertIn(EMPHASIS, on_terminal(*arguments))
        self.assertIn(EMPHASIS, on_terminal(*self.run_arguments(self.out())).splitlines()[0])
        for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", on_terminal(*arguments, **more))
        self.assertNotIn("\x1b", on_terminal(*arguments, "--color", "never"))
        self.assertNotIn("\x1b", succeed(*arguments))
        self.assertIn(EMPHASIS, succeed(*arguments, "--color", "always"))
        self.assert_fails(2, "--color is red, expected one of auto, always, never", *arguments, "--color", "red")

    def test_colour_takes_no_room(self):
        plain, coloured = (succeed("eval", "--embeddings", self.embeddings, "--color", when) for when in ("never", "always"))
        self.assertEqual(re.sub("\x1b\\[[0-9;]*m", "", coloured), plain)

    # --- Progress -------------------------------------------------------------------------------

    def test_progress_fits_the_terminal(self):
        for columns in (80, 40):
            shown = on_terminal("embed", "--model", self.model, "--data", self.data, "--out", self.out(), "--extract-batch", 7,
                                columns=columns, stream="stderr")
            drawn = [line for line in re.split(r"\r\x1b\[K|\n", shown) if "/" in line]
            self.assertTrue(any("extract train" in line and "left" in line for line in drawn), drawn)
            self.assertLess(max(map(len, drawn)), columns)

    def test_elsewhere_progress_is_lines_of_level_info(self):
        arguments = ["embed", "--model", self.model, "--data", self.data]
        self.assertEqual(neurontune(*arguments, "--out", self.out()).stderr, "")
        told = neurontune(*arguments, "--out", self.out(), "--log-level", "info").stderr.splitlines()
        for split, size in SIZES.items():
            self.assertEqual(len([line for line in told if line == f"info: extract {split}: {size} of {size}"]), 1, told)

    def test_what_a_model_prints_wipes_the_progress_bar(self):
        class Talking(nn.Module):
            def __init__(self, network):
                super().__init__()
                self.network = network

            def forward(self, x):
                print("from the model")
                return self.network(x)

        path = self.out() / "talking.pt"
        torch.jit.script(Talking(self.network)).save(str(path))
        shown = on_terminal("embed", "--model", path, "--data", self.data, "--out", self.out(), "--extract-batch", 16,
                            stream="stderr")
        self.assertIn("extract train", shown)
        for said in re.finditer("from the model", shown):
            before = shown[:said.start()]
            self.assertTrue(before == "" or before.endswith(("\n", "\r\x1b[K")), before[-60:])


if __name__ == "__main__":
    unittest.main()
