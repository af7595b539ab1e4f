"""The form of the Dockerfile; no container engine is started."""
import fnmatch
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def instructions(text):
    """(instruction, what follows it), with continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def stages(parsed):
    """Each stage's instructions, by its name; of the last one ''."""
    found, name = {}, None
    for instruction, value in parsed:
        if instruction == "FROM":
            name = value.split(" AS ")[1] if " AS " in value else ""
            found[name] = []
        found[name].append((instruction, value))
    return found


class Dockerfile(unittest.TestCase):
    def setUp(self):
        self.parsed = instructions((ROOT / "Dockerfile").read_text())
        self.stages = stages(self.parsed)

    def test_hadolint_finds_nothing(self):
        done = subprocess.run([Path(sys.executable).parent / "hadolint", ROOT / "Dockerfile"],
                              text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_what_is_copied_exists(self):
        ignored = (ROOT / ".dockerignore").read_text().split()
        for name, value in self.parsed:
            if name != "COPY" or value.startswith("--from="):
                continue
            for source in value.split()[:-1]:
                self.assertTrue((ROOT / source).exists(), source)
                self.assertFalse(any(fnmatch.fnmatch(source, pattern) for pattern in ignored), source)

    def test_what_is_copied_of_a_stage_is_made_there(self):
        for name, value in self.stages[""]:
            if name == "COPY":
                stage, source, _ = re.fullmatch(r"--from=(\w+) (\S+) (\S+)", value).groups()
                made = " ".join(text for _, text in self.stages[stage])
                folder = source.removeprefix("/src/").removesuffix("/*.deb").removesuffix("/torch/lib")
                self.assertIn(folder, made, source)

    def test_the_presets_and_options_it_names_exist(self):
        commands = " ".join(value for name, value in self.parsed if name == "RUN")
        presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
        for preset in re.findall(r"--preset (\w+)", commands):
            self.assertIn(preset, [known["name"] for known in presets])
        for option in re.findall(r"-D (NEURONTUNE_\w+)=", commands):
            self.assertIn(f"option({option} ", (ROOT / "CMakeLists.txt").read_text())

    def test_the_entry_point_is_the_program(self):
        self.assertEqual(json.loads(dict(self.stages[""])["ENTRYPOINT"]), ["neurontune"])


if __name__ == "__main__":
    unittest.main()
