"""The spectral norms of a network's convolutions by the authors' code (Pehlevan-Group/rep-spectral), which runs as it is.

Usage: convolutions.py REFERENCE FILE LAYERS THREADS
LAYERS is JSON: [[rows, columns, in, out, stride, height, width], ...]; FILE holds the kernels, HWIO float32, one set after another.
A line "exact SET" times code block 1 (model/architectures/utils.py) over all layers and gives each sigma; "tick SET" times one update
of their fine-tuning code (model/regularizer/transfer.py): one power iteration at all frequencies, the gradient of the largest
eigenvalue, and the step of the weights, layer by layer.

Two more estimators, from their formulas, in PyTorch alone: "fft SET" takes the singular values of every block of the Fourier transform
(Sedghi, Gupta and Long 2019), and "gram SET STEPS" Gram iteration on them (Delattre et al. 2023, algorithm 3). Both see the
non-redundant half of the frequencies (rfft2), and a strided convolution by the phases of its input.
"""

import importlib
import importlib.util
import json
import os
import sys
import time
import types
import warnings

reference, path, layers, threads = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
warnings.filterwarnings("ignore")  # that one iteration does not converge
# tqdm draws a progress bar, nothing else; without it installed the loop runs bare.
try:
    import tqdm  # noqa: F401
except ImportError:
    sys.modules["tqdm"] = types.SimpleNamespace(tqdm=lambda loop, *_, **__: loop)

import numpy as np
import torch

torch.set_num_threads(threads)


def package(name):
    """A folder of theirs without its __init__, which imports all of their models."""
    module = types.ModuleType(name)
    module.__path__ = [os.path.join(reference, "src", "model", name)]
    sys.modules[name] = module


package("architectures")
package("regularizer")
top_eigenvalue = importlib.import_module("architectures.utils").get_multi_channel_top_eigval_with_stride
transfer = importlib.import_module("regularizer.transfer")


class Layer(torch.nn.Module):
    """What their update reads of a convolution."""

    def __init__(self, kernel, stride, size):
        super().__init__()
        rows, columns, inputs, outputs = kernel.shape
        self.wrap = torch.nn.Conv2d(inputs, outputs, (rows, columns), stride, bias=False)
        with torch.no_grad():
            self.wrap.weight.copy_(torch.from_numpy(kernel).permute(3, 2, 0, 1))
        self._input_shapes = size


class Network:
    def __init__(self, layers):
        self.layers = layers

    def get_conv_layers(self, max_layer=4):
        return self.layers

    def get_conv_layers_names(self, max_layer=4):
        return [str(i) for i in range(len(self.layers))]


values = np.fromfile(path, dtype="<f4")
sets, at = [], 0
while at < len(values):
    convolutions = []
    for rows, columns, inputs, outputs, stride, height, width in layers:
        shape = (rows, columns, inputs, outputs)
        kernel = values[at : at + int(np.prod(shape))].reshape(shape)
        at += kernel.size
        convolutions.append(Layer(kernel, stride, (height, width)))
    sets.append(Network(convolutions))
starts = {}


def exact(network):
    with torch.no_grad():
        return [
            float(top_eigenvalue(layer.wrap.weight, *layer._input_shapes, layer.wrap.stride[0])) ** 0.5
            for layer in network.layers
        ]


def blocks(layer):
    """[frequencies, larger side, smaller side], complex."""
    weight, stride = layer.wrap.weight, layer.wrap.stride[0]
    size = [length // stride for length in layer._input_shapes]
    phases = [weight[:, :, i::stride, j::stride] for i in range(stride) for j in range(stride)]
    parts = [torch.fft.rfft2(taps, s=size) for taps in phases if taps.numel() > 0]
    all_phases = torch.cat(parts, 1).flatten(2).permute(2, 0, 1)
    return all_phases if all_phases.shape[1] >= all_phases.shape[2] else all_phases.transpose(1, 2)


def fft(network):
    with torch.no_grad():
        return [float(torch.linalg.svdvals(blocks(layer)).max()) for layer in network.layers]


def gram(network, steps):
    sigmas = []
    with torch.no_grad():
        for layer in network.layers:
            g = blocks(layer)
            log = torch.zeros(g.shape[0])
            for _ in range(steps):
                norm = g.norm(dim=(1, 2))
                g = g / norm[:, None, None]
                log = 2 * (log + norm.log())
                g = g.conj().transpose(1, 2) @ g
            power = 2.0**-steps
            sigmas.append(float((g.norm(dim=(1, 2)).log() * power + log * power).exp().max()))
    return sigmas


def first(network):
    """Random vectors: their search for better ones does not change how long an update takes."""
    state = {}
    for name, layer in zip(network.get_conv_layers_names(), network.layers):
        blocks = transfer.get_conv_fft2_blocks(layer.wrap.weight, *layer._input_shapes, layer.wrap.stride[0])
        state[name] = torch.randn((*blocks.shape[:2], blocks.shape[3]), dtype=torch.cfloat)
    return state


print(json.dumps({"ready": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"}), flush=True)
for line in sys.stdin:
    command, index, *steps = line.split()
    network = sets[int(index)]
    if command == "tick" and index not in starts:
        starts[index] = first(network)
    begin = time.perf_counter()
    answer = {}
    if command == "exact":
        answer["sigmas"] = exact(network)
    elif command == "fft":
        answer["sigmas"] = fft(network)
    elif command == "gram":
        answer["sigmas"] = gram(network, int(steps[0]))
    else:
        transfer.top_eig_ub_transfer_update(network, lam=0.01, v_init=starts[index], max_update=1)
    print(json.dumps({"seconds": time.perf_counter() - begin, **answer}), flush=True)
