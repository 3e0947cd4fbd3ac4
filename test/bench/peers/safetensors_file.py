"""Reads and writes safetensors files: eight bytes that say how long the header is (little-endian), the header in JSON, the numbers.

By the package of that name where this Python has it, which makes it a check of Weir's own reader and writer too; else by hand.
"""

import json
import struct

import torch

try:
    from safetensors.torch import load_file as read
    from safetensors.torch import save_file as write

    by = "the safetensors package"
except ImportError:
    by = "safetensors by hand"
    kinds = {"F32": torch.float32, "I64": torch.int64}

    def read(file):
        with open(file, "rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(length))
            data = bytearray(stream.read())
        header.pop("__metadata__", None)
        return {
            name: torch.frombuffer(data[slice(*entry["data_offsets"])], dtype=kinds[entry["dtype"]]).view(entry["shape"])
            for name, entry in header.items()
        }

    def write(tensors, file):
        header, pieces, at = {}, [], 0
        for name, tensor in tensors.items():
            piece = tensor.contiguous().numpy().tobytes()
            kind = next(kind for kind, dtype in kinds.items() if dtype == tensor.dtype)
            header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [at, at + len(piece)]}
            pieces.append(piece)
            at += len(piece)
        text = json.dumps(header).encode()
        with open(file, "wb") as stream:
            stream.write(struct.pack("<Q", len(text)) + text + b"".join(pieces))
