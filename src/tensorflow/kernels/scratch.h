/* Memory for intermediate results. Include pool.h first. */
#pragma once

#include <cstdlib>
#include <cstring>

namespace weir {

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
