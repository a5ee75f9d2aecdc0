// The settings of adit-gateway from flags, environment and file.

#include "gateway/options.h"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace adit::gateway::test {
namespace {

using Texts = std::vector<std::string>;

std::vector<const char*> pointers(const Texts& texts) {
  std::vector<const char*> all;
  for (const auto& text : texts) all.push_back(text.c_str());
  all.push_back(nullptr);
  return all;
}

base::ParseOutcome parse(Options& options, Texts arguments, const Texts& environment = {},
                         const std::string& yaml = "") {
  arguments.insert(arguments.begin(), "adit-gateway");
  const auto file = testing::TempDir() + "gateway_options_" + std::to_string(getpid()) + ".yaml";
  if (!yaml.empty()) {
    std::ofstream(file) << yaml;
    arguments.push_back("--config=" + file);
  }
  auto outcome = parse_options(options, static_cast<int>(arguments.size()), pointers(arguments).data(),
                               pointers(environment).data());
  std::filesystem::remove(file);
  return outcome;
}

TEST(Options, Defaults) {
  Options options;
  ASSERT_TRUE(parse(options, {"--manifests=m", "--insecure"}).run());
  EXPECT_EQ(options.manifests, "m");
  EXPECT_EQ(options.http, (base::ListenAddress{"", 8080, false}));
  EXPECT_EQ(options.https, (base::ListenAddress{"", 8443, false}));
  EXPECT_EQ(options.link, (base::ListenAddress{"", 7443, false}));
  EXPECT_EQ(options.admin, (base::ListenAddress{"127.0.0.1", 9090, false})) << "not for everybody";
  EXPECT_EQ(options.workers, 0U);
  EXPECT_EQ(options.access_log, "-");
  EXPECT_EQ(options.answer_timeout, std::chrono::minutes(1));
  EXPECT_EQ(options.drain_time, std::chrono::seconds(30));
  EXPECT_FALSE(options.check);
}

TEST(Options, OperatorInsteadOfManifests) {
  Options options;
  const auto outcome = parse(options, {"--operator=wss://operator.adit:8444", "--operator-token-file=t",
                                       "--operator-ca-file=c", "--state-dir=s", "--link-host=edge.example.com"});
  ASSERT_TRUE(outcome.run()) << outcome.text;
  EXPECT_EQ(options.operator_url, "wss://operator.adit:8444");
  EXPECT_EQ(options.operator_token_file, "t");
  EXPECT_EQ(options.operator_ca_file, "c");
  EXPECT_EQ(options.state_dir, "s");
  const struct {
    Texts arguments;
    const char* why;
  } cases[] = {
      {{"--insecure"}, "--manifests: a folder is needed"},
      {{"--manifests=m", "--operator=wss://o:1", "--operator-token-file=t", "--operator-ca-file=c"}, "one of them"},
      {{"--operator=o:1", "--operator-token-file=t", "--operator-ca-file=c"}, "does not begin with wss://"},
      {{"--operator=wss://o:1", "--operator-ca-file=c"}, "--operator-token-file: needed"},
      {{"--operator=wss://o:1", "--operator-token-file=t"}, "--operator-ca-file: needed"},
      {{"--operator=wss://o:1", "--operator-token-file=t", "--operator-ca-file=c", "--check"}, "--check: checks"},
      {{"--manifests=m", "--insecure", "--state-dir=s"}, "they belong to --operator"},
  };
  for (const auto& [arguments, why] : cases) {
    Options wrong;
    const auto refused = parse(wrong, arguments);
    EXPECT_EQ(refused.exit_code, 2) << why;
    EXPECT_NE(refused.text.find(why), std::string::npos) << refused.text;
  }
}

TEST(Options, FlagsWinOverEnvironmentOverFile) {
  const std::string yaml = "manifests: from-file\nlinkHost: file.example.com\nworkers: 1\nhttp: off\n";
  const Texts environment = {"ADIT_LINK_HOST=env.example.com", "ADIT_WORKERS=2", "PATH=/bin"};
  Options options;
  const auto outcome = parse(options, {"--workers=3", "--answer-timeout", "5s"}, environment, yaml);
  ASSERT_TRUE(outcome.run()) << outcome.text;
  EXPECT_EQ(options.manifests, "from-file");
  EXPECT_EQ(options.link_host, "env.example.com");
  EXPECT_EQ(options.workers, 3U);
  EXPECT_TRUE(options.http.off);
  EXPECT_EQ(options.answer_timeout, std::chrono::seconds(5));
}

struct Case {
  Texts arguments;
  const char* error;  ///< in the text; "": it runs
};
const Case kCases[] = {
    {{}, "--manifests"},
    {{"--manifests=m"}, "--link-host"},
    {{"--manifests=m", "--link-host=edge.example.com"}, ""},
    {{"--manifests=m", "--link=off"}, ""},
    {{"--manifests=m", "--check"}, ""},
    {{"--manifests=m", "--link-cert=c", "--link-key=k"}, ""},
    {{"--manifests=m", "--link-cert=c"}, "--link-cert and --link-key"},
    {{"--manifests=m", "--insecure", "--link-key=k"}, "--link-cert and --link-key"},
    {{"--manifests=m", "--insecure", "--workers=257"}, "--workers"},
    {{"--manifests=m", "--insecure", "--workers=-1"}, "--workers"},
    {{"--manifests=m", "--insecure", "--http=8080"}, "--http"},
    {{"--manifests=m", "--insecure", "--http=:99999"}, "--http"},
    {{"--manifests=m", "--insecure", "--drain-time=30"}, "--drain-time"},
    {{"--manifests=m", "--insecure", "--log-level=loud"}, "--log-level"},
    {{"--manifests=m", "--insecure", "--no-such-flag"}, "--no-such-flag"},
    {{"--manifests=m", "--insecure", "--peer-listen=:7444"}, ""},
    {{"--manifests=m", "--insecure", "--peer-listen=:7444", "--peers=a:1,b:2", "--peers=[::1]:3"}, ""},
    {{"--manifests=m", "--insecure", "--peers=a:1"}, "--peer-listen: needed"},
    {{"--manifests=m", "--insecure", "--peer-listen=:7444", "--peers=a"}, "--peers"},
    {{"--manifests=m", "--insecure", "--peer-listen=:7444", "--peer-cert=c"}, "one needs the others"},
    {{"--manifests=m", "--link-host=l", "--peer-listen=:7444"}, "--peer-cert, --peer-key and --peer-ca: needed"},
    {{"--manifests=m", "--link-host=l", "--peer-listen=:7444", "--peer-cert=c", "--peer-key=k", "--peer-ca=a"}, ""},
    {{"--manifests=m", "--insecure", "--peer-listen=:7444", "--peer-address=a:1"}, "--peer-address: it belongs to"},
};

TEST(Options, Table) {
  for (const auto& test : kCases) {
    SCOPED_TRACE(testing::PrintToString(test.arguments));
    Options options;
    const auto outcome = parse(options, test.arguments);
    EXPECT_EQ(outcome.run(), *test.error == '\0') << outcome.text;
    EXPECT_NE(outcome.text.find(test.error), std::string::npos) << outcome.text;
    if (*test.error != '\0') {
      EXPECT_EQ(outcome.exit_code, 2);
    }
  }
}

TEST(Options, PeersOfAllKindsOfLists) {
  Options options;
  ASSERT_TRUE(
      parse(options, {"--manifests=m", "--insecure", "--peer-listen=:7444", "--peers=a:1, b:2", "--peers=c:3"}).run());
  EXPECT_EQ(options.peers, (Texts{"a:1", "b:2", "c:3"}));
}

TEST(Options, TheOperatorMayTellGatewaysOfEachOther) {
  const Texts operated{"--operator=wss://o:1", "--operator-token-file=t",    "--operator-ca-file=c",
                       "--link-host=l",        "--peer-address=10.0.0.1:74", "--peer-listen=:74"};
  Options options;
  EXPECT_TRUE(parse(options, operated).run());
  auto both = operated;
  both.push_back("--peers=a:1");
  EXPECT_FALSE(parse(options, both).run());
}

TEST(Options, EveryMistakeIsNamed) {
  Options options;
  const auto outcome = parse(options, {"--link-cert=c"});
  EXPECT_NE(outcome.text.find("--manifests"), std::string::npos) << outcome.text;
  EXPECT_NE(outcome.text.find("--link-key"), std::string::npos) << outcome.text;
}

}  // namespace
}  // namespace adit::gateway::test
