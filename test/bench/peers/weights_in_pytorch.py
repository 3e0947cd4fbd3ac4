"""Networks in PyTorch with torchvision's names, evaluated on weights of Weir, or written for Weir to evaluate.

Every line on standard input is a task: {"task": "evaluate" or "write", "network": …, "weights": FILE, "inputs": FILE}; both files are
safetensors, the inputs a tensor 'x'. A network is {"depth", "stem", "padding", "classes"} for a ResNet of torchvision, or {"sizes",
"scale"} for an MLP of layers hidden1, hidden2, …, fc. To evaluate loads strictly and answers with the logits; to write makes a network
of random weights and statistics, writes all of its state and answers with its logits.
"""

import json
import sys
import time

import safetensors_file
import torch
import torchvision
from torch import nn

torch.set_num_threads(2)


class Mlp(nn.Module):
    """relu between the layers; scale 'width' divides every layer but the first by the root of its number of inputs."""

    def __init__(self, sizes, scale):
        super().__init__()
        self.names = [f"hidden{i + 1}" for i in range(len(sizes) - 2)] + ["fc"]
        for name, inputs, outputs in zip(self.names, sizes, sizes[1:]):
            setattr(self, name, nn.Linear(inputs, outputs))
        self.scale = scale

    def forward(self, x):
        for name in self.names:
            layer = getattr(self, name)
            x = layer(x)
            if self.scale == "width" and name != self.names[0]:
                x = x / layer.in_features**0.5
            if name != "fc":
                x = x.relu()
        return x


def made(network):
    if "sizes" in network:
        return Mlp(network["sizes"], network["scale"]).eval()
    model = getattr(torchvision.models, f"resnet{network['depth']}")(num_classes=network["classes"])
    if network["stem"] == "cifar":
        model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        model.maxpool = nn.Identity()
    for module in model.modules():  # as the README says it
        if isinstance(module, nn.Conv2d) and any(module.padding):
            module.padding_mode = network["padding"]
    return model.eval()


def perturb(model):
    """What batch normalization begins with would hide a mix-up of its parts."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.7, 1.3)
                module.bias.uniform_(-0.3, 0.3)
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 2)
                module.num_batches_tracked.fill_(100)


by = f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}, {safetensors_file.by}"
print(json.dumps({"ready": by}), flush=True)
for line in sys.stdin:
    begin = time.perf_counter()
    task = json.loads(line)
    torch.manual_seed(0)
    model = made(task["network"])
    answer = {}
    if task["task"] == "evaluate":
        keys = model.load_state_dict(safetensors_file.read(task["weights"]), strict=False)
        answer = {"missing": keys.missing_keys, "unexpected": keys.unexpected_keys}
    else:
        perturb(model)
        safetensors_file.write(model.state_dict(), task["weights"])
    with torch.no_grad():
        logits = model(safetensors_file.read(task["inputs"])["x"])
    answer |= {"logits": logits.flatten().tolist(), "seconds": time.perf_counter() - begin}
    print(json.dumps(answer), flush=True)
