// TensorFlow.js's binding sets every string attribute as one string, but the attribute `fused_ops` of `_FusedMatMul` and
// `_FusedConv2D` is a list. The linker puts this function in the place of TFE_OpSetAttrString (-Wl,--wrap), so that
// "BiasAdd,Relu" arrives as the list of the two, and the binding's sources stay as they are.

#include <cstring>
#include <vector>

#include "tensorflow/c/eager/c_api.h"

extern "C" {

void __real_TFE_OpSetAttrString(TFE_Op* op, const char* name, const void* value, size_t length);

void __wrap_TFE_OpSetAttrString(TFE_Op* op, const char* name, const void* value, size_t length) {
  if (std::strcmp(name, "fused_ops") != 0) {
    __real_TFE_OpSetAttrString(op, name, value, length);
    return;
  }
  std::vector<const void*> parts;
  std::vector<size_t> lengths;
  const char* const end = static_cast<const char*>(value) + length;
  for (const char* start = static_cast<const char*>(value); start < end;) {
    const void* comma = std::memchr(start, ',', end - start);
    const char* stop = comma == nullptr ? end : static_cast<const char*>(comma);
    parts.push_back(start);
    lengths.push_back(stop - start);
    start = stop + 1;
  }
  TFE_OpSetAttrStringList(op, name, parts.data(), lengths.data(), static_cast<int>(parts.size()));
}

}  // extern "C"
