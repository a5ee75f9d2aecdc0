#pragma once
// How a stream's receive window grows (docs/link.md, "Flow control"). Pure.

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace adit::link {

/// The receive window of one stream. It starts small, because most streams carry little, and doubles while its user
/// drains a whole window within two round trips: then the window, not the user, is what limits the stream.
class Window {
 public:
  /// A round trip below this counts as this: on one host the window would never fill within two of them.
  static constexpr base::Duration kLeastRoundTrip = std::chrono::milliseconds(1);

  Window() = default;
  Window(std::uint32_t first, base::TimePoint now) : first_(first), size_(first), since_(now) {}

  /// The user delivered `size` bytes.
  void on_consumed(std::size_t size) { consumed_ += size; }

  /// Called when bytes arrive. Returns by how much the window shall grow, at most `budget` and never past `most`.
  /// `round_trip` is 0 while it is not known.
  std::uint32_t grow(base::TimePoint now, base::Duration round_trip, std::uint32_t most, std::uint64_t budget);

  std::uint32_t size() const { return size_; }
  /// What it holds beyond its first size, to be given back to the budget.
  std::uint32_t grown() const { return size_ - first_; }

 private:
  std::uint32_t first_ = 0;
  std::uint32_t size_ = 0;
  std::uint64_t consumed_ = 0;  // since since_
  base::TimePoint since_{};
};

}  // namespace adit::link
