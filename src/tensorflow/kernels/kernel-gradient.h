/*
 * Gradients of convolutions with respect to their kernels: the product of the inputs under the taps, transposed, and the gradients
 * at the outputs, summed over the outputs' pixels. It is made in tiles of [taps, out]. For a tile, both operands are copied, some
 * pixels at a time, to memory that a product reads in order: taps in strips of eight, outputs in panels of the processor's columns.
 *
 * Where there are few tiles, each is made in several parts, a run of pixels each, that are added in order. Tiles and parts follow
 * from the geometry, so results do not depend on the threads.
 */
#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include "columns-convolution.h"

namespace weir {

constexpr int64_t strip = 8;          /* taps */
constexpr int64_t pixels_a_time = 256; /* with them, a panel stays in the first cache and a tile's operands in the second */
constexpr int64_t tile_taps = 256, tile_width = 256;

/* ---- operands ---- */

struct Strips {
  Geometry g;
  const void* images;
  int64_t tap, taps;     /* from which and how many; the last strip is filled with zeros */
  const int64_t* places; /* of each pixel, the image's pixel that the kernel's place sees, among those of all images; or -1 */
  int64_t count;         /* pixels */
  float* to;             /* [strips][pixels_a_time][strip] */
};

/* Taps of one position of the kernel, as many as fill strips, but for the last. Items are blocks of pixels. */
template <typename T>
static ALWAYS void images_to_strips(const void* job, int64_t begin, int64_t end) {
  const Strips* p = static_cast<const Strips*>(job);
  constexpr int64_t block = 16; /* a few pixels at a time: rows are read through, strips written in short runs */
  for (int64_t first = begin * block; first < end * block; first += block)
    for (int64_t tap = 0; tap < p->taps; tap += 2 * strip)
      for (int64_t i = first; i < std::min(first + block, p->count); i++) {
        const T* from = static_cast<const T*>(p->images) + p->places[i] * p->g.in + p->tap % p->g.in + tap;
        const Channels value = p->places[i] < 0 ? Channels{} : read(from, p->taps - tap);
        float* to = p->to + tap * pixels_a_time + i * strip;
        __builtin_memcpy(to, &value, strip * sizeof(float));
        if (tap + strip < p->taps)
          __builtin_memcpy(to + strip * pixels_a_time, reinterpret_cast<const float*>(&value) + strip, strip * sizeof(float));
      }
}
STEP(images_to_strips)

/* The same with channels that do not fill strips: strips then hold taps of several positions. */
template <typename T>
static ALWAYS void images_to_ragged_strips(const void* job, int64_t begin, int64_t end) {
  const Strips* p = static_cast<const Strips*>(job);
  const Geometry& g = p->g;
  for (int64_t i = begin; i < end; i++)
    for (int64_t tap = p->tap; tap < p->tap + p->taps;) {
      const int64_t place = p->places[(tap / g.in - p->tap / g.in) * pixels_a_time + i];
      const int64_t stop = std::min((tap / g.in + 1) * g.in, p->tap + p->taps);
      const T* from = static_cast<const T*>(p->images) + place * g.in - tap / g.in * g.in;
      for (; tap < stop; tap++) {
        float value = 0;
        if (place >= 0) {
          if constexpr (sizeof(T) == sizeof(float))
            value = from[tap];
          else
            value = read(from + tap, 1)[0];
        }
        const int64_t at = tap - p->tap;
        p->to[at / strip * strip * pixels_a_time + i * strip + at % strip] = value;
      }
    }
}
STEP(images_to_ragged_strips)

struct Panels {
  const void* from; /* [count, depth], of which columns up to `width` */
  int64_t depth, width, columns;
  float* to; /* [panels][pixels_a_time][columns] */
};

template <typename T>
static ALWAYS void rows_to_panels(const void* job, int64_t begin, int64_t end) {
  const Panels* p = static_cast<const Panels*>(job);
  for (int64_t i = begin; i < end; i++) {
    const T* row = static_cast<const T*>(p->from) + i * p->depth;
    for (int64_t first = 0; first < p->width; first += p->columns) {
      float* to = p->to + first * pixels_a_time + i * p->columns;
      for (int64_t c = 0; c < p->columns; c += channels) {
        const int64_t left = p->width - first - c;
        write(to + c, left > 0 ? read(row + first + c, left) : Channels{}, p->columns - c);
      }
    }
  }
}
STEP(rows_to_panels)

/* ---- tiles ---- */

struct Gradient {
  Geometry g;
  const void *x, *dy;
  bool bfloat16;
  int64_t parts;
  float* sums; /* by part: [taps, width] */
  int64_t width;

  int64_t down() const { return (g.taps() + tile_taps - 1) / tile_taps; }
  int64_t across() const { return (width + tile_width - 1) / tile_width; }
};

/* The pixels of all images under position `tap` of the kernel, for the outputs from `first` on. */
static inline void places_of(const Geometry& g, int64_t tap, int64_t first, int64_t count, int64_t* places) {
  const int64_t each = g.down() * g.across();
  for (int64_t i = 0; i < count; i++) {
    const int64_t pixel = first + i, at = g.size == 1 && g.stride == 1 ? pixel % each : source(g, pixel % each, tap / g.size, tap % g.size);
    places[i] = at < 0 ? -1 : pixel / each * g.height * g.width + at;
  }
}

static void gradient_tiles(const void* job, int64_t begin, int64_t end) {
  const Gradient* p = static_cast<const Gradient*>(job);
  const Geometry& g = p->g;
  const int64_t columns = processor().columns, size = p->bfloat16 ? sizeof(Bfloat16) : sizeof(float);
  float* strips = own_scratch().floats((tile_taps + tile_width) * pixels_a_time);
  float* panels = strips + tile_taps * pixels_a_time;
  std::vector<int64_t> places(static_cast<size_t>(std::min(g.size * g.size, tile_taps / g.in + 2) * pixels_a_time));
  for (int64_t item = begin; item < end; item++) {
    const int64_t tile = item / p->parts, part = item % p->parts;
    const int64_t tap = tile / p->across() * tile_taps, taps = std::min(tile_taps, g.taps() - tap);
    const int64_t column = tile % p->across() * tile_width, width = std::min(tile_width, p->width - column);
    const int64_t from = g.pixels() * part / p->parts, to = g.pixels() * (part + 1) / p->parts;
    float* sums = p->sums + part * g.taps() * p->width + tap * p->width + column;
    for (int64_t first = from; first < to; first += pixels_a_time) {
      const int64_t count = std::min(pixels_a_time, to - first);
      if (g.in % strip == 0) {
        for (int64_t at = tap; at < tap + taps;) {
          const int64_t some = std::min((at / g.in + 1) * g.in, tap + taps) - at;
          places_of(g, at / g.in, first, count, places.data());
          const Strips into = {g, p->x, at, some, places.data(), count, strips + (at - tap) * pixels_a_time};
          images_to_strips_of(p->bfloat16)(&into, 0, (count + 15) / 16);
          at += some;
        }
      } else {
        for (int64_t at = tap / g.in; at * g.in < tap + taps; at++)
          places_of(g, at, first, count, places.data() + (at - tap / g.in) * pixels_a_time);
        const Strips into = {g, p->x, tap, taps, places.data(), count, strips};
        images_to_ragged_strips_of(p->bfloat16)(&into, 0, count);
      }
      const Panels gradients = {static_cast<const char*>(p->dy) + (first * g.out + column) * size, g.out,
                                std::min(width, g.out - column), columns, panels};
      rows_to_panels_of(p->bfloat16)(&gradients, 0, count);
      for (int64_t at = 0; at < width; at += columns)
        for (int64_t i = 0; i < taps; i += strip)
          processor().multiply({strips + i * pixels_a_time, 1, strip, panels + at * pixels_a_time, columns,
                                sums + i * p->width + at, p->width, std::min(strip, taps - i), count, first > from});
    }
  }
}

struct AddParts {
  const float* sums;
  int64_t parts, part, row, width;
  float* to;
};

EVERY_CPU static void add_parts(const void* job, int64_t begin, int64_t end) {
  const AddParts* p = static_cast<const AddParts*>(job);
  for (int64_t i = begin; i < end; i++)
    for (int64_t c = 0; c < p->width; c += channels) {
      Channels sum = read(p->sums + i * p->row + c, p->width - c);
      for (int64_t part = 1; part < p->parts; part++) sum += read(p->sums + part * p->part + i * p->row + c, p->width - c);
      write(p->to + i * p->width + c, sum, p->width - c);
    }
}

/* ---- the whole ---- */

class KernelGradients {
 public:
  void gradient(const Geometry& g, bool bfloat16, const void* x, const void* dy, float* gradient) {
    std::lock_guard<std::mutex> alone(one_);
    Gradient job = {g, x, dy, bfloat16, 1, gradient, panelled(g.out)};
    const int64_t tiles = job.down() * job.across();
    job.parts = std::max<int64_t>(1, std::min((15 + tiles) / tiles, g.pixels() / (2 * pixels_a_time)));
    const int64_t part = g.taps() * job.width;
    const bool kept = job.parts == 1 && job.width == g.out;
    if (!kept) job.sums = sums_.floats(job.parts * part);
    pool.run(tiles * job.parts, 1, gradient_tiles, &job);
    if (kept) return;
    const AddParts last = {job.sums, job.parts, part, job.width, g.out, gradient};
    pool.run(g.taps(), 16, add_parts, &last);
  }

 private:
  std::mutex one_;
  Scratch sums_;
};

}  // namespace weir
