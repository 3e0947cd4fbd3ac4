/* The largest eigenvalues of a Hermitian matrix: of a large one by Lanczos, of a small one by Jacobi. Include pool.h first. */
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "hermitian.h"

namespace weir {

/* A complex vector, padded to whole panels. */
struct Complex {
  std::vector<double> re, im;
  explicit Complex(int64_t n = 0) : re(static_cast<size_t>(n)), im(static_cast<size_t>(n)) {}
};

/* y = g x. */
inline __attribute__((always_inline)) void apply(const Panels<double>& g, int64_t n, bool complex, const Complex& x,
                                                 Complex& y) {
  constexpr int64_t w = lanes<double>;
  std::fill(y.re.begin(), y.re.end(), 0);
  std::fill(y.im.begin(), y.im.end(), 0);
  for (int64_t I = 0; I < n / w; I++) {
    const Vector<double> ar = load(&x.re[I * w]), ai = load(&x.im[I * w]);
    Vector<double> br = {}, bi = {};
    for (int64_t k = 0; k < (I + 1) * w; k++) {
      const Vector<double> gr = load(g.real(I, k)), gi = complex ? load(g.imaginary(I, k)) : Vector<double>{};
      br += gr * x.re[k] - gi * x.im[k];
      bi += gr * x.im[k] + gi * x.re[k];
      if (k >= I * w) continue; /* the tile on the diagonal is whole */
      const Vector<double> sr = gr * ar + gi * ai, si = gr * ai - gi * ar;
      double tr = 0, ti = 0;
      for (int64_t i = 0; i < w; i++) tr += sr[i], ti += si[i];
      y.re[k] += tr, y.im[k] += ti;
    }
    store<double>(&y.re[I * w], load(&y.re[I * w]) + br);
    store<double>(&y.im[I * w], load(&y.im[I * w]) + bi);
  }
}

/* aᴴ b. */
inline __attribute__((always_inline)) void inner(const Complex& a, const Complex& b, double* re, double* im) {
  constexpr int64_t w = lanes<double>;
  Vector<double> r = {}, i = {};
  for (size_t k = 0; k < a.re.size(); k += w) {
    const Vector<double> ar = load(&a.re[k]), ai = load(&a.im[k]), br = load(&b.re[k]), bi = load(&b.im[k]);
    r += ar * br + ai * bi;
    i += ar * bi - ai * br;
  }
  *re = *im = 0;
  for (int64_t k = 0; k < w; k++) *re += r[k], *im += i[k];
}

inline __attribute__((always_inline)) void add(Complex& y, double re, double im, const Complex& x) {
  for (size_t k = 0; k < y.re.size(); k++) {
    y.re[k] += re * x.re[k] - im * x.im[k];
    y.im[k] += re * x.im[k] + im * x.re[k];
  }
}

inline __attribute__((always_inline)) double normalize(Complex& x) {
  double square, zero;
  inner(x, x, &square, &zero);
  const double norm = std::sqrt(square), scale = norm > 0 ? 1 / norm : 0;
  for (double& e : x.re) e *= scale;
  for (double& e : x.im) e *= scale;
  return norm;
}

/* The largest eigenvalue of a real tridiagonal matrix, with its unit vector y. */
inline double top_of_tridiagonal(const std::vector<double>& alpha, const std::vector<double>& beta, std::vector<double>& y) {
  const size_t n = alpha.size();
  double low = alpha[0], high = alpha[0];
  for (size_t i = 0; i < n; i++) {
    low = std::max(low, alpha[i]);
    high = std::max(high, alpha[i] + (i > 0 ? std::abs(beta[i - 1]) : 0) + (i + 1 < n ? std::abs(beta[i]) : 0));
  }
  const auto above = [&](double x) { /* is x I - T positive definite? */
    double d = x - alpha[0];
    for (size_t i = 1; d > 0 && i < n; i++) d = x - alpha[i] - beta[i - 1] * beta[i - 1] / d;
    return d > 0;
  };
  for (int i = 0; i < 200 && high - low > 1e-16 * high; i++) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (above(middle) ? high : low) = middle;
  }
  const double x = high + 4e-16 * std::abs(high); /* x I - T is positive definite: inverse iteration without pivoting is stable */
  std::vector<double> d(n), l(n);
  d[0] = x - alpha[0];
  for (size_t i = 1; i < n; i++) {
    l[i] = -beta[i - 1] / d[i - 1];
    d[i] = std::max(x - alpha[i] + l[i] * beta[i - 1], 1e-300);
  }
  y.assign(n, 1);
  for (int round = 0; round < 4; round++) {
    for (size_t i = 1; i < n; i++) y[i] -= l[i] * y[i - 1];
    for (size_t i = 0; i < n; i++) y[i] /= d[i];
    for (size_t i = n - 1; i > 0; i--) y[i - 1] -= l[i] * y[i];
    double square = 0;
    for (const double e : y) square += e * e;
    for (double& e : y) e /= std::sqrt(square);
  }
  return high;
}

/*
 * The largest eigenvalue of g by Lanczos iteration from x, all directions kept orthogonal, begun again from the best of `steps`
 * until ‖g x - lambda x‖ is at most `residual` * lambda; x becomes its unit vector. What it gives is a Rayleigh quotient: never
 * more than the eigenvalue.
 */
inline __attribute__((always_inline)) double lanczos(const Panels<double>& g, int64_t n, bool complex, Complex& x,
                                                     double residual, int cycles) {
  constexpr size_t steps = 32;
  std::vector<Complex> q;
  std::vector<double> alpha, beta, y;
  Complex next(n);
  double lambda = 0;
  for (int cycle = 0; cycle < cycles; cycle++) {
    q.clear(), alpha.clear(), beta.clear();
    normalize(x);
    q.push_back(x);
    double left = 0;
    for (;;) {
      apply(g, n, complex, q.back(), next);
      double re, im;
      inner(q.back(), next, &re, &im);
      alpha.push_back(re);
      for (int twice = 0; twice < 2; twice++)
        for (const Complex& each : q) {
          inner(each, next, &re, &im);
          add(next, -re, -im, each);
        }
      left = normalize(next);
      if (q.size() == steps || left <= 1e-15 * std::abs(alpha[0])) break;
      beta.push_back(left);
      q.push_back(next);
    }
    lambda = top_of_tridiagonal(alpha, beta, y);
    x = Complex(n);
    for (size_t i = 0; i < q.size(); i++) add(x, y[i], 0, q[i]);
    if (left * std::abs(y.back()) <= residual * lambda) break;
  }
  normalize(x);
  apply(g, n, complex, x, next);
  double zero;
  inner(x, next, &lambda, &zero);
  return lambda;
}

/* ---- of a small matrix ---- */

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
