"""The authors' Tangent Attack (Pehlevan-Group/rep-spectral, src/adversarial/black_box.py) on weights and samples from a file.

Usage: tangent_attack.py REFERENCE FILE HIDDEN SAMPLES THREADS
FILE holds float32: hidden kernel [784, HIDDEN], hidden bias, readout kernel [HIDDEN, 10], readout bias, samples [SAMPLES, 784].
Their code runs as it is. Every line on standard input is a seed: one whole attack with T = 40 is run and timed.
"""

import json
import os
import sys
import time
import types

reference, path, hidden, count, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
sys.path.insert(0, os.path.join(reference, "src"))
# tqdm draws the progress bar of their loop, nothing else; without it installed the loop runs bare.
try:
    import tqdm  # noqa: F401
except ImportError:
    sys.modules["tqdm"] = types.SimpleNamespace(tqdm=lambda loop, *_, **__: loop)

import numpy as np
import torch
from adversarial.black_box import TangentAttack

torch.set_num_threads(threads)
values = torch.from_numpy(np.fromfile(path, dtype="<f4"))
w1, b1, w2, b2, x = values.split([784 * hidden, hidden, hidden * 10, 10, count * 784])


class Scale(torch.nn.Module):
    """The authors' logits are multiplied by 1/sqrt(width)."""

    def forward(self, logits):
        return (1 / hidden) ** 0.5 * logits


first, readout = torch.nn.Linear(784, hidden), torch.nn.Linear(hidden, 10)
with torch.no_grad():
    first.weight.copy_(w1.view(784, hidden).T)
    first.bias.copy_(b1)
    readout.weight.copy_(w2.view(hidden, 10).T)
    readout.bias.copy_(b2)
model = torch.nn.Sequential(torch.nn.Sequential(first, torch.nn.GELU()), readout, Scale()).eval()
samples = x.view(count, 784)

print(json.dumps({"ready": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"}), flush=True)
for line in sys.stdin:
    torch.manual_seed(int(line))
    begin = time.perf_counter()
    with torch.no_grad():
        distances, _ = TangentAttack(model, samples, None, adv_batch_size=16, T=40).attack()
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "distances": distances.tolist()}), flush=True)
