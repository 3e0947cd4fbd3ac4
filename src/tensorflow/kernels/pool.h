/* The instruction sets that every kernel is compiled for, and its threads. Include it first: the pragma holds for what follows. */
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math") /* vector instructions, whatever the binding is built with */
#endif

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
/* Compiled for AVX-512, AVX2 with FMA, and any processor; the loader picks. */
#define EVERY_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_CPU
#endif

namespace weir {

/* ---- threads: a pool that lives as long as the process ---- */

using Work = void (*)(const void* job, int64_t begin, int64_t end);

class Pool {
 public:
  /* Runs work over [0, items) in chunks. Operations of one eager context come one at a time. */
  void run(int64_t items, int64_t chunk, Work work, const void* job) {
    std::lock_guard<std::mutex> alone(one_);
    if (threads_ == 0) start();
    work_ = work, job_ = job, items_ = items, chunk_ = chunk;
    next_ = 0;
    const bool shared = threads_ > 1 && items > chunk;
    if (shared) {
      std::lock_guard<std::mutex> hold(lock_);
      busy_ = threads_ - 1;
      number_++;
      begun_.notify_all();
    }
    take();
    if (shared) {
      std::unique_lock<std::mutex> hold(lock_);
      ended_.wait(hold, [this] { return busy_ == 0; });
    }
  }

 private:
  void start() {
    const char* asked = std::getenv("TF_NUM_INTRAOP_THREADS");
    int threads = asked ? std::atoi(asked) : 0;
    if (threads <= 0) threads = static_cast<int>(std::thread::hardware_concurrency());
    threads_ = 1;
    try {
      for (; threads_ < threads && threads_ < 64; threads_++) std::thread([this] { serve(); }).detach();
    } catch (const std::system_error&) {
      /* the system gives no more threads: those started do the work */
    }
  }

  void serve() {
    unsigned long seen = 0;
    std::unique_lock<std::mutex> hold(lock_);
    for (;;) {
      begun_.wait(hold, [&] { return number_ != seen; });
      seen = number_;
      hold.unlock();
      take();
      hold.lock();
      if (--busy_ == 0) ended_.notify_one();
    }
  }

  void take() {
    for (int64_t begin; (begin = next_.fetch_add(chunk_)) < items_;) {
      const int64_t end = begin + chunk_;
      work_(job_, begin, end < items_ ? end : items_);
    }
  }

  std::mutex one_, lock_;
  std::condition_variable begun_, ended_;
  std::atomic<int64_t> next_{0};
  Work work_ = nullptr;
  const void* job_ = nullptr;
  int64_t items_ = 0, chunk_ = 1;
  unsigned long number_ = 0;
  int threads_ = 0, busy_ = 0;
};

inline Pool& pool = *new Pool; /* never destroyed: its threads outlive main */

}  // namespace weir
