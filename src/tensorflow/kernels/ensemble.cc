/*
 * An operation of Weir's own that trains many small networks at once: see README.md for the reason.
 *
 *   WeirEnsemble(sizes, members, velocity, x, labels, gammas, directions, settings, sums) -> members', velocity', sums'
 *
 * One update of E networks of the same widths: forward, backward, the gradient of the spectral regularizer, SGD with momentum.
 *
 *   sizes       int32 [L + 1]: widths from the input to the classes, d = first, k = last
 *   members     [E, P]: a network a row; layer by layer its kernel, [in, out], and its bias, [out]
 *   x, labels   [n, E, d], int32 [n]: sample i holds every member's i-th point, and they share its label
 *   gammas      [E, L]: gamma of each layer's regularizer gamma/2 |W' v|^2, 0 where it has none
 *   directions  [E, D]: the v of every layer one after the other, D = the sum of all inputs; held constant
 *   settings    rate, momentum, decay, and 1 where an epoch begins
 *   sums        [E, 3]: mean loss of the batch; loss and number of correct samples summed over the epoch
 *
 * h = gelu((h W + b) s), s = 1 for the first layer and 1/sqrt(in) for the others; logits likewise, without gelu.
 *
 * The result for a member does not depend on the others, to the bit: each is copied to memory of the same alignment, samples lie
 * side by side in registers of a fixed width, and the order of every sum is fixed.
 */
#include "pool.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "gelu.h"
#include "operation.h"

namespace weir {
namespace {

constexpr int64_t lanes = 8; /* samples side by side */
typedef float Lanes __attribute__((vector_size(lanes * sizeof(float))));

constexpr int64_t padded(int64_t size) { return (size + lanes - 1) / lanes * lanes; }

struct Layer {
  int64_t in, out, kernel, bias, direction; /* offsets in a member's row, and in its row of directions */
  float scale;
};

struct Job {
  std::vector<Layer> layers;
  const float *members, *velocity, *x, *gammas, *directions, *sums;
  const int32_t* labels;
  float *members2, *velocity2, *sums2;
  float rate, momentum, decay;
  bool fresh;
  int64_t count, parameters, inputs, n, d, classes, widest;
};

/* Memory aligned to a cache line. */
using Aligned = std::unique_ptr<float, void (*)(void*)>;
Aligned aligned(int64_t floats) {
  return {static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>((floats + 15) / 16 * 64))), std::free};
}

#define INLINE inline __attribute__((always_inline))
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* what is always inlined passes no vector by value */
#endif

INLINE Lanes at(const float* p) {
  Lanes x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
INLINE void put(float* p, Lanes x) { __builtin_memcpy(p, &x, sizeof x); }
INLINE Lanes all(float x) { return Lanes{x, x, x, x, x, x, x, x}; }
INLINE float sum(Lanes s) { return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7])); }

INLINE void gelus(const float* z, float* h, float* slope, float scale) {
  for (int64_t i = 0; i < lanes; i++) {
    float s;
    h[i] = gelu(z[i], &s);
    slope[i] = s * scale;
  }
}

/* Loss and its gradient with respect to the sums behind the readout; `n` of the `width` lanes hold a sample. */
INLINE void cross_entropy(const Job* job, const float* logits, float* dz, int64_t width, float scale, double* loss,
                          int64_t* correct) {
  const int64_t k = job->classes;
  const float share = scale / static_cast<float>(job->n);
  for (int64_t b = 0; b < width; b += lanes) {
    const int64_t here = job->n - b < lanes ? job->n - b : lanes;
    float top[lanes], others[lanes], total[lanes];
    for (int64_t i = 0; i < lanes; i++) top[i] = logits[b + i], others[i] = 0, total[i] = 0;
    for (int64_t j = 1; j < k; j++)
      for (int64_t i = 0; i < lanes; i++) top[i] = logits[j * width + b + i] > top[i] ? logits[j * width + b + i] : top[i];
    for (int64_t j = 0; j < k; j++) {
      float* e = dz + j * width + b;
      for (int64_t i = 0; i < lanes; i++) {
        const float below = logits[j * width + b + i] - top[i];
        e[i] = exponential(below < -87 ? -87 : below);
        total[i] += e[i];
      }
    }
    for (int64_t j = 0; j < k; j++) /* 1 - p of the label as a sum: it keeps its digits where p is near 1 */
      for (int64_t i = 0; i < here; i++) others[i] += job->labels[b + i] == j ? 0 : dz[j * width + b + i];
    for (int64_t i = 0; i < here; i++) {
      const int64_t label = job->labels[b + i];
      const float own = logits[label * width + b + i];
      *loss += own < top[i] ? std::log(static_cast<double>(total[i])) + (top[i] - own) : std::log1p(others[i]);
      int64_t best = 0;
      while (logits[best * width + b + i] < top[i]) best++;
      *correct += best == label;
    }
    for (int64_t j = 0; j < k; j++) {
      float* d = dz + j * width + b;
      for (int64_t i = 0; i < here; i++) d[i] = share * ((job->labels[b + i] == j ? -others[i] : d[i]) / total[i]);
      for (int64_t i = here; i < lanes; i++) d[i] = 0;
    }
  }
}

EVERY_CPU void update_members(const void* given, int64_t begin, int64_t end) {
  const Job* job = static_cast<const Job*>(given);
  const std::vector<Layer>& layers = job->layers;
  const int64_t depth = static_cast<int64_t>(layers.size()), row = padded(job->parameters), width = padded(job->n);
  const Aligned w_ = aligned(row), v_ = aligned(row), g_ = aligned(row), image_ = aligned(job->widest);
  const Aligned z_ = aligned(job->widest * width), dz_ = aligned(job->widest * width);
  float *w = w_.get(), *v = v_.get(), *g = g_.get(), *image = image_.get(), *z = z_.get(), *dz = dz_.get();
  std::vector<Aligned> h, slope; /* what goes into each layer, and the slopes of the activation before it */
  for (const Layer& layer : layers) h.push_back(aligned(layer.in * width)), slope.push_back(aligned(layer.in * width));

  for (int64_t m = begin; m < end; m++) {
    std::memset(w, 0, static_cast<size_t>(row) * sizeof(float));
    std::memset(v, 0, static_cast<size_t>(row) * sizeof(float));
    std::memset(g, 0, static_cast<size_t>(row) * sizeof(float));
    std::memcpy(w, job->members + m * job->parameters, static_cast<size_t>(job->parameters) * sizeof(float));
    std::memcpy(v, job->velocity + m * job->parameters, static_cast<size_t>(job->parameters) * sizeof(float));
    for (int64_t axis = 0; axis < job->d; axis++)
      for (int64_t i = 0; i < width; i++)
        h[0].get()[axis * width + i] = i < job->n ? job->x[(i * job->count + m) * job->d + axis] : 0;

    for (int64_t l = 0; l < depth; l++) {
      const Layer& layer = layers[l];
      const float *kernel = w + layer.kernel, *bias = w + layer.bias;
      for (int64_t o = 0; o < layer.out; o++)
        for (int64_t b = 0; b < width; b += lanes) {
          Lanes total = all(bias[o]);
          for (int64_t i = 0; i < layer.in; i++) total += all(kernel[i * layer.out + o]) * at(h[l].get() + i * width + b);
          put(z + o * width + b, total * all(layer.scale));
        }
      if (l + 1 < depth)
        for (int64_t b = 0; b < layer.out * width; b += lanes) gelus(z + b, h[l + 1].get() + b, slope[l + 1].get() + b, layer.scale);
    }

    double loss = 0;
    int64_t correct = 0;
    cross_entropy(job, z, dz, width, layers[depth - 1].scale, &loss, &correct);

    for (int64_t l = depth - 1; l >= 0; l--) {
      const Layer& layer = layers[l];
      const float* kernel = w + layer.kernel;
      for (int64_t o = 0; o < layer.out; o++) {
        Lanes total = all(0);
        for (int64_t b = 0; b < width; b += lanes) total += at(dz + o * width + b);
        g[layer.bias + o] = sum(total);
        for (int64_t i = 0; i < layer.in; i++) {
          Lanes product = all(0);
          for (int64_t b = 0; b < width; b += lanes) product += at(h[l].get() + i * width + b) * at(dz + o * width + b);
          g[layer.kernel + i * layer.out + o] = sum(product);
        }
      }
      if (l == 0) break;
      for (int64_t i = 0; i < layer.in; i++)
        for (int64_t b = 0; b < width; b += lanes) {
          Lanes total = all(0);
          for (int64_t o = 0; o < layer.out; o++) total += all(kernel[i * layer.out + o]) * at(dz + o * width + b);
          put(z + i * width + b, total * at(slope[l].get() + i * width + b));
        }
      std::swap(z, dz);
    }

    for (int64_t l = 0; l < depth; l++) {
      const Layer& layer = layers[l];
      const float gamma = job->gammas[m * depth + l];
      if (gamma == 0) continue;
      const float* direction = job->directions + m * job->inputs + layer.direction;
      for (int64_t o = 0; o < layer.out; o++) image[o] = 0;
      for (int64_t i = 0; i < layer.in; i++)
        for (int64_t o = 0; o < layer.out; o++) image[o] += direction[i] * w[layer.kernel + i * layer.out + o];
      for (int64_t i = 0; i < layer.in; i++)
        for (int64_t o = 0; o < layer.out; o++) g[layer.kernel + i * layer.out + o] += gamma * direction[i] * image[o];
    }

    for (int64_t i = 0; i < row; i += lanes) {
      const Lanes velocity = all(job->momentum) * at(v + i) + (at(g + i) + all(job->decay) * at(w + i));
      put(v + i, velocity);
      put(w + i, at(w + i) - all(job->rate) * velocity);
    }
    std::memcpy(job->members2 + m * job->parameters, w, static_cast<size_t>(job->parameters) * sizeof(float));
    std::memcpy(job->velocity2 + m * job->parameters, v, static_cast<size_t>(job->parameters) * sizeof(float));
    const float *before = job->sums + 3 * m, so_far = job->fresh ? 0.0f : 1.0f;
    float* after = job->sums2 + 3 * m;
    after[0] = static_cast<float>(loss / static_cast<double>(job->n));
    after[1] = so_far * before[1] + static_cast<float>(loss);
    after[2] = so_far * before[2] + static_cast<float>(correct);
  }
}

/* Offsets of every layer. Returns false where the widths make no network. */
bool lay_out(Job* job, const int32_t* sizes, int64_t count) {
  if (count < 3) return false;
  for (int64_t l = 0; l + 1 < count; l++) {
    const int64_t in = sizes[l], out = sizes[l + 1];
    if (in < 1 || out < 1) return false;
    const int64_t kernel = job->parameters, bias = kernel + in * out;
    job->layers.push_back({in, out, kernel, bias, job->inputs, l == 0 ? 1.0f : 1.0f / std::sqrt(static_cast<float>(in))});
    job->parameters = bias + out, job->inputs += in;
    job->widest = std::max({job->widest, in, out});
  }
  job->d = sizes[0], job->classes = sizes[count - 1];
  return true;
}

void ensemble_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t sizes = 0, members = 0, velocity = 0, x = 0, gammas = 0, directions = 0, settings = 0, sums = 0;
  Job job = {};
  const int32_t* widths = reinterpret_cast<const int32_t*>(input(&c, 0, &sizes));
  job.members = input(&c, 1, &members);
  job.velocity = input(&c, 2, &velocity);
  job.x = input(&c, 3, &x);
  job.labels = reinterpret_cast<const int32_t*>(input(&c, 4, &job.n));
  job.gammas = input(&c, 5, &gammas);
  job.directions = input(&c, 6, &directions);
  const float* setting = input(&c, 7, &settings);
  job.sums = input(&c, 8, &sums);
  if (TF_GetCode(c.status) == TF_OK) {
    const int64_t layers = sizes - 1;
    if (!lay_out(&job, widths, sizes) || TF_NumDims(c.tensors[1]) != 2 || TF_Dim(c.tensors[1], 1) != job.parameters)
      refuse(&c, "members do not fit sizes");
    else {
      job.count = TF_Dim(c.tensors[1], 0);
      if (velocity != members || x != job.n * job.count * job.d || gammas != job.count * layers ||
          directions != job.count * job.inputs || settings != 4 || sums != job.count * 3 || job.n < 1)
        refuse(&c, "an input does not fit members");
      for (int64_t i = 0; i < job.n && TF_GetCode(c.status) == TF_OK; i++)
        if (job.labels[i] < 0 || job.labels[i] >= job.classes) refuse(&c, "a label is out of range");
    }
  }
  job.members2 = output_like(&c, 0, 1);
  job.velocity2 = output_like(&c, 1, 1);
  job.sums2 = output_like(&c, 2, 8);
  if (TF_GetCode(c.status) == TF_OK && job.count > 0) {
    job.rate = setting[0], job.momentum = setting[1], job.decay = setting[2], job.fresh = setting[3] != 0;
    const int64_t work = padded(job.n) * job.parameters; /* of one member; a thread is woken for some 30 microseconds of it */
    pool.run(job.count, 262144 / work + 1, update_members, &job);
  }
  finish(&c);
}

const bool defined = [] {
  define("WeirEnsemble",
         {"sizes: int32", "members: float", "velocity: float", "x: float", "labels: int32", "gammas: float",
          "directions: float", "settings: float", "sums: float"},
         {"moved: float", "new_velocity: float", "new_sums: float"}, ensemble_compute);
  return true;
}();

}  // namespace
}  // namespace weir
