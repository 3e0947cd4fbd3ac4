/* A strided, circular convolution in Fourier space: one matrix P(w) a frequency. Include pool.h first. */
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "operation.h"

namespace weir {

/* A kernel of [kernel_size, in, out] on an input of size * stride, which the stride divides. */
struct Convolution {
  const float* kernel;
  int64_t kernel_size[2], in, out;
  int64_t size[2]; /* of the output */
  int64_t stride;
};

struct Frequency {
  int64_t row, column;
  bool complex; /* whether it differs from its opposite */
};

/* Kernel and settings = [height, width, stride, …] from inputs 0 and 1; refused where they do not fit each other. */
inline void take(Call* c, Convolution* conv, int64_t settings_count, const int32_t** settings) {
  int64_t size = 0, count = 0;
  conv->kernel = input(c, 0, &size);
  const int32_t* s = *settings = reinterpret_cast<const int32_t*>(input(c, 1, &count));
  if (TF_GetCode(c->status) != TF_OK) return;
  if (TF_NumDims(c->tensors[0]) != 4 || size == 0 || count != settings_count)
    return refuse(c, "kernel is not HWIO, or settings are not as many as they must be");
  if (s[2] < 1 || s[0] < 1 || s[1] < 1 || s[0] % s[2] != 0 || s[1] % s[2] != 0)
    return refuse(c, "the stride does not divide the size");
  for (int i = 0; i < 2; i++) {
    conv->kernel_size[i] = TF_Dim(c->tensors[0], i);
    conv->size[i] = s[i] / s[2];
  }
  conv->in = TF_Dim(c->tensors[0], 2), conv->out = TF_Dim(c->tensors[0], 3), conv->stride = s[2];
}

/* The positions within a stride that the kernel reaches; nothing depends on the others. */
inline std::vector<int64_t> phases_of(const Convolution& c) {
  std::vector<int64_t> phases;
  for (int64_t phase = 0; phase < c.stride * c.stride; phase++)
    if (phase / c.stride < c.kernel_size[0] && phase % c.stride < c.kernel_size[1]) phases.push_back(phase);
  return phases;
}

/*
 * P(-w) is the conjugate of P(w): one of the two serves for both. A kernel no larger than the stride has the same P at every
 * frequency: one serves for all.
 */
inline std::vector<Frequency> frequencies_of(const Convolution& c) {
  const int64_t rows = c.kernel_size[0] > c.stride ? c.size[0] : 1, columns = c.kernel_size[1] > c.stride ? c.size[1] : 1;
  std::vector<Frequency> found;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) {
      const int64_t here = i * columns + j, opposite = (rows - i) % rows * columns + (columns - j) % columns;
      if (here <= opposite) found.push_back({i, j, here != opposite});
    }
  return found;
}

/* The phase of the wave of frequency w at position (i, j) of the kernel, from its corner, in radians. */
inline double angle(const Convolution& c, const Frequency& f, int64_t i, int64_t j) {
  const double turns = static_cast<double>(f.row * (i / c.stride) % c.size[0]) / static_cast<double>(c.size[0]) +
                       static_cast<double>(f.column * (j / c.stride) % c.size[1]) / static_cast<double>(c.size[1]);
  return 6.28318530717958647692 * turns;
}

}  // namespace weir
