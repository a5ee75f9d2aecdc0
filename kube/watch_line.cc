#include "kube/watch_line.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace adit::kube {
namespace {

constexpr std::array<std::pair<std::string_view, WatchLine::Type>, 5> kTypes{{
    {"ADDED", WatchLine::Type::set},
    {"MODIFIED", WatchLine::Type::set},
    {"DELETED", WatchLine::Type::erase},
    {"BOOKMARK", WatchLine::Type::bookmark},
    {"ERROR", WatchLine::Type::error},
}};

ApiError malformed(std::string message) {
  ApiError error;
  error.failure = ApiFailure::malformed;
  error.message = std::move(message);
  return error;
}

/// A whole number at a path, within [least, most]; `otherwise` when there is none.
std::int64_t number_at(const Json& object, std::initializer_list<std::string_view> path, std::int64_t least,
                       std::int64_t most, std::int64_t otherwise) {
  const auto* value = find(object, path);
  if (value == nullptr || !value->is_number()) return otherwise;
  const auto number = value->get<double>();
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most))) return otherwise;
  return static_cast<std::int64_t>(number);
}

/// What is missing in the object of an event; empty: nothing.
std::string_view problem_of(const WatchLine& line) {
  if (line.type == WatchLine::Type::error) return {};
  if (resource_version_of(line.object).empty()) return "an event without metadata.resourceVersion";
  if (line.type != WatchLine::Type::bookmark && name_of(line.object).name.empty())
    return "an event without metadata.name";
  return {};
}

}  // namespace

ApiResult<WatchLine> read_watch_line(std::string_view line) {
  auto event = Json::parse(line, nullptr, false);
  if (!event.is_object()) return malformed("a line that is no JSON object");
  const auto name = text_at(event, {"type"});
  const auto* const type =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& known) { return known.first == name; });
  if (type == kTypes.end()) return malformed("an event of unknown type");
  const auto object = event.find("object");
  if (object == event.end() || !object->is_object()) return malformed("an event without object");
  WatchLine read{type->second, std::move(*object)};
  if (const auto problem = problem_of(read); !problem.empty()) return malformed(std::string(problem));
  return read;
}

ApiError error_of_status(const Json& status, std::string call) {
  ApiError error;
  error.call = std::move(call);
  error.code = static_cast<int>(number_at(status, {"code"}, 100, 999, 500));
  error.reason = text_at(status, {"reason"});
  error.message = text_at(status, {"message"});
  constexpr std::int64_t kMostSeconds = 3600;
  if (const auto seconds = number_at(status, {"details", "retryAfterSeconds"}, 1, kMostSeconds, 0); seconds > 0) {
    error.retry_after = std::chrono::seconds(seconds);
  }
  return error;
}

}  // namespace adit::kube
