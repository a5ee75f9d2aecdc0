#pragma once
// Cells that a worker counts in, and the page of metrics that is made from them when somebody asks.

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace adit::telemetry {

/// A number that one thread writes and any thread reads. Adding is a load and a store without a lock prefix, so there
/// must be one cell per worker; put a worker's cells together in one object, so that workers share no cache line.
template <class T>
class Cell {
 public:
  Cell() = default;
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  void add(T amount) { value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed); }
  void set(T value) { value_.store(value, std::memory_order_relaxed); }
  T value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<T> value_{};
};

/// Only grows.
class Counter {
 public:
  void add(std::uint64_t amount = 1) { cell_.add(amount); }
  std::uint64_t value() const { return cell_.value(); }

 private:
  Cell<std::uint64_t> cell_;
};

/// Goes up and down.
class Gauge {
 public:
  void add(std::int64_t amount = 1) { cell_.add(amount); }
  void subtract(std::int64_t amount = 1) { cell_.add(-amount); }
  void set(std::int64_t value) { cell_.set(value); }
  std::int64_t value() const { return cell_.value(); }

 private:
  Cell<std::int64_t> cell_;
};

/// Upper bounds for durations in seconds, from a quick proxy hop to a long download.
inline constexpr std::array kDurationBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                            0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0};

/// The sum of the histograms of all workers at one moment.
struct HistogramTotal {
  std::span<const double> bounds;
  std::vector<std::uint64_t> counts;  ///< observations by bucket, not cumulative; the last bucket has no bound
  double sum = 0;
};

/// Observations by bucket. `Bounds` is a constexpr std::array of ascending upper bounds, which belong to their bucket.
template <const auto& Bounds = kDurationBounds>
class Histogram {
 public:
  void observe(double value) {
    std::size_t bucket = 0;
    while (bucket < Bounds.size() && value > Bounds[bucket]) ++bucket;
    counts_[bucket].add(1);
    sum_.add(value);
  }

  /// Adds this worker's share to `total`, which is either new or was filled by histograms of the same bounds.
  void add_to(HistogramTotal& total) const {
    total.bounds = Bounds;
    total.counts.resize(counts_.size());
    for (std::size_t i = 0; i < counts_.size(); ++i) total.counts[i] += counts_[i].value();
    total.sum += sum_.value();
  }

 private:
  std::array<Cell<std::uint64_t>, Bounds.size() + 1> counts_;
  Cell<double> sum_;
};

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

/// The series of one metric, while a page is made. Valid until another family is begun.
class Family {
 public:
  template <class T>
  requires std::integral<T> || std::floating_point<T> Family& add(Labels labels, T value) {
    return append(labels, static_cast<double>(value));
  }
  Family& add(Labels labels, const HistogramTotal& total);

 private:
  friend class Families;
  explicit Family(prometheus::MetricFamily& family) : family_(family) {}
  Family& append(Labels labels, double value);
  prometheus::ClientMetric& series(Labels labels);

  prometheus::MetricFamily& family_;
};

/// The page being made: `families.counter("adit_gateway_requests_total", "Requests.").add({{"code", "2xx"}}, value)`.
/// A name that was used before is continued, so that several collectors may feed one family.
class Families {
 public:
  Family counter(std::string_view name, std::string_view help);
  Family gauge(std::string_view name, std::string_view help);
  Family histogram(std::string_view name, std::string_view help);

  std::vector<prometheus::MetricFamily> take() && { return std::move(families_); }

 private:
  Family find_or_begin(std::string_view name, std::string_view help, prometheus::MetricType type);

  std::vector<prometheus::MetricFamily> families_;
};

/// The collectors of a program. Any thread; a collector runs on the thread that asks for the page, one at a time, and
/// what it reads must live until nobody asks any more.
class Registry final : public prometheus::Collectable {
 public:
  using Collector = std::function<void(Families&)>;

  void add(Collector collector);

  std::vector<prometheus::MetricFamily> Collect() const override;
  /// The page in the text format 0.0.4 of Prometheus.
  std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Collector> collectors_;
};

/// Collects process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, process_max_fds and
/// process_start_time_seconds from /proc/self; what cannot be read is left out.
void collect_process(Families& families);
/// Collects adit_build_info{program,version} 1.
Registry::Collector build_info(std::string program, std::string version);

}  // namespace adit::telemetry
