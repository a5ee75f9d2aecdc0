#include "link/h2_memory.h"

#include <cstring>
#include <new>
#include <utility>

namespace adit::link {
namespace {

// Bytes of idle blocks. Under AddressSanitizer none, so that it sees each use after free.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kMostKept = 0;
#elif defined(__has_feature)
constexpr std::size_t kMostKept = __has_feature(address_sanitizer) ? 0 : 256 * 1024;
#else
constexpr std::size_t kMostKept = 256 * 1024;
#endif

}  // namespace

/// Stands before each block that is handed out.
struct alignas(std::max_align_t) H2Memory::Block {
  std::size_t size;  // usable bytes behind it
  Block* next;       // while idle
};

H2Memory::H2Memory() {
  functions_.mem_user_data = this;
  functions_.malloc = [](std::size_t size, void* self) { return static_cast<H2Memory*>(self)->take(size); };
  functions_.free = [](void* memory, void* self) { static_cast<H2Memory*>(self)->give(memory); };
  functions_.calloc = [](std::size_t count, std::size_t size, void* self) {
    void* memory = static_cast<H2Memory*>(self)->take(count * size);  // nghttp2 passes small counts of its own structs
    return memory == nullptr ? nullptr : std::memset(memory, 0, count * size);
  };
  functions_.realloc = [](void* memory, std::size_t size, void* self) {
    return static_cast<H2Memory*>(self)->resize(memory, size);
  };
}

H2Memory::~H2Memory() {
  for (Block* block : idle_) {
    while (block != nullptr) ::operator delete(std::exchange(block, block->next));
  }
}

void* H2Memory::take(std::size_t size) {
  const std::size_t index = size == 0 ? 0 : (size - 1) / kStep;
  if (index < kClasses) {
    size = (index + 1) * kStep;
    if (Block* block = idle_[index]) {
      idle_[index] = block->next;
      kept_ -= size;
      return block + 1;
    }
  }
  auto* block = static_cast<Block*>(::operator new(sizeof(Block) + size, std::nothrow));
  if (block == nullptr) return nullptr;
  block->size = size;
  return block + 1;
}

void H2Memory::give(void* memory) {
  if (memory == nullptr) return;
  Block* block = static_cast<Block*>(memory) - 1;
  const std::size_t index = block->size / kStep - 1;
  if (block->size > kClasses * kStep || kept_ + block->size > kMostKept) return ::operator delete(block);
  kept_ += block->size;
  block->next = std::exchange(idle_[index], block);
}

void* H2Memory::resize(void* memory, std::size_t size) {
  const std::size_t held = memory == nullptr ? 0 : (static_cast<Block*>(memory) - 1)->size;
  if (memory != nullptr && size <= held) return memory;
  void* larger = take(size);
  if (larger == nullptr || memory == nullptr) return larger;
  std::memcpy(larger, memory, held);
  give(memory);
  return larger;
}

}  // namespace adit::link
