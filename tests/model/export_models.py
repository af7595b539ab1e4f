"""Exports small models as users do, each with what a forward hook on its last layer sees.

    export_models.py FOLDER

For each model NAME: FOLDER/NAME.pt is the export, and FOLDER/NAME.expected.pt a scripted module that
holds `inputs` (a list), `features` and `logits`, taken from the eager model.
"""
import pathlib
import pickle
import sys
import warnings

import torch
from torch import nn

SAMPLES = 6
CLASSES = 3


class Expected(nn.Module):
    """Tensors that a C++ test reads as attributes."""

    inputs: list[torch.Tensor]

    def __init__(self, inputs, features, logits):
        super().__init__()
        self.inputs = list(inputs)
        self.register_buffer("features", features)
        self.register_buffer("logits", logits)

    def forward(self):
        return self.logits


def expected(model, head, inputs):
    """Runs the eager model; `head` is its last layer, whose input is the features."""
    seen = []
    hook = head.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    with torch.no_grad():
        logits = model(*inputs)
    hook.remove()
    return Expected(inputs, seen[-1], logits)


class Mlp(nn.Module):
    """With a buffer, and a layer that forward does not use."""

    def __init__(self, bias=True):
        super().__init__()
        self.hidden = nn.Linear(5, 8)
        self.fc = nn.Linear(8, CLASSES, bias=bias)
        self.unused = nn.Linear(2, 2)
        self.register_buffer("scale", torch.rand(5))

    def forward(self, x):
        return self.fc(torch.relu(self.hidden(x * self.scale)))


class Described(Mlp):
    """Carries what else a drop-in file must keep: another method, and attributes."""

    threshold: float
    names: list[str]

    def __init__(self):
        super().__init__()
        self.threshold = 0.25
        self.names = ["cat", "dog", "bird"]

    @torch.jit.export
    def confident(self, x):
        return torch.softmax(self.forward(x), 1) > self.threshold


class Cnn(nn.Module):
    """Batch norm and dropout, both of which must run in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x))).mean([2, 3])
        return self.head(self.dropout(x))


class Trained(Cnn):
    """With attributes that look like the flag of training mode, and a layer registered twice."""

    settings: dict[str, bool]
    pair: tuple[str, bool]

    def __init__(self):
        super().__init__()
        self.settings = {"training": True, "frozen": False}
        self.pair = ("training", True)
        self.same_dropout = self.dropout

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x))).mean([2, 3])
        if self.settings["training"] and self.pair[1]:
            x = 2 * self.dropout(self.same_dropout(x))
        return self.head(x)


class Nested(nn.Module):
    """The head lies in a container: `classifier.1`."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(5, 8), nn.Tanh())
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, CLASSES))

    def forward(self, x):
        return self.classifier(self.features(x))


class Branching(nn.Module):
    """The head lies in a branch that evaluation mode decides."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(5, 8)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        h = torch.relu(self.hidden(x))
        if self.training:
            return self.fc(h) + torch.rand(1)
        return self.fc(h)


class TwoInputs(nn.Module):
    """An optional second input."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(5, 8)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, values, mask: torch.Tensor | None = None):
        if mask is not None:
            values = values * mask
        return self.fc(torch.relu(self.hidden(values)))


class Spelled(nn.Module):
    """The head spelled out in older or other ways than aten::linear."""

    def __init__(self, spelling):
        super().__init__()
        self.spelling = spelling
        self.hidden = nn.Linear(5, 8)
        self.fc = nn.Linear(8, CLASSES)
        self.by_input = nn.Parameter(torch.rand(8, CLASSES))

    def forward(self, x):
        h = torch.relu(self.hidden(x))
        if self.spelling == "addmm":
            return torch.addmm(self.fc.bias, h, self.fc.weight.t())
        if self.spelling == "matmul_add":
            return torch.matmul(h, self.fc.weight.t()) + self.fc.bias
        return torch.mm(h, self.by_input)


class Tokens(nn.Module):
    """Logits for each token: the head's input has three dimensions."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, CLASSES)

    def forward(self, x):
        return self.fc(x.unsqueeze(1).repeat(1, 4, 1))


class Tied(nn.Module):
    """The head's weight is also the embedding's."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(CLASSES, 8)
        self.fc = nn.Linear(8, CLASSES, bias=False)
        self.fc.weight = self.embedding.weight

    def forward(self, x):
        return self.fc(self.embedding(x.argmax(1) % 3))


class InPlace(nn.Module):
    """Normalises its input in place."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, CLASSES)

    def forward(self, x):
        x.sub_(0.5).div_(0.25)
        return self.fc(torch.relu(x))


class Shifted(nn.Module):
    """What follows the linear layer changes the order of the classes."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, CLASSES)

    def forward(self, x):
        return self.fc(x) - torch.tensor([1.0, 0.0, -1.0])


class Failing(nn.Module):
    """Finds fault with any input, several lines deep."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, CLASSES)

    def forward(self, x):
        return self.fc(x.view(2, 3, 5, 7, 11))


class Raising(nn.Module):
    """Refuses its input in words."""

    how: str

    def __init__(self, how):
        super().__init__()
        self.fc = nn.Linear(5, CLASSES)
        self.how = how

    def forward(self, x):
        if self.how == "value":
            raise ValueError("\nimages must be\n\n  square, got " + str(x.shape))
        if self.how == "nothing":
            raise NotImplementedError()
        assert x.size(0) == 77, "need 77 rows"
        return self.fc(x.relu())


def export(folder):
    values = (torch.rand(SAMPLES, 5),)
    images = (torch.rand(SAMPLES, 1, 8, 8),)

    def save(name, module, extra_files=None):
        torch.jit.save(module, folder / f"{name}.pt", _extra_files=extra_files or {})

    def save_both(name, model, head, inputs):
        model.eval()
        truth = torch.jit.script(expected(model, head, inputs))
        for how, module in (("traced", torch.jit.trace(model, inputs)),
                            ("scripted", torch.jit.script(model))):
            save(f"{name}_{how}", module)
            save(f"{name}_{how}.expected", truth)

    mlp = Mlp()
    save_both("mlp", mlp, mlp.fc, values)
    cnn = Cnn()
    for _ in range(3):
        cnn(torch.rand(32, 1, 8, 8))  # running statistics of its own
    save_both("cnn", cnn, cnn.head, images)
    nested = Nested()
    save_both("nested_modules", nested, nested.classifier[1], values)
    no_bias = Mlp(bias=False)
    save_both("no_bias", no_bias, no_bias.fc, values)

    branching = Branching().eval()
    save("branching", torch.jit.script(branching))
    save("branching.expected", torch.jit.script(expected(branching, branching.fc, values)))

    two_inputs = TwoInputs().eval()
    both = values + (torch.rand(SAMPLES, 5),)
    save("two_inputs", torch.jit.script(two_inputs))
    save("two_inputs.expected", torch.jit.script(expected(two_inputs, two_inputs.fc, both)))

    double = Nested().double().eval()
    doubles = (values[0].double(),)
    save("float64", torch.jit.trace(double, doubles))
    save("float64.expected", torch.jit.script(expected(double, double.classifier[1], doubles)))

    for spelling in ("addmm", "matmul_add", "mm"):
        spelled = Spelled(spelling).eval()
        with torch.no_grad():
            features = torch.relu(spelled.hidden(values[0]))
            logits = spelled(values[0])
        save(spelling, torch.jit.trace(spelled, values))
        save(f"{spelling}.expected", torch.jit.script(Expected(values, features, logits)))

    frozen = Cnn().eval()
    save("frozen", torch.jit.freeze(torch.jit.script(frozen)))
    save("frozen.expected", torch.jit.script(expected(frozen, frozen.head, images)))

    # Left in training mode, whole and in a part; beside other things called `training`.
    training = Trained()
    save("training_scripted", torch.jit.script(training))
    save("training_scripted.expected",
         torch.jit.script(expected(training.eval(), training.head, images)))
    training.dropout.train()
    save("training_part", torch.jit.script(training))
    save("training_part.expected",
         torch.jit.script(expected(training.eval(), training.head, images)))

    extra = Described().eval()
    save("extra", torch.jit.script(extra),
         {"labels.txt": "cat\ndog\nbird", "nested/raw.bin": bytes(range(256))})
    save("extra.expected", torch.jit.script(expected(extra, extra.fc, values)))

    save("in_place", torch.jit.script(InPlace().eval()))

    # Models that cannot be used.
    save("traced_in_training", torch.jit.trace(Cnn().train(), images, check_trace=False))
    batch_norm_only = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(),
                                    nn.Linear(8, CLASSES)).train()
    save("batch_norm_in_training", torch.jit.trace(batch_norm_only, values, check_trace=False))
    conv_ended = nn.Sequential(nn.Conv2d(1, CLASSES, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                               nn.Flatten()).eval()
    save("conv_ended", torch.jit.trace(conv_ended, images))
    save("shifted", torch.jit.trace(Shifted().eval(), values))
    normed = nn.Sequential(nn.utils.weight_norm(nn.Linear(5, CLASSES))).eval()
    save("weight_norm", torch.jit.trace(normed, values))
    save("tokens", torch.jit.script(Tokens().eval()))
    save("tied", torch.jit.script(Tied().eval()))
    save("failing", torch.jit.script(Failing().eval()))
    for name, how in (("raising", "value"), ("raising_nothing", "nothing"), ("asserting", "")):
        save(name, torch.jit.script(Raising(how).eval()))
    infinite = Nested().eval()
    with torch.no_grad():
        infinite.classifier[1].bias[1] = float("inf")
    save("infinite", torch.jit.script(infinite))
    torch.save(Mlp().state_dict(), folder / "state_dict.pt")
    torch.save(Mlp().state_dict(), folder / "legacy_state_dict.pt",
               _use_new_zipfile_serialization=False)
    with open(folder / "plain.pkl", "wb") as file:
        pickle.dump({"weight": [1, 2, 3]}, file)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    export(folder)


if __name__ == "__main__":
    main()
