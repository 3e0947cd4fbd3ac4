/* Vectors of channels, read from memory that holds float32 or bfloat16. All arithmetic is in float32. Include pool.h first. */
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* vectors are only handed to what is inlined */
#endif

namespace weir {

constexpr int64_t channels = 16; /* side by side: what a 512-bit register holds */
typedef float Channels __attribute__((vector_size(channels * sizeof(float))));

/* The upper half of a float32. */
struct Bfloat16 {
  uint16_t bits;
};

#define ALWAYS inline __attribute__((always_inline))

typedef uint32_t Words __attribute__((vector_size(channels * sizeof(uint32_t))));
typedef uint16_t Halves __attribute__((vector_size(channels * sizeof(uint16_t))));

static ALWAYS Channels read(const float* from) {
  Channels value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

static ALWAYS Channels read(const Bfloat16* from) {
  Halves halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  const Words words = __builtin_convertvector(halves, Words) << 16;
  Channels value;
  __builtin_memcpy(&value, &words, sizeof value);
  return value;
}

static ALWAYS void write(float* to, const Channels& value) { __builtin_memcpy(to, &value, sizeof value); }

/* Rounded to the nearest, ties to even; NaN stays NaN. */
static ALWAYS void write(Bfloat16* to, const Channels& value) {
  Words words;
  __builtin_memcpy(&words, &value, sizeof words);
  const Words rounded = (words + 0x7fff + ((words >> 16) & 1)) >> 16;
  const Words chosen = value == value ? rounded : Words{} + 0x7fc0;
  const Halves halves = __builtin_convertvector(chosen, Halves);
  __builtin_memcpy(to, &halves, sizeof halves);
}

/* The first `count` of 16; the others are zero. */
template <typename T>
static ALWAYS Channels read(const T* from, int64_t count) {
  if (count >= channels) return read(from);
  T some[channels] = {};
  for (int64_t i = 0; i < count; i++) some[i] = from[i];
  return read(some);
}

template <typename T>
static ALWAYS void write(T* to, const Channels& value, int64_t count) {
  if (count >= channels) return write(to, value);
  T some[channels];
  write(some, value);
  for (int64_t i = 0; i < count; i++) to[i] = some[i];
}

/* max(value, 0); NaN stays. */
static ALWAYS Channels rectified(const Channels& value) { return value < 0 ? Channels{} : value; }

/* A step over a template on what memory holds, as a function for each. */
#define STEP(name)                                                                      \
  EVERY_CPU static void name##_float32(const void* job, int64_t begin, int64_t end) {   \
    name<float>(job, begin, end);                                                       \
  }                                                                                     \
  EVERY_CPU static void name##_bfloat16(const void* job, int64_t begin, int64_t end) {  \
    name<Bfloat16>(job, begin, end);                                                    \
  }                                                                                     \
  static inline Work name##_of(bool bfloat16) { return bfloat16 ? name##_bfloat16 : name##_float32; }

}  // namespace weir
