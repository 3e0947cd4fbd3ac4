/*
 * The largest singular value of a convolution, with a proof.
 *
 *   WeirConvolutionSigma(kernel, settings, tolerance) -> found, v
 *
 * kernel is HWIO, the convolution strided and circular over [height, width]; settings = [height, width, stride, frequency to begin
 * with]. In Fourier space it falls into one matrix P(w) a frequency: w and -w have the same singular values, so half of them do. For
 * each, tau I - P Pᴴ is factored in float64 (Cholesky) with tau just above the largest eigenvalue so far. A factorization that succeeds
 * proves that this frequency has no larger one. One that fails gives a direction of a larger one, from which Lanczos iteration finds
 * the largest of the frequency, and tau rises. Most frequencies cost one Gram matrix and one factorization.
 *
 * found = [sigma, what float32 left over of it, bound, frequency, searched, solved]: the largest singular value lies within sigma and
 * sigma + bound, rounding errors included. v of [2, stride, stride, in] (real, imaginary) is its unit vector: the wave
 * v(y mod stride, x mod stride, channel) e^{i(w . (floor(y / stride), floor(x / stride)))}.
 *
 * Frequencies go in rounds of a fixed size, and tau changes between rounds only, so results do not depend on the threads.
 */
#include "pool.h"

#include <algorithm>

#include "frequencies.h"
#include "hermitian.h"
#include "lanczos.h"

namespace weir {
namespace {

/* One tap of the kernel. */
struct Tap {
  int64_t i, j;
  const float* kernel; /* [long, padded] */
};

/* Rows of the long side that the same taps reach. */
struct Group {
  int64_t rows;
  std::vector<Tap> taps;
};

/* P(w) with its short side in whole panels. */
struct Blocks {
  Convolution conv;
  std::vector<int64_t> phases;
  bool outputs_short;   /* is the Gram matrix that of the outputs? */
  int64_t n, padded, m; /* the short side, the same in whole panels, the long side */
  std::vector<Group> groups;
  std::vector<float> copy;
};

void lay_out(Blocks& b) {
  const Convolution& c = b.conv;
  const int64_t rows = c.kernel_size[0], columns = c.kernel_size[1], s = c.stride, w = lanes<double>;
  b.phases = phases_of(c);
  const int64_t inputs = static_cast<int64_t>(b.phases.size()) * c.in;
  b.outputs_short = c.out <= inputs;
  b.n = std::min(c.out, inputs), b.m = std::max(c.out, inputs);
  b.padded = (b.n + w - 1) / w * w;
  const int64_t length = b.outputs_short ? c.in : c.out;
  const bool as_is = b.outputs_short && b.padded == b.n;
  if (!as_is) b.copy.assign(static_cast<size_t>(rows * columns * length * b.padded), 0);
  b.groups.resize(b.outputs_short ? b.phases.size() : 1);
  for (Group& group : b.groups) group.rows = length;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) {
      const int64_t at = i * columns + j, phase = (i % s) * s + j % s;
      const int64_t index = std::find(b.phases.begin(), b.phases.end(), phase) - b.phases.begin();
      const float* kernel = c.kernel + at * c.in * c.out;
      if (!as_is) {
        float* to = &b.copy[static_cast<size_t>(at * length * b.padded)];
        for (int64_t p = 0; p < c.in; p++)
          for (int64_t q = 0; q < c.out; q++)
            (b.outputs_short ? to[p * b.padded + q] : to[q * b.padded + index * c.in + p]) = kernel[p * c.out + q];
        kernel = to;
      }
      b.groups[b.outputs_short ? static_cast<size_t>(index) : 0].taps.push_back({i, j, kernel});
    }
}

/* Memory of one thread, kept from call to call. */
class Buffer {
 public:
  template <typename T>
  Panels<T> panels(int64_t rows, int64_t columns) {
    const size_t bytes = static_cast<size_t>(2 * rows * columns) * sizeof(T);
    if (bytes > size_) {
      std::free(at_);
      at_ = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
      if (at_ == nullptr) std::abort(); /* as Node does where there is no memory */
      size_ = bytes;
    }
    T* at = static_cast<T*>(at_);
    return {at, at + rows * columns, columns};
  }

 private:
  void* at_ = nullptr;
  size_t size_ = 0;
};

/* P(w) with the short side in panels, the conjugate where that is the inputs' side, so that g = x xᴴ either way. */
inline __attribute__((always_inline)) void block(const Blocks& c, const Frequency& f, const Panels<double>& x) {
  typedef float Narrow __attribute__((vector_size(32)));
  constexpr int64_t w = lanes<double>;
  const double sign = c.outputs_short ? 1 : -1;
  int64_t first = 0;
  for (const Group& group : c.groups) {
    std::vector<double> cosines, sines;
    for (const Tap& tap : group.taps) {
      cosines.push_back(std::cos(angle(c.conv, f, tap.i, tap.j)));
      sines.push_back(sign * std::sin(angle(c.conv, f, tap.i, tap.j)));
    }
    for (int64_t row = 0; row < group.rows; row++)
      for (int64_t I = 0; I < c.padded / w; I++) {
        Vector<double> re = {}, im = {};
        for (size_t t = 0; t < group.taps.size(); t++) {
          Narrow some;
          __builtin_memcpy(&some, group.taps[t].kernel + row * c.padded + I * w, sizeof some);
          const Vector<double> k = __builtin_convertvector(some, Vector<double>);
          re += k * cosines[t];
          im += k * sines[t];
        }
        store<double>(x.real(I, first + row), re);
        if (f.complex) store<double>(x.imaginary(I, first + row), im);
      }
    first += group.rows;
  }
}

/* A direction x with xᴴ (tau I - g) x <= 0, from a factorization that stopped at column `failed`. */
inline __attribute__((always_inline)) void beyond(const Panels<double>& l, int64_t failed, bool complex, Complex& x) {
  constexpr int64_t w = lanes<double>;
  const auto re = [&](int64_t i, int64_t k) { return l.real(i / w, k)[i % w]; };
  const auto im = [&](int64_t i, int64_t k) { return complex ? l.imaginary(i / w, k)[i % w] : 0; };
  x = Complex(static_cast<int64_t>(x.re.size()));
  x.re[failed] = 1;
  for (int64_t k = failed - 1; k >= 0; k--) {
    double r = re(failed, k), i = -im(failed, k);
    for (int64_t q = k + 1; q < failed; q++) { /* minus conj(l_qk) y_q, and y = -x */
      r += re(q, k) * x.re[q] + im(q, k) * x.im[q];
      i += re(q, k) * x.im[q] - im(q, k) * x.re[q];
    }
    x.re[k] = -r / re(k, k), x.im[k] = -i / re(k, k);
  }
}

struct Search {
  const Blocks* blocks;
  const Frequency* frequencies;
  double lambda, margin; /* the largest so far, and what tau is above it, as a part of it */
  struct Found {
    double lambda = 0; /* where there is something above tau */
    Complex vector;
  }* found;
};

EVERY_CPU void examine(const void* job, int64_t begin, int64_t end) {
  static thread_local Buffer for_x, for_g, for_l;
  const Search* s = static_cast<const Search*>(job);
  const Blocks& c = *s->blocks;
  for (int64_t at = begin; at < end; at++) {
    const Frequency& f = s->frequencies[at];
    const Panels<double> x = for_x.panels<double>(c.padded, c.m), g = for_g.panels<double>(c.padded, c.padded),
                         l = for_l.panels<double>(c.padded, c.padded);
    block(c, f, x);
    gram(x, c.padded, c.m, f.complex, g);
    Search::Found& found = s->found[at];
    double lambda = s->lambda;
    Complex vector(c.padded);
    for (int round = 0; round < 100; round++) {
      const int64_t failed = cholesky<double>(g, lambda * (1 + s->margin), c.padded, f.complex, l);
      if (failed < 0) break;
      if (round == 99) found.lambda = NAN;
      beyond(l, failed, f.complex, vector);
      found.lambda = lambda = lanczos(g, c.padded, f.complex, vector, 1e-8, 100);
    }
    if (found.lambda != 0) found.vector = vector;
  }
}

/* The vector of the inputs from that of the short side, and sigma = ‖P v‖ for it. */
double both_sides(const Blocks& b, const Frequency& f, const Complex& short_side, Complex& v) {
  const Convolution& c = b.conv;
  Complex u(c.out);
  v = Complex(c.stride * c.stride * c.in);
  const auto taps = [&](auto visit) {
    for (int64_t i = 0; i < c.kernel_size[0]; i++)
      for (int64_t j = 0; j < c.kernel_size[1]; j++) {
        const int64_t phase = (i % c.stride) * c.stride + j % c.stride;
        const double turned = angle(c, f, i, j);
        const float* kernel = c.kernel + (i * c.kernel_size[1] + j) * c.in * c.out;
        visit(kernel, phase * c.in, std::cos(turned), f.complex ? std::sin(turned) : 0.0);
      }
  };
  if (b.outputs_short) {
    for (int64_t q = 0; q < c.out; q++) u.re[q] = short_side.re[q], u.im[q] = short_side.im[q];
    taps([&](const float* kernel, int64_t first, double re, double im) { /* v = Pᴴ u */
      for (int64_t a = 0; a < c.in; a++) {
        double r = 0, i = 0;
        for (int64_t q = 0; q < c.out; q++) r += kernel[a * c.out + q] * u.re[q], i += kernel[a * c.out + q] * u.im[q];
        v.re[first + a] += re * r + im * i;
        v.im[first + a] += re * i - im * r;
      }
    });
  } else {
    for (size_t p = 0; p < b.phases.size(); p++)
      for (int64_t a = 0; a < c.in; a++) {
        v.re[b.phases[p] * c.in + a] = short_side.re[p * c.in + a];
        v.im[b.phases[p] * c.in + a] = short_side.im[p * c.in + a];
      }
  }
  const auto unit = [](Complex& x) {
    double square = 0;
    for (size_t i = 0; i < x.re.size(); i++) square += x.re[i] * x.re[i] + x.im[i] * x.im[i];
    const double norm = std::sqrt(square);
    for (size_t i = 0; i < x.re.size(); i++) x.re[i] /= norm, x.im[i] /= norm;
    return norm;
  };
  unit(v);
  u = Complex(c.out);
  taps([&](const float* kernel, int64_t first, double re, double im) { /* u = P v */
    for (int64_t a = 0; a < c.in; a++) {
      const double r = re * v.re[first + a] - im * v.im[first + a], i = re * v.im[first + a] + im * v.re[first + a];
      for (int64_t q = 0; q < c.out; q++) u.re[q] += kernel[a * c.out + q] * r, u.im[q] += kernel[a * c.out + q] * i;
    }
  });
  return unit(u);
}

void sigma_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  Blocks blocks = {};
  Convolution& conv = blocks.conv;
  const int32_t* settings = nullptr;
  take(&c, &conv, 4, &settings);
  const float* tolerance = input(&c, 2, nullptr);
  const int64_t six = 6, dims[] = {2, conv.stride, conv.stride, conv.in};
  float* result = output(&c, 0, &six, 1, 6 * sizeof(float));
  const size_t length = static_cast<size_t>(conv.stride * conv.stride * conv.in);
  float* v = output(&c, 1, dims, 4, 2 * length * sizeof(float));
  if (TF_GetCode(c.status) == TF_OK) {
    std::fill(result, result + 6, 0.0f);
    std::fill(v, v + 2 * length, 0.0f);
    const int64_t size = TF_TensorElementCount(c.tensors[0]);
    double squares = 0;
    for (int64_t i = 0; i < size; i++) squares += static_cast<double>(conv.kernel[i]) * conv.kernel[i];
    v[0] = 1;
    if (!std::isfinite(squares)) {
      result[0] = NAN;
    } else if (squares > 0) {
      lay_out(blocks);
      std::vector<Frequency> frequencies = frequencies_of(conv);
      const int64_t all = static_cast<int64_t>(frequencies.size());
      for (int64_t i = 1; i < all; i++) /* begin where it was found last */
        if (frequencies[i].row * conv.size[1] + frequencies[i].column == settings[3]) std::swap(frequencies[0], frequencies[i]);
      std::vector<Search::Found> found(frequencies.size());
      const double margin = 2.0 * *tolerance;
      const double least = 1e-12 * squares / static_cast<double>(blocks.n); /* of no matter, and above what rounds to nothing */
      double lambda = least;
      int64_t top = 0, solved = 0;
      for (int64_t begin = 0, round = 2; begin < all; begin += round, round = std::min<int64_t>(32, round * 2)) {
        const int64_t end = std::min(all, begin + round);
        const Search search = {&blocks, &frequencies[begin], lambda, margin, &found[begin]};
        pool.run(end - begin, 1, examine, &search);
        for (int64_t i = begin; i < end; i++) {
          if (found[i].lambda == 0) continue;
          solved++;
          if (!(found[i].lambda <= lambda)) lambda = found[i].lambda, top = i;
        }
      }
      Complex direction;
      const double sigma = lambda == least ? 0 : both_sides(blocks, frequencies[top], found[top].vector, direction);
      /* The bound on rounding: that of the Gram matrix, and the backward error of the factorization. */
      const double rounding = 1.2e-16 * 16 * static_cast<double>(blocks.n) * static_cast<double>(blocks.n + 2 * blocks.m);
      const double upper = std::sqrt(lambda * (1 + margin) * (1 + rounding));
      const float high = static_cast<float>(sigma), low = static_cast<float>(sigma - high);
      result[0] = high, result[1] = low;
      result[2] = static_cast<float>((upper - (static_cast<double>(high) + low)) * (1 + 1e-6));
      result[3] = static_cast<float>(frequencies[top].row * conv.size[1] + frequencies[top].column);
      result[4] = static_cast<float>(all), result[5] = static_cast<float>(solved);
      for (size_t i = 0; sigma > 0 && i < length; i++) {
        v[i] = static_cast<float>(direction.re[i]);
        v[length + i] = static_cast<float>(direction.im[i]);
      }
    }
  }
  finish(&c);
}

const bool defined = [] {
  define("WeirConvolutionSigma", {"kernel: float", "settings: int32", "tolerance: float"}, {"found: float", "v: float"},
         sigma_compute);
  return true;
}();

}  // namespace
}  // namespace weir
