"""DDN by foolbox and by adv-lib, on weights and samples from files.

Usage: ddn.py NETWORK WEIGHTS SAMPLES COUNT THREADS
NETWORK is a hidden layer's width, of an MLP 784-WIDTH-10 (weights as in tangent_attack.py; of GELU, or of ReLU as WIDTH-relu), or resnet18 (as in residual.py), with
padding of zeros or circular as torchvision's and the authors'. WEIGHTS and SAMPLES hold float32, samples in [0, 1], images as
[COUNT, 32, 32, 3]. Their code runs as it is. Every line on standard input, 'LIBRARY STEPS', is one whole attack, which is timed; on a
library that is not installed the answer has no distances.
"""

import json
import sys
import time
import types

import numpy as np
import torch
from digits_mlp import mlp
from residual import load, resnet18

network, weights, samples, count, threads = *sys.argv[1:4], *map(int, sys.argv[4:6])
torch.set_num_threads(threads)
values, rows = (torch.from_numpy(np.fromfile(path, dtype="<f4")) for path in (weights, samples))


if network == "resnet18":
    model = load(resnet18(None), values).eval()
    x = rows.view(count, 32, 32, 3).permute(0, 3, 1, 2).contiguous()
else:
    width, _, activation = network.partition("-")
    model = mlp(values, int(width), torch.nn.ReLU if activation == "relu" else torch.nn.GELU).eval()
    x = rows.view(count, 784)
with torch.no_grad():
    labels = model(x).argmax(1)


def foolbox_ddn(steps):
    import foolbox

    attacked = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    return foolbox.attacks.DDNAttack(steps=steps).run(attacked, x, foolbox.criteria.Misclassification(labels))


def adv_lib_ddn(steps):
    sys.modules.setdefault("visdom", types.ModuleType("visdom"))  # draws their curves, which nobody asks for
    from adv_lib.attacks import ddn

    return ddn(model, x, labels, steps=steps, levels=None)


libraries = {"foolbox": foolbox_ddn, "adv-lib": adv_lib_ddn}


def answer(library, steps):
    try:
        libraries[library](1)  # imports, and the first pass
    except ModuleNotFoundError as error:
        return {"seconds": 0, "missing": str(error)}
    begin = time.perf_counter()
    found = libraries[library](steps)
    seconds = time.perf_counter() - begin
    with torch.no_grad():
        adversarial = model(found).argmax(1) != labels
    distances = (found - x).flatten(1).norm(dim=1)
    return {"seconds": seconds, "distances": distances.tolist(), "adversarial": adversarial.tolist()}


print(json.dumps({"ready": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"}), flush=True)
for line in sys.stdin:
    library, steps = line.split()
    print(json.dumps(answer(library, int(steps))), flush=True)
