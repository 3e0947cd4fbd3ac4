/* Registration of an operation with TensorFlow, and access to the tensors of a call. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_datatype.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

/* Of tensorflow/c/kernels.h, which includes headers outside tensorflow/c. */
extern "C" {
typedef struct TF_KernelBuilder TF_KernelBuilder;
typedef struct TF_OpKernelContext TF_OpKernelContext;
typedef struct TF_OpKernelConstruction TF_OpKernelConstruction;
TF_KernelBuilder* TF_NewKernelBuilder(const char* op, const char* device, void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*));
void TF_RegisterKernelBuilder(const char* kernel, TF_KernelBuilder* builder, TF_Status* status);
void TF_GetInput(TF_OpKernelContext* context, int index, TF_Tensor** tensor, TF_Status* status);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext* context, int index, TF_DataType type, const int64_t* dims, int rank,
                             size_t bytes, TF_Status* status);
void TF_OpKernelContext_Failure(TF_OpKernelContext* context, TF_Status* status);
}

namespace weir {

/* ---- one call of a kernel ---- */

struct Call {
  TF_OpKernelContext* context;
  TF_Status* status;
  TF_Tensor* tensors[16];
  int count;
};

inline void refuse(Call* c, const char* why) { TF_SetStatus(c->status, TF_INVALID_ARGUMENT, why); }

inline float* input(Call* c, int index, int64_t* size) {
  TF_Tensor* t = nullptr;
  TF_GetInput(c->context, index, &t, c->status);
  if (TF_GetCode(c->status) != TF_OK) return nullptr;
  c->tensors[c->count++] = t;
  if (size != nullptr) *size = TF_TensorElementCount(t);
  return static_cast<float*>(TF_TensorData(t));
}

inline float* output(Call* c, int index, const int64_t* dims, int rank, size_t bytes) {
  if (TF_GetCode(c->status) != TF_OK) return nullptr;
  TF_Tensor* t = TF_AllocateOutput(c->context, index, TF_FLOAT, dims, rank, bytes, c->status);
  if (TF_GetCode(c->status) != TF_OK) return nullptr;
  c->tensors[c->count++] = t;
  return static_cast<float*>(TF_TensorData(t));
}

/* An output of the shape of an input. */
inline float* output_like(Call* c, int index, int like) {
  if (TF_GetCode(c->status) != TF_OK) return nullptr;
  const TF_Tensor* input = c->tensors[like];
  int64_t dims[8];
  const int rank = TF_NumDims(input);
  if (rank > 8) {
    refuse(c, "more than 8 dimensions");
    return nullptr;
  }
  for (int i = 0; i < rank; i++) dims[i] = TF_Dim(input, i);
  return output(c, index, dims, rank, TF_TensorByteSize(input));
}

inline void finish(Call* c) {
  if (TF_GetCode(c->status) != TF_OK) TF_OpKernelContext_Failure(c->context, c->status);
  for (int i = 0; i < c->count; i++) TF_DeleteTensor(c->tensors[i]);
  TF_DeleteStatus(c->status);
}

/* ---- definition ---- */

inline void shape_unknown(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

using Names = std::initializer_list<const char*>;

inline void define(const char* name, Names inputs, Names outputs, void (*compute)(void*, TF_OpKernelContext*)) {
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const char* each : inputs) TF_OpDefinitionBuilderAddInput(op, each);
  for (const char* each : outputs) TF_OpDefinitionBuilderAddOutput(op, each);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, shape_unknown);
  TF_Status* status = TF_NewStatus();
  TF_RegisterOpDefinition(op, status);
  if (TF_GetCode(status) == TF_OK)
    TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", nullptr, compute, nullptr), status);
  TF_DeleteStatus(status);
}

}  // namespace weir
