"""Networks in PyTorch with torchvision's names: {"depth", "stem", "padding", "classes"} is a ResNet of torchvision, {"sizes", "scale"} an MLP
of layers hidden1, hidden2, …, fc, with relu or "activation" between them."""

import torchvision
from torch import nn
from torch.nn import functional as F


class Mlp(nn.Module):
    """An activation between the layers; scale 'width' divides every layer but the first by the root of its number of inputs."""

    def __init__(self, sizes, scale, activation):
        super().__init__()
        self.names = [f"hidden{i + 1}" for i in range(len(sizes) - 2)] + ["fc"]
        for name, inputs, outputs in zip(self.names, sizes, sizes[1:]):
            setattr(self, name, nn.Linear(inputs, outputs))
        self.scale = scale
        self.activation = getattr(F, activation)

    def forward(self, x):
        for name in self.names:
            layer = getattr(self, name)
            x = layer(x)
            if self.scale == "width" and name != self.names[0]:
                x = x / layer.in_features**0.5
            if name != "fc":
                x = self.activation(x)
        return x


def made(network):
    if "sizes" in network:
        return Mlp(network["sizes"], network["scale"], network.get("activation", "relu"))
    model = getattr(torchvision.models, f"resnet{network['depth']}")(num_classes=network["classes"])
    if network["stem"] == "cifar":
        model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        model.maxpool = nn.Identity()
    for module in model.modules():  # as the README says it
        if isinstance(module, nn.Conv2d) and any(module.padding):
            module.padding_mode = network["padding"]
    return model
