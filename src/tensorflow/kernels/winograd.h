/*
 * Winograd's F(4 x 4, 3 x 3): a convolution of 3 x 3 at stride 1 makes 4 x 4 outputs from 6 x 6 inputs with 36 products where it
 * would take 144 (Lavin and Gray 2016, arXiv:1509.09308). With the tile d and the kernel g, y = A' [(G g G') * (B' d B)] A.
 * In float32 results differ from the plain sum's by about 1e-5 of the largest.
 *
 * These are the transforms by one side, of vectors: each lane is a channel. Include pool.h first.
 */
#pragma once

#include "vectors.h"

namespace weir {

/* o = B' d, six from six. */
static ALWAYS void of_input(const Channels* d, int64_t step, Channels* o, int64_t out) {
  const Channels d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
  const Channels a = d4 - 4 * d2, b = d3 - 4 * d1, c = d4 - d2, e = 2 * (d3 - d1);
  o[0] = 4 * d0 - 5 * d2 + d4;
  o[out] = a + b;
  o[2 * out] = a - b;
  o[3 * out] = c + e;
  o[4 * out] = c - e;
  o[5 * out] = 4 * d1 - 5 * d3 + d5;
}

/* o = A' m, four from six. */
static ALWAYS void of_output(const Channels* m, int64_t step, Channels* o, int64_t out) {
  const Channels m0 = m[0], m5 = m[5 * step];
  const Channels p = m[step] + m[2 * step], q = m[step] - m[2 * step];
  const Channels r = m[3 * step] + m[4 * step], s = m[3 * step] - m[4 * step];
  o[0] = m0 + p + r;
  o[out] = q + 2 * s;
  o[2 * out] = p + 4 * r;
  o[3 * out] = q + 8 * s + m5;
}

/* o = A y, six from four: back through `of_output`. */
static ALWAYS void of_gradient(const Channels* y, int64_t step, Channels* o, int64_t out) {
  const Channels y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
  const Channels a = y0 + y2, b = y1 + y3, c = y0 + 4 * y2, e = 2 * y1 + 8 * y3;
  o[0] = y0;
  o[out] = a + b;
  o[2 * out] = a - b;
  o[3 * out] = c + e;
  o[4 * out] = c - e;
  o[5 * out] = y3;
}

/* o = G g, six from three. */
static ALWAYS void of_kernel(const Channels* g, int64_t step, Channels* o, int64_t out) {
  const Channels g0 = g[0], g1 = g[step], g2 = g[2 * step];
  const Channels a = (g0 + g2) * (-1.0f / 6), b = g1 * (-1.0f / 6);
  const Channels c = g0 * (1.0f / 24) + g2 * (1.0f / 6), e = g1 * (1.0f / 12);
  o[0] = g0 * 0.25f;
  o[out] = a + b;
  o[2 * out] = a - b;
  o[3 * out] = c + e;
  o[4 * out] = c - e;
  o[5 * out] = g2;
}

/* o = G' u, three from six: back through `of_kernel`. */
static ALWAYS void of_kernel_gradient(const Channels* u, int64_t step, Channels* o, int64_t out) {
  const Channels u0 = u[0], u5 = u[5 * step];
  const Channels p = u[step] + u[2 * step], q = u[step] - u[2 * step];
  const Channels r = u[3 * step] + u[4 * step], s = u[3 * step] - u[4 * step];
  o[0] = u0 * 0.25f - p * (1.0f / 6) + r * (1.0f / 24);
  o[out] = q * (-1.0f / 6) + s * (1.0f / 12);
  o[2 * out] = (r - p) * (1.0f / 6) + u5;
}

}  // namespace weir
