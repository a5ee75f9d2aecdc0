#pragma once
// Bytes on their way through: one contiguous FIFO whose memory comes from a cache of its thread.

#include <cstddef>
#include <span>
#include <string_view>

namespace adit::base {

/// A contiguous byte queue: written at the end, consumed at the front. An empty one holds no memory, so that an idle
/// connection costs none; blocks are recycled through a cache per thread, so a busy one allocates nothing either.
/// May be moved to, and freed on, another thread; it is not safe to share.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { release(); }

  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }
  std::size_t capacity() const { return capacity_; }
  /// What was written and not yet consumed; valid until the next call that is not const.
  std::span<const char> readable() const { return {data_ + begin_, size()}; }
  std::string_view view() const { return {data_ + begin_, size()}; }

  /// At least `size` writable bytes after the end: moves or grows what is held when there is no room. The span may be
  /// longer than asked for. Terminates the process when memory is exhausted, as operator new does.
  std::span<char> reserve(std::size_t size);
  /// Makes the first `size` of the bytes last reserved readable.
  void commit(std::size_t size) { end_ += size; }
  void append(std::span<const char> bytes);
  void append(std::string_view bytes) { append(std::span<const char>(bytes.data(), bytes.size())); }
  void append(const char* text) { append(std::string_view(text)); }
  void append(char byte) { append(std::span<const char>(&byte, 1)); }

  /// Drops the first `size` readable bytes; gives the block back once nothing is left.
  void consume(std::size_t size);
  /// Drops all but the first `size` readable bytes.
  void truncate(std::size_t size) { end_ = begin_ + size; }
  void clear() { release(); }

 private:
  void release();

  char* data_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace adit::base
