"""HopSkipJump by foolbox, on weights and samples from files.

Usage: hop_skip_jump.py WIDTH WEIGHTS SAMPLES COUNT THREADS
WEIGHTS are those of an MLP 784-WIDTH-10 as in tangent_attack.py, SAMPLES in [0, 1]. Every line on standard input is a number of steps, and one
whole attack, which is timed. Each sample starts from the nearest of the others that is predicted otherwise, for no queries. A query is a
row of a forward pass.
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
model = mlp(values, width).eval()
x = rows.view(count, 784)
with torch.no_grad():
    labels = model(x).argmax(1)
away = torch.cdist(x, x) + torch.where(labels[:, None] == labels[None], torch.inf, 0.0)
starts = x[away.argmin(1)]
asked = 0


def count_rows(_module, inputs):
    global asked
    asked += len(inputs[0])


model.register_forward_pre_hook(count_rows)


def answer(steps):
    global asked
    try:
        import foolbox
    except ModuleNotFoundError as error:
        return {"seconds": 0, "missing": str(error)}
    torch.manual_seed(0)
    np.random.seed(0)
    attacked = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    attack = foolbox.attacks.HopSkipJumpAttack(steps=steps)
    asked = 0
    begin = time.perf_counter()
    found = attack.run(attacked, x, foolbox.criteria.Misclassification(labels), starting_points=starts)
    seconds, queries = time.perf_counter() - begin, asked / count
    with torch.no_grad():
        adversarial = model(found).argmax(1) != labels
    distances = (found - x).norm(dim=1)
    return {
        "seconds": seconds,
        "distances": distances.tolist(),
        "adversarial": adversarial.tolist(),
        "queries": queries,
    }


print(json.dumps({"ready": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(int(line))), flush=True)
