#include <algorithm>
#include <array>
#include <numeric>

#include "base/settings_sources.h"
#include "base/text.h"

namespace adit::base {
namespace {

constexpr std::string_view kPrefix = "ADIT_";

/// Kubernetes gives each container variables of the Services of its namespace, so that a Service "adit-gateway" makes
/// ADIT_GATEWAY_SERVICE_HOST, ADIT_GATEWAY_PORT, ADIT_GATEWAY_PORT_443_TCP_ADDR and others.
bool is_of_a_service(std::string_view name) {
  return name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != std::string_view::npos ||
         name.ends_with("_PORT") || name.find("_TCP") != std::string_view::npos ||
         name.find("_UDP") != std::string_view::npos;
}

Given given_by(const SettingsOption& option, std::string_view value) {
  Given given{.option = &option, .texts = {}};
  if (option.kind != OptionKind::list) {
    given.texts.push_back({std::string(value), option.variable});
  } else {
    for_each_item(value, [&](std::string_view item) { given.texts.push_back({std::string(item), option.variable}); });
  }
  return given;
}

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (to_lower(a[i]) == to_lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view name, const std::vector<std::string>& names) {
  constexpr std::size_t kNear = 2;
  if (name.size() > 64) return {};
  const auto nearest = std::min_element(
      names.begin(), names.end(), [&](const auto& a, const auto& b) { return distance(name, a) < distance(name, b); });
  if (nearest == names.end() || distance(name, *nearest) > kNear) return {};
  return " (did you mean " + *nearest + "?)";
}

SourceText read_environment(std::string_view program, const std::vector<SettingsOption>& options,
                            const char* const* environment) {
  SourceText source;
  std::vector<std::string> known;
  known.reserve(options.size());
  for (const auto& option : options) known.push_back(option.variable);
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const auto equals = entry.find('=');
    const auto name = entry.substr(0, equals);
    if (!name.starts_with(kPrefix) || equals == std::string_view::npos || equals + 1 == entry.size()) continue;
    const auto found = std::find(known.begin(), known.end(), name);
    if (found != known.end()) {
      source.given.push_back(
          given_by(options[static_cast<std::size_t>(found - known.begin())], entry.substr(equals + 1)));
    } else if (!is_of_a_service(name)) {
      source.warnings.push_back(std::string(name) + " is not a setting of " + std::string(program) +
                                suggestion(name, known));
    }
  }
  return source;
}

}  // namespace adit::base
