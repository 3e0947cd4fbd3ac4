/*
 * Batch normalization of Weir's own, with the residual and the rectifier behind it: see README.md for the reason.
 *
 *   WeirMoments(x) -> mean, variance                  of each channel over all else; the variance is that of the batch (biased)
 *   WeirNormalize(x, mean, variance, scale, offset, residual, settings) -> y
 *                                                     y = scale (x - mean)/sqrt(variance + epsilon) + offset + residual, rectified
 *                                                     where asked
 *   WeirNormalizeBack(dy, other, x, y, mean, variance, scale, offset, settings) -> dx, g, dscale, doffset
 *                                                     g = dy + other where the rectifier was open; dx and the rest are the gradients
 *                                                     of a batch normalization in training mode for g
 *
 * x, y, dy and the like are [..., channels], float32; each operation has a twin, named ...16, for bfloat16. residual, other and y
 * may be empty. Sums over a channel go by parts of 256 rows, then in order and in float64: the same bits on any number of threads.
 *
 *   settings    [2]: epsilon; and 1 for a rectifier behind the normalization, in WeirNormalizeBack only without a
 *               residual: with one, y shows where the rectifier was open, and g is returned
 */
#include "pool.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "operation.h"
#include "vectors.h"

namespace weir {
namespace {

constexpr int64_t rows_a_part = 256;

int64_t parts_of(int64_t rows) { return (rows + rows_a_part - 1) / rows_a_part; }

/* ---- moments ---- */

struct Moments {
  const void* x;
  int64_t rows, depth;
  float* parts; /* by part: the sums over x - x_0, and over its square, x_0 being the first row */
};

/* Rows from `row` on: memory is read nearly in order, and a channel's sums, in the first cache, are updated once for all of them. */
template <int Rows, typename T>
ALWAYS void moments_rows(const Moments& m, int64_t row, float* to) {
  const T* x = static_cast<const T*>(m.x);
  for (int64_t c = 0; c < m.depth; c += channels) {
    const int64_t count = m.depth - c;
    const Channels origin = read(x + c, count);
    Channels sum = read(to + c, count), square = read(to + m.depth + c, count);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; r++) {
      const Channels value = read(x + (row + r) * m.depth + c, count) - origin;
      sum += value;
      square += value * value;
    }
    write(to + c, sum, count);
    write(to + m.depth + c, square, count);
  }
}

template <typename T>
ALWAYS void moments(const void* job, int64_t begin, int64_t end) {
  const Moments m = *static_cast<const Moments*>(job);
  for (int64_t part = begin; part < end; part++) {
    const int64_t last = std::min(m.rows, (part + 1) * rows_a_part);
    float* to = m.parts + part * 2 * m.depth; /* zeros */
    int64_t row = part * rows_a_part;
    for (; row + 4 <= last; row += 4) moments_rows<4, T>(m, row, to);
    for (; row < last; row++) moments_rows<1, T>(m, row, to);
  }
}
STEP(moments)

/* Sums of the parts of 2 x depth numbers, in order. */
std::vector<double> totals(const std::vector<float>& parts, int64_t depth) {
  std::vector<double> sums(static_cast<size_t>(2 * depth));
  for (size_t at = 0; at < parts.size(); at += 2 * depth)
    for (int64_t i = 0; i < 2 * depth; i++) sums[i] += parts[at + i];
  return sums;
}

/* ---- forward ---- */

struct Normalize {
  const void *x, *residual;
  int64_t depth;
  const float *slope, *shift; /* y = slope x + shift */
  bool rectify;
  void* y;
};

template <typename T>
ALWAYS void normalize(const void* job, int64_t begin, int64_t end) {
  const Normalize* n = static_cast<const Normalize*>(job);
  for (int64_t row = begin; row < end; row++)
    for (int64_t c = 0; c < n->depth; c += channels) {
      const int64_t at = row * n->depth + c, count = n->depth - c;
      Channels y = read(static_cast<const T*>(n->x) + at, count) * read(n->slope + c, count) + read(n->shift + c, count);
      if (n->residual != nullptr) y += read(static_cast<const T*>(n->residual) + at, count);
      if (n->rectify) y = rectified(y);
      write(static_cast<T*>(n->y) + at, y, count);
    }
}
STEP(normalize)

/* ---- backward ---- */

struct Back {
  const void *dy, *other, *x, *y;
  int64_t rows, depth;
  const float *slope, *shift, *mean;
  bool rectified;
  void* g;
  float* parts;                /* by part: the sums over g, and over g (x - mean) */
  const float *ofX, *constant; /* dx = slope g + ofX x + constant */
  void* dx;
};

/* dy + other where the rectifier was open. */
template <typename T>
ALWAYS Channels let_through(const Back* b, int64_t at, int64_t c, int64_t count, const Channels& x) {
  Channels g = read(static_cast<const T*>(b->dy) + at, count);
  if (b->other != nullptr) g += read(static_cast<const T*>(b->other) + at, count);
  if (b->y != nullptr) return read(static_cast<const T*>(b->y) + at, count) > 0 ? g : Channels{};
  if (!b->rectified) return g;
  return x * read(b->slope + c, count) + read(b->shift + c, count) > 0 ? g : Channels{};
}

/* The same with a residual. There are so many streams already that several rows of each are slower than one. */
template <int Rows, typename T>
ALWAYS void gather_rows(const Back& b, int64_t row, float* to) {
  for (int64_t c = 0; c < b.depth; c += channels) {
    const int64_t count = b.depth - c;
    const Channels mean = read(b.mean + c, count);
    Channels sum = read(to + c, count), product = read(to + b.depth + c, count);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; r++) {
      const int64_t at = (row + r) * b.depth + c;
      const Channels x = read(static_cast<const T*>(b.x) + at, count);
      const Channels g = let_through<T>(&b, at, c, count, x);
      if (b.g != nullptr) write(static_cast<T*>(b.g) + at, g, count);
      sum += g;
      product += g * (x - mean);
    }
    write(to + c, sum, count);
    write(to + b.depth + c, product, count);
  }
}

template <typename T>
ALWAYS void gather(const void* job, int64_t begin, int64_t end) {
  const Back b = *static_cast<const Back*>(job);
  for (int64_t part = begin; part < end; part++) {
    const int64_t last = std::min(b.rows, (part + 1) * rows_a_part);
    float* to = b.parts + part * 2 * b.depth; /* zeros */
    int64_t row = part * rows_a_part;
    if (b.g == nullptr)
      for (; row + 4 <= last; row += 4) gather_rows<4, T>(b, row, to);
    for (; row < last; row++) gather_rows<1, T>(b, row, to);
  }
}
STEP(gather)

template <typename T>
ALWAYS void spread(const void* job, int64_t begin, int64_t end) {
  const Back* b = static_cast<const Back*>(job);
  for (int64_t row = begin; row < end; row++)
    for (int64_t c = 0; c < b->depth; c += channels) {
      const int64_t at = row * b->depth + c, count = b->depth - c;
      const Channels x = read(static_cast<const T*>(b->x) + at, count);
      const Channels g = b->g != nullptr ? read(static_cast<const T*>(b->g) + at, count) : let_through<T>(b, at, c, count, x);
      const Channels dx = g * read(b->slope + c, count) + x * read(b->ofX + c, count) + read(b->constant + c, count);
      write(static_cast<T*>(b->dx) + at, dx, count);
    }
}
STEP(spread)

/* ---- calls ---- */

constexpr TF_DataType bfloat16_type = static_cast<TF_DataType>(14);

/* Output `index`: of the shape of input `like`, or empty where that is -1. */
void* images_output(Call* c, int index, int like, bool bfloat16) {
  if (TF_GetCode(c->status) != TF_OK) return nullptr;
  int64_t dims[8] = {0};
  int rank = 1;
  size_t count = 0;
  if (like >= 0) {
    rank = TF_NumDims(c->tensors[like]);
    for (int i = 0; i < rank; i++) dims[i] = TF_Dim(c->tensors[like], i);
    count = static_cast<size_t>(TF_TensorElementCount(c->tensors[like]));
  }
  TF_Tensor* t = TF_AllocateOutput(c->context, index, bfloat16 ? bfloat16_type : TF_FLOAT, dims, rank,
                                   count * (bfloat16 ? 2 : 4), c->status);
  if (TF_GetCode(c->status) != TF_OK) return nullptr;
  c->tensors[c->count++] = t;
  return count == 0 ? nullptr : TF_TensorData(t);
}

/* Rows of x, input `index`, of `depth` channels. */
int64_t rows_of(Call* c, int index, int64_t* depth) {
  const TF_Tensor* x = c->tensors[index];
  const int rank = TF_NumDims(x);
  *depth = rank == 0 || rank > 8 ? 0 : TF_Dim(x, rank - 1);
  if (*depth == 0 || TF_TensorElementCount(x) == 0) {
    refuse(c, "there is nothing to normalize");
    return 0;
  }
  return TF_TensorElementCount(x) / *depth;
}

int64_t chunk_of(int64_t depth) { return 16384 / depth + 1; }

template <bool bfloat16>
void moments_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  Moments m = {};
  m.x = input(&c, 0, nullptr);
  if (TF_GetCode(c.status) == TF_OK) m.rows = rows_of(&c, 0, &m.depth);
  const int64_t dims[] = {m.depth};
  float* mean = output(&c, 0, dims, 1, static_cast<size_t>(m.depth) * sizeof(float));
  float* variance = output(&c, 1, dims, 1, static_cast<size_t>(m.depth) * sizeof(float));
  if (TF_GetCode(c.status) == TF_OK) {
    std::vector<float> parts(static_cast<size_t>(parts_of(m.rows) * 2 * m.depth)), origin(m.depth);
    m.parts = parts.data();
    pool.run(parts_of(m.rows), 1, moments_of(bfloat16), &m);
    const std::vector<double> sums = totals(parts, m.depth);
    for (int64_t i = 0; i < m.depth; i++) {
      float first;
      if (bfloat16) {
        const uint32_t word = static_cast<uint32_t>(static_cast<const Bfloat16*>(m.x)[i].bits) << 16;
        std::memcpy(&first, &word, sizeof first);
      } else {
        first = static_cast<const float*>(m.x)[i];
      }
      const double away = sums[i] / m.rows, square = sums[m.depth + i] / m.rows - away * away;
      mean[i] = static_cast<float>(first + away);
      variance[i] = static_cast<float>(square < 0 ? 0 : square);
    }
  }
  finish(&c);
}

/* slope and shift of y = slope x + shift. */
struct Line {
  std::vector<float> slope, shift;
};

Line line_of(int64_t depth, const float* mean, const float* variance, const float* scale, const float* offset, float epsilon) {
  Line line = {std::vector<float>(depth), std::vector<float>(depth)};
  for (int64_t i = 0; i < depth; i++) {
    line.slope[i] = scale[i] / std::sqrt(variance[i] + epsilon);
    line.shift[i] = offset[i] - mean[i] * line.slope[i];
  }
  return line;
}

template <bool bfloat16>
void normalize_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  Normalize n = {};
  int64_t size = 0, of[4] = {0}, residuals = 0, count = 0;
  n.x = input(&c, 0, &size);
  const float* channel[4];
  for (int i = 0; i < 4; i++) channel[i] = input(&c, i + 1, &of[i]);
  n.residual = input(&c, 5, &residuals);
  const float* settings = input(&c, 6, &count);
  int64_t rows = 0;
  if (TF_GetCode(c.status) == TF_OK) {
    rows = rows_of(&c, 0, &n.depth);
    for (const int64_t each : of)
      if (each != n.depth) refuse(&c, "mean, variance, scale and offset need a number a channel");
    if (count != 2 || (residuals != 0 && residuals != size)) refuse(&c, "residual or settings do not fit x");
  }
  n.y = images_output(&c, 0, 0, bfloat16);
  if (TF_GetCode(c.status) == TF_OK) {
    const Line line = line_of(n.depth, channel[0], channel[1], channel[2], channel[3], settings[0]);
    n.slope = line.slope.data(), n.shift = line.shift.data(), n.rectify = settings[1] != 0;
    if (residuals == 0) n.residual = nullptr;
    pool.run(rows, chunk_of(n.depth), normalize_of(bfloat16), &n);
  }
  finish(&c);
}

template <bool bfloat16>
void back_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  Back b = {};
  int64_t size[4] = {0}, of[4] = {0}, count = 0;
  const void** images[] = {&b.dy, &b.other, &b.x, &b.y};
  for (int i = 0; i < 4; i++) *images[i] = input(&c, i, &size[i]);
  const float* channel[4]; /* mean, variance, scale, offset */
  for (int i = 0; i < 4; i++) channel[i] = input(&c, i + 4, &of[i]);
  const float* settings = input(&c, 8, &count);
  if (TF_GetCode(c.status) == TF_OK) {
    b.rows = rows_of(&c, 2, &b.depth);
    for (const int64_t each : of)
      if (each != b.depth) refuse(&c, "mean, variance, scale and offset need a number a channel");
    if (count != 2 || size[0] != size[2] || (size[1] != 0 && size[1] != size[2]) || (size[3] != 0 && size[3] != size[2]))
      refuse(&c, "gradients, y or settings do not fit x");
  }
  if (size[1] == 0) b.other = nullptr;
  if (size[3] == 0) b.y = nullptr;
  b.dx = images_output(&c, 0, 2, bfloat16);
  b.g = images_output(&c, 1, b.y == nullptr ? -1 : 2, bfloat16);
  const int64_t dims[] = {b.depth};
  float* dscale = output(&c, 2, dims, 1, static_cast<size_t>(b.depth) * sizeof(float));
  float* doffset = output(&c, 3, dims, 1, static_cast<size_t>(b.depth) * sizeof(float));
  if (TF_GetCode(c.status) == TF_OK) {
    const Line line = line_of(b.depth, channel[0], channel[1], channel[2], channel[3], settings[0]);
    std::vector<float> parts(static_cast<size_t>(parts_of(b.rows) * 2 * b.depth)), ofX(b.depth), constant(b.depth);
    b.slope = line.slope.data(), b.shift = line.shift.data(), b.mean = channel[0];
    b.rectified = settings[1] != 0, b.parts = parts.data();
    pool.run(parts_of(b.rows), 1, gather_of(bfloat16), &b);
    const std::vector<double> sums = totals(parts, b.depth);
    for (int64_t i = 0; i < b.depth; i++) {
      /* dx = slope (g - mean g - (x - mean)/(variance + epsilon) mean(g (x - mean))) */
      const double of_variance = 1.0 / (channel[1][i] + static_cast<double>(settings[0])), n = static_cast<double>(b.rows);
      const double bend = -b.slope[i] * of_variance * sums[b.depth + i] / n;
      ofX[i] = static_cast<float>(bend);
      constant[i] = static_cast<float>(-b.slope[i] * sums[i] / n - bend * channel[0][i]);
      dscale[i] = static_cast<float>(sums[b.depth + i] * std::sqrt(of_variance));
      doffset[i] = static_cast<float>(sums[i]);
    }
    b.ofX = ofX.data(), b.constant = constant.data();
    pool.run(b.rows, chunk_of(b.depth), spread_of(bfloat16), &b);
  }
  finish(&c);
}

const bool defined = [] {
  define("WeirMoments", {"x: float"}, {"mean: float", "variance: float"}, moments_compute<false>);
  define("WeirMoments16", {"x: bfloat16"}, {"mean: float", "variance: float"}, moments_compute<true>);
  define("WeirNormalize",
         {"x: float", "mean: float", "variance: float", "scale: float", "offset: float", "residual: float", "settings: float"},
         {"y: float"}, normalize_compute<false>);
  define("WeirNormalize16",
         {"x: bfloat16", "mean: float", "variance: float", "scale: float", "offset: float", "residual: bfloat16",
          "settings: float"},
         {"y: bfloat16"}, normalize_compute<true>);
  define("WeirNormalizeBack",
         {"dy: float", "other: float", "x: float", "y: float", "mean: float", "variance: float", "scale: float", "offset: float",
          "settings: float"},
         {"dx: float", "g: float", "dscale: float", "doffset: float"}, back_compute<false>);
  define("WeirNormalizeBack16",
         {"dy: bfloat16", "other: bfloat16", "x: bfloat16", "y: bfloat16", "mean: float", "variance: float", "scale: float",
          "offset: float", "settings: float"},
         {"dx: bfloat16", "g: bfloat16", "dscale: float", "doffset: float"}, back_compute<true>);
  return true;
}();

}  // namespace
}  // namespace weir
