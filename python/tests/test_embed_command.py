"""What the command line does where a framework is absent, and the names of samples."""

import subprocess
import sys

import pytest
from embed_cases import error_of

from neurontune.embed.lines import as_line

FRAMEWORKS = ("transformers", "timm", "torchvision", "jax", "PIL", "safetensors")


HELP = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({FRAMEWORKS}))
for command in [[], ["huggingface"], ["timm"], ["jax"]]:
    sys.argv[1:] = [*command, "--help"]
    try:
        runpy.run_module("neurontune.embed", run_name="__main__")
    except SystemExit as done:
        assert done.code == 0
"""


def test_help_tells_the_program_of_the_same_name():
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "neurontune.embed", "--help"],
                          capture_output=True, text=True)
    assert "TorchScript models need another program, `neurontune embed`" in " ".join(
        done.stdout.split())


def test_help_needs_no_framework():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", HELP], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("usage: python -m neurontune.embed") == 4


@pytest.mark.parametrize("arguments, framework, line", [
    (["huggingface", "model", "out", "train.csv"], "transformers",
     "error: transformers is not installed; run: pip install transformers"),
    (["timm", "resnet18", "model.pth", "out", "train.csv"], "timm",
     "error: timm is not installed; run: pip install timm"),
    (["jax", "model.py:model", "out", "train.npz"], "jax",
     "error: jax is not installed; run: pip install jax"),
    (["jax", "model.py:model", "out", "train.npz"], "safetensors",
     "error: safetensors is not installed; run: pip install safetensors")])
def test_absent_framework_is_one_line(arguments, framework, line, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").touch()
    (tmp_path / "train.csv").write_text("image,text,label\na.png,a,0\n")
    for name in [name for name in sys.modules if name.split(".")[0] == framework]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, framework, None)
    assert error_of(*arguments) == line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name, line", [
    ("a/b c.jpg", "a/b c.jpg"), ("dir\\x41.jpg", "dir\\x41.jpg"), ("\\xe9", "\\xe9"),
    ("caf\udce9.jpg", "caf\\xE9.jpg"), ("a\nb\r", "a\\x0Ab\\x0D"), ("\\xE9", "\\x5CxE9"),
    ("\x9b31m", "\\xC2\\x9B31m"), ("a\u202eb", "a\\xE2\\x80\\xAEb"), ("鳥", "鳥")])
def test_names_are_lines_as_the_program_writes_them(name, line):
    assert as_line(name) == line + "\n"
