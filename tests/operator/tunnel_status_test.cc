#include "operator/tunnel_status.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/conditions.h"
#include "tests/operator/objects.h"

namespace adit::controller {
namespace {

using kube::Json;
using routing::Problem;
using routing::ProblemKind;

Problem problem(ProblemKind kind, const std::string& reason) {
  Problem result;
  result.field = "spec.field";
  result.reason = reason;
  result.kind = kind;
  return result;
}

/// A tunnel with all well: two gateways, one connector.
struct Case {
  Case() {
    facts.uid = kube::uid_of(tunnel);
    facts.generation = 3;
    facts.id = "the-id";
    facts.outcome.hosts = {"shop.example.com"};
    configure({"default"});
    edge.gateways = edge.current = 2;
    edge.connectors = {{"instance-1", {"default"}}};
  }
  void configure(const std::vector<std::string>& services, std::size_t tokens = 1) {
    auto wanted = std::make_shared<routing::Tunnel>();
    wanted->tokens.resize(tokens);
    auto configuration = std::make_shared<routing::TunnelConfiguration>();
    configuration->tunnel = wanted;
    for (const auto& service : services) configuration->rules.push_back({"shop.example.com", "/" + service, service});
    facts.outcome.configuration = configuration;
  }
  StatusPlan plan(const std::string& now = "2026-01-01T00:00:00Z") const {
    return plan_status(tunnel, facts, edge, {"edge.example.com"}, now);
  }
  std::string condition(const char* type) const {
    const auto planned = plan();
    if (!planned.object) return "no status";
    const Json* found = kube::find_condition((*planned.object)["status"]["conditions"], type);
    return kube::text_at(*found, {"status"}) + " " + kube::text_at(*found, {"reason"});
  }
  std::string message(const char* type) const {
    const auto planned = plan();
    return kube::text_at(*kube::find_condition((*planned.object)["status"]["conditions"], type), {"message"});
  }
  void store() {
    if (const auto planned = plan(); planned.object) tunnel["status"] = (*planned.object)["status"];
  }

  Json tunnel = tunnel_object();
  TunnelFacts facts;
  EdgeView edge;
};

TEST(TunnelStatus, SaysWhatIs) {
  const Case all_well;
  const auto planned = all_well.plan();
  ASSERT_TRUE(planned.object);
  const Json& status = (*planned.object)["status"];
  EXPECT_EQ(status["observedGeneration"], 3);
  EXPECT_EQ(status["id"], "the-id");
  EXPECT_EQ(status["hosts"], Json::array({"shop.example.com"}));
  EXPECT_EQ(status["addresses"], Json::array({{{"value", "edge.example.com"}}}));
  EXPECT_EQ(status["connectors"], 1);
  EXPECT_FALSE(status.contains("sharedRoutes"));
  for (const char* type : {"Accepted", "ResolvedRefs", "Programmed", "Connected", "Ready"}) {
    EXPECT_EQ(all_well.condition(type), std::string("True ") + type);
  }
  EXPECT_EQ((*planned.object)["metadata"]["uid"], kube::uid_of(all_well.tunnel));
}

TEST(TunnelStatus, IsWrittenOnlyWhenItChanges) {
  Case c;
  c.store();
  EXPECT_FALSE(c.plan("2026-02-02T00:00:00Z").object);
  EXPECT_TRUE(c.plan("2026-02-02T00:00:00Z").events.empty());
  c.edge.connectors.clear();
  const auto planned = c.plan("2026-02-02T00:00:00Z");
  ASSERT_TRUE(planned.object);
  const Json& conditions = (*planned.object)["status"]["conditions"];
  EXPECT_EQ((*kube::find_condition(conditions, "Connected"))["lastTransitionTime"], "2026-02-02T00:00:00Z");
  EXPECT_EQ((*kube::find_condition(conditions, "Accepted"))["lastTransitionTime"], "2026-01-01T00:00:00Z");
}

struct Expectation {
  const char* what;
  std::function<void(Case&)> change;
  const char* type;
  const char* condition;
};

class TunnelStatusTable : public testing::TestWithParam<Expectation> {};

TEST_P(TunnelStatusTable, Holds) {
  Case c;
  GetParam().change(c);
  EXPECT_EQ(c.condition(GetParam().type), GetParam().condition) << GetParam().what;
  const std::string text = GetParam().condition;
  // Ready is the first condition that is not True.
  const bool is_first =
      std::string_view(GetParam().type) != "Connected" || c.condition("Programmed").starts_with("True");
  if (text.starts_with("False") && is_first) {
    EXPECT_EQ(c.condition("Ready"), text) << GetParam().what;
  }
}

const Expectation kExpectations[] = {
    {"invalid", [](Case& c) { c.facts.refused = {problem(ProblemKind::invalid, "is bad")}; }, "Accepted",
     "False Invalid"},
    {"unsupported", [](Case& c) { c.facts.refused = {problem(ProblemKind::unsupported, "not yet")}; }, "Accepted",
     "False Unsupported"},
    {"both",
     [](Case& c) {
       c.facts.refused = {problem(ProblemKind::unsupported, "not yet"), problem(ProblemKind::invalid, "is bad")};
     },
     "Accepted", "False Invalid"},
    {"host held", [](Case& c) { c.facts.outcome.problems = {problem(ProblemKind::host_held, "held by b/x")}; },
     "Accepted", "False HostConflict"},
    {"path held", [](Case& c) { c.facts.outcome.problems = {problem(ProblemKind::path_held, "held by a/x")}; },
     "Accepted", "False HostConflict"},
    {"duplicate id",
     [](Case& c) {
       c.facts.outcome.problems = {problem(ProblemKind::duplicate_id, "is that of b/x")};
       c.facts.outcome.configuration.reset();
     },
     "Accepted", "False DuplicateId"},
    {"secret missing", [](Case& c) { c.facts.outcome.problems = {problem(ProblemKind::secret_missing, "no")}; },
     "ResolvedRefs", "False SecretNotFound"},
    {"secret invalid", [](Case& c) { c.facts.outcome.problems = {problem(ProblemKind::secret_invalid, "no")}; },
     "ResolvedRefs", "False SecretInvalid"},
    {"staple", [](Case& c) { c.facts.outcome.problems = {problem(ProblemKind::staple_invalid, "no")}; }, "ResolvedRefs",
     "False SecretInvalid"},
    {"kept key pair", [](Case& c) { c.facts.keeps_key_pair = true; }, "Programmed", "False Pending"},
    {"mismatch", [](Case& c) { c.facts.outcome.problems = {problem(ProblemKind::certificate_mismatch, "no")}; },
     "ResolvedRefs", "False SecretInvalid"},
    {"unreadable", [](Case& c) { c.facts.unreadable = {"Secret a/b cannot be read: forbidden"}; }, "ResolvedRefs",
     "False SecretUnreadable"},
    {"no gateway", [](Case& c) { c.edge.gateways = c.edge.current = 0; }, "Programmed", "False NoGateway"},
    {"one of two", [](Case& c) { c.edge.current = 1; }, "Programmed", "False Pending"},
    {"refused", [](Case& c) { c.edge.refused = "gateway g: odd"; }, "Programmed", "False Refused"},
    {"no connector", [](Case& c) { c.edge.connectors.clear(); }, "Connected", "False NoConnector"},
    {"no token", [](Case& c) { c.configure({"default"}, 0); }, "Connected", "False NoToken"},
    {"a service is missing",
     [](Case& c) {
       c.configure({"default", "api"});
     },
     "Connected", "False ServiceNotOffered"},
    {"another offers it",
     [](Case& c) {
       c.configure({"default", "api"});
       c.edge.connectors.push_back({"instance-2", {"api"}});
     },
     "Connected", "True Connected"},
};
INSTANTIATE_TEST_SUITE_P(Cases, TunnelStatusTable, testing::ValuesIn(kExpectations));

TEST(TunnelStatus, MessagesNameWhatToMend) {
  Case c;
  c.facts.outcome.problems = {problem(ProblemKind::host_held, "shop.example.com is held by Tunnel b/x"),
                              problem(ProblemKind::host_held, "more")};
  EXPECT_EQ(c.message("Accepted"), "spec.field: shop.example.com is held by Tunnel b/x (and 1 more)");
  c.facts.refused = {problem(ProblemKind::invalid, "is bad")};
  EXPECT_EQ(c.message("Accepted"), "spec.field: is bad; what was in force stays");
  c.facts.outcome.configuration.reset();
  EXPECT_EQ(c.message("Accepted"), "spec.field: is bad");
}

TEST(TunnelStatus, EventsTellTransitionsOfReady) {
  Case c;
  c.edge.connectors.clear();
  auto events = c.plan().events;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].reason, "NoConnector");
  EXPECT_EQ(events[0].type, kube::EventType::normal);  // nothing was lost: it has yet to come
  c.store();
  c.edge.connectors = {{"instance-1", {"default"}}};
  events = c.plan().events;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].reason, "Ready");
  c.store();
  c.edge.connectors.push_back({"instance-2", {"default"}});  // the status changes, Ready does not
  EXPECT_TRUE(c.plan().object);
  EXPECT_TRUE(c.plan().events.empty());
  c.store();
  c.edge.connectors.clear();
  events = c.plan().events;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].type, kube::EventType::warning);
}

TEST(TunnelStatus, WhatIsPendingIsNoEvent) {
  Case c;
  c.edge.current = 1;
  EXPECT_TRUE(c.plan().object);
  EXPECT_TRUE(c.plan().events.empty());
}

TEST(TunnelStatus, HostileStatusIsReadAsAbsent) {
  for (const Json& status : {Json("x"), Json::array(), Json{{"conditions", 5}}, Json{{"conditions", Json::array({7})}},
                             Json{{"hosts", "x"}, {"sharedRoutes", Json::array({1})}}}) {
    Case c;
    c.tunnel["status"] = status;
    EXPECT_TRUE(c.plan().object) << status;
    const auto claim = recorded_claim(c.tunnel);
    EXPECT_EQ(claim.name, "team-a/shop");
    EXPECT_TRUE(claim.hosts.empty()) << status;
    EXPECT_TRUE(claim.shared.empty()) << status;
  }
}

TEST(TunnelStatus, WhatIsRecordedIsReadBack) {
  Case c;
  c.facts.outcome.shared = {"shop.example.com/api"};
  c.store();
  const auto claim = recorded_claim(c.tunnel);
  EXPECT_EQ(claim.hosts, c.facts.outcome.hosts);
  EXPECT_EQ(claim.shared, c.facts.outcome.shared);
}

}  // namespace
}  // namespace adit::controller
