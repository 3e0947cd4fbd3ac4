"""The authors' Tangent Attack (Pehlevan-Group/rep-spectral, src/adversarial/black_box.py) on their ResNet-18, weights and images from files.

Usage: tangent_attack_resnet18.py REFERENCE WEIGHTS IMAGES COUNT ITERATIONS THREADS
WEIGHTS and IMAGES hold float32: see residual.py, and [COUNT, 32, 32, 3]. Their code runs as it is. Every line on standard input is a
seed: one whole attack is run and timed, and its forward evaluations are counted.
"""

import json
import os
import sys
import time
import types

from residual import load, resnet18

reference, weights, images, count, iterations, threads = *sys.argv[1:4], *map(int, sys.argv[4:7])
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
network = load(resnet18(reference), torch.from_numpy(np.fromfile(weights, dtype="<f4"))).eval()
samples = torch.from_numpy(np.fromfile(images, dtype="<f4")).view(count, 32, 32, 3).permute(0, 3, 1, 2).contiguous()
queries = 0


def model(x):
    global queries
    queries += len(x)
    return network(x)


print(json.dumps({"ready": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"}), flush=True)
for line in sys.stdin:
    torch.manual_seed(int(line))
    queries = 0
    begin = time.perf_counter()
    with torch.no_grad():
        attack = TangentAttack(model, samples, None, adv_batch_size=16, vmin=-3.0, vmax=3.0, T=iterations)
        distances, _ = attack.attack()
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "queries": queries, "distances": distances.tolist()}), flush=True)
