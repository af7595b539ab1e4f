"""Exports a PyTorch classifier as NeuronTune takes it: a TorchScript file. Any of your models will do.

usage: python examples/export_model.py OUT.pt
"""

import sys

import torch

model = torch.nn.Sequential(  # in your program: the model you trained
    torch.nn.Conv2d(3, 32, 3, stride=2), torch.nn.ReLU(),
    torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 2))

model.eval()  # before tracing: dropout and batch norm are traced as they are
torch.jit.trace(model, torch.rand(2, 3, 224, 224)).save(sys.argv[1])
