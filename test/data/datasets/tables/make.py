"""Writes what NumPy and PyArrow make of arrays and tables, for the tests of npy.ts and parquet.ts.

    python3 -m pip install numpy scikit-learn pyarrow
    python3 test/data/datasets/tables/make.py
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_iris

here = Path(__file__).parent


def saved(array, **options):
    out = io.BytesIO()
    if "version" in options:
        np.lib.format.write_array(out, array, **options)
    else:
        np.save(out, array)
    return base64.b64encode(out.getvalue()).decode()


numbers = np.array([[0, 1, 2], [100, 5, 127]])
arrays = {dtype: numbers.astype(dtype) for dtype in "u1 i1 u2 >u2 i2 u4 i4 >i4 u8 i8 >i8".split()}
arrays |= {dtype: (numbers / 8 - 3).astype(dtype) for dtype in "f2 >f2 f4 >f4 f8 >f8".split()}
arrays["f2 extremes"] = np.float16([65504, 5.960464477539063e-08, -6.103515625e-05])
arrays["i1 negative"] = np.int8([-128, -1, 127])
arrays["i8 large"] = np.int64([-(2**40), 2**53])
arrays["bool"] = numbers > 1
arrays["fortran"] = np.asfortranarray(np.arange(24.0).reshape(2, 3, 4))
arrays["text"] = np.array(["a", "été", "😀b"])
arrays["bytes"] = np.array([b"a", b"bcd"])
arrays["empty"] = np.zeros((0, 3))
cases = [
    {"name": name, "file": saved(a), "shape": a.shape, "values": np.ravel(a.astype(str) if a.dtype.kind == "S" else a).tolist()}
    for name, a in arrays.items()
]
for version in [(2, 0), (3, 0)]:
    cases.append({"name": f"version {version[0]}", "file": saved(numbers, version=version), "shape": numbers.shape, "values": numbers.ravel().tolist()})
refused = {"complex": np.array([1j]), "structured": np.array([(1, 2.0)], dtype="i4,f4"), "time": np.array(["2026-01-01"], dtype="M8[D]")}
text = {"arrays": cases, "refused": {name: saved(a) for name, a in refused.items()}}
(here / "numpy.json").write_text(json.dumps(text, ensure_ascii=False, indent=1) + "\n")

iris = load_iris()
names = np.array(iris.target_names)[iris.target]
np.savez_compressed(here / "iris.npz", x=iris.data, y=names)
columns = dict(zip(["sepal length", "sepal width", "petal length", "petal width"], iris.data.T)) | {"species": names}
for codec in ["snappy", "gzip", "brotli"]:
    pq.write_table(pa.table(columns), here / f"iris-{codec}.parquet", compression=codec, row_group_size=60)
kinds = {
    "id": pa.array([1, 2, 3], pa.int64()),
    "wet": [True, False, True],
    "points": pa.array([[1.5, 2], [3, 4], [5, 6.25]], pa.list_(pa.float32())),
    "gap": pa.array([1.0, None, 2.0]),
    "ragged": [[1.0], [1.0, 2.0], [3.0]],
    "day": pa.array([0, 1, 2], pa.date32()),
    "kind": [7, 8, 7],
}
pq.write_table(pa.table(kinds), here / "kinds.parquet")
counted = {"x": [float(i) for i in range(100)], "y": [i % 2 for i in range(100)]}
pq.write_table(pa.table(counted), here / "counted.parquet", compression="none", use_dictionary=False, store_schema=False)
lines = [",".join(columns)] + [",".join(map(str, row)) for row in zip(*columns.values())]
Path("pipelines/examples/iris.csv").write_text("\n".join(lines) + "\n")
print(iris.data.astype("f4").astype("f8").mean(0).tolist(), iris.data.astype("f4").astype("f8").std(0).tolist())
