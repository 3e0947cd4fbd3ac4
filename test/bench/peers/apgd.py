"""APGD in l2 by torchattacks, on weights and samples from files.

Usage: apgd.py WIDTH WEIGHTS SAMPLES COUNT THREADS
An MLP 784-WIDTH-10 (weights as in tangent_attack.py); WEIGHTS and SAMPLES hold float32, samples in [0, 1]. Their code runs as it is. Every line on
standard input, 'LOSS EPSILON STEPS', is one whole attack, which is timed; where torchattacks is not installed the answer says so.
"""

import json
import sys
import time

import numpy as np
import torch
from digits_mlp import mlp

width, weights, samples, count, threads = int(sys.argv[1]), *sys.argv[2:4], *map(int, sys.argv[4:6])
torch.set_num_threads(threads)
values, rows = (torch.from_numpy(np.fromfile(path, dtype="<f4")) for path in (weights, samples))
model = torch.nn.Sequential(torch.nn.Flatten(), mlp(values, width)).eval()
x = rows.view(count, 1, 28, 28)
with torch.no_grad():
    labels = model(x).argmax(1)


def answer(loss, epsilon, steps):
    try:
        import torchattacks
    except ModuleNotFoundError as error:
        return {"seconds": 0, "missing": str(error)}
    attack = torchattacks.APGD(model, norm="L2", eps=epsilon, steps=steps, n_restarts=1, seed=0, loss=loss)
    begin = time.perf_counter()
    found = attack(x, labels)
    seconds = time.perf_counter() - begin
    found = found.detach()
    with torch.no_grad():
        left = model(found).argmax(1) == labels
    furthest = (found - x).flatten(1).norm(dim=1).max()
    return {"seconds": seconds, "left": int(left.sum()), "furthest": float(furthest)}


print(json.dumps({"ready": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"}), flush=True)
for line in sys.stdin:
    loss, epsilon, steps = line.split()
    print(json.dumps(answer(loss, float(epsilon), int(steps))), flush=True)
