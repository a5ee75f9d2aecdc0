#include "operator/tunnel_status.h"

#include <algorithm>
#include <set>

#include "kube/conditions.h"

namespace adit::controller {
namespace {

using kube::Condition;
using kube::Json;
using kube::Truth;
using routing::Problem;
using routing::ProblemKind;

bool is_reference(ProblemKind kind) {
  return kind == ProblemKind::secret_missing || kind == ProblemKind::secret_invalid ||
         kind == ProblemKind::certificate_mismatch || kind == ProblemKind::staple_invalid;
}

/// "spec.routes[0].host: reason (and 3 more)".
std::string summary(const std::vector<const Problem*>& problems) {
  const Problem& first = *problems.front();
  std::string text = first.field.empty() ? first.reason : first.field + ": " + first.reason;
  if (problems.size() > 1) text += " (and " + std::to_string(problems.size() - 1) + " more)";
  return text;
}

std::vector<const Problem*> select(const std::vector<Problem>& problems, bool references) {
  std::vector<const Problem*> selected;
  for (const Problem& problem : problems) {
    if (is_reference(problem.kind) == references) selected.push_back(&problem);
  }
  return selected;
}

std::string count(std::size_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

class Conditions {
 public:
  Conditions(const TunnelFacts& facts, const EdgeView& edge) : facts_(facts), edge_(edge) {}

  std::vector<Condition> run() {
    accepted();
    resolved();
    programmed();
    connected();
    ready();
    return std::move(list_);
  }

 private:
  void add(const char* type, Truth status, std::string reason, std::string message) {
    list_.push_back({type, status, std::move(reason), std::move(message), facts_.generation});
  }

  void accepted() {
    if (!facts_.refused.empty()) {
      const auto problems = select(facts_.refused, false);
      const bool only_unsupported = std::all_of(facts_.refused.begin(), facts_.refused.end(),
                                                [](const Problem& p) { return p.kind == ProblemKind::unsupported; });
      std::string message = problems.empty() ? "the object cannot be read" : summary(problems);
      if (facts_.outcome.configuration) message += "; what was in force stays";
      return add("Accepted", Truth::no, only_unsupported ? "Unsupported" : "Invalid", std::move(message));
    }
    const auto problems = select(facts_.outcome.problems, false);
    if (problems.empty()) return add("Accepted", Truth::yes, "Accepted", "every rule is in force" + sharing());
    add("Accepted", Truth::no, acceptance_reason(problems), summary(problems));
  }

  /// "; shop.example.com/ is shared with ... (and 3 more)", or nothing.
  std::string sharing() const {
    const auto& all = facts_.outcome.sharing;
    if (all.empty()) return {};
    return "; " + all.front() + (all.size() == 1 ? "" : " (and " + std::to_string(all.size() - 1) + " more)");
  }

  static std::string acceptance_reason(const std::vector<const Problem*>& problems) {
    const auto has = [&](ProblemKind kind) {
      return std::any_of(problems.begin(), problems.end(), [kind](const Problem* p) { return p->kind == kind; });
    };
    if (has(ProblemKind::duplicate_id)) return "DuplicateId";
    if (has(ProblemKind::host_held) || has(ProblemKind::path_held)) return "HostConflict";
    if (has(ProblemKind::host_forbidden)) return "HostNotAllowed";
    return "Invalid";
  }

  void resolved() {
    if (!facts_.unreadable.empty()) {
      return add("ResolvedRefs", Truth::no, "SecretUnreadable", facts_.unreadable.front());
    }
    const auto problems = select(facts_.outcome.problems, true);
    if (problems.empty()) return add("ResolvedRefs", Truth::yes, "ResolvedRefs", "every Secret is there and usable");
    const bool is_missing = std::any_of(problems.begin(), problems.end(),
                                        [](const Problem* p) { return p->kind == ProblemKind::secret_missing; });
    add("ResolvedRefs", Truth::no, is_missing ? "SecretNotFound" : "SecretInvalid", summary(problems));
  }

  void programmed() {
    if (!facts_.refused.empty()) {
      return add("Programmed", Truth::no, "NotAccepted", "this generation was not given to the gateways");
    }
    if (!facts_.outcome.configuration) {
      return add("Programmed", Truth::no, "NotAccepted", "nothing of this object is in force");
    }
    if (!facts_.unreadable.empty()) {
      return add("Programmed", Truth::no, "Pending", "waits until every Secret can be read; what was in force stays");
    }
    if (facts_.keeps_key_pair) {
      return add("Programmed", Truth::no, "Pending", "waits until the TLS Secret can be used; what was in force stays");
    }
    if (!edge_.refused.empty()) return add("Programmed", Truth::no, "Refused", edge_.refused);
    if (edge_.gateways == 0) return add("Programmed", Truth::no, "NoGateway", "no gateway has the configuration");
    if (edge_.current < edge_.gateways) {
      return add("Programmed", Truth::no, "Pending",
                 count(edge_.current, "gateway") + " of " + std::to_string(edge_.gateways) + " have it");
    }
    add("Programmed", Truth::yes, "Programmed", "in force at " + count(edge_.gateways, "gateway"));
  }

  void connected() {
    const auto& configuration = facts_.outcome.configuration;
    if (!configuration) return add("Connected", Truth::no, "NotAccepted", "nothing of this object is in force");
    if (configuration->tunnel->tokens.empty()) {
      return add("Connected", Truth::no, "NoToken", "no connector can link: there is no usable token");
    }
    if (edge_.connectors.empty()) {
      return add("Connected", Truth::no, "NoConnector", "no connector is linked to a gateway");
    }
    std::set<std::string> missing;
    for (const auto& rule : configuration->rules) missing.insert(rule.service);
    for (const auto& connector : edge_.connectors) {
      for (const auto& service : connector.services) missing.erase(service);
    }
    if (!missing.empty()) {
      return add("Connected", Truth::no, "ServiceNotOffered",
                 "no connector offers the service " + *missing.begin() +
                     (missing.size() == 1 ? "" : " (and " + std::to_string(missing.size() - 1) + " more)"));
    }
    add("Connected", Truth::yes, "Connected", count(edge_.connectors.size(), "connector") + " linked");
  }

  void ready() {
    for (const Condition& condition : list_) {
      if (condition.status == Truth::yes) continue;
      return add("Ready", condition.status, condition.reason, condition.message);
    }
    add("Ready", Truth::yes, "Ready", "requests reach the services");
  }

  const TunnelFacts& facts_;
  const EdgeView& edge_;
  std::vector<Condition> list_;
};

Json status_of(const TunnelFacts& facts, const EdgeView& edge, const std::vector<std::string>& addresses,
               Json conditions) {
  Json values = Json::array();
  for (const auto& address : addresses) values.push_back({{"value", address}});
  Json status = {{"observedGeneration", facts.generation}, {"id", facts.id},
                 {"hosts", facts.outcome.hosts},           {"addresses", std::move(values)},
                 {"connectors", edge.connectors.size()},   {"conditions", std::move(conditions)}};
  if (!facts.outcome.shared.empty()) status["sharedRoutes"] = facts.outcome.shared;
  return status;
}

bool is_fault(const std::string& reason) {
  static const std::set<std::string> expected{"Pending", "NoGateway", "NoConnector", "Ready"};
  return !expected.contains(reason);
}

/// On transitions only: Ready has another status or reason than before.
std::vector<PlannedEvent> events_of(const Json* before, const Condition& ready) {
  const std::string reason = before == nullptr ? "" : kube::text_at(*before, {"reason"});
  // Pending is over in a moment, and what it leads to is told.
  if (reason == ready.reason || ready.reason == "Pending") return {};
  const bool was_ready = before != nullptr && kube::text_at(*before, {"status"}) == "True";
  const bool is_bad = ready.status != Truth::yes && (was_ready || is_fault(ready.reason));
  return {{is_bad ? kube::EventType::warning : kube::EventType::normal, ready.reason, ready.message}};
}

}  // namespace

StatusPlan plan_status(const Json& tunnel, const TunnelFacts& facts, const EdgeView& edge,
                       const std::vector<std::string>& addresses, const std::string& now) {
  const Json* present = kube::find(tunnel, {"status"});
  const Json* present_conditions = kube::find(tunnel, {"status", "conditions"});
  const auto conditions = Conditions(facts, edge).run();
  Json status =
      status_of(facts, edge, addresses,
                kube::merge_conditions(present_conditions == nullptr ? Json() : *present_conditions, conditions, now));
  StatusPlan plan;
  if (present != nullptr && *present == status) return plan;
  const auto name = kube::name_of(tunnel);
  plan.object = Json{{"apiVersion", kube::text_at(tunnel, {"apiVersion"})},
                     {"kind", kube::text_at(tunnel, {"kind"})},
                     // With the uid, a status never lands on a namesake that has come in the meantime.
                     {"metadata", {{"name", name.name}, {"namespace", name.space}, {"uid", facts.uid}}},
                     {"status", std::move(status)}};
  const Json* ready = present_conditions == nullptr ? nullptr : kube::find_condition(*present_conditions, "Ready");
  plan.events = events_of(ready, conditions.back());
  return plan;
}

routing::Claim recorded_claim(const Json& tunnel) {
  const auto texts = [&](std::string_view field) {
    std::vector<std::string> list;
    const Json* values = kube::find(tunnel, {"status", field});
    if (values == nullptr || !values->is_array()) return list;
    for (const Json& value : *values) {
      if (value.is_string()) list.push_back(value.get<std::string>());
    }
    return list;
  };
  return {kube::name_of(tunnel).key(), texts("hosts"), texts("sharedRoutes")};
}

}  // namespace adit::controller
