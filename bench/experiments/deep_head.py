"""A network whose head has several layers, trained the ordinary way and exported as TorchScript."""
import torch
from safetensors.torch import load_file

FEATURES, HIDDEN = 256, 64


class Network(torch.nn.Module):
    """The benchmark's small CNN with a head of two linear layers."""

    def __init__(self, channels, classes):
        super().__init__()
        widths = [channels, 16, 32, FEATURES]
        self.features = torch.nn.Sequential(*(
            layer for inputs, outputs in zip(widths, widths[1:])
            for layer in (torch.nn.Conv2d(inputs, outputs, 3, 2, 1), torch.nn.ReLU())))
        self.classifier = torch.nn.Sequential(
            torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, classes))

    def forward(self, images):
        return self.classifier(self.features(images).mean((2, 3)))


def train_erm(data, epochs, seed):
    """The ordinary way: cross-entropy on train as it is."""
    torch.manual_seed(seed)
    split = load_file(data / "train.safetensors")
    images, labels = split["inputs"], split["labels"]
    network = Network(images.shape[1], int(labels.max()) + 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(labels)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(images[rows]), labels[rows]).backward()
            optimizer.step()
    return network.eval()


def export(network, data, path):
    example = load_file(data / "val.safetensors")["inputs"][:2]
    torch.jit.trace(network, example).save(str(path))
