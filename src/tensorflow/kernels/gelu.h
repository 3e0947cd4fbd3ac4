/* GELU by erf and its slope, in a form that compilers turn into vector instructions. */
#pragma once

#include <cstdint>
#include <cstring>

namespace weir {

/* exp(x) for x in [-88, 0], within 2 ulp; NaN stays NaN. */
inline float exponential(float x) {
  float n = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: the sum has no fraction bits left */
  uint32_t bits;
  memcpy(&bits, &n, 4);
  n -= 12582912.0f;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t power = (bits + 127) << 23;
  float scale;
  memcpy(&scale, &power, 4);
  return p * scale;
}

/*
 * gelu(z) = z N(z) and its slope N(z) + z n(z). For z <= 0: N(z) = exp(-z^2/2) R(1/(1 + 0.3|z|)), R a polynomial fitted to
 * erfcx(|z|/sqrt 2)/2 (largest relative error 6e-8); for z > 0: N(z) = 1 - N(-z).
 */
inline float gelu(float z, float* slope) {
  float a = z < 0 ? -z : z;
  a = a > 13 ? 13 : a; /* beyond, exp(-z^2/2) has no normal float */
  float e = exponential(-0.5f * a * a);
  float t = 1 / (1 + 0.3f * a);
  float r = 0.038334685598783544f;
  r = r * t - 0.1689539092909493f;
  r = r * t + 0.2282211501801387f;
  r = r * t - 0.07600375845930184f;
  r = r * t + 0.1421877631138254f;
  r = r * t + 0.09483190277367265f;
  r = r * t + 0.12188230918149422f;
  r = r * t + 0.11949303091066255f;
  r = r * t + 6.854671020518263e-06f;
  float tail = e * r;
  float cumulative = z > 0 ? 1 - tail : tail;
  *slope = cumulative + z * (e * 0.3989422804f);
  return z * cumulative;
}

}  // namespace weir
