"""MNIST MLP training in PyTorch: 784-2000-10, GELU, logits / sqrt(2000), cross-entropy, SGD with momentum and weight decay.

Usage: mlp_train.py SAMPLES BATCH UPDATES THREADS
The data lie in memory as float32 and are indexed by a permutation. Every line on standard input is one timed round of UPDATES.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

samples, batch, updates, threads = map(int, sys.argv[1:5])
torch.set_num_threads(threads)
torch.manual_seed(0)
values, labels = torch.rand(samples, 784), torch.randint(0, 10, (samples,))

hidden, readout = torch.nn.Linear(784, 2000), torch.nn.Linear(2000, 10)
parameters = [*hidden.parameters(), *readout.parameters()]
for parameter in parameters:
    torch.nn.init.normal_(parameter, 0, 0.01)
optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=1e-4)
permutation = torch.randperm(samples)
at = 0


def update():
    global at, permutation
    if at + batch > samples:
        at, permutation = 0, torch.randperm(samples)
    indices = permutation[at : at + batch]
    at += batch
    logits = readout(F.gelu(hidden(values[indices]))) * 2000**-0.5
    loss = F.cross_entropy(logits, labels[indices])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


print(json.dumps({"ready": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    for _ in range(updates):
        update()
    print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
