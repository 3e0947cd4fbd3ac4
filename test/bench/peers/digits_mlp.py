"""The MLP 784-WIDTH-10 of digits, with weights as in tangent_attack.py."""

import torch


class Scale(torch.nn.Module):
    """The authors' logits are multiplied by 1/sqrt(width)."""

    def __init__(self, width):
        super().__init__()
        self.factor = width**-0.5

    def forward(self, logits):
        return self.factor * logits


def mlp(values, width, activation=torch.nn.GELU):
    w1, b1, w2, b2 = values.split([784 * width, width, width * 10, 10])
    first, readout = torch.nn.Linear(784, width), torch.nn.Linear(width, 10)
    with torch.no_grad():
        first.weight.copy_(w1.view(784, width).T)
        first.bias.copy_(b1)
        readout.weight.copy_(w2.view(width, 10).T)
        readout.bias.copy_(b2)
    return torch.nn.Sequential(first, activation(), readout, Scale(width))
