#include "kube/conditions.h"

namespace adit::kube {
namespace {

/// What the schema of metav1.Condition allows.
constexpr std::size_t kMostMessageBytes = 32'768;

const char* text_of(Truth truth) {
  switch (truth) {
    case Truth::no:
      return "False";
    case Truth::yes:
      return "True";
    case Truth::unknown:
      break;
  }
  return "Unknown";
}

std::string transition_time(const Json& present, const Condition& wanted, const std::string& now) {
  const auto* before = find_condition(present, wanted.type);
  if (before == nullptr || text_at(*before, {"status"}) != text_of(wanted.status)) return now;
  auto since = text_at(*before, {"lastTransitionTime"});
  return since.empty() ? now : since;
}

}  // namespace

const Json* find_condition(const Json& conditions, std::string_view type) {
  if (!conditions.is_array()) return nullptr;
  for (const auto& condition : conditions) {
    if (const auto* found = find(condition, {"type"}); found != nullptr && *found == type) return &condition;
  }
  return nullptr;
}

Json merge_conditions(const Json& present, const std::vector<Condition>& wanted, const std::string& now) {
  Json merged = Json::array();
  for (const auto& condition : wanted) {
    merged.push_back({{"type", condition.type},
                      {"status", text_of(condition.status)},
                      {"reason", condition.reason},
                      {"message", message_text(condition.message, kMostMessageBytes)},
                      {"observedGeneration", condition.observed_generation},
                      {"lastTransitionTime", transition_time(present, condition, now)}});
  }
  return merged;
}

}  // namespace adit::kube
