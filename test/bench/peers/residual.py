"""ResNet-18 for CIFAR-10 with circular padding: the authors' (Pehlevan-Group/rep-spectral) where REFERENCE is a checkout, else the same
network made of torchvision's. And torchvision's ResNet-50."""

import os
import sys
import types

import torch


def resnet18(reference):
    if reference:
        # the package without its other networks, which want libraries that this one does not
        package = types.ModuleType("architectures")
        package.__path__ = [os.path.join(reference, "src", "model", "architectures")]
        sys.modules["architectures"] = package
        from architectures.ResNet import ResNet18

        return ResNet18(num_classes=10)
    from torchvision.models.resnet import BasicBlock, ResNet

    model = ResNet(BasicBlock, [2, 2, 2, 2], num_classes=10)
    model.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = torch.nn.Identity()
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.kernel_size[0] > 1:
            module.padding_mode = "circular"
            module._reversed_padding_repeated_twice = [1, 1, 1, 1]
    return model


def resnet50(classes):
    from torchvision.models import resnet50 as torchvisions

    return torchvisions(num_classes=classes)


def load(model, values):
    """Fills it with Weir's weights, one after the other in float32: each convolution's kernel (HWIO), scale, offset, mean and variance,
    then the readout's kernel ([in, out]) and bias."""
    at = 0

    def take(*shape):
        nonlocal at
        size = 1
        for extent in shape:
            size *= extent
        at += size
        return values[at - size : at].view(*shape)

    def unit(conv, norm):
        conv = getattr(conv, "wrap", conv)
        out, inputs, height, width = conv.weight.shape
        conv.weight.copy_(take(height, width, inputs, out).permute(3, 2, 0, 1))
        for part in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            part.copy_(take(out))

    with torch.no_grad():
        unit(model.conv1, model.bn1)
        for layer in (model.layer1, model.layer2, model.layer3, model.layer4):
            for block in layer:
                unit(block.conv1, block.bn1)
                unit(block.conv2, block.bn2)
                if block.downsample is not None:
                    unit(*block.downsample)
        classes, features = model.fc.weight.shape
        model.fc.weight.copy_(take(features, classes).T)
        model.fc.bias.copy_(take(classes))
    if at != len(values):
        raise ValueError(f"{len(values)} numbers for {at}")
    return model
