"""Writes mat.json: small MATLAB 5 files as SciPy writes them, in base64. Run by hand: python make-mat.py > mat.json"""

import base64
import io
import json

import numpy as np
import scipy
from scipy.io import savemat


def file(content, compress):
    out = io.BytesIO()
    savemat(out, content, do_compression=compress)
    return base64.b64encode(out.getvalue()).decode()


def cells(texts):
    array = np.empty((len(texts), 1), dtype=object)
    for i, text in enumerate(texts):
        array[i, 0] = text
    return array


dogs = ["n02085620-Chihuahua/n02085620_5927.jpg", "n02085782-Japanese_spaniel/n02085782_1.jpg", "n02085620-Chihuahua/b.jpg"]
contents = {
    # Oxford Flowers-102: labels as bytes or doubles, ids as uint16, each [1, n]
    "imagelabels": {"labels": np.array([[3, 1, 102, 3]], dtype=np.uint8)},
    "setid": {
        "trnid": np.array([[4, 1]], dtype=np.uint16),
        "valid": np.array([[2]], dtype=np.uint16),
        "tstid": np.array([[3]], dtype=np.float64),
    },
    # Stanford Dogs: cells of text and doubles, each [n, 1]
    "train_list": {
        "file_list": cells(dogs),
        "annotation_list": cells([name[:-4] for name in dogs]),
        "labels": np.array([[1.0], [2.0], [1.0]]),
    },
    "kinds": {
        "negative": np.array([[-5, 7], [300, -32768]], dtype=np.int16),
        "real": np.array([[0.5, -1e300]]),
        "single": np.array([[0.25]], dtype=np.float32),
        "empty": np.zeros((0, 0)),
        "structure": {"inside": 1.0},
        "text": "word",
    },
}
made = {"made": f"SciPy {scipy.__version__}"}
for name, content in contents.items():
    made[name] = {"plain": file(content, False), "compressed": file(content, True)}
print(json.dumps(made, indent=2))
