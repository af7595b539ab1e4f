"""Exports the ways in which classifiers return, scale, store and wrap their logits.

    export_variants.py FOLDER

As export_models.py: FOLDER/NAME.pt beside FOLDER/NAME.expected.pt, whose `features` and `logits` are
what a forward hook sees on the eager model's head, and `output` what the model gives for them.
"""
import pathlib
import sys
import warnings
import zipfile
from typing import Dict, List, NamedTuple, Tuple

import torch
from safetensors.torch import save_file
from torch import nn

from export_models import CLASSES, SAMPLES, Cnn, Expected, Mlp

WIDTH = 8


class ExpectedOutput(Expected):
    def __init__(self, inputs, features, logits, output):
        super().__init__(inputs, features, logits)
        self.register_buffer("output", output)


def expected(model, head, inputs, pick):
    """Runs the eager model; `pick` takes the output that comes from `head`."""
    seen = []
    hook = head.register_forward_hook(lambda module, args, output: seen.append((args[0], output.clone())))
    with torch.no_grad():
        output = pick(model(*inputs))
    hook.remove()
    features, logits = seen[-1]
    return ExpectedOutput(inputs, features, logits, output)


class Ending(nn.Module):
    """A linear head, and then what a subclass makes of the logits."""

    def __init__(self, classes=CLASSES):
        super().__init__()
        self.hidden = nn.Linear(5, WIDTH)
        self.fc = nn.Linear(WIDTH, classes)

    def logits(self, x):
        return self.fc(torch.relu(self.hidden(x)))


class Softmax(Ending):
    def forward(self, x):
        return torch.softmax(self.logits(x), 1)


class LogSoftmax(Ending):
    def forward(self, x):
        return nn.functional.log_softmax(self.logits(x), dim=-1)


class Sigmoid(Ending):
    def forward(self, x):
        return torch.sigmoid(self.logits(x))


class Temperature(Ending):
    """Calibrated: a learnt number divides the logits."""

    def __init__(self):
        super().__init__()
        self.temperature = nn.Parameter(torch.tensor([1.7]))

    def forward(self, x):
        return torch.softmax(self.logits(x) / self.temperature, 1)


class Scaled(Ending):
    def forward(self, x):
        return self.logits(x) / 0.25 * 2.0


class TemperatureExpanded(Ending):
    """Temperature scaling as it is usually written: expanded to the logits' own shape."""

    def __init__(self):
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(1) * 1.5)

    def forward(self, x):
        logits = self.logits(x)
        return logits / self.temperature.unsqueeze(1).expand(logits.size(0), logits.size(1))


class TemperatureSoftplus(Ending):
    """Kept above zero by what computes it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("raw", torch.tensor(-0.3))

    def forward(self, x):
        logits = self.logits(x)
        temperature = nn.functional.softplus(self.raw).clamp(min=0.01)
        return logits * (1.0 / temperature).expand_as(logits)


class Clip(nn.Module):
    """Classes are embeddings themselves; a learnt scale multiplies the products."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(5, WIDTH)
        self.text = nn.Parameter(torch.rand(CLASSES, WIDTH) - 0.5)
        self.logit_scale = nn.Parameter(torch.tensor(1.2))

    def features(self, x):
        return torch.relu(self.hidden(x))

    def forward(self, x):
        return self.logit_scale.exp() * (self.features(x) @ self.text.T)


class ClipScaleLast(Clip):
    def forward(self, x):
        return torch.matmul(self.features(x), self.text.t()) * self.logit_scale.exp().clamp(max=100.0)


class ClipByText(Clip):
    """The product the other way round: logits per text, transposed."""

    def forward(self, x):
        per_text = self.text @ self.features(x).t()
        return self.logit_scale.exp() * per_text.t()


class NegativeExponential(TemperatureExpanded):
    def forward(self, x):
        return -torch.exp(self.temperature) * self.logits(x)


class OwnNorm(Ending):
    def forward(self, x):
        logits = self.logits(x)
        return logits / logits.norm()


class Squeezed(Ending):
    def forward(self, x):
        return self.logits(x).unsqueeze(1).squeeze(1)


class FirstOfTuple(Ending):
    def forward(self, x):
        logits = self.logits(x)
        return logits, torch.softmax(logits, 1)


class Nested(Ending):
    def forward(self, x):
        return x, (self.logits(x), x)


class Result(NamedTuple):
    embedding: torch.Tensor
    scores: torch.Tensor


class Named(Ending):
    def forward(self, x):
        h = torch.relu(self.hidden(x))
        return Result(h, self.fc(h))


class Dictionary(Ending):
    def forward(self, x) -> Dict[str, torch.Tensor]:
        h = torch.relu(self.hidden(x))
        return {"hidden": h, "out": self.fc(h)}


class DictionarySet(Ending):
    """The dict is filled entry by entry."""

    def forward(self, x) -> Dict[str, torch.Tensor]:
        result: Dict[str, torch.Tensor] = {}
        h = torch.relu(self.hidden(x))
        result["hidden"] = h
        result["out"] = self.fc(h)
        return result


class TwoHeads(Ending):
    """Only a name says which is meant."""

    def __init__(self):
        super().__init__()
        self.other = nn.Linear(WIDTH, 2)

    def forward(self, x) -> Tuple[torch.Tensor, torch.Tensor]:
        h = torch.relu(self.hidden(x))
        return self.other(h), self.fc(h)


class OneLogit(Ending):
    def __init__(self):
        super().__init__(1)

    def forward(self, x):
        return self.logits(x)


class OneProbability(OneLogit):
    def forward(self, x):
        return torch.sigmoid(self.logits(x)).squeeze(1)


class OneByIndex(OneLogit):
    def forward(self, x):
        return self.logits(x)[:, 0]


class OneLogitNoBias(Ending):
    def __init__(self):
        super().__init__(1)
        self.fc = nn.Linear(WIDTH, 1, bias=False)

    def forward(self, x):
        return self.logits(x)


class DeviceNamed(Ending):
    """Makes a tensor of its own, on a device that tracing bakes in."""

    def forward(self, x):
        ramp = torch.arange(5, device=x.device, dtype=torch.float32)
        return self.logits(x + ramp.to(x.device))


class DeepHead(nn.Module):
    """A classifier of several layers, as AlexNet and VGG have it."""

    def __init__(self, classes=CLASSES, norm=False):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(5, WIDTH), nn.Tanh())
        middle = [nn.LayerNorm(6)] if norm else []
        self.classifier = nn.Sequential(nn.Dropout(0.3), nn.Linear(WIDTH, 6), *middle, nn.ReLU(),
                                        nn.Dropout(0.3), nn.Linear(6, classes))

    def forward(self, x):
        return self.classifier(self.features(x))


class BatchNormHead(DeepHead):
    """With statistics of its own, and a temperature that is no parameter."""

    def __init__(self):
        super().__init__()
        self.classifier[2] = nn.BatchNorm1d(6)
        self.classifier[3] = nn.ReLU()
        self.classifier[2].running_mean.uniform_()
        self.classifier[2].running_var.uniform_(1, 2)


class DeepSoftmax(DeepHead):
    def forward(self, x):
        return {"p": torch.softmax(self.classifier(self.features(x)), 1)}


class ConvolutionFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.classifier = nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(6, CLASSES))

    def forward(self, x):
        return self.classifier(x.unsqueeze(1))


class SecondOfTwo(Ending):
    """P(y = 1), which decides between the two."""

    def __init__(self):
        super().__init__(2)

    def forward(self, x):
        return torch.softmax(self.logits(x), 1)[:, 1]


class TwoNames(Ending):
    """The head is registered twice, as wrappers do, and used once."""

    def __init__(self):
        super().__init__()
        self.last = self.fc

    def forward(self, x):
        return self.logits(x)


class WithFlags(Ending):
    """Arguments and attributes decide branches."""

    probabilities: bool

    def __init__(self):
        super().__init__()
        self.probabilities = False

    def forward(self, x, return_features: bool = False):
        h = torch.relu(self.hidden(x))
        if return_features:
            return h
        logits = self.fc(h)
        if self.probabilities:
            logits = torch.softmax(logits, 1)
        return logits


class DictionaryOverwritten(Ending):
    def __init__(self):
        super().__init__()
        self.other = nn.Linear(WIDTH, CLASSES)

    def forward(self, x) -> Dict[str, torch.Tensor]:
        h = torch.relu(self.hidden(x))
        result = {"logits": self.other(h)}
        result["logits"] = self.fc(h)
        return result


# What follows the head changes the order of the classes, or leaves it unknown.

class Negated(Ending):
    def forward(self, x):
        logits = self.logits(x)
        logits.neg_()
        return logits


class OneNegated(Ending):
    def forward(self, x):
        logits = self.logits(x)
        logits[:, 0] = -logits[:, 0]
        return logits


class Flipped(Ending):
    def forward(self, x):
        logits = self.logits(x)
        logits.copy_(logits.flip(1))
        return logits


class ColumnOfTwo(Ending):
    """The mean of a mean and a variance: the other column has no part in it."""

    def __init__(self):
        super().__init__(2)

    def forward(self, x):
        return self.logits(x)[:, 1:]


class SigmoidOfTwo(ColumnOfTwo):
    def forward(self, x):
        return torch.sigmoid(self.logits(x))[:, 1]


class Groups(Ending):
    """Three tasks of two classes."""

    def __init__(self):
        super().__init__(6)

    def forward(self, x):
        return torch.softmax(self.logits(x).view(-1, 3, 2), -1)


class Ones(Ending):
    def forward(self, x):
        return torch.softmax(self.logits(x).unsqueeze(1), 1)


class Whole(Ending):
    def forward(self, x):
        return self.logits(x).to(torch.int64)


class Floored(Ending):
    def forward(self, x):
        return torch.div(self.logits(x), 100, rounding_mode="floor")


class DictionaryDivided(Ending):
    def forward(self, x) -> Dict[str, torch.Tensor]:
        result = {"logits": self.logits(x)}
        result["logits"] = result["logits"] / -2
        return result


class TiedByList(Ending):
    tied: List[torch.Tensor]

    def __init__(self):
        super().__init__(WIDTH)
        self.tied = [self.fc.weight]

    def forward(self, x):
        return self.fc(torch.relu(self.hidden(x)) @ self.tied[0])


class UsedTwice(Ending):
    def forward(self, x):
        return self.logits(x), self.logits(x * 2)


class Expanded(Ending):
    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.rand(1, WIDTH).expand(CLASSES, WIDTH))

    def forward(self, x):
        return torch.relu(self.hidden(x)) @ self.weight.t()


class Tiring(Ending):
    """Counts its runs, and changes with them."""

    runs: int

    def __init__(self):
        super().__init__()
        self.runs = 0

    def forward(self, x):
        self.runs += 1
        if self.runs > 5:
            x = x + 1.0
        return self.logits(x)


class BakedBatch(Ending):
    def forward(self, x):
        return self.logits(x.view(SAMPLES, 5))


class MixesSamples(Ending):
    def forward(self, x):
        return self.logits(x - x.mean(0))


class OneClassOfThree(Ending):
    def forward(self, x):
        return self.logits(x)[:, 1]


class NegativeFactor(Ending):
    def forward(self, x):
        return self.logits(x) * -2.0


class CustomOperator(Ending):
    def forward(self, x):
        return self.logits(torch.ops.neurontune_test.halve(x))


class Wrapped(nn.Module):
    """As nn.DataParallel names things."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)


class LightningLike(nn.Module):
    """A training module: the network, a loss, a metric's buffer, and steps that are not exported."""

    def __init__(self):
        super().__init__()
        self.model = Mlp()
        self.loss = nn.CrossEntropyLoss()
        self.register_buffer("seen", torch.zeros(1, dtype=torch.long))

    def forward(self, x):
        return self.model(x)

    @torch.jit.unused
    def training_step(self, batch):
        return self.loss(self(batch[0]), batch[1])


def as_if_from_cuda(source, target):
    """What the same export on a CUDA machine would be: the device in code and storages."""
    def pickled(device):
        return b"X" + len(device).to_bytes(4, "little") + device

    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        changed = 0
        for entry in old.infolist():
            content = old.read(entry)
            before = content
            if entry.filename.endswith(".py"):
                content = content.replace(b'torch.device("cpu")', b'torch.device("cuda:0")')
            if entry.filename.endswith(".pkl") and b"/code/" not in entry.filename.encode():
                content = content.replace(pickled(b"cpu"), pickled(b"cuda:0"))
            changed += content != before
            new.writestr(entry.filename, content)
        assert changed >= 2, f"{source} names no device"


def save_endings(save_both, values):
    plain = lambda output: output
    for name, model, pick in [
            ("softmax", Softmax(), plain), ("log_softmax", LogSoftmax(), plain),
            ("sigmoid", Sigmoid(), plain), ("temperature", Temperature(), plain),
            ("temperature_expanded", TemperatureExpanded(), plain),
            ("temperature_softplus", TemperatureSoftplus(), plain),
            ("scaled", Scaled(), plain), ("squeezed", Squeezed(), plain),
            ("tuple", FirstOfTuple(), lambda out: out[0]),
            ("nested", Nested(), lambda out: out[1][0]),
            ("named_tuple", Named(), lambda out: out.scores),
            ("dict", Dictionary(), lambda out: out["out"]),
            ("dict_set", DictionarySet(), lambda out: out["out"]),
            ("two_heads", TwoHeads(), lambda out: out[1]),
            ("one_logit", OneLogit(), plain), ("one_probability", OneProbability(), plain),
            ("one_by_index", OneByIndex(), plain), ("one_no_bias", OneLogitNoBias(), plain),
            ("second_of_two", SecondOfTwo(), plain), ("two_names", TwoNames(), plain)]:
        save_both(name, model, model.fc, values, pick)


def export_refused(folder, values):
    """Models that cannot be used as they are, and files that are none."""
    def trace(name, model, **options):
        torch.jit.trace(model.eval(), values, **options).save(folder / f"{name}.pt")

    trace("convolution_first", ConvolutionFirst())
    trace("baked_batch", BakedBatch())
    trace("mixes_samples", MixesSamples())
    trace("one_class_of_three", OneClassOfThree())
    trace("negative_factor", NegativeFactor())
    trace("negative_exponential", NegativeExponential())
    trace("own_norm", OwnNorm())
    for name, model in (("column_of_two", ColumnOfTwo()), ("sigmoid_of_two", SigmoidOfTwo()),
                        ("groups", Groups()), ("ones", Ones()), ("whole", Whole()),
                        ("floored", Floored()), ("used_twice", UsedTwice()), ("expanded", Expanded())):
        trace(name, model)
    for name, model in (("negated", Negated()), ("one_negated", OneNegated()), ("flipped", Flipped()),
                        ("dict_divided", DictionaryDivided()), ("tiring", Tiring()),
                        ("tied_by_list", TiedByList())):
        torch.jit.script(model.eval()).save(folder / f"{name}.pt")
    quantised = torch.ao.quantization.quantize_dynamic(Mlp().eval(), {nn.Linear})
    trace("quantised", quantised)
    shared = DeepHead()
    shared.features[0].bias = shared.classifier[1].bias = nn.Parameter(torch.rand(WIDTH))
    shared.classifier[1] = nn.Linear(WIDTH, WIDTH)
    shared.classifier[4] = nn.Linear(WIDTH, CLASSES)
    shared.classifier[1].bias = shared.features[0].bias
    trace("shared_bias_traced", shared)
    torch.jit.script(shared).save(folder / "shared_bias.pt")

    # The program loads the operator from a library; Python needs only its signature here.
    torch.library.define("neurontune_test::halve", "(Tensor x) -> Tensor")
    torch.library.impl("neurontune_test::halve", "CPU")(lambda x: x / 2)
    truth_of = CustomOperator().eval()
    torch.jit.script(truth_of).save(folder / "custom_operator.pt")
    torch.jit.script(expected(truth_of, truth_of.fc, values, lambda out: out)).save(
        folder / "custom_operator.expected.pt")

    torch.export.save(torch.export.export(Mlp().eval(), values), folder / "exported.pt2")
    save_file({"weight": torch.rand(3, 8)}, folder / "tensors.safetensors")
    # ModelProto's first fields: ir_version = 8, producer_name = "pytorch".
    (folder / "model.onnx").write_bytes(b"\x08\x08\x12\x07pytorch" + bytes(64))


def export(folder):
    values = (torch.rand(SAMPLES, 5),)
    images = (torch.rand(SAMPLES, 1, 8, 8),)

    def save(name, module, truth):
        torch.jit.save(module, folder / f"{name}.pt")
        torch.jit.save(torch.jit.script(truth), folder / f"{name}.expected.pt")

    def save_both(name, model, head, inputs, pick=lambda output: output):
        model.eval()
        truth = expected(model, head, inputs, pick)
        save(f"{name}_traced", torch.jit.trace(model, inputs, strict=False), truth)
        save(f"{name}_scripted", torch.jit.script(model), truth)

    save_endings(save_both, values)

    for name, model in (("clip", Clip()), ("clip_scale_last", ClipScaleLast()), ("clip_by_text", ClipByText())):
        with torch.no_grad():
            features = model.eval().features(*values)
            logits = features @ model.text.T
            truth = ExpectedOutput(values, features, logits, logits * model.logit_scale.exp())
        save(f"{name}_traced", torch.jit.trace(model, values), truth)
        save(f"{name}_scripted", torch.jit.script(model), truth)

    for name, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
        half = Ending().to(dtype).eval()
        half.forward = half.logits
        inputs = (values[0].to(dtype),)
        save(name, torch.jit.trace(half, inputs), expected(half, half.fc, inputs, lambda out: out))

    for name, model in (("wrapped", Wrapped(Mlp())), ("lightning", LightningLike())):
        save_both(name, model, (model.module if name == "wrapped" else model.model).fc, values)
    sequential = nn.Sequential(nn.Linear(5, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLASSES))
    save_both("sequential", sequential, sequential[2], values)

    for name, model in (("deep", DeepHead()), ("deep_norm", DeepHead(norm=True)),
                        ("deep_one", DeepHead(1)), ("deep_batch_norm", BatchNormHead())):
        save_both(name, model, model.classifier, values)
    deep_softmax = DeepSoftmax()
    save_both("deep_softmax", deep_softmax, deep_softmax.classifier, values, lambda out: out["p"])
    double = DeepHead().double().eval()
    doubles = (values[0].double(),)
    save("deep_double", torch.jit.trace(double, doubles),
         expected(double, double.classifier, doubles, lambda out: out))

    traced_cnn = Cnn().eval()
    truth = expected(traced_cnn, traced_cnn.head, images, lambda out: out)
    for name, model, pick in (("dict_overwritten", DictionaryOverwritten().eval(), lambda out: out["logits"]),
                              ("with_flags", WithFlags().eval(), lambda out: out)):
        save(name, torch.jit.script(model), expected(model, model.fc, values, pick))
    frozen = torch.jit.freeze(torch.jit.trace(traced_cnn, images))
    save("frozen_traced", frozen, truth)
    plain = Ending().eval()
    plain.forward = plain.logits
    truth = expected(plain, plain.fc, values, lambda out: out)
    save("optimised", torch.jit.optimize_for_inference(torch.jit.trace(plain, values)), truth)
    save("rewritten", torch.jit.freeze(torch.jit.script(Temperature().eval())),
         ExpectedOutput(values, values[0], values[0], values[0]))

    named = DeviceNamed().eval()
    truth = expected(named, named.fc, values, lambda out: out)
    save("on_cpu", torch.jit.trace(named, values), truth)
    as_if_from_cuda(folder / "on_cpu.pt", folder / "on_cuda.pt")
    torch.jit.save(torch.jit.script(truth), folder / "on_cuda.expected.pt")

    export_refused(folder, values)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    torch.manual_seed(1)
    export(folder)


if __name__ == "__main__":
    main()
