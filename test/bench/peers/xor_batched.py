"""XOR in PyTorch with all networks in one set of tensors: 2-HIDDEN-2, GELU, logits / sqrt(HIDDEN), full batch, SGD with momentum.

Usage: xor_batched.py FILE HIDDEN EPOCHS BURN_IN GAMMA THREADS REGULARISER...
FILE holds float32, a network a row: hidden kernel [2, HIDDEN], hidden bias, readout kernel [HIDDEN, 2], readout bias.
After BURN_IN epochs gamma/2 |W'v|^2 is added for the layers that a network's regularizer names (none, rep-spectral,
ll-spectral, readout-spectral), v refreshed by one power iteration at every update. Every line on standard input is one training.
"""

import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

path, hidden, epochs, burn_in, gamma, threads = sys.argv[1], *map(int, sys.argv[2:5]), float(sys.argv[5]), int(sys.argv[6])
regularizers = sys.argv[7:]
torch.set_num_threads(threads)
count = len(regularizers)
rows = torch.from_numpy(np.fromfile(path, dtype="<f4")).view(count, -1)
x = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]).expand(count, 4, 2).contiguous()
y = torch.tensor([0, 0, 1, 1]).repeat(count)
feature = torch.tensor([kind in ("rep-spectral", "ll-spectral") for kind in regularizers])
readout = torch.tensor([kind in ("readout-spectral", "ll-spectral") for kind in regularizers])
strengths = [(gamma / 2) * mask.float() for mask in (feature, readout)]


def iterate(w, v):
    u = F.normalize(torch.bmm(w.transpose(1, 2), v), dim=1)
    return F.normalize(torch.bmm(w, u), dim=1)


def train():
    w1, b1, w2, b2 = rows.split([2 * hidden, hidden, 2 * hidden, 2], dim=1)
    shapes = ((w1, (2, hidden)), (b1, (1, hidden)), (w2, (hidden, 2)), (b2, (1, 2)))
    w1, b1, w2, b2 = parameters = [p.reshape(count, *shape).clone().requires_grad_() for p, shape in shapes]
    optimizer = torch.optim.SGD(parameters, lr=1.0, momentum=0.9)
    torch.manual_seed(0)
    directions = [torch.randn(count, w.shape[1], 1) for w in (w1, w2)]
    for epoch in range(1, epochs + 1):
        logits = torch.baddbmm(b2, F.gelu(torch.baddbmm(b1, x, w1)), w2) * hidden**-0.5
        loss = F.cross_entropy(logits.view(-1, 2), y, reduction="sum") / 4
        if epoch > burn_in:
            with torch.no_grad():
                for _ in range(2 * hidden if epoch == burn_in + 1 else 1):
                    directions = [iterate(w, v) for w, v in zip((w1, w2), directions)]
            for w, v, strength in zip((w1, w2), directions, strengths):
                loss = loss + (strength * torch.bmm(w.transpose(1, 2), v).square().sum((1, 2))).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return w1.detach(), w2.detach()


print(json.dumps({"ready": f"PyTorch {torch.__version__}, {threads} threads"}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    kernels = train()
    seconds = time.perf_counter() - begin
    sigmas = [torch.linalg.matrix_norm(w, 2).tolist() for w in kernels]
    print(json.dumps({"seconds": seconds, "sigmas": sigmas}), flush=True)
