#include "base/buffer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace adit::base {
namespace {

constexpr std::size_t kSmallest = 1024;
constexpr std::size_t kClasses = 11;                // 1 KiB … 1 MiB; larger blocks are not cached
constexpr std::size_t kCachedPerClass = 4U << 20U;  // at most 4 MiB of idle blocks of each size and thread

std::size_t class_of(std::size_t capacity) {
  return static_cast<std::size_t>(std::countr_zero(capacity)) - std::countr_zero(kSmallest);
}

/// The idle blocks of one thread, by size class.
class BlockCache {
 public:
  BlockCache() = default;
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;
  ~BlockCache() {
    for (auto& blocks : free_) {
      for (char* block : blocks) ::operator delete(block);
      blocks.clear();
    }
    alive_ = false;
  }

  char* take(std::size_t capacity) {
    const auto index = class_of(capacity);
    if (index < kClasses && alive_ && !free_[index].empty()) {
      char* block = free_[index].back();
      free_[index].pop_back();
      return block;
    }
    return static_cast<char*>(::operator new(capacity));
  }

  void give(char* block, std::size_t capacity) {
    const auto index = class_of(capacity);
    if (index < kClasses && alive_ && (free_[index].size() + 1) * capacity <= kCachedPerClass) {
      free_[index].push_back(block);
    } else {
      ::operator delete(block);
    }
  }

 private:
  std::array<std::vector<char*>, kClasses> free_;
  bool alive_ = true;  // a Buffer with static storage may outlive the cache of its thread
};

thread_local BlockCache cache;

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  data_ = std::exchange(other.data_, nullptr);
  capacity_ = std::exchange(other.capacity_, 0);
  begin_ = std::exchange(other.begin_, 0);
  end_ = std::exchange(other.end_, 0);
  return *this;
}

std::span<char> Buffer::reserve(std::size_t size) {
  if (capacity_ - end_ >= size) return {data_ + end_, capacity_ - end_};
  const std::size_t held = this->size();
  if (capacity_ - held >= size && begin_ >= held) {
    // Moving costs no more than the bytes consumed before, so it is linear over the life of the queue.
    std::memmove(data_, data_ + begin_, held);
  } else {
    const std::size_t capacity = std::bit_ceil(std::max(held + size, kSmallest));
    char* block = cache.take(capacity);
    if (held != 0) std::memcpy(block, data_ + begin_, held);
    if (data_ != nullptr) cache.give(data_, capacity_);
    data_ = block;
    capacity_ = capacity;
  }
  begin_ = 0;
  end_ = held;
  return {data_ + end_, capacity_ - end_};
}

void Buffer::append(std::span<const char> bytes) {
  if (bytes.empty()) return;
  std::memcpy(reserve(bytes.size()).data(), bytes.data(), bytes.size());
  end_ += bytes.size();
}

void Buffer::consume(std::size_t size) {
  begin_ += size;
  if (begin_ == end_) release();
}

void Buffer::release() {
  if (data_ != nullptr) cache.give(data_, capacity_);
  data_ = nullptr;
  capacity_ = begin_ = end_ = 0;
}

}  // namespace adit::base
