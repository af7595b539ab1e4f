"""Functions of JAX, and of NumPy in its place where JAX is not installed."""

import sys

import numpy as np
import pytest
import torch
from embed_cases import another_head, error_of, ids_of, logits_of, run
from safetensors.torch import load_file

from neurontune import embed_jax, put_head_back, tune

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    jax, jnp = None, np
needs_jax = pytest.mark.skipif(jax is None, reason="JAX is not installed")

RNG = np.random.default_rng(0)
HIDDEN, KERNEL, BIAS = (RNG.normal(size=shape).astype(np.float32)
                        for shape in ((8, 6), (6, 3), (3,)))
INPUTS, LABELS = RNG.normal(size=(10, 8)).astype(np.float32), RNG.integers(0, 3, 10)


def parameters():
    """As Flax keeps them."""
    return {"params": {"Dense_0": {"kernel": jnp.asarray(HIDDEN)},
                       "Dense_1": {"kernel": jnp.asarray(KERNEL), "bias": jnp.asarray(BIAS)}}}


def features(inputs):
    return jnp.maximum(inputs @ parameters()["params"]["Dense_0"]["kernel"], 0)


def logits(layers, inputs=INPUTS):
    last = layers["params"]["Dense_1"]
    return torch.from_numpy(np.array(features(inputs) @ last["kernel"] + last["bias"]))


def test_head_of_embeddings_gives_the_models_logits():
    function = features if jax is None else jax.jit(features)
    last = parameters()["params"]["Dense_1"]
    embedded = embed_jax(function, last["kernel"], last["bias"],
                         {"val": (jnp.asarray(INPUTS), jnp.asarray(LABELS))}, batch_size=4)
    split, (weight, bias) = embedded.splits["val"], embedded.head
    assert split.embeddings.shape == (10, 6) and split.embeddings.dtype == torch.float32
    assert split.labels.tolist() == LABELS.tolist() and split.labels.dtype == torch.int64
    torch.testing.assert_close(split.embeddings @ weight.T + bias, logits(parameters()),
                               rtol=0, atol=1e-5)


def test_head_too_large_for_half_precision_is_refused():
    half = {"kernel": jnp.asarray(KERNEL, np.float16), "bias": jnp.asarray(BIAS, np.float16)}
    with pytest.raises(ValueError, match="the head's bias is too large for the layer's float16"):
        put_head_back({"out": half}, (KERNEL.T, BIAS * 0 + 7e4), "out")


@needs_jax
def test_bfloat16_is_widened():
    embedded = embed_jax(lambda inputs: features(inputs).astype(jnp.bfloat16),
                         jnp.asarray(KERNEL, jnp.bfloat16), None, {"val": (INPUTS, LABELS)})
    assert embedded.splits["val"].embeddings.dtype == torch.float32
    assert embedded.head[0].dtype == torch.float32 and embedded.head[1] is None


def test_head_that_was_put_back_predicts():
    before = parameters()
    head = another_head(3, 6)
    after = put_head_back(before, head, ("params", "Dense_1"))
    expected = torch.from_numpy(np.array(features(INPUTS))) @ head[0].T + head[1]
    torch.testing.assert_close(logits(after), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(logits(before), logits(parameters()), rtol=0, atol=0)
    assert after["params"]["Dense_0"] is before["params"]["Dense_0"]
    assert type(after["params"]["Dense_1"]["kernel"]) is type(before["params"]["Dense_1"]["kernel"])


def test_parameters_of_haiku_have_other_names():
    after = put_head_back({"mlp/~/linear_1": {"w": np.zeros((6, 3)), "b": np.zeros(3)}},
                          (KERNEL.T, BIAS), "mlp/~/linear_1")
    assert np.array_equal(after["mlp/~/linear_1"]["w"], KERNEL)
    assert np.array_equal(after["mlp/~/linear_1"]["b"], BIAS)


@pytest.mark.parametrize("head, name, message", [
    ((KERNEL.T, BIAS), ("params", "Dense_2"), "no 'Dense_2' here, but Dense_0, Dense_1"),
    ((KERNEL.T, BIAS), None, "name is missing"),
    ((KERNEL.T, BIAS), ("params",), "the layer has no kernel"),
    ((KERNEL.T, BIAS), ("params", "Dense_0"), r"kernel is \[6, 3\], the layer's \[8, 6\]"),
    ((KERNEL.T, None), ("params", "Dense_1"), "the layer has a bias, the head has none"),
    ((np.full((3, 6), np.nan), BIAS), ("params", "Dense_1"), "weight holds NaN or infinite"),
    ((KERNEL.T, np.full(3, np.inf)), ("params", "Dense_1"), "bias holds NaN or infinite"),
    ("no/head.safetensors", ("params", "Dense_1"), "^no/head.safetensors: No such file"),
    (__file__, ("params", "Dense_1"), r"^\S+test_embed_jax.py: SafetensorError: [^\n]+$")])
def test_layers_that_do_not_fit_are_refused(head, name, message):
    with pytest.raises(ValueError, match=message):
        put_head_back(parameters(), head, name)


@pytest.mark.parametrize("model, head, name, message", [
    (torch.nn.Linear(6, 3), 3, None, "head is a int, expected"),
    (torch.nn.Linear(6, 3), (KERNEL.T, BIAS, BIAS), None, "head is a tuple of 3, expected"),
    (torch.nn.Linear(6, 3), (KERNEL.T, BIAS), ("a", "b"), "name is"),
    (3, (KERNEL.T, BIAS), None, "the model is a int")])
def test_arguments_of_another_kind_are_refused(model, head, name, message):
    with pytest.raises(TypeError, match=message):
        put_head_back(model, head, name)


def test_linear_layers_and_results_are_heads(repaired):
    layer = torch.nn.Linear(16, 2)
    assert put_head_back(layer, repaired) is layer
    assert torch.equal(layer.weight, repaired.head.weight)
    after = put_head_back({"dense": {"kernel": np.zeros((16, 2)), "bias": np.zeros(2)}}, layer,
                          "dense")
    assert np.array_equal(after["dense"]["kernel"], repaired.head.weight.numpy().T)
    with torch.no_grad():
        layer.bias[0] = torch.inf
    with pytest.raises(ValueError, match="bias holds NaN or infinite values"):
        put_head_back(torch.nn.Linear(16, 2), layer)


def test_features_that_do_not_fit_are_refused():
    with pytest.raises(TypeError, match="kernel is a dict, expected an array of numbers"):
        embed_jax(features, {}, BIAS, {"val": (INPUTS, LABELS)})
    with pytest.raises(ValueError, match=r"features give \(10, 8\), kernel is \(6, 3\)"):
        embed_jax(lambda inputs: inputs, KERNEL, BIAS, {"val": (INPUTS, LABELS)})
    with pytest.raises(ValueError, match=r"kernel is \(6, 3\) and bias \(6,\)"):
        embed_jax(features, KERNEL, BIAS.repeat(2), {"val": (INPUTS, LABELS)})
    with pytest.raises(ValueError, match="10 inputs gave embeddings of shape"):
        embed_jax(lambda inputs: features(inputs)[1:], KERNEL, BIAS, {"val": (INPUTS, LABELS)})


def test_folder_is_tuned_as_the_embeddings_in_memory(world, run_program, tmp_path):
    weight, bias = world.head
    embedded = embed_jax(lambda inputs: inputs, weight.T, bias,
                         {"train": world.train, "val": world.val, "test": world.test})
    result = tune(embedded.splits["val"], embedded.splits["train"], embedded.head)
    embedded.save(tmp_path / "embeddings")
    done = run_program("run", "--embeddings", tmp_path / "embeddings", "--out", tmp_path / "out",
                       "--no-report")
    assert done.returncode == 0, done.stderr
    head = load_file(tmp_path / "out" / "head.safetensors")
    assert torch.equal(head["weight"], result.head.weight)
    assert torch.equal(head["bias"], result.head.bias)
    assert not torch.equal(head["weight"], weight)
    layer = put_head_back(torch.nn.Linear(16, 2), tmp_path / "out" / "head.safetensors")
    assert torch.equal(layer.weight, result.head.weight)


MODEL = """
import jax
import numpy as np

def model():
    weights = np.load(__file__ + ".npz")
    return jax.jit(lambda x: jax.nn.relu(x @ weights["hidden"])), weights["kernel"], weights["bias"]
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "my_model.py").write_text(MODEL)
    np.savez(tmp_path / "my_model.py.npz", hidden=HIDDEN, kernel=KERNEL, bias=BIAS)
    for split in ("train", "val"):
        np.savez(tmp_path / f"{split}.npz", inputs=INPUTS, labels=LABELS, attributes=LABELS % 2,
                 ids=[f"{split} {index}" for index in range(10)])
    return tmp_path


@needs_jax
def test_command_line_writes_the_folder(files):
    done = run("jax", f"{files}/my_model.py:model", files / "out", files / "train.npz",
               files / "val.npz")
    assert done.code == 0, done.error
    torch.testing.assert_close(logits_of(files / "out", "val"), logits(parameters()),
                               rtol=0, atol=1e-5)
    assert load_file(files / "out/val.safetensors")["attributes"].tolist() == list(LABELS % 2)
    assert ids_of(files / "out", "train")[9] == "train 9"


@pytest.mark.parametrize("code, message", [
    ("def model():\n    return {}['w']", "KeyError: 'w'"),
    ("def model(size):\n    pass", "missing 1 required positional argument"),
    ("def model():\n    return str.nothing", "has no attribute 'nothing'"),
    ("def model(:", "SyntaxError: "),
    ("import no_such_module", "No module named 'no_such_module'"),
    ("def model():\n    return 1, 2", "it returns a tuple, expected a tuple of features"),
    ("def model():\n    return lambda x: {}['a'], [[1.0] * 3], None", "KeyError: 'a'")])
def test_faults_of_the_users_function_name_it(code, message, files, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", jax or np)
    (files / "faulty.py").write_text(code + "\n")
    line = error_of("jax", f"{files}/faulty.py:model", files / "out", files / "train.npz")
    assert line.startswith(f"error: {files}/faulty.py:model: ") and message in line


@pytest.mark.parametrize("arrays, message", [
    ({"labels": list("abcdefghij")}, "train: labels are no integers"),
    ({"inputs": 3}, "inputs are a ndarray without a length"),
    ({"ids": 3}, "train: 1 ids for 10 inputs")])
def test_wrong_arrays_are_one_line(arrays, message, files, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", jax or np)
    (files / "numpy_model.py").write_text(MODEL.replace("import jax", "").replace(
        'jax.jit(lambda x: jax.nn.relu(x @ weights["hidden"]))', "lambda x: x").replace(
        "__file__", repr(f"{files}/my_model.py")))
    np.savez(files / "train.npz", **{"inputs": INPUTS, "labels": LABELS, **arrays})
    assert message in error_of("jax", f"{files}/numpy_model.py:model", files / "out",
                               files / "train.npz")


@needs_jax
def test_faults_are_one_line(files):
    out, train = files / "out", files / "train.npz"
    assert "my_model.py:mode: there is no function mode" in error_of(
        "jax", f"{files}/my_model.py:mode", out, train)
    assert "expected FILE.py:FUNCTION" in error_of("jax", "my_model", out, train)
    assert "No such file" in error_of("jax", f"{files}/no.py:model", out, train)
    np.savez(train, x=INPUTS, labels=LABELS)
    assert "has no array inputs; it has x, labels" in error_of(
        "jax", f"{files}/my_model.py:model", out, train)
    np.savez(train, inputs=INPUTS, labels=np.array([None] * 10))
    no_npz = f"{train} is no .npz of numbers and text"
    assert no_npz in error_of("jax", f"{files}/my_model.py:model", out, train)
    train.write_bytes(b"")
    assert no_npz in error_of("jax", f"{files}/my_model.py:model", out, train)
    train.write_text("no archive")
    assert no_npz in error_of("jax", f"{files}/my_model.py:model", out, train)
