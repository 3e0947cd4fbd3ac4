"""Training of a residual network in PyTorch, in the authors' loop: crop and flip, SGD with momentum.

Usage: residual_step.py NETWORK MODE REFERENCE SAMPLES BATCH UPDATES THREADS
NETWORK is resnet18, the authors' with circular padding on CIFAR-10's shapes, or resnet50, torchvision's on ImageNet's.
MODE is nchw (PyTorch's default layout), channels_last, or bfloat16 (autocast, channels_last). REFERENCE may be empty.
The images lie in memory as bytes. Every line on standard input is one timed round of UPDATES.
"""

import contextlib
import json
import sys
import time

import torch
import torch.nn.functional as F
from residual import resnet18, resnet50

network, mode, reference = sys.argv[1:4]
samples, batch, updates, threads = map(int, sys.argv[4:8])
pixels, classes = (32, 10) if network == "resnet18" else (224, 1000)
torch.set_num_threads(threads)
torch.manual_seed(0)
images = torch.randint(0, 256, (samples, 3, pixels, pixels), dtype=torch.uint8)
labels = torch.randint(0, classes, (samples,))
mean = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
std = torch.tensor([0.2023, 0.1994, 0.2010]).view(1, 3, 1, 1)

model = (resnet18(reference) if network == "resnet18" else resnet50(classes)).train()
layout = torch.contiguous_format if mode == "nchw" else torch.channels_last
model = model.to(memory_format=layout)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
precision = (
    (lambda: torch.autocast("cpu", dtype=torch.bfloat16)) if mode == "bfloat16" else contextlib.nullcontext
)
permutation = torch.randperm(samples)
at = 0


def draw():
    """Crop with four pixels of zeros about, flip, scale, normalize: on the whole batch but for the crop itself."""
    global at, permutation
    if at + batch > samples:
        at, permutation = 0, torch.randperm(samples)
    indices = permutation[at : at + batch]
    at += batch
    padded = F.pad(images[indices], (4, 4, 4, 4))
    down, across = torch.randint(0, 9, (2, batch)).tolist()
    flips = torch.rand(batch) < 0.5
    cut = torch.stack([padded[i, :, down[i] : down[i] + pixels, across[i] : across[i] + pixels] for i in range(batch)])
    cut[flips] = cut[flips].flip(-1)
    return ((cut.float() / 255 - mean) / std).contiguous(memory_format=layout), labels[indices]


def update():
    x, y = draw()
    optimizer.zero_grad()
    with precision():
        loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()


version = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {mode}"
print(json.dumps({"ready": version}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    for _ in range(updates):
        update()
    print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
