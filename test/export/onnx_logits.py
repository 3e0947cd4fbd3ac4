"""Runs ONNX files under onnxruntime: argv[1] lists them with their inputs. Prints the outputs, as JSON, and what the checker says."""

import json
import sys

import numpy
import onnx
import onnxruntime

found = []
for file, shape, values in json.load(open(sys.argv[1])):
    onnx.checker.check_model(file, full_check=True)
    x = numpy.array(values, numpy.float32).reshape(shape)
    if x.ndim == 4:
        x = x.transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    logits, features = session.run(["logits", "features"], {"input": x})
    found.append({"logits": logits.ravel().tolist(), "features": features.ravel().tolist()})
print(json.dumps(found))
