#pragma once
// An immutable value that one thread replaces whole and many read.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace adit::base {

/// The place where the current snapshot stands. Writers and readers may be any threads. Readers on a hot path hold a
/// Snapshot of their own: it costs one relaxed load as long as nothing was published.
/// (std::atomic<std::shared_ptr> takes a lock in libstdc++, so it would be taken for each request.)
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}

  void publish(std::shared_ptr<const T> next) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(next);
    version_.fetch_add(1, std::memory_order_release);
  }

  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::atomic<std::uint64_t> version_{1};
};

/// One thread's view of a Published value, refreshed when it is read after a change.
template <class T>
class Snapshot {
 public:
  explicit Snapshot(const Published<T>& source) : source_(source), version_(source.version()), value_(source.get()) {}

  /// The newest published value; valid until the next call, or for as long as a copy of the pointer is kept.
  const std::shared_ptr<const T>& get() {
    if (const auto newest = source_.version(); newest != version_) {
      version_ = newest;
      value_ = source_.get();
    }
    return value_;
  }

 private:
  const Published<T>& source_;
  std::uint64_t version_;
  std::shared_ptr<const T> value_;
};

}  // namespace adit::base
