"""One rank of PyTorch's DistributedDataParallel over gloo: the authors' ResNet-18 on CIFAR-10's shapes, SGD with momentum.

Usage: data_parallel.py RANK RANKS PORT REFERENCE BATCH UPDATES THREADS
BATCH is of all ranks together. The images lie in memory as bytes; crop and flip as in residual_step.py.
Every line on standard input is one timed round of UPDATES.
"""

import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
from residual import resnet18
from torch.nn.parallel import DistributedDataParallel

rank, ranks, port = map(int, sys.argv[1:4])
reference = sys.argv[4]
batch, updates, threads = map(int, sys.argv[5:8])
own = batch // ranks
torch.set_num_threads(threads)
torch.manual_seed(0)
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
dist.init_process_group("gloo", rank=rank, world_size=ranks)
model = resnet18(reference).train().to(memory_format=torch.channels_last)
model = DistributedDataParallel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
images = torch.randint(0, 256, (10_000, 3, 32, 32), dtype=torch.uint8)
labels = torch.randint(0, 10, (10_000,))
mean = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
std = torch.tensor([0.2023, 0.1994, 0.2010]).view(1, 3, 1, 1)


def draw():
    indices = torch.randint(0, 10_000, (own,))
    padded = F.pad(images[indices], (4, 4, 4, 4))
    down, across = torch.randint(0, 9, (2, own)).tolist()
    flips = torch.rand(own) < 0.5
    cut = torch.stack([padded[i, :, down[i] : down[i] + 32, across[i] : across[i] + 32] for i in range(own)])
    cut[flips] = cut[flips].flip(-1)
    return ((cut.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last), labels[indices]


def update():
    x, y = draw()
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()


print(json.dumps({"ready": f"PyTorch {torch.__version__} DistributedDataParallel, gloo, {ranks} ranks of {threads} thread"}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    for _ in range(updates):
        update()
    print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
