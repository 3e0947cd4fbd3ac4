/*
 * A regularizer on the largest singular value of a kernel, with its direction v held constant.
 *
 *   WeirThinProduct(v, matrix) -> v matrix
 *   WeirAddStretchGradient(g, v, matrix, factors) -> g + vᵀ (v matrix · factors), a factor for all or for each column
 *
 * v has a few rows. The order of every sum is fixed, so results do not depend on the threads.
 */
#include "pool.h"

#include <algorithm>
#include <vector>

#include "operation.h"

namespace weir {
namespace {

struct Thin {
  const float *v, *matrix, *factors, *g;
  float *image, *sum;
  int64_t rank, height, width;
};

constexpr int64_t slice = 64;       /* columns a job */
constexpr int64_t block_rows = 128; /* summed up by themselves: errors grow with their number and that of the blocks */

EVERY_CPU void image_columns(const void* job, int64_t begin, int64_t end) {
  const Thin* o = static_cast<const Thin*>(job);
  const int64_t columns = end - begin;
  for (int64_t r = 0; r < o->rank; r += 2) {
    const bool both = r + 1 < o->rank;
    float totals[2][slice] = {};
    for (int64_t first = 0; first < o->height; first += block_rows) {
      float sums[2][slice] = {};
      const int64_t last = std::min(first + block_rows, o->height);
      for (int64_t row = first; row < last; row++) {
        const float* __restrict from = o->matrix + row * o->width + begin;
        const float a = o->v[r * o->height + row], b = both ? o->v[(r + 1) * o->height + row] : 0;
        for (int64_t i = 0; i < columns; i++) sums[0][i] += a * from[i], sums[1][i] += b * from[i];
      }
      for (int64_t i = 0; i < columns; i++) totals[0][i] += sums[0][i], totals[1][i] += sums[1][i];
    }
    for (int64_t part = 0; part < (both ? 2 : 1); part++)
      for (int64_t i = 0; i < columns; i++) o->image[(r + part) * o->width + begin + i] = totals[part][i];
  }
}

EVERY_CPU void gradient_rows(const void* job, int64_t begin, int64_t end) {
  const Thin* o = static_cast<const Thin*>(job);
  for (int64_t row = begin; row < end; row++) {
    const float* __restrict g = o->g + row * o->width;
    float* __restrict sum = o->sum + row * o->width;
    if (o->rank == 2) {
      const float* __restrict re = o->image;
      const float* __restrict im = o->image + o->width;
      const float a = o->v[row], b = o->v[o->height + row];
      for (int64_t i = 0; i < o->width; i++) sum[i] = g[i] + a * re[i] + b * im[i];
      continue;
    }
    for (int64_t i = 0; i < o->width; i++) sum[i] = g[i];
    for (int64_t r = 0; r < o->rank; r++)
      for (int64_t i = 0; i < o->width; i++) sum[i] += o->v[r * o->height + row] * o->image[r * o->width + i];
  }
}

/* Takes inputs `first` (v of [rank, height]) and the one behind it (height * width numbers in any shape). */
void take_thin(Call* c, int first, Thin* o) {
  int64_t numbers = 0, size = 0;
  o->v = input(c, first, &numbers), o->matrix = input(c, first + 1, &size);
  if (TF_GetCode(c->status) != TF_OK) return;
  const TF_Tensor* v = c->tensors[first];
  o->rank = TF_NumDims(v) == 2 ? TF_Dim(v, 0) : 0;
  o->height = o->rank > 0 ? numbers / o->rank : 0;
  if (o->height < 1 || size % o->height != 0)
    refuse(c, "the rows of v do not fit the matrix");
  else
    o->width = size / o->height;
}

void thin_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  Thin o = {};
  take_thin(&c, 0, &o);
  const int64_t dims[2] = {o.rank, o.width};
  o.image = output(&c, 0, dims, 2, sizeof(float) * static_cast<size_t>(o.rank * o.width));
  if (TF_GetCode(c.status) == TF_OK && o.width > 0) pool.run(o.width, slice, image_columns, &o);
  finish(&c);
}

void stretch_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t size = 0, count = 0;
  Thin o = {};
  o.g = input(&c, 0, &size);
  take_thin(&c, 1, &o);
  o.factors = input(&c, 3, &count);
  if (TF_GetCode(c.status) == TF_OK && (size != o.height * o.width || (count != 1 && count != o.width)))
    refuse(&c, "g or the factors do not fit the matrix");
  o.sum = output_like(&c, 0, 0);
  if (TF_GetCode(c.status) == TF_OK && size > 0) {
    std::vector<float> image(static_cast<size_t>(o.rank * o.width));
    o.image = image.data();
    pool.run(o.width, slice, image_columns, &o);
    for (int64_t i = 0; i < o.rank * o.width; i++) o.image[i] *= o.factors[count == 1 ? 0 : i % o.width];
    pool.run(o.height, 16384 / o.width + 1, gradient_rows, &o);
  }
  finish(&c);
}

const bool defined = [] {
  define("WeirThinProduct", {"v: float", "matrix: float"}, {"product: float"}, thin_compute);
  define("WeirAddStretchGradient", {"g: float", "v: float", "matrix: float", "factors: float"}, {"sum: float"},
         stretch_compute);
  return true;
}();

}  // namespace
}  // namespace weir
