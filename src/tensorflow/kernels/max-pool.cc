/*
 * The gradient of a max pool of 3 x 3 windows at stride 2. TensorFlow's visits its windows one number at a time.
 *
 *   WeirMaxPoolBack(padded, y, dy) -> dx      padded is [n, height + 2, width + 2, channels], x with a border around it; y and dy are
 *                                             [n, down, across, channels]; dx is like x
 *
 * A window's gradient goes to the first of its largest numbers, in the order of memory. There is a twin, named ...16, for bfloat16.
 * Work is shared by images and channels, so results do not depend on the threads.
 */
#include "pool.h"

#include <algorithm>

#include "operation.h"
#include "vectors.h"

namespace weir {
namespace {

struct PoolBack {
  const void *padded, *y, *dy;
  void* dx;
  int64_t height, width, depth, down, across; /* the first two without the border */
  int64_t groups() const { return (depth + channels - 1) / channels; }
};

/* Items are sixteen channels of an image. */
template <typename T>
ALWAYS void pool_back(const void* job, int64_t begin, int64_t end) {
  const PoolBack p = *static_cast<const PoolBack*>(job);
  for (int64_t item = begin; item < end; item++) {
    const int64_t n = item / p.groups(), c = item % p.groups() * channels, count = p.depth - c;
    const T* padded = static_cast<const T*>(p.padded) + n * (p.height + 2) * (p.width + 2) * p.depth + c;
    T* dx = static_cast<T*>(p.dx) + n * p.height * p.width * p.depth + c;
    for (int64_t at = 0; at < p.height * p.width; at++) write(dx + at * p.depth, Channels{}, count);
    for (int64_t oy = 0; oy < p.down; oy++)
      for (int64_t ox = 0; ox < p.across; ox++) {
        const int64_t from = ((n * p.down + oy) * p.across + ox) * p.depth + c;
        const Channels most = read(static_cast<const T*>(p.y) + from, count);
        Channels left = read(static_cast<const T*>(p.dy) + from, count); /* of the gradient */
        for (int64_t y = 2 * oy; y < 2 * oy + 3; y++)
          for (int64_t x = 2 * ox; x < 2 * ox + 3; x++) {
            const Channels value = read(padded + (y * (p.width + 2) + x) * p.depth, count);
            const Channels here = value == most ? left : Channels{};
            left = value == most ? Channels{} : left;
            if (y == 0 || x == 0 || y > p.height || x > p.width) continue;
            T* to = dx + ((y - 1) * p.width + x - 1) * p.depth;
            write(to, read(to, count) + here, count);
          }
      }
  }
}
STEP(pool_back)

constexpr TF_DataType bfloat16_type = static_cast<TF_DataType>(14);

template <bool bfloat16>
void pool_back_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  PoolBack p = {};
  p.padded = input(&c, 0, nullptr), p.y = input(&c, 1, nullptr), p.dy = input(&c, 2, nullptr);
  int64_t dims[4] = {0};
  if (TF_GetCode(c.status) == TF_OK) {
    const TF_Tensor *padded = c.tensors[0], *y = c.tensors[1], *dy = c.tensors[2];
    if (TF_NumDims(padded) != 4 || TF_NumDims(y) != 4 || TF_Dim(padded, 1) < 3 || TF_Dim(padded, 2) < 3) {
      refuse(&c, "images of 3 x 3 pixels or more are needed");
    } else {
      for (int i = 0; i < 4; i++) dims[i] = TF_Dim(padded, i) - (i == 1 || i == 2 ? 2 : 0);
      p.height = dims[1], p.width = dims[2], p.depth = dims[3];
      p.down = (p.height - 1) / 2 + 1, p.across = (p.width - 1) / 2 + 1;
      const int64_t windows[] = {dims[0], p.down, p.across, p.depth};
      for (int i = 0; i < 4; i++)
        if (TF_Dim(y, i) != windows[i]) refuse(&c, "y does not fit the images");
      if (TF_TensorElementCount(dy) != TF_TensorElementCount(y)) refuse(&c, "the gradient does not fit y");
    }
  }
  if (TF_GetCode(c.status) == TF_OK) {
    const size_t count = static_cast<size_t>(dims[0] * dims[1] * dims[2] * dims[3]);
    TF_Tensor* dx = TF_AllocateOutput(c.context, 0, bfloat16 ? bfloat16_type : TF_FLOAT, dims, 4, count * (bfloat16 ? 2 : 4),
                                      c.status);
    if (TF_GetCode(c.status) == TF_OK) {
      c.tensors[c.count++] = dx;
      p.dx = TF_TensorData(dx);
      pool.run(dims[0] * p.groups(), 1, pool_back_of(bfloat16), &p);
    }
  }
  finish(&c);
}

const bool defined = [] {
  define("WeirMaxPoolBack", {"padded: float", "y: float", "dy: float"}, {"dx: float"}, pool_back_compute<false>);
  define("WeirMaxPoolBack16", {"padded: bfloat16", "y: bfloat16", "dy: bfloat16"}, {"dx: bfloat16"}, pool_back_compute<true>);
  return true;
}();

}  // namespace
}  // namespace weir
