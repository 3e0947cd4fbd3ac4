/*
 * 3 x 3 convolutions at stride 1 over images of [n, height, width, channels], float32 or bfloat16, with the padding that keeps
 * their size: opposite pixels or zeros. Channels are multiples of 16. Winograd's transforms (winograd.h), and between them 36
 * products of matrices, in float32.
 *
 * Work goes in slabs of tiles that stay in the processor's cache. The order of every sum is fixed, so results do not depend on the
 * threads.
 */
#pragma once

#include <algorithm>
#include <mutex>

#include "gemm.h"
#include "winograd.h"

namespace weir {

constexpr int64_t points = 36; /* of a transformed tile */
constexpr int64_t tile_size = 4;

struct Images {
  int64_t n, height, width;
  bool circular;
  int64_t down() const { return (height + tile_size - 1) / tile_size; }
  int64_t across() const { return (width + tile_size - 1) / tile_size; }
  int64_t tiles() const { return n * down() * across(); }
};

/* Transformed tiles of a slab: plane k of 36 holds a row of channels a tile. Rows and planes are spread over the cache's sets. */
struct Planes {
  float* at;
  int64_t row, plane;
  static int64_t row_of(int64_t width) { return width + (width % 256 == 0 ? 16 : 0); }
  static Planes of(float* at, int64_t rows, int64_t width) { return {at, row_of(width), rows * row_of(width) + 48}; }
  static int64_t size(int64_t rows, int64_t width) { return points * (rows * row_of(width) + 48); }
};

struct Slab {
  Images images;
  int64_t first, count; /* tiles */
};

/* ---- tiles of images to planes ---- */

struct ToPlanes {
  Slab slab;
  const void* images;
  int64_t depth; /* channels */
  Planes to;
};

/* The rows and columns of tile t in an image, from `start` on; -1 outside. */
static inline void place(const Images& g, int64_t t, int64_t start, int count, bool wraps, int64_t* rows, int64_t* columns,
                         int64_t* image) {
  const int64_t each = g.down() * g.across();
  *image = t / each;
  const int64_t y = t % each / g.across() * tile_size + start, x = t % g.across() * tile_size + start;
  for (int r = 0; r < count; r++) {
    rows[r] = wraps ? (y + r + g.height) % g.height : y + r < 0 || y + r >= g.height ? -1 : y + r;
    columns[r] = wraps ? (x + r + g.width) % g.width : x + r < 0 || x + r >= g.width ? -1 : x + r;
  }
}

template <typename T>
static ALWAYS void input_to_planes(const void* job, int64_t begin, int64_t end) {
  const ToPlanes* p = static_cast<const ToPlanes*>(job);
  const Images& g = p->slab.images;
  int64_t rows[6], columns[6], image;
  Channels d[36], half[36];
  for (int64_t t = begin; t < end; t++) {
    place(g, p->slab.first + t, -1, 6, g.circular, rows, columns, &image);
    const T* from = static_cast<const T*>(p->images) + image * g.height * g.width * p->depth;
    for (int64_t c = 0; c < p->depth; c += channels) {
      for (int r = 0; r < 6; r++)
        for (int s = 0; s < 6; s++)
          d[r * 6 + s] = rows[r] < 0 || columns[s] < 0 ? Channels{}
                                                       : read(from + (rows[r] * g.width + columns[s]) * p->depth + c);
      for (int s = 0; s < 6; s++) of_input(d + s, 6, half + s, 6);
      for (int r = 0; r < 6; r++) of_input(half + r * 6, 1, d + r * 6, 1);
      float* to = p->to.at + t * p->to.row + c;
      for (int k = 0; k < points; k++) write(to + k * p->to.plane, d[k]);
    }
  }
}

template <typename T>
static ALWAYS void gradient_to_planes(const void* job, int64_t begin, int64_t end) {
  const ToPlanes* p = static_cast<const ToPlanes*>(job);
  const Images& g = p->slab.images;
  int64_t rows[4], columns[4], image;
  Channels d[16], half[24], whole[36];
  for (int64_t t = begin; t < end; t++) {
    place(g, p->slab.first + t, 0, 4, false, rows, columns, &image);
    const T* from = static_cast<const T*>(p->images) + image * g.height * g.width * p->depth;
    for (int64_t c = 0; c < p->depth; c += channels) {
      for (int r = 0; r < 4; r++)
        for (int s = 0; s < 4; s++)
          d[r * 4 + s] = rows[r] < 0 || columns[s] < 0 ? Channels{}
                                                       : read(from + (rows[r] * g.width + columns[s]) * p->depth + c);
      for (int s = 0; s < 4; s++) of_gradient(d + s, 4, half + s, 4);
      for (int r = 0; r < 6; r++) of_gradient(half + r * 4, 1, whole + r * 6, 1);
      float* to = p->to.at + t * p->to.row + c;
      for (int k = 0; k < points; k++) write(to + k * p->to.plane, whole[k]);
    }
  }
}

STEP(input_to_planes)
STEP(gradient_to_planes)

/* ---- planes to tiles of images ---- */

struct FromPlanes {
  Slab slab;
  Planes from;
  void* images;
  int64_t depth;
  const float* bias; /* null where there is none, as the next */
  const void* residual;
  bool rectify;
};

template <typename T>
static ALWAYS void output_from_planes(const void* job, int64_t begin, int64_t end) {
  const FromPlanes* p = static_cast<const FromPlanes*>(job);
  const Images& g = p->slab.images;
  int64_t rows[4], columns[4], image;
  Channels m[36], half[24], y[16];
  for (int64_t t = begin; t < end; t++) {
    place(g, p->slab.first + t, 0, 4, false, rows, columns, &image);
    for (int64_t c = 0; c < p->depth; c += channels) {
      const float* from = p->from.at + t * p->from.row + c;
      for (int k = 0; k < points; k++) m[k] = read(from + k * p->from.plane);
      for (int s = 0; s < 6; s++) of_output(m + s, 6, half + s, 6);
      for (int r = 0; r < 4; r++) of_output(half + r * 6, 1, y + r * 4, 1);
      const Channels bias = p->bias == nullptr ? Channels{} : read(p->bias + c);
      for (int r = 0; r < 4; r++)
        for (int s = 0; s < 4; s++) {
          if (rows[r] < 0 || columns[s] < 0) continue;
          const int64_t at = ((image * g.height + rows[r]) * g.width + columns[s]) * p->depth + c;
          Channels value = y[r * 4 + s] + bias;
          if (p->residual != nullptr) value += read(static_cast<const T*>(p->residual) + at);
          if (p->rectify) value = rectified(value);
          write(static_cast<T*>(p->images) + at, value);
        }
    }
  }
}

STEP(output_from_planes)

/* ---- kernels ---- */

/* A transformed kernel lies in panels of the processor's columns: [36][panels][from][columns], the last panel filled with zeros. */
struct Kernel {
  int64_t from, to; /* channels */
  int64_t columns() const { return processor().columns; }
  int64_t panels() const { return (to + columns() - 1) / columns(); }
  int64_t panel() const { return from * columns(); }
  int64_t plane() const { return panels() * panel() + 48; } /* planes spread over the cache's sets */
  int64_t size() const { return points * plane(); }
  int64_t width() const { return panels() * columns(); }
};

struct TransformKernel {
  const float* kernel; /* HWIO: [3, 3, in, out] */
  int64_t in, out;
  bool transposed; /* from `out` to `in`, turned by half: what takes gradients back */
  Kernel shape;
  float* to;
};

/* Items are blocks of 16 input channels. */
EVERY_CPU static void transform_kernel(const void* job, int64_t begin, int64_t end) {
  const TransformKernel* p = static_cast<const TransformKernel*>(job);
  const Kernel& shape = p->shape;
  const int64_t columns = shape.columns();
  Channels block[9][channels], g[9], half[18], u[36];
  for (int64_t from = begin * channels; from < end * channels; from += channels)
    for (int64_t to = 0; to < shape.to; to += channels) {
      for (int tap = 0; tap < 9; tap++)
        for (int64_t i = 0; i < channels; i++) {
          if (!p->transposed) {
            block[tap][i] = read(p->kernel + (tap * p->in + from + i) * p->out + to);
          } else {
            const Channels row = read(p->kernel + ((8 - tap) * p->in + to + i) * p->out + from);
            for (int64_t j = 0; j < channels; j++) reinterpret_cast<float*>(&block[tap][j])[i] = row[j];
          }
        }
      for (int64_t i = 0; i < channels; i++) {
        for (int tap = 0; tap < 9; tap++) g[tap] = block[tap][i];
        for (int s = 0; s < 3; s++) of_kernel(g + s, 3, half + s, 3);
        for (int r = 0; r < 6; r++) of_kernel(half + r * 3, 1, u + r * 6, 1);
        float* into = p->to + to / columns * shape.panel() + (from + i) * columns + to % columns;
        for (int k = 0; k < points; k++) write(into + k * shape.plane(), u[k]);
      }
    }
}

/* ---- products ---- */

struct Multiply {
  Planes a, c;
  const float* kernel;
  Kernel shape;
  int64_t rows, blocks, block; /* blocks of `block` rows a plane */
};

static void multiply_planes(const void* job, int64_t begin, int64_t end) {
  const Multiply* p = static_cast<const Multiply*>(job);
  const int64_t panels = p->shape.panels();
  for (int64_t item = begin; item < end; item++) {
    const int64_t k = item / p->blocks, first = item % p->blocks * p->block;
    for (int64_t panel = 0; panel < panels; panel++)
      processor().multiply({p->a.at + k * p->a.plane + first * p->a.row, p->a.row, 1,
                            p->kernel + k * p->shape.plane() + panel * p->shape.panel(), p->shape.columns(),
                            p->c.at + k * p->c.plane + first * p->c.row + panel * p->shape.columns(), p->c.row,
                            std::min(p->block, p->rows - first), p->shape.from, false});
  }
}

struct Gather {
  Planes a, b; /* of the input and of the gradient */
  float* sums; /* 36 planes of [in][width] */
  int64_t plane, in, width, tiles, block, blocks;
  bool add;
};

static void gather_planes(const void* job, int64_t begin, int64_t end) {
  const Gather* p = static_cast<const Gather*>(job);
  const int64_t columns = processor().columns;
  for (int64_t item = begin; item < end; item++) {
    const int64_t k = item / p->blocks, first = item % p->blocks * p->block;
    for (int64_t at = 0; at < p->width; at += columns)
      processor().multiply({p->a.at + k * p->a.plane + first, 1, p->a.row, p->b.at + k * p->b.plane + at, p->b.row,
                            p->sums + k * p->plane + first * p->width + at, p->width, std::min(p->block, p->in - first),
                            p->tiles, p->add});
  }
}

struct KernelGradient {
  const float* sums; /* in so many parts, `part` numbers each */
  int64_t parts, part, plane, in, out, width;
  float* gradient; /* HWIO */
};

EVERY_CPU static void kernel_gradient(const void* job, int64_t begin, int64_t end) {
  const KernelGradient* p = static_cast<const KernelGradient*>(job);
  Channels u[36], half[18], g[9];
  for (int64_t i = begin; i < end; i++)
    for (int64_t o = 0; o < p->out; o += channels) {
      for (int k = 0; k < points; k++) {
        const float* sum = p->sums + k * p->plane + i * p->width + o;
        u[k] = read(sum);
        for (int64_t part = 1; part < p->parts; part++) u[k] += read(sum + part * p->part);
      }
      for (int s = 0; s < 6; s++) of_kernel_gradient(u + s, 6, half + s, 6);
      for (int r = 0; r < 3; r++) of_kernel_gradient(half + r * 6, 1, g + r * 3, 1);
      for (int tap = 0; tap < 9; tap++) write(p->gradient + (tap * p->in + i) * p->out + o, g[tap]);
    }
}

/* ---- whole convolutions ---- */

/*
 * Where a transformed kernel stays in the cache of one core, each thread takes whole slabs, from transform to transform. Where it
 * is larger, all threads share each slab, with a barrier after each of its three steps.
 */
constexpr int64_t cached = 1 << 20; /* numbers of a kernel */

static inline int64_t tiles_a_slab(int64_t tiles, int64_t width, int64_t floats) {
  return std::min(tiles, std::max<int64_t>(32, floats / (points * width) / 8 * 8));
}

struct Convolve {
  Images images;
  const void* x;
  const float *kernel, *bias;
  const void* residual;
  Kernel shape;
  void* y;
  bool rectify, bfloat16;
  int64_t slab; /* tiles */

  int64_t slabs() const { return (images.tiles() + slab - 1) / slab; }
  int64_t planes() const { return Planes::size(slab, shape.from) + Planes::size(slab, shape.width()); }

  /* One slab; `run(items, chunk, work, job)` does each of its steps. */
  template <typename Run>
  void make(int64_t index, float* memory, Run run) const {
    const Slab at = {images, index * slab, std::min(slab, images.tiles() - index * slab)};
    const Planes v = Planes::of(memory, at.count, shape.from);
    const Planes m = Planes::of(memory + Planes::size(at.count, shape.from), at.count, shape.width());
    const ToPlanes into = {at, x, shape.from, v};
    run(at.count, 4, input_to_planes_of(bfloat16), &into);
    const int64_t block = 128, blocks = (at.count + block - 1) / block;
    const Multiply products = {v, m, kernel, shape, at.count, blocks, block};
    run(points * blocks, 1, multiply_planes, &products);
    const FromPlanes out = {at, m, y, shape.to, bias, residual, rectify};
    run(at.count, 4, output_from_planes_of(bfloat16), &out);
  }
};

struct GradientOf {
  Images images;
  const void *x, *dy;
  bool bfloat16;
  int64_t in, out, width, slab, parts;
  float* sums; /* by part */

  int64_t plane() const { return in * width + 48; }
  int64_t slabs() const { return (images.tiles() + slab - 1) / slab; }
  int64_t planes() const { return Planes::size(slab, in) + Planes::size(slab, width); }

  template <typename Run>
  void add(int64_t index, int64_t part, bool fresh, float* memory, Run run) const {
    const Slab at = {images, index * slab, std::min(slab, images.tiles() - index * slab)};
    const Planes v = Planes::of(memory, at.count, in);
    const Planes m = Planes::of(memory + Planes::size(at.count, in), at.count, width);
    const ToPlanes inputs = {at, x, in, v}, gradients = {at, dy, out, m};
    run(at.count, 4, input_to_planes_of(bfloat16), &inputs);
    run(at.count, 4, gradient_to_planes_of(bfloat16), &gradients);
    const int64_t block = 64, blocks = (in + block - 1) / block;
    const Gather products = {v, m, sums + part * points * plane(), plane(), in, width, at.count, block, blocks, !fresh};
    run(points * blocks, 1, gather_planes, &products);
  }
};

static inline void alone(int64_t items, int64_t, Work work, const void* job) { work(job, 0, items); }
static inline void together(int64_t items, int64_t chunk, Work work, const void* job) {
  pool.run(items, chunk, work, job);
}

static void convolve_slabs(const void* job, int64_t begin, int64_t end) {
  const Convolve* c = static_cast<const Convolve*>(job);
  for (int64_t index = begin; index < end; index++) c->make(index, own_scratch().floats(c->planes()), alone);
}

static void gradient_parts(const void* job, int64_t begin, int64_t end) {
  const GradientOf* g = static_cast<const GradientOf*>(job);
  const int64_t slabs = g->slabs();
  for (int64_t part = begin; part < end; part++)
    for (int64_t i = slabs * part / g->parts, first = i; i < slabs * (part + 1) / g->parts; i++)
      g->add(i, part, i == first, own_scratch().floats(g->planes()), alone);
}

class Winograd {
 public:
  void transform(const float* kernel, int64_t in, int64_t out, bool transposed, float* to) {
    const Kernel shape = transposed ? Kernel{out, in} : Kernel{in, out};
    if (shape.width() != shape.to) std::memset(to, 0, static_cast<size_t>(shape.size()) * sizeof(float));
    const TransformKernel job = {kernel, in, out, transposed, shape, to};
    pool.run(shape.from / channels, 1, transform_kernel, &job);
  }

  void convolve(const Images& images, bool bfloat16, const void* x, const Kernel& shape, const float* kernel, void* y,
                const float* bias, const void* residual, bool rectify) {
    std::lock_guard<std::mutex> alone(one_);
    const int64_t width = shape.from + shape.width(), kernels = shape.size();
    const int64_t slab = tiles_a_slab(images.tiles(), width, kernels <= cached ? 1 << 17 : std::max(cached, kernels));
    const Convolve job = {images, x, kernel, bias, residual, shape, y, rectify, bfloat16, slab};
    if (kernels <= cached) {
      pool.run(job.slabs(), 1, convolve_slabs, &job);
    } else {
      float* memory = planes_.floats(job.planes());
      for (int64_t i = 0; i < job.slabs(); i++) job.make(i, memory, together);
    }
  }

  void gradient(const Images& images, bool bfloat16, const void* x, int64_t in, const void* dy, int64_t out,
                float* gradient) {
    std::lock_guard<std::mutex> alone(one_);
    const int64_t columns = processor().columns, width = (out + columns - 1) / columns * columns;
    const int64_t kernels = points * (in * width + 48);
    const bool small = kernels <= cached;
    const int64_t slab = tiles_a_slab(images.tiles(), in + width, small ? 1 << 17 : std::max(cached, kernels));
    GradientOf job = {images, x, dy, bfloat16, in, out, width, slab, 1, nullptr};
    if (small) job.parts = std::min(job.slabs(), std::max<int64_t>(1, std::min<int64_t>(16, 2 * cached / kernels)));
    job.sums = sums_.floats(job.parts * kernels);
    if (small) {
      pool.run(job.parts, 1, gradient_parts, &job);
    } else {
      float* memory = planes_.floats(job.planes());
      for (int64_t i = 0; i < job.slabs(); i++) job.add(i, 0, i == 0, memory, together);
    }
    const KernelGradient last = {job.sums, job.parts, kernels, job.plane(), in, out, width, gradient};
    pool.run(in, 4, kernel_gradient, &last);
  }

 private:
  std::mutex one_;
  Scratch planes_, sums_;
};

}  // namespace weir
