/*
 * The largest singular value at all frequencies of a convolution at once, each in a Krylov space of its own (block Lanczos). It
 * is nearer to the exact value than power iteration (paper, appendices B.2 and C, algorithm 1) by the same products with the kernel.
 *
 *   WeirFrequencyKrylov(kernel, settings, state) -> new_state, found, v
 *
 * kernel is HWIO, the convolution strided and circular; settings = [height, width, stride, steps, vectors]. state of
 * [inputs, 2, frequencies * vectors] holds `vectors` complex vectors a frequency, those of frequencies.h: inputs are (phase, channel).
 * From their span V comes the space of V, A V, …, A^(steps − 1) V, A = Pᴴ P, and of it the `vectors` best directions y. The new
 * state is A y of length one. With one vector and one step that is power iteration: v <- Pᴴ P v. An all-zero kernel leaves the
 * state unchanged. P(w) is never made: the phases of the wave multiply the vectors instead of the kernel, so one real product of
 * matrices, forward and back, serves all frequencies.
 *
 * found = [estimate, frequency]: the largest ‖A y‖^½, never above sigma. v is that frequency's new vector, as WeirConvolutionSigma
 * gives it. The order of every sum is fixed, so results do not depend on the threads.
 */
#include "pool.h"

#include <algorithm>

#include "frequencies.h"
#include "gemm.h"
#include "lanczos.h"

namespace weir {
namespace {

constexpr int64_t wide = 32, half = wide / 2; /* a panel: so many vectors, real parts, then imaginary ones */
constexpr int64_t rows_a_job = 32;
constexpr int64_t stretch = 256; /* of the sums over k: its part of the kernel stays in the cache */

/* Vectors side by side: [panel, inputs, wide]. Those of one frequency follow each other. */
using Vectors = std::vector<float>;

struct Search {
  Convolution conv;
  std::vector<Frequency> frequencies;
  std::vector<int64_t> phases;
  int64_t steps, vectors; /* of the Krylov space */
  int64_t panels, taps, inputs;
  std::vector<float> cosines, sines; /* [panel, tap, half] */
  std::vector<int64_t> slot;         /* of a tap among the phases */
  std::vector<Vectors> space, image; /* the space step by step, each frequency's orthonormal, and A of it */
  int64_t step;
  const float* from;          /* the vectors of this step */
  float *turned, *u;          /* [panel, tap * in, wide], [panel, out, wide] */
  std::vector<float> lengths; /* of each frequency: ‖A y‖ of its best y */
};

/* turned(t, channel) = e^{i angle(t)} v(phase of t, channel). */
EVERY_CPU void turn(const void* job, int64_t begin, int64_t end) {
  const Search& p = *static_cast<const Search*>(job);
  for (int64_t at = begin; at < end; at++) {
    const int64_t panel = at / p.taps, t = at % p.taps, in = p.conv.in;
    const float* __restrict c = &p.cosines[at * half];
    const float* __restrict s = &p.sines[at * half];
    const float* __restrict v = p.from + (panel * p.inputs + p.slot[t] * in) * wide;
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
  const Search& p = *static_cast<const Search*>(job);
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
  const Search& p = *static_cast<const Search*>(job);
  const int64_t out = p.conv.out, length = p.taps * p.conv.in, blocks = (length + rows_a_job - 1) / rows_a_job;
  for (int64_t at = begin; at < end; at++) {
    const int64_t panel = at / blocks, first = at % blocks * rows_a_job, rows = std::min(rows_a_job, length - first);
    Product product = {};
    product.a = p.conv.kernel + first * out, product.a_row = out, product.a_k = 1;
    product.b_k = product.c_row = wide, product.rows = rows, product.length = out;
    multiply(product, p.u + panel * out * wide, p.turned + (panel * length + first) * wide);
  }
}

/* The image of the step: phases undone, and summed over the taps. */
EVERY_CPU void gather(const void* job, int64_t begin, int64_t end) {
  Search& p = *const_cast<Search*>(static_cast<const Search*>(job));
  const int64_t in = p.conv.in;
  for (int64_t panel = begin; panel < end; panel++)
    for (int64_t t = 0; t < p.taps; t++) {
      const float* __restrict c = &p.cosines[(panel * p.taps + t) * half];
      const float* __restrict s = &p.sines[(panel * p.taps + t) * half];
      const float* __restrict from = p.turned + (panel * p.taps + t) * in * wide;
      float* __restrict to = &p.image[p.step][(panel * p.inputs + p.slot[t] * in) * wide];
      for (int64_t a = 0; a < in * wide; a += wide)
        for (int64_t f = 0; f < half; f++) {
          to[a + f] += c[f] * from[a + f] + s[f] * from[a + half + f];
          to[a + half + f] += c[f] * from[a + half + f] - s[f] * from[a + f];
        }
    }
}

/* ---- the small part: one frequency at a time, in float64 ---- */

inline int64_t place(const Search& p, int64_t column) { return column / half * p.inputs * wide + column % half; }

inline void take(const Search& p, const Vectors& all, int64_t column, Complex& x) {
  const float* from = &all[place(p, column)];
  for (int64_t a = 0; a < p.inputs; a++) x.re[a] = from[a * wide], x.im[a] = from[a * wide + half];
}

inline void give(const Search& p, Vectors& all, int64_t column, const Complex& x) {
  float* to = &all[place(p, column)];
  for (int64_t a = 0; a < p.inputs; a++) {
    to[a * wide] = static_cast<float>(x.re[a]);
    to[a * wide + half] = static_cast<float>(x.im[a]);
  }
}

/* Whole panels of float64, as `inner` reads them. */
inline int64_t padded(const Search& p) { return (p.inputs + lanes<double> - 1) / lanes<double> * lanes<double>; }

/*
 * The vectors of the next step: those given, made orthonormal to the space so far. A vector that lies in it, to rounding, becomes
 * zero, and has no effect from then on.
 */
EVERY_CPU void widen(const void* job, int64_t begin, int64_t end) {
  Search& p = *const_cast<Search*>(static_cast<const Search*>(job));
  const Vectors& given = p.step == 0 ? p.space[0] : p.image[p.step - 1];
  std::vector<Complex> basis(static_cast<size_t>((p.step + 1) * p.vectors), Complex(padded(p)));
  for (int64_t f = begin; f < end; f++) {
    for (int64_t i = 0; i < p.step * p.vectors; i++)
      take(p, p.space[i / p.vectors], f * p.vectors + i % p.vectors, basis[i]);
    for (int64_t j = 0; j < p.vectors; j++) {
      const int64_t known = p.step * p.vectors + j;
      Complex& x = basis[known];
      take(p, given, f * p.vectors + j, x);
      const double before = normalize(x);
      double left = 1;
      for (int twice = 0; twice < 2; twice++) {
        for (int64_t i = 0; i < known; i++) {
          double re, im;
          inner(basis[i], x, &re, &im);
          add(x, -re, -im, basis[i]);
        }
        left *= normalize(x);
      }
      if (before > 0 && left < 1e-6) x = Complex(padded(p)); /* NaN is not hidden */
      give(p, p.space[p.step], f * p.vectors + j, x);
    }
  }
}

/* The state after the last step, into space[0]: A y for the best directions y of the space. */
EVERY_CPU void choose(const void* job, int64_t begin, int64_t end) {
  Search& p = *const_cast<Search*>(static_cast<const Search*>(job));
  const int64_t m = p.steps * p.vectors;
  std::vector<Complex> q(static_cast<size_t>(m), Complex(padded(p))), w = q;
  for (int64_t f = begin; f < end; f++) {
    for (int64_t i = 0; i < m; i++) {
      take(p, p.space[i / p.vectors], f * p.vectors + i % p.vectors, q[i]);
      take(p, p.image[i / p.vectors], f * p.vectors + i % p.vectors, w[i]);
    }
    Small g(m);
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j <= i; j++) { /* of qᴴ A q, which is Hermitian but for rounding, the lower half */
        double re, im;
        inner(q[i], w[j], &re, &im);
        g.re[i * m + j] = g.re[j * m + i] = re;
        g.im[i * m + j] = i == j ? 0 : im, g.im[j * m + i] = -g.im[i * m + j];
      }
    const Small y = eigenvectors(std::move(g));
    for (int64_t j = 0; j < p.vectors; j++) {
      Complex x(padded(p));
      for (int64_t i = 0; i < m; i++) add(x, y.re[i * m + j], y.im[i * m + j], w[i]);
      const double length = normalize(x);
      if (j == 0) p.lengths[f] = static_cast<float>(length);
      if (length != 0) give(p, p.space[0], f * p.vectors + j, x);
    }
  }
}

void lay_out(Search& p) {
  const Convolution& c = p.conv;
  p.frequencies = frequencies_of(c), p.phases = phases_of(c);
  const int64_t count = static_cast<int64_t>(p.frequencies.size()), columns = count * p.vectors;
  p.panels = (columns + half - 1) / half, p.taps = c.kernel_size[0] * c.kernel_size[1];
  p.inputs = static_cast<int64_t>(p.phases.size()) * c.in;
  p.cosines.resize(static_cast<size_t>(p.panels * p.taps * half)), p.sines = p.cosines;
  p.lengths.resize(static_cast<size_t>(count));
  for (int64_t t = 0; t < p.taps; t++) {
    const int64_t i = t / c.kernel_size[1], j = t % c.kernel_size[1];
    const int64_t phase = (i % c.stride) * c.stride + j % c.stride;
    p.slot.push_back(std::find(p.phases.begin(), p.phases.end(), phase) - p.phases.begin());
    for (int64_t column = 0; column < columns; column++) {
      const int64_t at = (column / half * p.taps + t) * half + column % half;
      const double turned = angle(c, p.frequencies[column / p.vectors], i, j);
      p.cosines[at] = static_cast<float>(std::cos(turned)), p.sines[at] = static_cast<float>(std::sin(turned));
    }
  }
}

void search(Search& p) {
  const int64_t count = static_cast<int64_t>(p.frequencies.size());
  Vectors turned(static_cast<size_t>(p.panels * p.taps * p.conv.in * wide)), u(static_cast<size_t>(p.panels * p.conv.out * wide));
  p.turned = turned.data(), p.u = u.data();
  for (p.step = 0; p.step < p.steps; p.step++) {
    pool.run(count, 4, widen, &p);
    p.from = p.space[p.step].data();
    pool.run(p.panels * p.taps, 1, turn, &p);
    pool.run(p.panels * ((p.conv.out + rows_a_job - 1) / rows_a_job), 1, forward, &p);
    pool.run(p.panels * ((p.taps * p.conv.in + rows_a_job - 1) / rows_a_job), 1, back, &p);
    pool.run(p.panels, 1, gather, &p);
  }
  pool.run(count, 4, choose, &p);
}

void krylov_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  Search p = {};
  const int32_t* settings = nullptr;
  take(&c, &p.conv, 5, &settings);
  int64_t size = 0;
  const float* state = input(&c, 2, &size);
  if (TF_GetCode(c.status) == TF_OK) {
    p.steps = settings[3], p.vectors = settings[4];
    if (p.steps < 1 || p.vectors < 1)
      refuse(&c, "steps and vectors must be 1 at least");
    else
      lay_out(p);
  }
  const int64_t columns = static_cast<int64_t>(p.frequencies.size()) * p.vectors;
  if (TF_GetCode(c.status) == TF_OK && size != p.inputs * 2 * columns)
    refuse(&c, "state is not [inputs, 2, frequencies * vectors]");
  const int64_t two = 2, s = p.conv.stride, dims[] = {2, s, s, p.conv.in};
  float* next = output_like(&c, 0, 2);
  float* found = output(&c, 1, &two, 1, 2 * sizeof(float));
  float* v = output(&c, 2, dims, 4, static_cast<size_t>(2 * s * s * p.conv.in) * sizeof(float));
  if (TF_GetCode(c.status) == TF_OK) {
    const Vectors nothing(static_cast<size_t>(p.panels * p.inputs * wide));
    p.space.assign(static_cast<size_t>(p.steps), nothing), p.image = p.space;
    Vectors& vectors = p.space[0];
    for (int64_t column = 0; column < columns; column++)
      for (int64_t a = 0; a < p.inputs; a++)
        for (int64_t part = 0; part < 2; part++)
          vectors[place(p, column) + a * wide + part * half] = state[(2 * a + part) * columns + column];
    search(p);
    for (int64_t column = 0; column < columns; column++)
      for (int64_t a = 0; a < p.inputs; a++)
        for (int64_t part = 0; part < 2; part++)
          next[(2 * a + part) * columns + column] = vectors[place(p, column) + a * wide + part * half];
    size_t top = 0;
    for (size_t f = 0; f < p.frequencies.size(); f++)
      if (!(p.lengths[f] <= p.lengths[top])) top = f; /* NaN is not hidden */
    found[0] = std::sqrt(p.lengths[top]);
    found[1] = static_cast<float>(p.frequencies[top].row * p.conv.size[1] + p.frequencies[top].column);
    const int64_t length = s * s * p.conv.in, best = place(p, static_cast<int64_t>(top) * p.vectors);
    std::fill(v, v + 2 * length, 0.0f);
    for (size_t slot = 0; slot < p.phases.size(); slot++)
      for (int64_t a = 0; a < p.conv.in; a++)
        for (int64_t part = 0; part < 2; part++)
          v[part * length + p.phases[slot] * p.conv.in + a] =
              vectors[best + (static_cast<int64_t>(slot) * p.conv.in + a) * wide + part * half];
  }
  finish(&c);
}

const bool defined = [] {
  define("WeirFrequencyKrylov", {"kernel: float", "settings: int32", "state: float"},
         {"new_state: float", "found: float", "v: float"}, krylov_compute);
  return true;
}();

}  // namespace
}  // namespace weir
