"""The scripts that complete command lines: what bash makes of them, and that zsh and fish can read them."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from fixture import PROGRAM, succeed
from test_help import FLAGS, flags_in, help_of

COMPLETE = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_neurontune
printf '%s\n' "${COMPREPLY[@]}"
"""


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        for shell in ("bash", "zsh", "fish"):
            (cls.folder / shell).write_text(succeed("completion", shell))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def completed(self, *words):
        """What bash offers for the last word of a command line."""
        process = subprocess.run(["bash", "-c", COMPLETE, "bash", self.folder / "bash", "neurontune", *words],
                                 capture_output=True, text=True, check=True, cwd=self.folder)
        self.assertEqual(process.stderr, "")
        return process.stdout.split()

    def test_bash_completes_subcommands(self):
        self.assertEqual(self.completed("ru"), ["run"])
        self.assertEqual(sorted(self.completed("")), sorted([*FLAGS, "help"]))
        self.assertEqual(self.completed("help", "exp"), ["export"])
        self.assertEqual(sorted(self.completed("--")), ["--help", "--help-all", "--version"])

    def test_bash_completes_flags(self):
        self.assertEqual(self.completed("run", "--crit"), ["--criterion"])
        for command, flags in FLAGS.items():
            offered = self.completed(command, "--")
            self.assertEqual(sorted(offered), sorted(flag for flag in flags_in(help_of(command, "--help-all"))
                                                     if flag.startswith("--")), command)

    def test_bash_completes_values(self):
        criteria = ["inferred_groups", "worst_group", "sfit", "guarded_sfit"]
        self.assertEqual(self.completed("run", "--criterion", ""), criteria)
        self.assertEqual(self.completed("run", "--criterion", "=", "s"), ["sfit"])
        self.assertEqual(self.completed("run", "--criterion", "="), criteria)
        self.assertEqual(self.completed("run", "--recipe", "r"), ["robust"])
        self.assertEqual(self.completed("eval", "--log-level", "in"), ["info"])
        self.assertEqual(self.completed("eval", "--split", "te"), ["test"])
        self.assertEqual(self.completed("run", "--device", ""), ["auto", "cpu", "cuda"])
        self.assertEqual(self.completed("run", "--epochs", ""), [])

    def test_bash_completes_paths(self):
        (self.folder / "model.pt").write_text("")
        (self.folder / "models").mkdir()
        self.assertEqual(sorted(self.completed("run", "--model", "mod")), ["model.pt", "models"])
        self.assertEqual(self.completed("run", "--out", "mod"), ["models"])
        self.assertEqual(sorted(self.completed("inspect", "mod")), ["model.pt", "models"])
        self.assertEqual(self.completed("export", "--head", "model."), ["model.pt"])

    def test_bash_registers_it(self):
        shown = subprocess.run(["bash", "-c", 'source "$0"; complete -p neurontune', self.folder / "bash"],
                               capture_output=True, text=True, check=True).stdout
        self.assertEqual(shown.strip(), "complete -F _neurontune neurontune")

    @unittest.skipUnless(shutil.which("zsh"), "no zsh")
    def test_zsh_reads_it(self):
        subprocess.run(["zsh", "-n", self.folder / "zsh"], check=True)
        shown = subprocess.run(["zsh", "-fc", r"""
            autoload -U compinit; compinit -D -u
            _arguments() { print -rl -- "$@"; state=argument; words=(run); return 1; }
            source "$1" 2>/dev/null
            true""", "zsh", self.folder / "zsh"], capture_output=True, text=True, check=True).stdout
        self.assertIn("*--criterion=[How the repaired head is chosen]:value:(inferred_groups worst_group sfit guarded_sfit)",
                      shown.splitlines())

    @unittest.skipUnless(shutil.which("fish"), "no fish")
    def test_fish_reads_and_completes(self):
        def completed(line):
            process = subprocess.run(["fish", "--no-config", "-c", f"source {self.folder}/fish; complete -C '{line}'"],
                                     capture_output=True, text=True, check=True, env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin"})
            self.assertEqual(process.stderr, "")
            return [line.split("\t")[0] for line in process.stdout.splitlines()]

        subprocess.run(["fish", "--no-execute", self.folder / "fish"], check=True)
        self.assertEqual(completed("neurontune ru"), ["run"])
        self.assertEqual(completed("neurontune run --crit"), ["--criterion"])
        self.assertEqual(sorted(completed("neurontune run --criterion ")),
                         ["guarded_sfit", "inferred_groups", "sfit", "worst_group"])

    def test_another_shell_is_refused(self):
        process = subprocess.run([PROGRAM, "completion", "tcsh"], capture_output=True, text=True)
        self.assertEqual(process.returncode, 2)
        self.assertRegex(process.stderr, re.escape("the shell is tcsh, expected one of bash, zsh, fish"))


if __name__ == "__main__":
    unittest.main()
