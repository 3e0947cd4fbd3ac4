/*
 * TensorFlow operations of Weir's own for the passes of a training step over large tensors. README.md gives the reason for each.
 *
 * TensorFlow's eager operations write every intermediate result to memory and read it again: GELU by erf takes six such passes
 * forward and eight backward, an SGD update six. Each operation here reads its inputs once and writes its outputs once.
 *
 *   WeirGelu(z, bias, scale) -> h                     h = gelu((z + bias) scale), z of [..., width], bias of [width]
 *   WeirGeluSlope(z, bias, scale) -> h, slope         the same, with slope = dh/dz
 *   WeirPull(d, kernel, slope) -> dz, sum             dz = (d kernel') * slope, sum that over rows; d of [n, k], k small
 *   WeirAddOuter(g, v, t) -> g + v t'                 g of [in, out], v of [in], t of [out]
 *   WeirSgd(w, g, velocity, [rate, momentum, decay]) -> w', velocity'
 *
 * They are float32 and for the CPU, register themselves when the binding that this file is linked into is loaded, and take
 * their threads from a pool of their own. Every number is computed by itself, so results do not depend on the threads.
 */
#include "pool.h"

#include <cstring>
#include <vector>

#include "gelu.h"
#include "operation.h"

namespace weir {
namespace {

/* ---- GELU ---- */

struct Gelu {
  const float *z, *bias;
  float scale;
  float *h, *slope;
  int64_t width;
};

EVERY_CPU void gelu_rows(const void* job, int64_t begin, int64_t end) {
  const Gelu* g = static_cast<const Gelu*>(job);
  for (int64_t row = begin; row < end; row++) {
    const float* __restrict z = g->z + row * g->width;
    const float* __restrict bias = g->bias;
    float* __restrict h = g->h + row * g->width;
    const float scale = g->scale;
    float unused;
    for (int64_t i = 0; i < g->width; i++) h[i] = gelu((z[i] + bias[i]) * scale, &unused);
  }
}

EVERY_CPU void gelu_slope_rows(const void* job, int64_t begin, int64_t end) {
  const Gelu* g = static_cast<const Gelu*>(job);
  for (int64_t row = begin; row < end; row++) {
    const float* __restrict z = g->z + row * g->width;
    const float* __restrict bias = g->bias;
    float* __restrict h = g->h + row * g->width;
    float* __restrict slope = g->slope + row * g->width;
    const float scale = g->scale;
    for (int64_t i = 0; i < g->width; i++) {
      float s;
      h[i] = gelu((z[i] + bias[i]) * scale, &s);
      slope[i] = s * scale;
    }
  }
}

/* ---- back through a narrow layer and an activation ---- */

constexpr int64_t rows_a_part = 64; /* sums are made part by part, then in order: the same bits on any number of threads */

struct Pull {
  const float *d, *kernel, *slope; /* kernel transposed: [k, width] */
  float *dz, *parts;
  int64_t n, k, width;
};

constexpr int64_t block = 64; /* columns whose dh stays in registers */

inline __attribute__((always_inline)) void pull_block(const Pull* p, const float* d, int64_t at, int64_t length,
                                                      const float* __restrict slope, float* __restrict dz,
                                                      float* __restrict sum) {
  float dh[block] = {0};
  for (int64_t j = 0; j < p->k; j++) {
    const float* __restrict kernel = p->kernel + j * p->width + at;
    for (int64_t i = 0; i < length; i++) dh[i] += d[j] * kernel[i];
  }
  for (int64_t i = 0; i < length; i++) {
    const float value = dh[i] * slope[at + i];
    dz[at + i] = value;
    sum[at + i] += value;
  }
}

EVERY_CPU void pull_parts(const void* job, int64_t begin, int64_t end) {
  const Pull* p = static_cast<const Pull*>(job);
  const int64_t width = p->width, k = p->k;
  for (int64_t part = begin; part < end; part++) {
    float* __restrict sum = p->parts + part * width;
    for (int64_t i = 0; i < width; i++) sum[i] = 0;
    const int64_t last = (part + 1) * rows_a_part < p->n ? (part + 1) * rows_a_part : p->n;
    for (int64_t row = part * rows_a_part; row < last; row++) {
      const float* d = p->d + row * k;
      float* __restrict dz = p->dz + row * width;
      const float* __restrict slope = p->slope + row * width;
      int64_t at = 0;
      for (; at + block <= width; at += block) pull_block(p, d, at, block, slope, dz, sum);
      if (at < width) pull_block(p, d, at, width - at, slope, dz, sum);
    }
  }
}

/* ---- the gradient of a spectral norm: rank one ---- */

struct Outer {
  const float *g, *v, *t;
  float* sum;
  int64_t width;
};

EVERY_CPU void outer_rows(const void* job, int64_t begin, int64_t end) {
  const Outer* o = static_cast<const Outer*>(job);
  const float* __restrict t = o->t;
  for (int64_t row = begin; row < end; row++) {
    const float* __restrict g = o->g + row * o->width;
    float* __restrict sum = o->sum + row * o->width;
    const float v = o->v[row];
    for (int64_t i = 0; i < o->width; i++) sum[i] = g[i] + v * t[i];
  }
}

/* ---- SGD ---- */

struct Sgd {
  const float *w, *g, *v;
  float *w2, *v2;
  float rate, momentum, decay;
};

EVERY_CPU void sgd_range(const void* job, int64_t begin, int64_t end) {
  const Sgd* s = static_cast<const Sgd*>(job);
  const float *__restrict w = s->w, *__restrict g = s->g, *__restrict v = s->v;
  float *__restrict w2 = s->w2, *__restrict v2 = s->v2;
  float rate = s->rate, momentum = s->momentum, decay = s->decay;
  for (int64_t i = begin; i < end; i++) {
    float velocity = momentum * v[i] + (g[i] + decay * w[i]);
    v2[i] = velocity;
    w2[i] = w[i] - rate * velocity;
  }
}

/* ---- what TensorFlow calls ---- */

void gelu_call(TF_OpKernelContext* context, int with_slope) {
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t size = 0, width = 0;
  Gelu g = {};
  g.z = input(&c, 0, &size);
  g.bias = input(&c, 1, &width);
  const float* scale = input(&c, 2, nullptr);
  if (TF_GetCode(c.status) == TF_OK && (width == 0 || size % width != 0)) refuse(&c, "bias does not fit z");
  g.h = output_like(&c, 0, 0);
  if (with_slope) g.slope = output_like(&c, 1, 0);
  if (TF_GetCode(c.status) == TF_OK && size > 0) {
    g.width = width, g.scale = *scale;
    int64_t chunk = 16384 / width + 1;
    pool.run(size / width, chunk, with_slope ? gelu_slope_rows : gelu_rows, &g);
  }
  finish(&c);
}

void gelu_compute(void* kernel, TF_OpKernelContext* context) { (void)kernel, gelu_call(context, 0); }
void gelu_slope_compute(void* kernel, TF_OpKernelContext* context) { (void)kernel, gelu_call(context, 1); }

void pull_compute(void* kernel, TF_OpKernelContext* context) {
  (void)kernel;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t d_size = 0, kernel_size = 0, size = 0;
  Pull p = {};
  p.d = input(&c, 0, &d_size);
  const float* w = input(&c, 1, &kernel_size);
  p.slope = input(&c, 2, &size);
  if (TF_GetCode(c.status) == TF_OK) {
    if (TF_NumDims(c.tensors[0]) != 2 || TF_NumDims(c.tensors[1]) != 2 || TF_NumDims(c.tensors[2]) != 2) {
      refuse(&c, "d, kernel and slope must be matrices");
    } else {
      p.n = TF_Dim(c.tensors[0], 0), p.k = TF_Dim(c.tensors[0], 1), p.width = TF_Dim(c.tensors[1], 0);
      if (TF_Dim(c.tensors[1], 1) != p.k || TF_Dim(c.tensors[2], 0) != p.n || TF_Dim(c.tensors[2], 1) != p.width)
        refuse(&c, "d kernel' does not fit slope");
    }
  }
  p.dz = output_like(&c, 0, 2);
  float* sum = output(&c, 1, &p.width, 1, static_cast<size_t>(p.width) * sizeof(float));
  if (TF_GetCode(c.status) == TF_OK) {
    const int64_t parts = (p.n + rows_a_part - 1) / rows_a_part;
    std::vector<float> transposed(static_cast<size_t>(kernel_size)), partial(static_cast<size_t>(parts * p.width));
    for (int64_t i = 0; i < p.width; i++)
      for (int64_t j = 0; j < p.k; j++) transposed[j * p.width + i] = w[i * p.k + j];
    p.kernel = transposed.data(), p.parts = partial.data();
    pool.run(parts, 1, pull_parts, &p);
    std::memset(sum, 0, static_cast<size_t>(p.width) * sizeof(float));
    for (int64_t part = 0; part < parts; part++)
      for (int64_t i = 0; i < p.width; i++) sum[i] += partial[part * p.width + i];
  }
  finish(&c);
}

void outer_compute(void* kernel, TF_OpKernelContext* context) {
  (void)kernel;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t size = 0, height = 0;
  Outer o = {};
  o.g = input(&c, 0, &size);
  o.v = input(&c, 1, &height);
  o.t = input(&c, 2, &o.width);
  if (TF_GetCode(c.status) == TF_OK && height * o.width != size) refuse(&c, "v t' does not fit g");
  o.sum = output_like(&c, 0, 0);
  if (TF_GetCode(c.status) == TF_OK && size > 0) pool.run(height, 16384 / o.width + 1, outer_rows, &o);
  finish(&c);
}

void sgd_compute(void* kernel, TF_OpKernelContext* context) {
  (void)kernel;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t size[4] = {0};
  Sgd s = {};
  s.w = input(&c, 0, &size[0]);
  s.g = input(&c, 1, &size[1]);
  s.v = input(&c, 2, &size[2]);
  const float* settings = input(&c, 3, &size[3]);
  if (TF_GetCode(c.status) == TF_OK && (size[1] != size[0] || size[2] != size[0] || size[3] != 3))
    refuse(&c, "weight, gradient and velocity differ in size, or settings are not three");
  s.w2 = output_like(&c, 0, 0);
  s.v2 = output_like(&c, 1, 0);
  if (TF_GetCode(c.status) == TF_OK) {
    s.rate = settings[0], s.momentum = settings[1], s.decay = settings[2];
    pool.run(size[0], 16384, sgd_range, &s);
  }
  finish(&c);
}

const bool defined = [] {
  define("WeirGelu", {"z: float", "bias: float", "scale: float"}, {"h: float"}, gelu_compute);
  define("WeirGeluSlope", {"z: float", "bias: float", "scale: float"}, {"h: float", "slope: float"}, gelu_slope_compute);
  define("WeirPull", {"d: float", "kernel: float", "slope: float"}, {"dz: float", "sum: float"}, pull_compute);
  define("WeirAddOuter", {"g: float", "v: float", "t: float"}, {"sum: float"}, outer_compute);
  define("WeirSgd", {"w: float", "g: float", "velocity: float", "settings: float"},
         {"moved: float", "new_velocity: float"}, sgd_compute);
  return true;
}();

}  // namespace
}  // namespace weir
