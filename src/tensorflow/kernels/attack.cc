/*
 * Operations of Weir's own for the evaluations of the Tangent Attack: see README.md for the reason.
 *
 *   WeirGeluProduct(z, y, bias, scale, kernel) -> p   p = gelu((z + y + bias) scale) kernel; z, y of [n, width], kernel of [width, k],
 *                                                     k at most 32. The activations stay in the processor's cache.
 *   WeirClampedRows(z, rows, least, most) -> q        q_i = clamp(z_r, least_i, most_i) - z_r, r = rows_i; z of [d, n], q of [c, n]
 *
 * The order of every sum is fixed, so results do not depend on the threads.
 */
#include "pool.h"

#include <algorithm>
#include <vector>

#include "gelu.h"
#include "operation.h"

namespace weir {
namespace {

/* ---- a narrow layer behind an activation ---- */

constexpr int64_t lanes = 8;     /* partial sums of one product: what a 256-bit register holds */
constexpr int64_t tile = 8;      /* rows that meet a part of the kernel while it is in the first-level cache */
constexpr int64_t columns = 256; /* width of that part */
constexpr int64_t widest = 32;   /* k */

typedef float Lanes __attribute__((vector_size(lanes * sizeof(float))));

struct GeluProduct {
  const float *z, *y, *bias;
  float scale;
  const float* kernel; /* transposed and filled up with zeros: [even k, whole multiple of `columns`] */
  float* product;
  int64_t n, k, width, padded;
};

/* sums[row][j] += h[row] . kernel_j, for four rows and for j and j + 1: eight sums that stay in registers. */
inline __attribute__((always_inline)) void multiply(const float (*h)[columns], const float* kernel, int64_t stride,
                                                    Lanes (*sums)[widest], int64_t j) {
  Lanes s[4][2];
  for (int row = 0; row < 4; row++) s[row][0] = sums[row][j], s[row][1] = sums[row][j + 1];
  for (int64_t i = 0; i < columns; i += lanes) {
    Lanes a, b;
    __builtin_memcpy(&a, kernel + i, sizeof a);
    __builtin_memcpy(&b, kernel + stride + i, sizeof b);
#pragma GCC unroll 4
    for (int row = 0; row < 4; row++) {
      Lanes x;
      __builtin_memcpy(&x, h[row] + i, sizeof x);
      s[row][0] += x * a;
      s[row][1] += x * b;
    }
  }
  for (int row = 0; row < 4; row++) sums[row][j] = s[row][0], sums[row][j + 1] = s[row][1];
}

EVERY_CPU void gelu_product_tiles(const void* job, int64_t begin, int64_t end) {
  const GeluProduct* g = static_cast<const GeluProduct*>(job);
  const int64_t width = g->width;
  const float scale = g->scale;
  float h[tile][columns];
  Lanes sums[tile][widest];
  float unused;
  for (int64_t first = begin * tile; first < end * tile; first += tile) {
    const int64_t rows = std::min(tile, g->n - first);
    for (int64_t row = 0; row < tile; row++)
      for (int64_t j = 0; j < widest; j++) sums[row][j] = Lanes{};
    for (int64_t at = 0; at < width; at += columns) {
      const int64_t length = std::min(columns, width - at);
      const float* __restrict bias = g->bias + at;
      for (int64_t row = 0; row < tile; row++) {
        float* __restrict into = h[row];
        if (row < rows) {
          const float* __restrict z = g->z + (first + row) * width + at;
          const float* __restrict y = g->y + (first + row) * width + at;
          for (int64_t i = 0; i < length; i++) into[i] = gelu((z[i] + y[i] + bias[i]) * scale, &unused);
        }
        for (int64_t i = row < rows ? length : 0; i < columns; i++) into[i] = 0;
      }
      for (int64_t j = 0; j < g->k; j += 2)
        for (int64_t row = 0; row < tile; row += 4)
          multiply(h + row, g->kernel + j * g->padded + at, g->padded, sums + row, j);
    }
    for (int64_t row = 0; row < rows; row++)
      for (int64_t j = 0; j < g->k; j++) {
        const Lanes& s = sums[row][j];
        g->product[(first + row) * g->k + j] = ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
      }
  }
}

void gelu_product_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t size = 0, other = 0, kernel_size = 0;
  GeluProduct g = {};
  g.z = input(&c, 0, &size);
  g.y = input(&c, 1, &other);
  g.bias = input(&c, 2, &g.width);
  const float* scale = input(&c, 3, nullptr);
  const float* kernel = input(&c, 4, &kernel_size);
  if (TF_GetCode(c.status) == TF_OK) {
    g.k = TF_NumDims(c.tensors[4]) == 2 ? TF_Dim(c.tensors[4], 1) : 0;
    if (g.width == 0 || size % g.width != 0 || other != size)
      refuse(&c, "bias or y does not fit z");
    else if (g.k < 1 || g.k > widest || TF_Dim(c.tensors[4], 0) != g.width)
      refuse(&c, "kernel does not fit z, or has more than 32 columns");
    else
      g.n = size / g.width;
  }
  const int64_t dims[] = {g.n, g.k};
  g.product = output(&c, 0, dims, 2, static_cast<size_t>(g.n * g.k) * sizeof(float));
  if (TF_GetCode(c.status) == TF_OK && size > 0) {
    g.padded = (g.width + columns - 1) / columns * columns;
    std::vector<float> transposed(static_cast<size_t>((g.k + 1) / 2 * 2 * g.padded)); /* zeros */
    for (int64_t i = 0; i < g.width; i++)
      for (int64_t j = 0; j < g.k; j++) transposed[j * g.padded + i] = kernel[i * g.k + j];
    g.scale = *scale, g.kernel = transposed.data();
    pool.run((g.n + tile - 1) / tile, 1, gelu_product_tiles, &g);
  }
  finish(&c);
}

/* ---- the change that clipping makes ---- */

struct ClampedRows {
  const float *z, *least, *most;
  const int32_t* rows;
  float* q;
  int64_t n;
};

EVERY_CPU void clamped_rows(const void* job, int64_t begin, int64_t end) {
  const ClampedRows* r = static_cast<const ClampedRows*>(job);
  for (int64_t row = begin; row < end; row++) {
    const float* __restrict z = r->z + r->rows[row] * r->n;
    float* __restrict q = r->q + row * r->n;
    const float least = r->least[row], most = r->most[row];
    for (int64_t i = 0; i < r->n; i++) {
      const float raised = z[i] < least ? least : z[i];
      q[i] = (raised > most ? most : raised) - z[i];
    }
  }
}

void clamped_rows_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t count = 0, least = 0, most = 0;
  ClampedRows r = {};
  r.z = input(&c, 0, nullptr);
  r.rows = reinterpret_cast<const int32_t*>(input(&c, 1, &count));
  r.least = input(&c, 2, &least);
  r.most = input(&c, 3, &most);
  if (TF_GetCode(c.status) == TF_OK) {
    if (TF_NumDims(c.tensors[0]) != 2 || least != count || most != count) {
      refuse(&c, "z must be a matrix, and each of its rows have two bounds");
    } else {
      r.n = TF_Dim(c.tensors[0], 1);
      const int64_t d = TF_Dim(c.tensors[0], 0);
      if (!std::all_of(r.rows, r.rows + count, [d](int32_t row) { return row >= 0 && row < d; }))
        refuse(&c, "z has no such row");
    }
  }
  const int64_t dims[] = {count, r.n};
  r.q = output(&c, 0, dims, 2, static_cast<size_t>(count * r.n) * sizeof(float));
  if (TF_GetCode(c.status) == TF_OK && count * r.n > 0) pool.run(count, 16384 / r.n + 1, clamped_rows, &r);
  finish(&c);
}

const bool defined = [] {
  define("WeirGeluProduct", {"z: float", "y: float", "bias: float", "scale: float", "kernel: float"},
         {"product: float"}, gelu_product_compute);
  define("WeirClampedRows", {"z: float", "rows: int32", "least: float", "most: float"}, {"q: float"},
         clamped_rows_compute);
  return true;
}();

}  // namespace
}  // namespace weir
