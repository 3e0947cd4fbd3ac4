/*
 * Convolutions of Weir's own: see README.md for the reason. TensorFlow's take four times as many products for a 3 x 3 kernel at
 * stride 1, have no circular padding, and leave bias, residual and rectifier to further passes over memory.
 *
 *   WeirKernel(kernel, geometry) -> packed             a kernel, HWIO float32, in the layout of the next two
 *   WeirConvolve(x, packed, bias, residual, geometry) -> y            y = x * kernel + bias + residual, rectified where asked
 *   WeirConvolveBack(dy, packed, geometry) -> dx                      with respect to x
 *   WeirConvolveFilter(x, dy, geometry) -> dkernel                    with respect to the kernel, float32
 *
 * Images are [n, height, width, channels], float32; the three operations that read them have a twin, named ...16, for bfloat16.
 * bias ([out], float32) and residual (like y) may be empty. Arithmetic is float32 throughout.
 *
 *   geometry    int32 [8]: height, width, in, out, size, stride, 1 for circular padding, 1 for rectified; or, for
 *               WeirKernel, 1 for the kernel that WeirConvolveBack takes, plus 2 for one that is not to be transformed
 */
#include "pool.h"

#include "columns-convolution.h"
#include "kernel-gradient.h"
#include "operation.h"
#include "padded-convolution.h"
#include "winograd-convolution.h"

namespace weir {
namespace {

Winograd& winograd = *new Winograd;
Columns& by_columns = *new Columns;
Padded& padded = *new Padded;
KernelGradients& kernel_gradients = *new KernelGradients;

enum { height, width, in, out, size, stride, circular, flag, settings };

Geometry geometry_of(const int32_t* g, int64_t n) {
  return {n, g[height], g[width], g[in], g[out], g[size], g[stride], g[circular] != 0};
}

/* Whether Winograd's transforms compute it. */
bool fast(const Geometry& g) {
  return g.size == 3 && g.stride == 1 && g.in % channels == 0 && g.out % channels == 0 && g.height >= 3 && g.width >= 3;
}

Images images_of(const Geometry& g) { return {g.n, g.height, g.width, g.circular}; }

int64_t transformed_size(const Geometry& g, bool transposed) {
  return (transposed ? Kernel{g.out, g.in} : Kernel{g.in, g.out}).size();
}

/* The layout of a packed kernel, by its size. */
enum class Way { neither, columns, tiles };
Way way_of(const Geometry& g, bool transposed, int64_t packed) {
  if (fast(g) && packed == transformed_size(g, transposed)) return Way::tiles;
  return packed == Columns::packed(g, transposed) ? Way::columns : Way::neither;
}

constexpr TF_DataType bfloat16_type = static_cast<TF_DataType>(14);

void* typed_output(Call* c, const int64_t* dims, int rank, int64_t count, bool bfloat16) {
  if (TF_GetCode(c->status) != TF_OK) return nullptr;
  TF_Tensor* t = TF_AllocateOutput(c->context, 0, bfloat16 ? bfloat16_type : TF_FLOAT, dims, rank,
                                   static_cast<size_t>(count) * (bfloat16 ? 2 : 4), c->status);
  if (TF_GetCode(c->status) != TF_OK) return nullptr;
  c->tensors[c->count++] = t;
  return TF_TensorData(t);
}

const int32_t* geometry_input(Call* c, int index) {
  int64_t count = 0;
  const float* at = input(c, index, &count);
  if (TF_GetCode(c->status) != TF_OK) return nullptr;
  if (count != settings) refuse(c, "a geometry is eight numbers");
  const int32_t* g = reinterpret_cast<const int32_t*>(at);
  for (int i = height; count == settings && i <= stride; i++)
    if (g[i] < 1) refuse(c, "a geometry is of positive numbers");
  return g;
}

void kernel_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t count = 0;
  const float* kernel = input(&c, 0, &count);
  const int32_t* settings = geometry_input(&c, 1);
  Geometry g = {};
  if (TF_GetCode(c.status) == TF_OK) {
    g = geometry_of(settings, 1);
    if (count != g.taps() * g.out) refuse(&c, "kernel does not fit its geometry");
  }
  if (TF_GetCode(c.status) == TF_OK) {
    const bool transposed = (settings[flag] & 1) != 0, tiles = fast(g) && (settings[flag] & 2) == 0;
    const int64_t dims[] = {tiles ? transformed_size(g, transposed) : Columns::packed(g, transposed)};
    float* to = static_cast<float*>(typed_output(&c, dims, 1, dims[0], false));
    if (to != nullptr) {
      if (tiles)
        winograd.transform(kernel, g.in, g.out, transposed, to);
      else
        by_columns.pack(kernel, g, transposed, to);
    }
  }
  finish(&c);
}

/* The number of images in an input of `count` numbers, `each` numbers an image; refused where they are not whole. */
int64_t whole(Call* c, int64_t count, int64_t each) {
  if (count % each != 0) refuse(c, "images do not fit the geometry");
  return count / each;
}

template <bool bfloat16>
void convolve_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t count = 0, packed = 0, biases = 0, residuals = 0;
  const void* x = input(&c, 0, &count);
  const float* kernel = input(&c, 1, &packed);
  const float* bias = input(&c, 2, &biases);
  const void* residual = input(&c, 3, &residuals);
  const int32_t* settings = geometry_input(&c, 4);
  if (TF_GetCode(c.status) == TF_OK) {
    Geometry g = geometry_of(settings, 1);
    g.n = whole(&c, count, g.height * g.width * g.in);
    const int64_t made = g.pixels() * g.out;
    const Way way = way_of(g, false, packed);
    if (way == Way::neither) refuse(&c, "kernel does not fit its geometry");
    if ((biases != 0 && biases != g.out) || (residuals != 0 && residuals != made)) refuse(&c, "bias or residual does not fit");
    const int64_t dims[] = {g.n, g.down(), g.across(), g.out};
    void* y = typed_output(&c, dims, 4, made, bfloat16);
    if (y != nullptr && made > 0) {
      if (biases == 0) bias = nullptr;
      if (residuals == 0) residual = nullptr;
      const bool rectify = settings[flag] != 0;
      if (way == Way::tiles)
        winograd.convolve(images_of(g), bfloat16, x, Kernel{g.in, g.out}, kernel, y, bias, residual, rectify);
      else if (Padded::takes(g))
        padded.convolve(g, bfloat16, x, kernel, y, bias, residual, rectify);
      else
        by_columns.convolve(g, bfloat16, x, kernel, y, bias, residual, rectify);
    }
  }
  finish(&c);
}

template <bool bfloat16>
void back_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t count = 0, packed = 0;
  const void* dy = input(&c, 0, &count);
  const float* kernel = input(&c, 1, &packed);
  const int32_t* settings = geometry_input(&c, 2);
  if (TF_GetCode(c.status) == TF_OK) {
    Geometry g = geometry_of(settings, 1);
    g.n = whole(&c, count, g.pixels() * g.out);
    const Way way = way_of(g, true, packed);
    if (way == Way::neither) refuse(&c, "kernel does not fit its geometry");
    const int64_t dims[] = {g.n, g.height, g.width, g.in};
    void* dx = typed_output(&c, dims, 4, g.n * g.height * g.width * g.in, bfloat16);
    if (dx != nullptr && g.n > 0) {
      if (way == Way::tiles)
        winograd.convolve(images_of(g), bfloat16, dy, Kernel{g.out, g.in}, kernel, dx, nullptr, nullptr, false);
      else
        by_columns.back(g, bfloat16, dy, kernel, dx);
    }
  }
  finish(&c);
}

template <bool bfloat16>
void filter_compute(void* self, TF_OpKernelContext* context) {
  (void)self;
  Call c = {context, TF_NewStatus(), {}, 0};
  int64_t count = 0, gradients = 0;
  const void* x = input(&c, 0, &count);
  const void* dy = input(&c, 1, &gradients);
  const int32_t* settings = geometry_input(&c, 2);
  if (TF_GetCode(c.status) == TF_OK) {
    Geometry g = geometry_of(settings, 1);
    g.n = whole(&c, count, g.height * g.width * g.in);
    if (g.n == 0 || gradients != g.pixels() * g.out) refuse(&c, "gradients do not fit the images");
    const int64_t dims[] = {g.size, g.size, g.in, g.out};
    float* gradient = static_cast<float*>(typed_output(&c, dims, 4, g.taps() * g.out, false));
    if (gradient != nullptr) {
      if (fast(g))
        winograd.gradient(images_of(g), bfloat16, x, g.in, dy, g.out, gradient);
      else if (Padded::takes(g))
        padded.gradient(g, bfloat16, x, dy, gradient);
      else
        kernel_gradients.gradient(g, bfloat16, x, dy, gradient);
    }
  }
  finish(&c);
}

const bool defined = [] {
  define("WeirKernel", {"kernel: float", "geometry: int32"}, {"packed: float"}, kernel_compute);
  define("WeirConvolve", {"x: float", "packed: float", "bias: float", "residual: float", "geometry: int32"}, {"y: float"},
         convolve_compute<false>);
  define("WeirConvolve16", {"x: bfloat16", "packed: float", "bias: float", "residual: bfloat16", "geometry: int32"},
         {"y: bfloat16"}, convolve_compute<true>);
  define("WeirConvolveBack", {"dy: float", "packed: float", "geometry: int32"}, {"dx: float"}, back_compute<false>);
  define("WeirConvolveBack16", {"dy: bfloat16", "packed: float", "geometry: int32"}, {"dx: bfloat16"}, back_compute<true>);
  define("WeirConvolveFilter", {"x: float", "dy: float", "geometry: int32"}, {"gradient: float"}, filter_compute<false>);
  define("WeirConvolveFilter16", {"x: bfloat16", "dy: bfloat16", "geometry: int32"}, {"gradient: float"},
         filter_compute<true>);
  return true;
}();

}  // namespace
}  // namespace weir
