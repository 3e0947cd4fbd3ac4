/* Products of matrices, by the widest vectors that this processor has, and memory for their panels. Include pool.h first. */
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace weir {

/* c(i, j) = or += the sum over k of a(i, k) b(k, j), for one panel of b: as many columns as `processor().columns`. */
struct Product {
  const float* a; /* a(i, k) = a[i a_row + k a_k] */
  int64_t a_row, a_k;
  const float* b; /* b(k, j) = b[k b_k + j] */
  int64_t b_k;
  float* c; /* c(i, j) = c[i c_row + j] */
  int64_t c_row;
  int64_t rows, length; /* of i and of k */
  bool add;
};

/* `Rows` rows by `Vectors` vectors of `Lanes` numbers stay in registers. Every number is summed over k in order. */
template <int Lanes, int Rows, int Vectors>
inline __attribute__((always_inline)) void product_rows(const Product& p, int64_t i) {
  typedef float V __attribute__((vector_size(Lanes * sizeof(float))));
  V sums[Rows][Vectors];
  float* c = p.c + i * p.c_row;
#pragma GCC unroll 16
  for (int r = 0; r < Rows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) {
      if (p.add)
        __builtin_memcpy(&sums[r][v], c + r * p.c_row + v * Lanes, sizeof(V));
      else
        sums[r][v] = V{};
    }
  const float* a = p.a + i * p.a_row;
  const float* b = p.b;
  for (int64_t k = 0; k < p.length; k++, a += p.a_k, b += p.b_k) {
    V columns[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) __builtin_memcpy(&columns[v], b + v * Lanes, sizeof(V));
#pragma GCC unroll 16
    for (int r = 0; r < Rows; r++) {
      const float x = a[r * p.a_row];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) sums[r][v] += x * columns[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) __builtin_memcpy(c + r * p.c_row + v * Lanes, &sums[r][v], sizeof(V));
}

/* Rows from i on, so many at a time; what is left by halves: a single row waits for each of its sums. */
template <int Lanes, int Rows, int Vectors>
inline __attribute__((always_inline)) void product_panel(const Product& p, int64_t i = 0) {
  for (; i + Rows <= p.rows; i += Rows) product_rows<Lanes, Rows, Vectors>(p, i);
  if constexpr (Rows > 1) product_panel<Lanes, Rows / 2, Vectors>(p, i);
}

struct Processor {
  int64_t columns;
  void (*multiply)(const Product&);
};

inline void product_any(const Product& p) { product_panel<4, 4, 2>(p); }

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
__attribute__((target("arch=x86-64-v4,prefer-vector-width=512"))) inline void product_512(const Product& p) {
  product_panel<16, 8, 2>(p);
}
__attribute__((target("arch=x86-64-v3"))) inline void product_256(const Product& p) { product_panel<8, 4, 2>(p); }

inline const Processor& processor() {
  static const Processor found = [] {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return Processor{32, product_512};
    if (__builtin_cpu_supports("x86-64-v3")) return Processor{16, product_256};
    return Processor{8, product_any};
  }();
  return found;
}
#else
inline const Processor& processor() {
  static const Processor found = {8, product_any};
  return found;
}
#endif

/* Memory that is kept from call to call: fresh pages cost more than the work done in them. */
class Scratch {
 public:
  float* floats(int64_t count) {
    if (count > size_) {
      std::free(at_);
      at_ = static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>((count * 4 + 63) / 64 * 64)));
      if (at_ == nullptr) std::abort(); /* as Node does where there is no memory */
      size_ = count;
      std::memset(at_, 0, static_cast<size_t>(count) * sizeof(float)); /* the padding of a panel must be finite */
    }
    return at_;
  }

 private:
  float* at_ = nullptr;
  int64_t size_ = 0;
};

static inline Scratch& own_scratch() {
  static thread_local Scratch scratch;
  return scratch;
}

}  // namespace weir
