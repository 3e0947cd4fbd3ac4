/*
 * Convolutions of any odd size and stride over images of [n, height, width, in], float32 or bfloat16, padded on each side by half
 * the kernel with opposite pixels or zeros. The inputs of each output are copied to a row of `columns`, and the rows are multiplied by
 * the kernel, in float32. The order of every sum is fixed, so results do not depend on the threads.
 */
#pragma once

#include <algorithm>

#include "gemm.h"
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

/* The pixel of the image under tap (r, s) of the output at `pixel`; -1 outside. */
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
  int64_t row;       /* numbers from one to the next */
  int64_t tap, taps; /* places of the kernel, from which and how many */
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
    for (int64_t tap = p->tap; tap < p->tap + p->taps; tap++, to += g.in) {
      const int64_t at = source(g, pixel % each, tap / g.size, tap % g.size);
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

/* Backward: the rows of one image's outputs are added to the pixels that they were copied from. */
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
  int64_t row, depth, width; /* numbers from one row of sums to the next, and of what is written; and how many of them */
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
      const int64_t count = p->width - c, at = i * p->depth + c;
      Channels value = read(p->sums + i * p->row + c, count);
      if (p->bias != nullptr) value += read(p->bias + c, count);
      if (p->residual != nullptr) value += read(static_cast<const T*>(p->residual) + at, count);
      if (p->rectify) value = rectified(value);
      write(static_cast<T*>(p->to) + at, value, count);
    }
}
STEP(finish_rows)

/* The backward pass of a 1 x 1 kernel at a stride: each sum to its pixel, and zeros to the pixels that the stride skips. */
struct Spread {
  Geometry g; /* of the forward pass */
  const float* sums;
  int64_t row, width, first, column; /* the first pixel of all outputs and the first channel */
  void* dx;
};

template <typename T>
static ALWAYS void spread_rows(const void* job, int64_t begin, int64_t end) {
  const Spread p = *static_cast<const Spread*>(job);
  const Geometry& g = p.g;
  for (int64_t i = begin; i < end; i++) {
    const int64_t line = (p.first + i) / g.across(), top = line % g.down() * g.stride;
    const int64_t left = (p.first + i) % g.across() * g.stride;
    T* image = static_cast<T*>(p.dx) + line / g.down() * g.height * g.width * g.in + p.column;
    for (int64_t y = top; y < std::min(top + g.stride, g.height); y++)
      for (int64_t x = left; x < std::min(left + g.stride, g.width); x++) {
        const bool seen = y == top && x == left;
        T* to = image + (y * g.width + x) * g.in;
        for (int64_t c = 0; c < p.width; c += channels)
          write(to + c, seen ? read(p.sums + i * p.row + c, p.width - c) : Channels{}, p.width - c);
      }
  }
}
STEP(spread_rows)

/* rows [count, length] by a kernel in panels, [panels][length][columns], to [count, panelled width]. */
static inline void multiply_rows(const float* rows, int64_t row, int64_t count, int64_t length, const float* kernel,
                                 int64_t width, float* to) {
  const int64_t columns = processor().columns;
  for (int64_t at = 0; at < width; at += columns)
    processor().multiply({rows, row, 1, kernel + at * length, columns, to + at, width, count, length, false});
}

/*
 * Products go by stretches of k, so that a panel's stretch stays in the first cache and the rows' in the second. A sum that is kept
 * in memory between stretches has the same bits as in a register.
 */
constexpr int64_t stretch = 256;

struct Forward {
  Geometry g;
  const void* x;
  const float *kernel, *bias;
  const void* residual;
  void* y;
  bool rectify, bfloat16;
  int64_t slab, slabs;    /* output pixels of a slab, and the number of slabs */
  int64_t panels, groups; /* of the kernel, likewise */
  const Geometry* behind; /* for the backward pass of a 1 x 1 kernel the forward geometry; else null */

  /* Whether each row of x is the input of its output, and sums can be written to y. */
  bool rows_as_they_are() const { return !bfloat16 && g.size == 1 && g.stride == 1; }
  bool sums_as_they_are() const { return !bfloat16 && panelled(g.out) == g.out && (behind == nullptr || behind->stride == 1); }
  int64_t taps_at_once() const { return std::min(g.size * g.size, std::max<int64_t>(1, 4 * stretch / g.in)); }
};

/* Items are a slab of pixels for a group of panels. */
static void convolve_pixels(const void* job, int64_t begin, int64_t end) {
  const Forward* f = static_cast<const Forward*>(job);
  const Geometry& g = f->g;
  const int64_t size = f->bfloat16 ? sizeof(Bfloat16) : sizeof(float), columns = processor().columns;
  const int64_t width = f->panels * columns, most = f->taps_at_once() * g.in;
  float* memory = own_scratch().floats(f->slab * (width + most));
  for (int64_t item = begin; item < end; item++) {
    const int64_t first = item / f->groups * f->slab, count = std::min(f->slab, g.pixels() - first);
    const int64_t column = item % f->groups * width, some = std::min(width, panelled(g.out) - column);
    if (count <= 0 || some <= 0) continue;
    const int64_t at = (first * g.out + column) * size;
    const bool kept = f->sums_as_they_are();
    float* sums = kept ? reinterpret_cast<float*>(static_cast<char*>(f->y) + at) : memory;
    const int64_t row = kept ? g.out : width;
    for (int64_t tap = 0; tap < g.size * g.size; tap += f->taps_at_once()) {
      const int64_t taps = std::min(f->taps_at_once(), g.size * g.size - tap), length = taps * g.in;
      const float* rows = memory + f->slab * width;
      if (f->rows_as_they_are()) {
        rows = static_cast<const float*>(f->x) + first * g.in;
      } else {
        const ToRows into = {g, f->x, first, memory + f->slab * width, length, tap, taps};
        images_to_rows_of(f->bfloat16)(&into, 0, count);
      }
      for (int64_t k = 0; k < length; k += stretch)
        for (int64_t to = 0; to < some; to += columns)
          processor().multiply({rows + k, length, 1, f->kernel + (column + to) * g.taps() + (tap * g.in + k) * columns, columns,
                                sums + to, row, count, std::min(stretch, length - k), tap + k > 0});
    }
    if (!kept && f->behind != nullptr) {
      const Spread out = {*f->behind, sums, row, std::min(some, g.out - column), first, column, f->y};
      spread_rows_of(f->bfloat16)(&out, 0, count);
      continue;
    }
    if (kept && f->bias == nullptr && f->residual == nullptr && !f->rectify) continue;
    const Finish out = {sums, row, g.out, std::min(some, g.out - column), static_cast<char*>(f->y) + at,
                        f->bias == nullptr ? nullptr : f->bias + column,
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

struct Pack {
  const float* kernel; /* [taps, out] */
  int64_t taps, out;
  bool transposed;
  float* to;
};

/* A transposed block's rows come from its columns, 16 by 16: both sides are then read and written in runs. */
static ALWAYS void transpose_block(const float* from, int64_t row, int64_t rows, int64_t width, float* to, int64_t to_row) {
  Channels block[channels] = {};
  for (int64_t j = 0; j < rows; j++) {
    const Channels some = read(from + j * row, width);
    for (int64_t k = 0; k < channels; k++) reinterpret_cast<float*>(&block[k])[j] = some[k];
  }
  for (int64_t k = 0; k < std::min(width, channels); k++) write(to + k * to_row, block[k], rows);
}

/* Items are panels. */
EVERY_CPU static void pack_panels(const void* job, int64_t begin, int64_t end) {
  const Pack* p = static_cast<const Pack*>(job);
  const int64_t columns = processor().columns, length = p->transposed ? p->out : p->taps;
  const int64_t width = p->transposed ? p->taps : p->out;
  for (int64_t panel = begin; panel < end; panel++) {
    float* to = p->to + panel * length * columns;
    const int64_t first = panel * columns, count = std::min(columns, width - first);
    if (count < columns) std::memset(to, 0, static_cast<size_t>(length * columns) * sizeof(float));
    if (p->transposed) {
      for (int64_t k = 0; k < length; k += channels)
        for (int64_t j = 0; j < count; j += channels)
          transpose_block(p->kernel + (first + j) * p->out + k, p->out, std::min(channels, count - j), length - k,
                          to + k * columns + j, columns);
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
    Forward job = {g, x, kernel, bias, residual, y, rectify, bfloat16, 0, 0, 0, 0, nullptr};
    run(&job);
  }

  void back(const Geometry& g, bool bfloat16, const void* dy, const float* kernel, void* dx) {
    if (g.size == 1) {
      const Geometry turned = {g.n, g.down(), g.across(), g.out, g.in, 1, 1, g.circular};
      Forward job = {turned, dy, kernel, nullptr, nullptr, dx, false, bfloat16, 0, 0, 0, 0, &g};
      return run(&job);
    }
    const int64_t group = std::max<int64_t>(1, 64 / (g.down() * g.across()));
    const Backward job = {g, dy, kernel, dx, bfloat16, group};
    pool.run((g.n + group - 1) / group, 1, convolve_back, &job);
  }

 private:
  /* Pixels go in slabs of about equal size; where there are few, the kernel's panels are divided too. */
  static void run(Forward* job) {
    const Geometry& g = job->g;
    const int64_t panels = panelled(g.out) / processor().columns;
    job->slabs = (g.pixels() + 255) / 256;
    job->slab = ((g.pixels() + job->slabs - 1) / job->slabs + 7) / 8 * 8;
    job->groups = std::min(panels, std::max((panelled(g.out) + 511) / 512, (15 + job->slabs) / job->slabs));
    job->panels = (panels + job->groups - 1) / job->groups;
    pool.run(job->slabs * job->groups, 1, convolve_pixels, job);
  }
};

}  // namespace weir
