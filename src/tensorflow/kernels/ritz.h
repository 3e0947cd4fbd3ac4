/* The largest eigenvalues of a small Hermitian matrix. Include pool.h first. */
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace weir {

/* A square complex matrix of order n, row by row. */
struct Small {
  int64_t n;
  std::vector<double> re, im;
  explicit Small(int64_t n) : n(n), re(static_cast<size_t>(n * n)), im(static_cast<size_t>(n * n)) {}
};

/* Rotates columns p and q of x: by c, and by s e^{i phi}, given as (re, im). */
inline void rotate_columns(Small& x, int64_t p, int64_t q, double c, double re, double im) {
  for (int64_t k = 0; k < x.n; k++) {
    double *pr = &x.re[k * x.n + p], *pi = &x.im[k * x.n + p], *qr = &x.re[k * x.n + q], *qi = &x.im[k * x.n + q];
    const double ar = *pr, ai = *pi, br = *qr, bi = *qi;
    *pr = c * ar - (re * br + im * bi), *pi = c * ai - (re * bi - im * br);
    *qr = c * br + (re * ar - im * ai), *qi = c * bi + (re * ai + im * ar);
  }
}

/*
 * Eigenvectors of the Hermitian matrix g by cyclic Jacobi rotations, as columns, those of the largest eigenvalues first. g is overwritten.
 * Where g is not finite, neither are they.
 */
inline Small eigenvectors(Small g) {
  const int64_t n = g.n;
  Small v(n);
  for (int64_t i = 0; i < n; i++) v.re[i * n + i] = 1;
  double trace = 0;
  for (int64_t i = 0; i < n; i++) trace += std::abs(g.re[i * n + i]);
  for (int sweep = 0; sweep < 30; sweep++) {
    bool moved = false;
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        const double x = g.re[p * n + q], y = g.im[p * n + q], size = std::hypot(x, y);
        if (size <= 1e-15 * trace) continue;
        moved = true;
        /* with a = |g_pq| e^{i phi}: the rotation that makes the pair diagonal */
        const double tau = (g.re[q * n + q] - g.re[p * n + p]) / (2 * size);
        const double t = (tau >= 0 ? 1 : -1) / (std::abs(tau) + std::sqrt(1 + tau * tau));
        const double c = 1 / std::sqrt(1 + t * t), s = t * c, re = s * x / size, im = s * y / size;
        rotate_columns(g, p, q, c, re, im);
        for (int64_t k = 0; k < n; k++) { /* the rows: the conjugate */
          double *pr = &g.re[p * n + k], *pi = &g.im[p * n + k], *qr = &g.re[q * n + k], *qi = &g.im[q * n + k];
          const double ar = *pr, ai = *pi, br = *qr, bi = *qi;
          *pr = c * ar - (re * br - im * bi), *pi = c * ai - (re * bi + im * br);
          *qr = c * br + (re * ar + im * ai), *qi = c * bi + (re * ai - im * ar);
        }
        rotate_columns(v, p, q, c, re, im);
      }
    if (!moved) break;
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return g.re[a * n + a] > g.re[b * n + b]; });
  Small sorted(n);
  for (int64_t k = 0; k < n; k++)
    for (int64_t j = 0; j < n; j++)
      sorted.re[k * n + j] = v.re[k * n + order[j]], sorted.im[k * n + j] = v.im[k * n + order[j]];
  return sorted;
}

}  // namespace weir
