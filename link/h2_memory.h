#pragma once
// Private to link/: memory for libnghttp2, which otherwise allocates for each WINDOW_UPDATE, stream and header block.

#include <array>
#include <cstddef>

#include <nghttp2/nghttp2.h>

namespace adit::link {

/// Small blocks are kept for reuse, by size, up to a limit; large ones come from and go to the heap. Lives as long as
/// the nghttp2 session that uses it, on the link's thread.
class H2Memory {
 public:
  H2Memory();
  ~H2Memory();
  H2Memory(const H2Memory&) = delete;
  H2Memory& operator=(const H2Memory&) = delete;

  nghttp2_mem* functions() { return &functions_; }

 private:
  struct alignas(std::max_align_t) Block;

  static constexpr std::size_t kStep = 64;     // classes are multiples of this
  static constexpr std::size_t kClasses = 16;  // up to 1 KiB

  void* take(std::size_t size);
  void give(void* memory);
  void* resize(void* memory, std::size_t size);

  std::array<Block*, kClasses> idle_{};
  std::size_t kept_ = 0;
  nghttp2_mem functions_;
};

}  // namespace adit::link
