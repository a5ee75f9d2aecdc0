#include "telemetry/metrics.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <sstream>
#include <utility>

#include <prometheus/text_serializer.h>

namespace adit::telemetry {

prometheus::ClientMetric& Family::series(Labels labels) {
  auto& metric = family_.metric.emplace_back();
  metric.label.reserve(labels.size());
  for (const auto& label : labels) metric.label.push_back({std::string(label.name), std::string(label.value)});
  return metric;
}

Family& Family::append(Labels labels, double value) {
  auto& metric = series(labels);
  (family_.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return *this;
}

Family& Family::add(Labels labels, const HistogramTotal& total) {
  auto& histogram = series(labels).histogram;
  for (std::size_t i = 0; i < total.counts.size(); ++i) {
    const bool last = i == total.bounds.size();
    histogram.sample_count += total.counts[i];
    histogram.bucket.push_back(
        {histogram.sample_count, last ? std::numeric_limits<double>::infinity() : total.bounds[i]});
  }
  histogram.sample_sum = total.sum;
  return *this;
}

Family Families::counter(std::string_view name, std::string_view help) {
  return find_or_begin(name, help, prometheus::MetricType::Counter);
}

Family Families::gauge(std::string_view name, std::string_view help) {
  return find_or_begin(name, help, prometheus::MetricType::Gauge);
}

Family Families::histogram(std::string_view name, std::string_view help) {
  return find_or_begin(name, help, prometheus::MetricType::Histogram);
}

Family Families::find_or_begin(std::string_view name, std::string_view help, prometheus::MetricType type) {
  const auto found = std::find_if(families_.begin(), families_.end(), [&](const auto& f) { return f.name == name; });
  if (found != families_.end()) {
    assert(found->type == type && "one name, two types");
    return Family(*found);
  }
  auto& family = families_.emplace_back();
  family.name = name;
  family.help = help;
  family.type = type;
  return Family(family);
}

void Registry::add(Collector collector) {
  const std::lock_guard lock(mutex_);
  collectors_.push_back(std::move(collector));
}

std::vector<prometheus::MetricFamily> Registry::Collect() const {
  const std::lock_guard lock(mutex_);
  Families families;
  for (const auto& collect : collectors_) collect(families);
  return std::move(families).take();
}

std::string Registry::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, Collect());
  return std::move(out).str();
}

}  // namespace adit::telemetry
