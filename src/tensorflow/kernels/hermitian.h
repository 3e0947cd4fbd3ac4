/*
 * Gram matrices and Cholesky factors of complex Hermitian matrices, in panels. Include pool.h first.
 *
 * A panel holds `lanes` rows (or columns) of a matrix side by side: what a 512-bit register holds. Panel I of a matrix with
 * columns k is [k][lanes], so the tile of rows I and columns J is lanes x lanes numbers in a row, column by column. Real and
 * imaginary parts lie in arrays of their own; where `complex` is false the imaginary part is not touched.
 */
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* vectors are only handed to what is inlined */
#endif

namespace weir {

template <typename T>
constexpr int64_t lanes = 64 / static_cast<int64_t>(sizeof(T));

template <typename T>
struct VectorOf;
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(64)));
};
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(64)));
};

template <typename T>
using Vector = typename VectorOf<T>::type;

template <typename T>
inline __attribute__((always_inline)) Vector<T> load(const T* from) {
  Vector<T> v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <typename T>
inline __attribute__((always_inline)) void store(T* to, const Vector<T>& v) {
  __builtin_memcpy(to, &v, sizeof v);
}

/* How many numbers are summed one after another before the sum is added to the rest: rounding grows with it. */
constexpr int64_t stretch = 64;

/* tile(i, j) += sign * the sum over k of a(k, i) b(k, j): one tile, `Columns` of its columns in registers at a time. */
template <typename T, int Columns>
inline __attribute__((always_inline)) void tile_product(const T* a, const T* b, T* tile, int64_t depth, T sign) {
  constexpr int64_t w = lanes<T>;
  for (int64_t first = 0; first < w; first += Columns) {
    Vector<T> sums[Columns] = {};
    for (int64_t k = 0; k < depth; k++) {
      const Vector<T> x = load(a + k * w);
      const T* y = b + k * w + first;
#pragma GCC unroll 16
      for (int j = 0; j < Columns; j++) sums[j] += x * y[j];
    }
#pragma GCC unroll 16
    for (int j = 0; j < Columns; j++) {
      T* to = tile + (first + j) * w;
      store<T>(to, load(to) + sums[j] * sign);
    }
  }
}

template <typename T>
using TileProduct = void (*)(const T* a, const T* b, T* tile, int64_t depth, T sign);

template <typename T>
void tile_product_any(const T* a, const T* b, T* tile, int64_t depth, T sign) {
  tile_product<T, 4>(a, b, tile, depth, sign);
}

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
template <typename T>
__attribute__((target("arch=x86-64-v4,prefer-vector-width=512"))) void tile_product_512(const T* a, const T* b, T* tile,
                                                                                        int64_t depth, T sign) {
  tile_product<T, static_cast<int>(lanes<T>)>(a, b, tile, depth, sign);
}
template <typename T>
__attribute__((target("arch=x86-64-v3"))) void tile_product_256(const T* a, const T* b, T* tile, int64_t depth, T sign) {
  tile_product<T, 4>(a, b, tile, depth, sign);
}

template <typename T>
inline TileProduct<T> tile_products() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return tile_product_512<T>;
  if (__builtin_cpu_supports("x86-64-v3")) return tile_product_256<T>;
  return tile_product_any<T>;
}
#else
template <typename T>
inline TileProduct<T> tile_products() {
  return tile_product_any<T>;
}
#endif

/* A complex matrix in panels of its rows: [panel][columns][lanes], twice. */
template <typename T>
struct Panels {
  T *re, *im;
  int64_t columns;

  T* real(int64_t panel, int64_t column) const { return re + (panel * columns + column) * lanes<T>; }
  T* imaginary(int64_t panel, int64_t column) const { return im + (panel * columns + column) * lanes<T>; }
};

/* tile(I, J) += sign * the sum over columns k of [from, to) of x(I, k) conj(y(J, k)). */
template <typename T>
inline __attribute__((always_inline)) void multiply(TileProduct<T> product, const Panels<T>& x, int64_t I,
                                                    const Panels<T>& y, int64_t J, int64_t from, int64_t to, bool complex,
                                                    T sign, T* re, T* im) {
  for (int64_t k = from; k < to; k += stretch) {
    const int64_t depth = std::min(stretch, to - k);
    product(x.real(I, k), y.real(J, k), re, depth, sign);
    if (!complex) continue;
    product(x.imaginary(I, k), y.imaginary(J, k), re, depth, sign);
    product(x.imaginary(I, k), y.real(J, k), im, depth, sign);
    product(x.real(I, k), y.imaginary(J, k), im, depth, -sign);
  }
}

/* The lower half of g = x xᴴ, x of [n, m]: sums in stretches, each while its part of x is in the cache. */
template <typename T>
inline __attribute__((always_inline)) void gram(const Panels<T>& x, int64_t n, int64_t m, bool complex, const Panels<T>& g) {
  constexpr int64_t w = lanes<T>, part = 2 * stretch;
  const TileProduct<T> product = tile_products<T>();
  for (int64_t I = 0; I < n / w; I++) {
    std::memset(g.real(I, 0), 0, static_cast<size_t>((I + 1) * w * w) * sizeof(T));
    if (complex) std::memset(g.imaginary(I, 0), 0, static_cast<size_t>((I + 1) * w * w) * sizeof(T));
  }
  for (int64_t k = 0; k < m; k += part)
    for (int64_t I = 0; I < n / w; I++)
      for (int64_t J = 0; J <= I; J++)
        multiply<T>(product, x, I, x, J, k, std::min(m, k + part), complex, 1, g.real(I, J * w), g.imaginary(I, J * w));
}

/* The factor of one tile on the diagonal, in place; -1, or the column whose pivot is not positive. */
template <typename T>
inline __attribute__((always_inline)) int64_t factor_tile(T* re, T* im, bool complex) {
  constexpr int64_t w = lanes<T>;
  for (int64_t j = 0; j < w; j++) {
    T *cr = re + j * w, *ci = im + j * w;
    for (int64_t k = 0; k < j; k++) {
      const T *kr = re + k * w, *ki = im + k * w;
      const T br = kr[j], bi = complex ? -ki[j] : 0;
      for (int64_t i = 0; i < w; i++) cr[i] -= kr[i] * br;
      if (!complex) continue;
      for (int64_t i = 0; i < w; i++) cr[i] += ki[i] * bi, ci[i] -= kr[i] * bi + ki[i] * br;
    }
    const T pivot = cr[j];
    if (!(pivot > 0)) return j;
    const T scale = 1 / std::sqrt(pivot);
    for (int64_t i = 0; i < w; i++) cr[i] *= scale;
    if (!complex) continue;
    for (int64_t i = 0; i < w; i++) ci[i] *= scale;
    ci[j] = 0;
  }
  return -1;
}

/* x with x lᴴ = tile, in place, l a factored tile of the diagonal. */
template <typename T>
inline __attribute__((always_inline)) void solve_tile(T* re, T* im, const T* lr, const T* li, bool complex) {
  constexpr int64_t w = lanes<T>;
  for (int64_t j = 0; j < w; j++) {
    Vector<T> xr = load(re + j * w), xi = complex ? load(im + j * w) : Vector<T>{};
    for (int64_t k = 0; k < j; k++) {
      const T br = lr[k * w + j];
      xr -= load(re + k * w) * br;
      if (!complex) continue;
      const T bi = -li[k * w + j];
      xr += load(im + k * w) * bi;
      xi -= load(re + k * w) * bi + load(im + k * w) * br;
    }
    const T scale = 1 / lr[j * w + j];
    store<T>(re + j * w, xr * scale);
    if (complex) store<T>(im + j * w, xi * scale);
  }
}

/*
 * Whether tau I - g is positive definite, g Hermitian of [n, n] by its lower half. If so, l becomes its Cholesky factor, and -1 is
 * returned. Else the first column whose pivot is not positive is returned, with all columns of l before it and that row up to it.
 */
template <typename T>
inline __attribute__((always_inline)) int64_t cholesky(const Panels<T>& g, T tau, int64_t n, bool complex,
                                                       const Panels<T>& l) {
  constexpr int64_t w = lanes<T>;
  const TileProduct<T> product = tile_products<T>();
  for (int64_t J = 0; J < n / w; J++) {
    for (int64_t I = J; I < n / w; I++) {
      T *re = l.real(I, J * w), *im = l.imaginary(I, J * w);
      const T *gr = g.real(I, J * w), *gi = g.imaginary(I, J * w);
      for (int64_t e = 0; e < w * w; e++) re[e] = -gr[e];
      if (complex)
        for (int64_t e = 0; e < w * w; e++) im[e] = -gi[e];
      if (I == J)
        for (int64_t e = 0; e < w; e++) re[e * w + e] += tau;
      multiply<T>(product, l, I, l, J, 0, J * w, complex, -1, re, im);
      if (I == J) {
        const int64_t failed = factor_tile(re, im, complex);
        if (failed >= 0) return J * w + failed;
      } else {
        solve_tile<T>(re, im, l.real(J, J * w), l.imaginary(J, J * w), complex);
      }
    }
  }
  return -1;
}

}  // namespace weir
