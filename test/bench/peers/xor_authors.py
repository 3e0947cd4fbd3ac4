"""The authors' XOR training (Pehlevan-Group/rep-spectral, src/train_reg.py, commands/train_xor.sh with clean data), as it is.

Usage: xor_authors.py REFERENCE EPOCHS BURN_IN
Every line on standard input, '{"regularizer": NAME, "seed": N}', is one run of their script, timed without its imports: None
trains from the start, eig-ub and spectral go on from that run's checkpoint at BURN_IN. One thread: networks this small gain
nothing from two. Modules of theirs that are not installed and that this run does not need (logging, plots) are stood in for.
"""

import contextlib
import importlib.machinery
import io
import json
import os
import runpy
import sys
import tempfile
import time
import types
import warnings

reference, epochs, burn_in = sys.argv[1], sys.argv[2], sys.argv[3]
folder = tempfile.TemporaryDirectory()
tag = "xor"


class Anything:
    """Takes every call and has every attribute."""

    def __init__(self, *_, **__):
        pass

    def __call__(self, *arguments, **__):
        return arguments[0] if arguments and callable(arguments[0]) else self

    def __getattr__(self, _):
        return Anything()


class Bar(list):
    """tqdm without a bar."""

    def set_description(self, *_):
        pass

    def set_postfix(self, *_):
        pass


class StandIn(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()


class Finder:
    """Stands in for what is not installed."""

    needed = ("toml", "tqdm", "tensorboard", "matplotlib", "pandas", "seaborn", "kornia", "timm", "lightly")

    @classmethod
    def find_spec(cls, name, *_):
        if name.split(".")[0] not in cls.needed and name != "torch.utils.tensorboard":
            return None
        return importlib.machinery.ModuleSpec(name, cls, is_package=True)

    @staticmethod
    def create_module(spec):
        return StandIn(spec.name)

    @staticmethod
    def exec_module(_):
        pass


sys.meta_path.append(Finder)
try:
    import torch.utils.tensorboard  # noqa: F401
except ImportError:
    sys.modules["torch.utils.tensorboard"] = StandIn("torch.utils.tensorboard")
paths = {tag: {f"{kind}_dir": os.path.join(folder.name, kind) for kind in ("data", "model", "result")}}
for name, contents in {"toml": {"load": lambda *_: paths}, "tqdm": {"tqdm": lambda loop, *_, **__: Bar(loop)}}.items():
    sys.modules[name] = StandIn(name)
    sys.modules[name].__spec__ = importlib.machinery.ModuleSpec(name, None)
    vars(sys.modules[name]).update(contents)

import torch  # noqa: E402

torch.set_num_threads(1)
source = os.path.join(reference, "src")
sys.path.insert(0, source)
import data  # noqa: E402, F401
import model  # noqa: E402, F401
import utils  # noqa: E402, F401

print(json.dumps({"ready": f"PyTorch {torch.__version__}, 1 thread"}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    options = {
        **{"--data": "xor_symmetric", "--batch-size": 4, "--hidden-dim": 8, "--nl": "GELU", "--lr": 1.0, "--wd": 0.0},
        **{"--reg": asked["regularizer"], "--lam": 5e-5, "--burnin": burn_in, "--epochs": epochs, "--tag": tag},
        **{"--log-epoch": 750, "--log-model": 1500, "--seed": asked["seed"]},
    }
    sys.argv = ["train_reg.py", *(str(part) for pair in options.items() for part in pair), "--iterative"]
    begin = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("error" if asked["regularizer"] != "None" else "ignore", UserWarning)
        runpy.run_path(os.path.join(source, "train_reg.py"), run_name="__main__")
    print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
