/*
 * Convolutions of images with few channels, as those of a network's first layer. The inputs under a row of a kernel lie side by side
 * in a padded image, so products read them from there, a row at a time, and no columns are made. Work goes in
 * bands of lines; kernels have the layout of columns-convolution.h.
 */
#pragma once

#include <algorithm>
#include <mutex>

#include "columns-convolution.h"
#include "kernel-gradient.h"

namespace weir {

/* ---- bands of lines ---- */

/* The input of so many lines of one image's output, with its padding, float32. */
struct Band {
  Geometry g;
  int64_t lines; /* of output */

  explicit Band(const Geometry& of) : g(of), lines(std::min(of.down(), std::max<int64_t>(1, 1024 / of.across()))) {}
  int64_t an_image() const { return (g.down() + lines - 1) / lines; }
  int64_t all() const { return g.n * an_image(); }
  int64_t first(int64_t band) const { return band % an_image() * lines; }
  int64_t count(int64_t band) const { return std::min(lines, g.down() - first(band)); }
  int64_t pixel(int64_t band) const { return (band / an_image() * g.down() + first(band)) * g.across(); } /* of output */
  int64_t seen() const { return g.size * g.in; } /* side by side, by a row of the kernel */
  int64_t row() const { return (g.width + g.size - 1) * g.in; }
  int64_t size() const { return ((lines - 1) * g.stride + g.size) * row() + channels; }
};

static inline int64_t around(int64_t at, int64_t length) { return (at % length + length) % length; }

struct PadBand {
  Band b;
  const void* images;
  int64_t band;
  float* to;
};

template <typename T>
static ALWAYS void pad_band(const void* job, int64_t begin, int64_t end) {
  const PadBand* p = static_cast<const PadBand*>(job);
  const Geometry& g = p->b.g;
  const int64_t half = g.size / 2, width = g.width * g.in;
  const T* image = static_cast<const T*>(p->images) + p->band / p->b.an_image() * g.height * width;
  for (int64_t i = begin; i < end; i++) {
    float* to = p->to + i * p->b.row();
    const int64_t y = p->b.first(p->band) * g.stride + i - half;
    if (!g.circular && (y < 0 || y >= g.height)) {
      std::memset(to, 0, static_cast<size_t>(p->b.row()) * sizeof(float));
      continue;
    }
    const T* from = image + around(y, g.height) * width;
    float* inside = to + half * g.in;
    for (int64_t c = 0; c < width; c += channels) write(inside + c, read(from + c, width - c), width - c);
    for (int64_t x = 0; x < half; x++)
      for (int64_t c = 0; c < g.in; c++) {
        const int64_t before = around(x - half, g.width), after = around(g.width + x, g.width);
        to[x * g.in + c] = g.circular ? inside[before * g.in + c] : 0;
        inside[width + x * g.in + c] = g.circular ? inside[after * g.in + c] : 0;
      }
  }
}
STEP(pad_band)

static inline void pad(const Band& b, bool bfloat16, const void* images, int64_t band, float* to) {
  const PadBand job = {b, images, band, to};
  pad_band_of(bfloat16)(&job, 0, (b.count(band) - 1) * b.g.stride + b.g.size);
}

/* ---- forward ---- */

struct PaddedForward {
  Band b;
  const void* x;
  const float *kernel, *bias;
  const void* residual;
  void* y;
  bool rectify, bfloat16;
};

static void convolve_bands(const void* job, int64_t begin, int64_t end) {
  const PaddedForward* p = static_cast<const PaddedForward*>(job);
  const Band& b = p->b;
  const Geometry& g = b.g;
  const int64_t columns = processor().columns, width = panelled(g.out), size = p->bfloat16 ? sizeof(Bfloat16) : sizeof(float);
  float* padded = own_scratch().floats(b.size() + b.lines * g.across() * width);
  for (int64_t band = begin; band < end; band++) {
    pad(b, p->bfloat16, p->x, band, padded);
    const int64_t at = b.pixel(band) * g.out * size;
    const bool kept = !p->bfloat16 && width == g.out;
    float* sums = kept ? reinterpret_cast<float*>(static_cast<char*>(p->y) + at) : padded + b.size();
    for (int64_t line = 0; line < b.count(band); line++)
      for (int64_t to = 0; to < width; to += columns)
        for (int64_t r = 0; r < g.size; r++)
          processor().multiply({padded + (line * g.stride + r) * b.row(), g.stride * g.in, 1,
                                p->kernel + to * g.taps() + r * b.seen() * columns, columns,
                                sums + line * g.across() * width + to, width, g.across(), b.seen(), r > 0});
    if (kept && p->bias == nullptr && p->residual == nullptr && !p->rectify) continue;
    const Finish out = {sums, width, g.out, g.out, static_cast<char*>(p->y) + at, p->bias,
                        p->residual == nullptr ? nullptr : static_cast<const char*>(p->residual) + at, p->rectify};
    finish_rows_of(p->bfloat16)(&out, 0, b.count(band) * g.across());
  }
}

/* ---- the gradient with respect to the kernel ---- */

struct PaddedGradient {
  Band b;
  const void *x, *dy;
  bool bfloat16;
  int64_t parts;
  float* sums; /* by part, a run of bands: [taps, panelled width] */
};

static void gradient_bands(const void* job, int64_t begin, int64_t end) {
  const PaddedGradient* p = static_cast<const PaddedGradient*>(job);
  const Band& b = p->b;
  const Geometry& g = b.g;
  const int64_t columns = processor().columns, width = panelled(g.out), size = p->bfloat16 ? sizeof(Bfloat16) : sizeof(float);
  float* padded = own_scratch().floats(b.size() + b.lines * g.across() * width);
  for (int64_t part = begin; part < end; part++) {
    float* sums = p->sums + part * g.taps() * width;
    const int64_t from = b.all() * part / p->parts, to = b.all() * (part + 1) / p->parts;
    for (int64_t band = from; band < to; band++) {
      pad(b, p->bfloat16, p->x, band, padded);
      const char* dy = static_cast<const char*>(p->dy) + b.pixel(band) * g.out * size;
      const float* gradients = reinterpret_cast<const float*>(dy);
      if (p->bfloat16 || width != g.out) {
        const Copy in = {dy, g.out, padded + b.size(), width};
        copy_rows_of(p->bfloat16)(&in, 0, b.count(band) * g.across());
        gradients = padded + b.size();
      }
      for (int64_t line = 0; line < b.count(band); line++)
        for (int64_t at = 0; at < width; at += columns)
          for (int64_t r = 0; r < g.size; r++)
            processor().multiply({padded + (line * g.stride + r) * b.row(), 1, g.stride * g.in,
                                  gradients + line * g.across() * width + at, width, sums + r * b.seen() * width + at, width,
                                  b.seen(), g.across(), band > from || line > 0});
    }
  }
}

/* ---- whole convolutions ---- */

class Padded {
 public:
  static bool takes(const Geometry& g) { return g.size > 1 && g.in < channels; }

  void convolve(const Geometry& g, bool bfloat16, const void* x, const float* kernel, void* y, const float* bias,
                const void* residual, bool rectify) {
    const PaddedForward job = {Band(g), x, kernel, bias, residual, y, rectify, bfloat16};
    pool.run(job.b.all(), 1, convolve_bands, &job);
  }

  void gradient(const Geometry& g, bool bfloat16, const void* x, const void* dy, float* gradient) {
    std::lock_guard<std::mutex> alone(one_);
    const int64_t width = panelled(g.out), part = g.taps() * width;
    PaddedGradient job = {Band(g), x, dy, bfloat16, 1, nullptr};
    job.parts = std::min<int64_t>(16, job.b.all());
    job.sums = sums_.floats(job.parts * part);
    pool.run(job.parts, 1, gradient_bands, &job);
    const AddParts last = {job.sums, job.parts, part, width, g.out, gradient};
    pool.run(g.taps(), 16, add_parts, &last);
  }

 private:
  std::mutex one_;
  Scratch sums_;
};

}  // namespace weir
