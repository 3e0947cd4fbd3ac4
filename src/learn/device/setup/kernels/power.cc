/*
 * Power iteration at all frequencies of a convolution at once (paper, appendices B.2 and C, algorithm 1).
 *
 *   WeirFrequencyPower(kernel, settings, state) -> new_state, found, v
 *   WeirThinProduct(v, matrix) -> v matrix
 *   WeirAddStretchGradient(g, v, matrix, factors) -> g + vᵀ (v matrix · factors), a factor for all or for each column
 *
 * kernel is HWIO, the convolution strided and circular; settings = [height, width, stride, steps]. state of [inputs, 2, frequencies]
 * holds one complex vector a frequency, those of frequencies.h: inputs are (phase, channel). A step is v <- Pᴴ P v, then of length
 * one; an all-zero vector stays. P(w) is never made: with the wave's turns on the vectors instead of the kernel, all frequencies
 * meet each number of the kernel in one real product of matrices, forward and back.
 *
 * found = [estimate, frequency]: the largest ‖Pᴴ P v‖ / ‖P v‖ of the last step, never above sigma. v is that frequency's new vector, as
 * WeirConvolutionSigma gives it. Every number is computed in an order of its own, so results do not depend on the threads.
 */
#include "pool.h"

#include <algorithm>

#include "frequencies.h"
#include "gemm.h"

namespace weir {
namespace {

constexpr int64_t wide = 32, half = wide / 2; /* a panel: so many frequencies, real parts, then imaginary ones */
constexpr int64_t rows_a_job = 32;
constexpr int64_t stretch = 256; /* of the sums over k: its part of the kernel stays in the cache */

struct Power {
  Convolution conv;
  std::vector<Frequency> frequencies;
  std::vector<int64_t> phases;
  int64_t panels, taps, inputs;
  std::vector<float> cosines, sines; /* [panel, tap, half] */
  std::vector<int64_t> slot;         /* of a tap among the phases */
  float *v, *turned, *u;             /* [panel, inputs, wide], [panel, tap * in, wide], [panel, out, wide] */
  std::vector<float> norms;          /* [panel, half]: ‖P v‖, then ‖Pᴴ P v‖ / ‖P v‖ */
};

/* turned(t, channel) = e^{i angle(t)} v(phase of t, channel). */
EVERY_CPU void turn(const void* job, int64_t begin, int64_t end) {
  const Power& p = *static_cast<const Power*>(job);
  for (int64_t at = begin; at < end; at++) {
    const int64_t panel = at / p.taps, t = at % p.taps, in = p.conv.in;
    const float* __restrict c = &p.cosines[at * half];
    const float* __restrict s = &p.sines[at * half];
    const float* __restrict v = p.v + (panel * p.inputs + p.slot[t] * in) * wide;
    float* __restrict to = p.turned + (panel * p.taps + t) * in * wide;
    for (int64_t a = 0; a < in * wide; a += wide)
      for (int64_t f = 0; f < half; f++) {
        to[a + f] = c[f] * v[a + f] - s[f] * v[a + half + f];
        to[a + half + f] = c[f] * v[a + half + f] + s[f] * v[a + f];
      }
  }
}

void multiply(Product product, const float* b, float* c) {
  for (int64_t column = 0; column < wide; column += processor().columns) {
    product.b = b + column, product.c = c + column;
    processor().multiply(product);
  }
}

/* u = P v: the kernel's transpose, as the matrix of [tap * in, out] that it is, times turned. */
void forward(const void* job, int64_t begin, int64_t end) {
  const Power& p = *static_cast<const Power*>(job);
  const int64_t out = p.conv.out, length = p.taps * p.conv.in, blocks = (out + rows_a_job - 1) / rows_a_job;
  for (int64_t at = begin; at < end; at++) {
    const int64_t panel = at / blocks, first = at % blocks * rows_a_job, rows = std::min(rows_a_job, out - first);
    for (int64_t k = 0; k < length; k += stretch) {
      Product product = {};
      product.a = p.conv.kernel + k * out + first, product.a_row = 1, product.a_k = out;
      product.b_k = product.c_row = wide, product.rows = rows, product.length = std::min(stretch, length - k), product.add = k > 0;
      multiply(product, p.turned + (panel * length + k) * wide, p.u + (panel * out + first) * wide);
    }
  }
}

/* turned = the kernel times u. */
void back(const void* job, int64_t begin, int64_t end) {
  const Power& p = *static_cast<const Power*>(job);
  const int64_t out = p.conv.out, length = p.taps * p.conv.in, blocks = (length + rows_a_job - 1) / rows_a_job;
  for (int64_t at = begin; at < end; at++) {
    const int64_t panel = at / blocks, first = at % blocks * rows_a_job, rows = std::min(rows_a_job, length - first);
    Product product = {};
    product.a = p.conv.kernel + first * out, product.a_row = out, product.a_k = 1;
    product.b_k = product.c_row = wide, product.rows = rows, product.length = out;
    multiply(product, p.u + panel * out * wide, p.turned + (panel * length + first) * wide);
  }
}

/* scales[f] = 1 / the norm of each frequency's vector in rows of a panel, 0 where that is 0; norms[f] = the norm. */
inline __attribute__((always_inline)) void measure(const float* x, int64_t rows, float* norms, float* scales) {
  double squares[half] = {0};
  for (int64_t row = 0; row < rows; row++)
    for (int64_t f = 0; f < half; f++) {
      const float re = x[row * wide + f], im = x[row * wide + half + f];
      squares[f] += re * re + im * im;
    }
  for (int64_t f = 0; f < half; f++) {
    norms[f] = static_cast<float>(std::sqrt(squares[f]));
    scales[f] = squares[f] > 0 ? static_cast<float>(1 / std::sqrt(squares[f])) : 0;
  }
}

/* v = turned back and summed over the taps, of length one. */
EVERY_CPU void gather(const void* job, int64_t begin, int64_t end) {
  Power& p = *const_cast<Power*>(static_cast<const Power*>(job));
  const int64_t in = p.conv.in;
  for (int64_t panel = begin; panel < end; panel++) {
    float image[half], unused[half], norms[half], scales[half];
    measure(p.u + panel * p.conv.out * wide, p.conv.out, image, unused);
    float* v = p.v + panel * p.inputs * wide;
    std::vector<float> sums(static_cast<size_t>(p.inputs * wide));
    for (int64_t t = 0; t < p.taps; t++) {
      const float* __restrict c = &p.cosines[(panel * p.taps + t) * half];
      const float* __restrict s = &p.sines[(panel * p.taps + t) * half];
      const float* __restrict from = p.turned + (panel * p.taps + t) * in * wide;
      float* __restrict to = &sums[static_cast<size_t>(p.slot[t] * in * wide)];
      for (int64_t a = 0; a < in * wide; a += wide)
        for (int64_t f = 0; f < half; f++) {
          to[a + f] += c[f] * from[a + f] + s[f] * from[a + half + f];
          to[a + half + f] += c[f] * from[a + half + f] - s[f] * from[a + f];
        }
    }
    measure(sums.data(), p.inputs, norms, scales);
    for (int64_t f = 0; f < half; f++) p.norms[panel * half + f] = image[f] > 0 ? norms[f] / image[f] : 0;
    for (int64_t a = 0; a < p.inputs * wide; a += wide)
      for (int64_t f = 0; f < half; f++) {
        if (scales[f] == 0) continue; /* nothing came back: the direction stays */
        v[a + f] = sums[a + f] * scales[f];
        v[a + half + f] = sums[a + half + f] * scales[f];
      }
  }
}

void lay_out(Power& p) {
  const Convolution& c = p.conv;
  p.frequencies = frequencies_of(c), p.phases = phases_of(c);
  const int64_t count = static_cast<int64_t>(p.frequencies.size());
  p.panels = (count + half - 1) / half, p.taps = c.kernel_size[0] * c.kernel_size[1];
  p.inputs = static_cast<int64_t>(p.phases.size()) * c.in;
  p.cosines.resize(static_cast<size_t>(p.panels * p.taps * half)), p.sines = p.cosines;
  p.norms.resize(static_cast<size_t>(p.panels * half));
  for (int64_t t = 0; t < p.taps; t++) {
    const int64_t i = t / c.kernel_size[1], j = t % c.kernel_size[1];
    const int64_t phase = (i % c.stride) * c.stride + j % c.stride;
    p.slot.push_back(std::find(p.phases.begin(), p.phases.end(), phase) - p.phases.begin());
    for (int64_t f = 0; f < count; f++) {
      const int64_t at = (f / half * p.taps + t) * half + f % half;
      const double turned = angle(c, p.frequencies[f], i, j);
      p.cosines[at] = static_cast<float>(std::cos(turned)), p.sines[at] = static_cast<float>(std::sin(turned));
    }
  }
}

void power_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  Power p = {};
  const int32_t* settings = nullptr;
  take(&c, &p.conv, 4, &settings);
  int64_t size = 0;
  const float* state = input(&c, 2, &size);
  if (TF_GetCode(c.status) == TF_OK) {
    lay_out(p);
    if (size != p.inputs * 2 * static_cast<int64_t>(p.frequencies.size())) refuse(&c, "state is not [inputs, 2, frequencies]");
  }
  const int64_t two = 2, s = p.conv.stride, dims[] = {2, s, s, p.conv.in};
  float* next = output_like(&c, 0, 2);
  float* found = output(&c, 1, &two, 1, 2 * sizeof(float));
  float* v = output(&c, 2, dims, 4, static_cast<size_t>(2 * s * s * p.conv.in) * sizeof(float));
  if (TF_GetCode(c.status) == TF_OK) {
    const int64_t count = static_cast<int64_t>(p.frequencies.size());
    std::vector<float> vectors(static_cast<size_t>(p.panels * p.inputs * wide)),
        turned(static_cast<size_t>(p.panels * p.taps * p.conv.in * wide)), u(static_cast<size_t>(p.panels * p.conv.out * wide));
    p.v = vectors.data(), p.turned = turned.data(), p.u = u.data();
    const auto at = [&](int64_t a, int64_t f) { return (f / half * p.inputs + a) * wide + f % half; };
    for (int64_t a = 0; a < p.inputs; a++)
      for (int64_t f = 0; f < count; f++) {
        p.v[at(a, f)] = state[2 * a * count + f];
        p.v[at(a, f) + half] = state[(2 * a + 1) * count + f];
      }
    for (int32_t step = 0; step < settings[3]; step++) {
      pool.run(p.panels * p.taps, 1, turn, &p);
      pool.run(p.panels * ((p.conv.out + rows_a_job - 1) / rows_a_job), 1, forward, &p);
      pool.run(p.panels * ((p.taps * p.conv.in + rows_a_job - 1) / rows_a_job), 1, back, &p);
      pool.run(p.panels, 1, gather, &p);
    }
    int64_t top = 0;
    for (int64_t f = 0; f < count; f++)
      if (!(p.norms[f] <= p.norms[top])) top = f; /* NaN is not hidden */
    for (int64_t a = 0; a < p.inputs; a++)
      for (int64_t f = 0; f < count; f++) {
        next[2 * a * count + f] = p.v[at(a, f)];
        next[(2 * a + 1) * count + f] = p.v[at(a, f) + half];
      }
    found[0] = p.norms[top];
    found[1] = static_cast<float>(p.frequencies[top].row * p.conv.size[1] + p.frequencies[top].column);
    const int64_t length = s * s * p.conv.in;
    std::fill(v, v + 2 * length, 0.0f);
    for (size_t slot = 0; slot < p.phases.size(); slot++)
      for (int64_t a = 0; a < p.conv.in; a++)
        for (int64_t part = 0; part < 2; part++)
          v[part * length + p.phases[slot] * p.conv.in + a] =
              p.v[at(static_cast<int64_t>(slot) * p.conv.in + a, top) + part * half];
  }
  finish(&c);
}

/* ---- a penalty on the largest singular value: v matrix for v of a few rows, and the gradient of its square ---- */

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
  define("WeirFrequencyPower", {"kernel: float", "settings: int32", "state: float"},
         {"new_state: float", "found: float", "v: float"}, power_compute);
  return true;
}();

}  // namespace
}  // namespace weir
