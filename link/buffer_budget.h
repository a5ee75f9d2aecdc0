#pragma once
// How many bytes may wait in memory, at the levels process, tunnel and link (docs/link.md, "Flow control").

#include <atomic>
#include <cstdint>
#include <memory>

namespace adit::link {

/// One level, within the one above it. What streams may hold is of two kinds: windows that have grown, which are
/// promises to the peer and may use half of the limit; and bytes received and not yet delivered, which are memory. Over
/// the limit of these, links get no more credit. Safe from any thread, without locks; links come here only when a
/// window changes its size, or what they hold has moved by a large step.
class BufferBudget {
 public:
  explicit BufferBudget(std::uint64_t limit, std::shared_ptr<BufferBudget> parent = nullptr)
      : limit_(limit), parent_(std::move(parent)) {}
  BufferBudget(const BufferBudget&) = delete;
  BufferBudget& operator=(const BufferBudget&) = delete;

  /// How much of `wanted` windows may grow by, here and at every level above.
  std::uint64_t grant(std::uint64_t wanted);
  void give_back(std::uint64_t size);
  /// `change` more bytes wait, or fewer.
  void hold(std::int64_t change);
  /// More than the limit waits, here or at a level above.
  bool is_full() const;

  std::uint64_t limit() const { return limit_; }
  std::uint64_t granted() const { return granted_.load(std::memory_order_relaxed); }
  /// Exact to a step of each link.
  std::uint64_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t limit_;
  const std::shared_ptr<BufferBudget> parent_;
  std::atomic<std::uint64_t> granted_{0};
  std::atomic<std::uint64_t> held_{0};
};

/// What one link holds; on the link's thread. The budget hears of it in steps.
class BufferAccount {
 public:
  /// The budget is told when what is held has moved by this much. A link that holds less is never made to wait because
  /// of others.
  static constexpr std::uint64_t kStep = std::uint64_t{256} * 1024;

  explicit BufferAccount(BufferBudget& budget) : budget_(budget) {}
  ~BufferAccount() { budget_.hold(-static_cast<std::int64_t>(told_)); }
  BufferAccount(const BufferAccount&) = delete;
  BufferAccount& operator=(const BufferAccount&) = delete;

  void received(std::uint64_t size);
  void delivered(std::uint64_t size);
  std::uint64_t held() const { return held_; }
  /// The peer must send no more for now.
  bool is_full() const { return told_ != 0 && budget_.is_full(); }

 private:
  void tell();

  BufferBudget& budget_;
  std::uint64_t held_ = 0;
  std::uint64_t told_ = 0;  // of it, rounded down to steps
};

}  // namespace adit::link
