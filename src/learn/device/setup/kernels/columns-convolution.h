/*
 * Convolutions of any odd size and stride over images of [n, height, width, in], float32 or bfloat16, padded on each side by half
 * the kernel with opposite pixels or zeros: what each output sees is copied to a row of `columns`, and the rows are multiplied by
 * the kernel, in float32. Every number is computed in an order of its own, so results do not depend on the threads.
 */
#pragma once

#include <algorithm>
#include <mutex>

#include "gemm.h"
#include "scratch.h"
#include "vectors.h"

namespace weir {

struct Geometry {
  int64_t n, height, width, in, out, size, stride;
  bool circular;
  int64_t down() const { return (height - 1) / stride + 1; }
  int64_t across() const { return (width - 1) / stride + 1; }
  int64_t pixels() const { return n * down() * across(); }
  int64_t taps() const { return size * size * in; }
};

static inline int64_t panelled(int64_t width) {
  const int64_t columns = processor().columns;
  return (width + columns - 1) / columns * columns;
}

/* Where tap (r, s) of the output at `pixel` of its image lies among the image's pixels; -1 outside. */
static inline int64_t source(const Geometry& g, int64_t pixel, int64_t r, int64_t s) {
  int64_t y = pixel / g.across() * g.stride + r - g.size / 2, x = pixel % g.across() * g.stride + s - g.size / 2;
  if (g.circular) {
    y = (y % g.height + g.height) % g.height;
    x = (x % g.width + g.width) % g.width;
  }
  return y < 0 || y >= g.height || x < 0 || x >= g.width ? -1 : y * g.width + x;
}

/* ---- rows ---- */

struct ToRows {
  Geometry g;
  const void* images;
  int64_t first; /* output pixel of all images */
  float* rows;
  int64_t row; /* numbers from one to the next */
};

template <typename T>
static ALWAYS void images_to_rows(const void* job, int64_t begin, int64_t end) {
  const ToRows* p = static_cast<const ToRows*>(job);
  const Geometry& g = p->g;
  const int64_t each = g.down() * g.across();
  for (int64_t i = begin; i < end; i++) {
    const int64_t pixel = p->first + i;
    const T* image = static_cast<const T*>(p->images) + pixel / each * g.height * g.width * g.in;
    float* to = p->rows + i * p->row;
    for (int64_t r = 0; r < g.size; r++)
      for (int64_t s = 0; s < g.size; s++, to += g.in) {
        const int64_t at = source(g, pixel % each, r, s);
        for (int64_t c = 0; c < g.in; c += channels)
          write(to + c, at < 0 ? Channels{} : read(image + at * g.in + c, g.in - c), g.in - c);
      }
  }
}
STEP(images_to_rows)

/* Rows of `width` numbers as they are, to float32. */
struct Copy {
  const void* from;
  int64_t width;
  float* to;
  int64_t row;
};

template <typename T>
static ALWAYS void copy_rows(const void* job, int64_t begin, int64_t end) {
  const Copy* p = static_cast<const Copy*>(job);
  for (int64_t i = begin; i < end; i++)
    for (int64_t c = 0; c < p->width; c += channels)
      write(p->to + i * p->row + c, read(static_cast<const T*>(p->from) + i * p->width + c, p->width - c), p->width - c);
}
STEP(copy_rows)

/* Back: what the rows of one image's outputs hold is added where it came from. */
struct FromRows {
  Geometry g;
  const float* rows;
  int64_t row;
  float* sums; /* of one image, float32 */
  void* image;
};

template <typename T>
static ALWAYS void rows_to_image(const void* job, int64_t, int64_t) {
  const FromRows* p = static_cast<const FromRows*>(job);
  const Geometry& g = p->g;
  std::memset(p->sums, 0, static_cast<size_t>(g.height * g.width * g.in) * sizeof(float));
  for (int64_t pixel = 0; pixel < g.down() * g.across(); pixel++) {
    const float* from = p->rows + pixel * p->row;
    for (int64_t r = 0; r < g.size; r++)
      for (int64_t s = 0; s < g.size; s++, from += g.in) {
        const int64_t at = source(g, pixel, r, s);
        if (at < 0) continue;
        float* to = p->sums + at * g.in;
        for (int64_t c = 0; c < g.in; c += channels)
          write(to + c, read(to + c, g.in - c) + read(from + c, g.in - c), g.in - c);
      }
  }
  T* image = static_cast<T*>(p->image);
  const int64_t size = g.height * g.width * g.in;
  for (int64_t i = 0; i < size; i += channels) write(image + i, read(p->sums + i, size - i), size - i);
}
STEP(rows_to_image)

/* ---- products ---- */

struct Finish {
  const float* sums;
  int64_t row, width;
  void* to;
  const float* bias; /* null where there is none, as the next */
  const void* residual;
  bool rectify;
};

template <typename T>
static ALWAYS void finish_rows(const void* job, int64_t begin, int64_t end) {
  const Finish* p = static_cast<const Finish*>(job);
  for (int64_t i = begin; i < end; i++)
    for (int64_t c = 0; c < p->width; c += channels) {
      const int64_t count = p->width - c, at = i * p->width + c;
      Channels value = read(p->sums + i * p->row + c, count);
      if (p->bias != nullptr) value += read(p->bias + c, count);
      if (p->residual != nullptr) value += read(static_cast<const T*>(p->residual) + at, count);
      if (p->rectify) value = rectified(value);
      write(static_cast<T*>(p->to) + at, value, count);
    }
}
STEP(finish_rows)

/* rows [count, length] by a kernel in panels, [panels][length][columns], to [count, panelled width]. */
static inline void multiply_rows(const float* rows, int64_t row, int64_t count, int64_t length, const float* kernel,
                                 int64_t width, float* to) {
  const int64_t columns = processor().columns;
  for (int64_t at = 0; at < width; at += columns)
    processor().multiply({rows, row, 1, kernel + at * length, columns, to + at, width, count, length, false});
}

struct Forward {
  Geometry g;
  const void* x;
  const float *kernel, *bias;
  const void* residual;
  void* y;
  bool rectify, bfloat16;
  int64_t slab; /* output pixels */
};

static void convolve_pixels(const void* job, int64_t begin, int64_t end) {
  const Forward* f = static_cast<const Forward*>(job);
  const int64_t taps = f->g.taps(), width = panelled(f->g.out), size = f->bfloat16 ? sizeof(Bfloat16) : sizeof(float);
  float* rows = own_scratch().floats(f->slab * (taps + width));
  float* sums = rows + f->slab * taps;
  for (int64_t index = begin; index < end; index++) {
    const int64_t first = index * f->slab, count = std::min(f->slab, f->g.pixels() - first);
    const ToRows into = {f->g, f->x, first, rows, taps};
    images_to_rows_of(f->bfloat16)(&into, 0, count);
    multiply_rows(rows, taps, count, taps, f->kernel, width, sums);
    const int64_t at = first * f->g.out * size;
    const Finish out = {sums, width, f->g.out, static_cast<char*>(f->y) + at, f->bias,
                        f->residual == nullptr ? nullptr : static_cast<const char*>(f->residual) + at, f->rectify};
    finish_rows_of(f->bfloat16)(&out, 0, count);
  }
}

struct Backward {
  Geometry g;
  const void* dy;
  const float* kernel; /* transposed: panels over taps, each [out][columns] */
  void* dx;
  bool bfloat16;
  int64_t group; /* images */
};

static void convolve_back(const void* job, int64_t begin, int64_t end) {
  const Backward* b = static_cast<const Backward*>(job);
  const Geometry& g = b->g;
  const int64_t each = g.down() * g.across(), width = panelled(g.taps());
  const int64_t size = b->bfloat16 ? sizeof(Bfloat16) : sizeof(float), pixels = g.height * g.width * g.in;
  float* from = own_scratch().floats(b->group * each * (g.out + width) + pixels);
  float* rows = from + b->group * each * g.out;
  for (int64_t index = begin; index < end; index++) {
    const int64_t first = index * b->group, count = std::min(b->group, g.n - first);
    const Copy in = {static_cast<const char*>(b->dy) + first * each * g.out * size, g.out, from, g.out};
    copy_rows_of(b->bfloat16)(&in, 0, count * each);
    multiply_rows(from, g.out, count * each, g.out, b->kernel, width, rows);
    for (int64_t i = 0; i < count; i++) {
      const FromRows out = {g, rows + i * each * width, width, rows + b->group * each * width,
                            static_cast<char*>(b->dx) + (first + i) * pixels * size};
      rows_to_image_of(b->bfloat16)(&out, 0, 1);
    }
  }
}

struct GatherRows {
  const float *rows, *dy; /* [count, taps], [count, width] */
  float* sums;            /* [taps, width] */
  int64_t taps, width, count, block;
  bool add;
};

static void gather_rows(const void* job, int64_t begin, int64_t end) {
  const GatherRows* p = static_cast<const GatherRows*>(job);
  for (int64_t item = begin; item < end; item++) {
    const int64_t first = item * p->block;
    for (int64_t at = 0; at < p->width; at += processor().columns)
      processor().multiply({p->rows + first, 1, p->taps, p->dy + at, p->width, p->sums + first * p->width + at, p->width,
                            std::min(p->block, p->taps - first), p->count, p->add});
  }
}

struct Pack {
  const float* kernel; /* [taps, out] */
  int64_t taps, out;
  bool transposed;
  float* to;
};

/* Items are panels. */
static void pack_panels(const void* job, int64_t begin, int64_t end) {
  const Pack* p = static_cast<const Pack*>(job);
  const int64_t columns = processor().columns, length = p->transposed ? p->out : p->taps;
  const int64_t width = p->transposed ? p->taps : p->out;
  for (int64_t panel = begin; panel < end; panel++) {
    float* to = p->to + panel * length * columns;
    const int64_t first = panel * columns, count = std::min(columns, width - first);
    if (count < columns) std::memset(to, 0, static_cast<size_t>(length * columns) * sizeof(float));
    if (p->transposed) {
      for (int64_t j = 0; j < count; j++)
        for (int64_t k = 0; k < length; k++) to[k * columns + j] = p->kernel[(first + j) * p->out + k];
    } else {
      for (int64_t k = 0; k < length; k++)
        std::memcpy(to + k * columns, p->kernel + k * p->out + first, static_cast<size_t>(count) * sizeof(float));
    }
  }
}

/* ---- whole convolutions ---- */

class Columns {
 public:
  static int64_t packed(const Geometry& g, bool transposed) {
    return transposed ? panelled(g.taps()) * g.out : panelled(g.out) * g.taps();
  }

  void pack(const float* kernel, const Geometry& g, bool transposed, float* to) {
    const Pack job = {kernel, g.taps(), g.out, transposed, to};
    pool.run(panelled(transposed ? g.taps() : g.out) / processor().columns, 1, pack_panels, &job);
  }

  void convolve(const Geometry& g, bool bfloat16, const void* x, const float* kernel, void* y, const float* bias,
                const void* residual, bool rectify) {
    const int64_t slab = std::min<int64_t>(512, std::max<int64_t>(16, (1 << 16) / g.taps() / 8 * 8));
    const Forward job = {g, x, kernel, bias, residual, y, rectify, bfloat16, slab};
    pool.run((g.pixels() + slab - 1) / slab, 1, convolve_pixels, &job);
  }

  void back(const Geometry& g, bool bfloat16, const void* dy, const float* kernel, void* dx) {
    const int64_t group = std::max<int64_t>(1, 64 / (g.down() * g.across()));
    const Backward job = {g, dy, kernel, dx, bfloat16, group};
    pool.run((g.n + group - 1) / group, 1, convolve_back, &job);
  }

  void gradient(const Geometry& g, bool bfloat16, const void* x, const void* dy, float* gradient) {
    std::lock_guard<std::mutex> alone(one_);
    const int64_t taps = g.taps(), width = panelled(g.out);
    const int64_t slab = std::min(g.pixels(), std::max<int64_t>(64, (1 << 20) / (taps + width)));
    const int64_t size = bfloat16 ? sizeof(Bfloat16) : sizeof(float);
    float* rows = memory_.floats(slab * (taps + width) + taps * width);
    float *to = rows + slab * taps, *sums = to + slab * width;
    for (int64_t first = 0; first < g.pixels(); first += slab) {
      const int64_t count = std::min(slab, g.pixels() - first);
      const ToRows into = {g, x, first, rows, taps};
      pool.run(count, 16, images_to_rows_of(bfloat16), &into);
      const Copy in = {static_cast<const char*>(dy) + first * g.out * size, g.out, to, width};
      pool.run(count, 64, copy_rows_of(bfloat16), &in);
      const int64_t block = taps < 256 ? 16 : 64;
      const GatherRows products = {rows, to, sums, taps, width, count, block, first > 0};
      pool.run((taps + block - 1) / block, 1, gather_rows, &products);
    }
    for (int64_t i = 0; i < taps; i++)
      std::memcpy(gradient + i * g.out, sums + i * width, static_cast<size_t>(g.out) * sizeof(float));
  }

 private:
  std::mutex one_;
  Scratch memory_;
};

}  // namespace weir
