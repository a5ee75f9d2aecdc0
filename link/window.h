#pragma once
// How a stream's receive window follows its use (docs/link.md, "Flow control"). Pure.

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace adit::link {

/// The receive window of one stream. It starts small, because most streams carry little, and doubles while its user
/// drains half of it within one and a half round trips, since bytes come in bursts a round trip apart: then the window,
/// not the user, is what limits the stream. One that is drained slowly shrinks again, so that a visitor that stops
/// reading holds little.
class Window {
 public:
  /// A round trip below this counts as this: on one host the window would never be drained within one.
  static constexpr base::Duration kLeastRoundTrip = std::chrono::milliseconds(1);
  /// Where a round trip costs so much, a window quadruples when a burst drains half of it.
  static constexpr base::Duration kFar = std::chrono::milliseconds(10);
  /// Half a window that takes so many round trips, and so long, was more than its user needs.
  static constexpr int kSlow = 8;
  static constexpr base::Duration kLeastSlow = std::chrono::milliseconds(250);
  /// A stream that did not drain half its window for so long needs no more than the first.
  static constexpr base::Duration kIdle = std::chrono::seconds(2);

  Window() = default;
  Window(std::uint32_t first, base::TimePoint now) : first_(first), size_(first), since_(now) {}

  /// The user delivered `size` bytes.
  void on_consumed(std::size_t size) { consumed_ += size; }

  /// Called when bytes arrive. By how much the window should grow, or shrink if negative; never past `most` nor below
  /// the first size. `round_trip` is 0 while it is not known. resize() follows with as much of it as is granted.
  std::int64_t advice(base::TimePoint now, base::Duration round_trip, std::uint32_t most);
  void resize(std::int64_t change) { size_ = static_cast<std::uint32_t>(size_ + change); }
  bool is_idle(base::TimePoint now, base::Duration round_trip) const;

  std::uint32_t size() const { return size_; }
  /// What it holds beyond its first size.
  std::uint32_t grown() const { return size_ - first_; }

 private:
  std::uint32_t first_ = 0;
  std::uint32_t size_ = 0;
  std::uint64_t consumed_ = 0;  // since since_
  base::TimePoint since_{};
};

}  // namespace adit::link
