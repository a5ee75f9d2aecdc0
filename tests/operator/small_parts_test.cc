#include <map>

#include <gtest/gtest.h>

#include "operator/authenticator.h"
#include "operator/options.h"
#include "operator/write_budget.h"
#include "routing/digest.h"

namespace adit::controller {
namespace {

using namespace std::chrono_literals;

TEST(WriteBudget, LetsABurstGoAndThenTheRate) {
  WriteBudget budget(50, 3);
  const base::TimePoint start = base::TimePoint{} + 1h;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(budget.take(start), 0ms);
  EXPECT_EQ(budget.take(start), 20ms);
  EXPECT_EQ(budget.take(start), 40ms);  // a place of its own in the line
  EXPECT_EQ(budget.take(start + 20ms), 0ms);
  EXPECT_EQ(budget.take(start + 40ms), 0ms);
  EXPECT_EQ(budget.take(start + 40ms), 20ms);
}

TEST(WriteBudget, ManyThatWaitDoNotAllComeBackForEachWrite) {
  WriteBudget budget(50, 50);
  const base::TimePoint start = base::TimePoint{} + 1h;
  std::multimap<base::TimePoint, int> waiting;
  for (int i = 0; i < 10'000; ++i) waiting.emplace(start, i);
  int asked = 0;
  base::TimePoint now = start;
  while (!waiting.empty()) {
    now = waiting.begin()->first;
    waiting.erase(waiting.begin());
    ++asked;
    if (const auto wait = budget.take(now); wait > 0ms) waiting.emplace(now + wait, 0);
  }
  EXPECT_LE(asked, 450'000);                   // not 10,000 · 10,000 / 2
  EXPECT_LE(now - start, 10'000 * 20ms + 6s);  // and nothing of the budget was lost
  EXPECT_EQ(budget.take(now + 10s), 0ms);
}

TEST(WriteBudget, NeverPassesTheRateOverTime) {
  WriteBudget budget(50, 50);
  base::TimePoint now = base::TimePoint{} + 1h;
  int written = 0;
  for (const auto end = now + 10s; now < end; now += 1ms) written += budget.take(now) == 0ms ? 1 : 0;
  EXPECT_LE(written, 50 * 10 + 50);
  EXPECT_GE(written, 50 * 10);
}

std::string token_with(const std::string& payload) { return "e30." + routing::encode_base64(payload) + ".c2ln"; }

TEST(ExpiryOf, ReadsTheClaim) { EXPECT_EQ(expiry_of(token_with(R"({"exp":1800000000})")), WallTime(1'800'000'000s)); }

TEST(ExpiryOf, IsWithinWhatAClockCanSay) {
  const auto most = expiry_of(token_with(R"({"exp":18446744073709551615})"));
  ASSERT_TRUE(most);
  EXPECT_GT(*most, WallTime::max() - 1min);
  EXPECT_EQ(expiry_of(token_with(R"({"exp":9223372036854775807})")), most);
  EXPECT_EQ(expiry_of(token_with(R"({"exp":-9223372036854775808})")), WallTime{});
}

TEST(ExpiryOf, HasNoneForOtherTexts) {
  for (const std::string& text : {std::string(), std::string("abc"), std::string("a.b"), std::string(".."),
                                  std::string("e30.%%%.x"), token_with("{}"), token_with("[]"), token_with("{"),
                                  token_with(R"({"exp":"soon"})"), token_with(R"({"exp":1.5})")}) {
    EXPECT_FALSE(expiry_of(text)) << text;
  }
}

base::ParseOutcome parse(Options& options, std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "adit-operator");
  const char* const no_environment[] = {nullptr};
  return parse_options(options, static_cast<int>(arguments.size()), arguments.data(), no_environment);
}

TEST(OperatorOptions, DefaultsComeFromTheNamespace) {
  Options options;
  ASSERT_TRUE(parse(options, {"--namespace", "adit", "--gateway-address", "edge:7443"}).run());
  EXPECT_EQ(options.gateway_audience, "adit.dev/adit");
  EXPECT_EQ(options.control_names.back(), "adit-operator.adit.svc.cluster.local");
}

TEST(OperatorOptions, SayWhatIsMissingOrContradicts) {
  const auto text = [](std::vector<const char*> arguments) {
    Options options;
    const auto outcome = parse(options, std::move(arguments));
    EXPECT_EQ(outcome.exit_code, 2);
    return outcome.text;
  };
  EXPECT_NE(text({}).find("--namespace"), std::string::npos);
  EXPECT_NE(text({"--namespace", "a"}).find("--gateway-address"), std::string::npos);
  EXPECT_NE(text({"--namespace", "a", "--gateway-address", "e:1", "--renew-deadline", "15s"}).find("--renew-deadline"),
            std::string::npos);
  EXPECT_NE(text({"--namespace", "a", "--gateway-address", "e:1", "--host-policy", "x"}).find("--host-policy"),
            std::string::npos);
}

}  // namespace
}  // namespace adit::controller
