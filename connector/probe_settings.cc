#include "connector/probe_settings.h"

#include <algorithm>
#include <charconv>

#include "base/settings.h"

namespace adit::connector {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostPath = 1024;
constexpr base::Range<milliseconds> kInterval{milliseconds{100}, std::chrono::hours{1}};
constexpr base::Range<milliseconds> kTimeout{milliseconds{10}, std::chrono::seconds{10}};  // ServiceDial::kLimit
constexpr unsigned kMostThreshold = 100;

base::Error wrong(std::string_view text, const std::string& reason) {
  return base::Error{"probe \"" + std::string(text) + "\": " + reason};
}

base::Result<void> read_time(std::string_view value, base::Range<milliseconds> range, milliseconds& target) {
  const auto time = base::parse_duration(value);
  if (!time) return base::Error{time.error()};
  if (*time < range.least || *time > range.most) {
    return base::Error{"not from " + base::to_string(range.least) + " to " + base::to_string(range.most)};
  }
  target = *time;
  return {};
}

base::Result<void> read_count(std::string_view value, unsigned& target) {
  unsigned count = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
  if (error != std::errc() || end != value.data() + value.size() || count == 0 || count > kMostThreshold) {
    return base::Error{"not a number from 1 to " + std::to_string(kMostThreshold)};
  }
  target = count;
  return {};
}

base::Result<void> read_parameter(std::string_view item, ProbeSettings& probe) {
  const auto equals = item.find('=');
  const auto name = item.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : item.substr(equals + 1);
  base::Result<void> read;
  if (name == "interval") {
    read = read_time(value, kInterval, probe.interval);
  } else if (name == "timeout") {
    read = read_time(value, kTimeout, probe.timeout);
  } else if (name == "down") {
    read = read_count(value, probe.down_after);
  } else if (name == "up") {
    read = read_count(value, probe.up_after);
  } else {
    return base::Error{"unknown parameter \"" + std::string(name) + "\"; known are interval, timeout, down and up"};
  }
  if (!read) return base::Error{std::string(name) + ": " + read.error()};
  return {};
}

base::Result<void> read_kind(std::string_view kind, ProbeSettings& probe) {
  constexpr std::string_view kHttp = "http:";
  if (kind == "tcp") return {};
  if (!kind.starts_with(kHttp)) return base::Error{"\"" + std::string(kind) + "\" is neither tcp nor http:/PATH"};
  const auto path = kind.substr(kHttp.size());
  if (!path.starts_with('/') || path.size() > kMostPath) {
    return base::Error{"a path begins with \"/\" and has at most 1024 bytes, as in http:/healthz"};
  }
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c <= '~' && c != '#'; });
  if (!plain) return base::Error{"the path holds a space, \"#\" or what must be percent-encoded"};
  probe.path = path;
  return {};
}

}  // namespace

base::Result<ProbeSettings> parse_probe(std::string_view text) {
  ProbeSettings probe;
  auto rest = text;
  // A name holds no '/' and no '?', so an '=' behind one of them belongs to path or parameters.
  const auto separator = text.substr(0, text.find_first_of("/?")).find('=');
  probe.service = separator == std::string_view::npos ? std::string_view("default") : text.substr(0, separator);
  if (separator != std::string_view::npos) rest = text.substr(separator + 1);
  const auto query = rest.find('?');
  if (auto read = read_kind(rest.substr(0, query), probe); !read) return wrong(text, read.error());
  for (auto items = query == std::string_view::npos ? std::string_view() : rest.substr(query + 1); !items.empty();) {
    const auto end = items.find('&');
    if (auto read = read_parameter(items.substr(0, end), probe); !read) return wrong(text, read.error());
    items = end == std::string_view::npos ? std::string_view() : items.substr(end + 1);
  }
  return probe;
}

}  // namespace adit::connector
