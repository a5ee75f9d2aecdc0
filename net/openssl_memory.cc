#include "net/openssl_memory.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

#include <malloc.h>
#include <openssl/crypto.h>

namespace adit::net {
namespace {

constexpr std::size_t kStep = 16;
constexpr std::size_t kSmallest = 24;
constexpr std::size_t kSmallClasses = 8;  // up to 136 bytes
constexpr unsigned kMostSmall = 64;       // blocks kept of each class
// A buffer for one record in one direction. OpenSSL asks for a little more than the 16 KiB that a record carries.
constexpr std::size_t kRecordFrom = 16 * 1024;
constexpr std::size_t kRecordTo = 20 * 1024;
constexpr unsigned kMostRecords = 32;

/// Blocks of at least one size. They are ordinary ones of malloc(): any thread may free them, and what is kept
/// elsewhere than where it was taken does no harm.
struct Class {
  struct Block {
    Block* next;
  };
  Block* idle = nullptr;
  unsigned kept = 0;

  void* take() {
    if (idle == nullptr) return nullptr;
    --kept;
    return std::exchange(idle, idle->next);
  }
  bool give(void* memory, unsigned most) {
    if (kept >= most) return false;
    ++kept;
    idle = new (memory) Block{idle};
    return true;
  }
};

/// The idle blocks of one thread.
class Recycler {
 public:
  Recycler() = default;
  Recycler(const Recycler&) = delete;
  Recycler& operator=(const Recycler&) = delete;
  ~Recycler() {
    for (auto& blocks : small_) free_all(blocks);
    free_all(records_);
    alive_ = false;
  }

  void* take(std::size_t size) {
    void* memory = nullptr;
    if (size <= kSmallest + kStep * (kSmallClasses - 1)) {
      memory = small_[(std::max(size, kSmallest) - kSmallest + kStep - 1) / kStep].take();
    } else if (size >= kRecordFrom && size <= kRecordTo) {
      memory = take_record(size);
    }
    return memory != nullptr ? memory : std::malloc(size);
  }

  void give(void* memory) {
    const std::size_t size = malloc_usable_size(memory);
    bool kept = false;
    if (alive_ && size >= kSmallest && (size - kSmallest) / kStep < kSmallClasses) {
      kept = small_[(size - kSmallest) / kStep].give(memory, kMostSmall);
    } else if (alive_ && size >= kRecordFrom && size <= kRecordTo) {
      kept = records_.give(memory, kMostRecords);
    }
    if (!kept) std::free(memory);
  }

 private:
  void* take_record(std::size_t size) {
    if (records_.idle == nullptr || malloc_usable_size(records_.idle) < size) return nullptr;
    return records_.take();
  }

  static void free_all(Class& blocks) {
    while (void* memory = blocks.take()) std::free(memory);
  }

  std::array<Class, kSmallClasses> small_;
  Class records_;
  bool alive_ = true;  // OpenSSL cleans up after a thread's own objects are gone
};

thread_local Recycler recycler;

}  // namespace

void recycle_openssl_memory() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CRYPTO_set_mem_functions([](std::size_t size, const char*, int) { return size != 0 ? recycler.take(size) : nullptr; },
                           [](void* memory, std::size_t size, const char*, int) { return std::realloc(memory, size); },
                           [](void* memory, const char*, int) {
                             if (memory != nullptr) recycler.give(memory);
                           });
#endif
}

}  // namespace adit::net
