#include "connector/options.h"

#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace adit::connector::test {
namespace {

using testing::HasSubstr;

ParsedOptions parse(std::vector<const char*> arguments, std::vector<const char*> environment = {}) {
  arguments.insert(arguments.begin(), "adit-connector");
  environment.push_back(nullptr);
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), environment.data());
}

const std::vector<const char*> kEnough = {
    "--gateway",    "edge.test",  "--tunnel",  "4D21094e-b74c-4916-86c1-d9fa36ea677b",
    "--token-file", "/etc/token", "--service", "http://web"};

std::vector<const char*> enough_and(std::vector<const char*> more) {
  more.insert(more.begin(), kEnough.begin(), kEnough.end());
  return more;
}

TEST(Options, NeedLittle) {
  const auto parsed = parse(kEnough);
  ASSERT_TRUE(parsed.outcome.run()) << parsed.outcome.text;
  const auto& options = parsed.options;
  ASSERT_EQ(options.gateways.size(), 1U);
  EXPECT_EQ(options.gateways[0].text(), "edge.test:7443");
  EXPECT_EQ(options.token_file, "/etc/token");
  EXPECT_EQ(options.services.find("default")->target.text(), "web:80");
  EXPECT_EQ(options.links, 4U);
  EXPECT_EQ(base::to_string(options.admin), "127.0.0.1:9091");
  EXPECT_FALSE(options.name.empty());
  EXPECT_FALSE(options.insecure);
}

TEST(Options, TakeSeveralGatewaysAndServices) {
  const auto parsed = parse(enough_and({"--gateway", "[::1]:443", "--service", "db=tcp://db:5432", "--links", "2"}));
  ASSERT_TRUE(parsed.outcome.run()) << parsed.outcome.text;
  ASSERT_EQ(parsed.options.gateways.size(), 2U);
  EXPECT_EQ(parsed.options.gateways[1].text(), "[::1]:443");
  EXPECT_NE(parsed.options.services.find("db"), nullptr);
}

TEST(Options, ComeFromTheEnvironment) {
  const auto parsed = parse({}, {"ADIT_GATEWAY=a.test,b.test:8443", "ADIT_TUNNEL=4d21094e-b74c-4916-86c1-d9fa36ea677b",
                                 "ADIT_TOKEN_FILE=/etc/token", "ADIT_SERVICE=web=http://web,db=tcp://db:1"});
  ASSERT_TRUE(parsed.outcome.run()) << parsed.outcome.text;
  EXPECT_EQ(parsed.options.gateways[1].text(), "b.test:8443");
  EXPECT_EQ(parsed.options.services.services().size(), 2U);
}

TEST(Options, ComeFromAFile) {
  const std::string path = testing::TempDir() + std::to_string(getpid()) + "adit-connector-options.yaml";
  std::ofstream(path) << "gateways: [edge.test]\n"
                         "tunnel: 4d21094e-b74c-4916-86c1-d9fa36ea677b\n"
                         "tokenFile: /etc/token\n"
                         "services:\n"
                         "  web: http://web\n"
                         "  api: https://api?caFile=/etc/ca.pem\n"
                         "probes:\n"
                         "  api: http:/healthz?interval=1s\n";
  const auto parsed = parse({"--config", path.c_str(), "--name", "blue"});
  ASSERT_TRUE(parsed.outcome.run()) << parsed.outcome.text;
  EXPECT_EQ(parsed.options.services.find("api")->tls->ca_file, "/etc/ca.pem");
  EXPECT_EQ(parsed.options.name, "blue");
  ASSERT_EQ(parsed.options.probes.size(), 1U);
  EXPECT_EQ(parsed.options.probes[0].path, "/healthz");
  std::remove(path.c_str());
}

TEST(Options, TellEverythingThatIsMissing) {
  const auto parsed = parse({});
  EXPECT_EQ(parsed.outcome.exit_code, 2);
  for (const char* flag : {"--gateway", "--service", "--token-file"}) {
    EXPECT_THAT(parsed.outcome.text, HasSubstr(std::string(flag) + " is missing"));
  }
}

TEST(Options, ThatAreWrongAreNamed) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"--gateway", "edge.test:0"}, "--gateway"},
      {{"--service", "web"}, "service URL \"web\": no scheme"},
      {{"--service", "http://other"}, "service \"default\" is given twice"},
      {{"--tunnel", "4d21094e-b74c-4916-86c1-d9fa36ea677b"}, "--tunnel: given 2 times"},
      {{"--links", "0"}, "--links"},
      {{"--name", "a b"}, "--name"},
      {{"--workers", "0"}, "--workers"},
      {{"--log-level", "loud"}, "--log-level"},
      {{"--transport", "smoke"}, "--transport"},
      {{"--dial-timeout", "0s"}, "--dial-timeout"},
      {{"--gateway", "http://edge.test"}, "has no TLS, which needs --insecure"},
      {{"--proxy", "socks5://proxy.test"}, "--proxy: only http:// proxies"},
      {{"--output", "json"}, "--output"},
      {{"--probe", "udp"}, "--probe: probe \"udp\": \"udp\" is neither tcp nor"},
      {{"--probe", "api=tcp"}, "--probe: there is no --service \"api\""},
      {{"--probe", "tcp", "--probe", "http:/"}, "--probe: service \"default\" has two"},
      {{"--drain-time", "30"}, "--drain-time"},
  };
  for (const auto& [more, why] : cases) {
    const auto parsed = parse(enough_and(more));
    EXPECT_EQ(parsed.outcome.exit_code, 2) << why;
    EXPECT_THAT(parsed.outcome.text, HasSubstr(why));
  }
}

TEST(Options, OfTheWayToTheGateway) {
  const auto parsed =
      parse(enough_and({"--gateway", "https://edge.test/adit", "--transport", "websocket", "--proxy",
                        "http://proxy.test:3128", "--proxy-credentials-file", "/etc/proxy", "--dial-timeout", "3s"}),
            {"NO_PROXY=a/b,.test"});
  ASSERT_TRUE(parsed.outcome.run()) << parsed.outcome.text;
  const auto& options = parsed.options;
  EXPECT_EQ(options.gateways[1].text(), "https://edge.test/adit");
  EXPECT_TRUE(options.gateways[0].encrypted);
  EXPECT_EQ(options.transport, TransportMode::websocket);
  EXPECT_EQ(options.proxy.proxy->text(), "http://proxy.test:3128");
  EXPECT_EQ(options.proxy.credentials_file, "/etc/proxy");
  EXPECT_NE(options.proxy.exceptions.match("edge.test", 443), nullptr);
  EXPECT_EQ(options.dial_timeout, std::chrono::seconds(3));
  EXPECT_THAT(parsed.outcome.warnings, testing::ElementsAre(HasSubstr("NO_PROXY: left out: ")));
}

TEST(Options, InsecureIsForAddressesWithoutAScheme) {
  const auto parsed = parse(enough_and({"--insecure", "--gateway", "http://a.test", "--gateway", "https://b.test"}));
  ASSERT_TRUE(parsed.outcome.run()) << parsed.outcome.text;
  EXPECT_FALSE(parsed.options.gateways[0].encrypted);
  EXPECT_FALSE(parsed.options.gateways[1].encrypted);
  EXPECT_TRUE(parsed.options.gateways[2].encrypted);
}

TEST(Options, ProxiesOfTheEnvironmentCount) {
  const auto parsed = parse(kEnough, {"HTTPS_PROXY=http://u:secret@proxy.test:3128"});
  ASSERT_TRUE(parsed.outcome.run()) << parsed.outcome.text;
  EXPECT_EQ(parsed.options.proxy.origin, "HTTPS_PROXY");
  EXPECT_THAT(parsed.outcome.warnings, testing::IsEmpty());
  const auto wrong = parse(kEnough, {"ALL_PROXY=socks5://u:secret@proxy.test"});
  EXPECT_EQ(wrong.outcome.exit_code, 2);
  EXPECT_THAT(wrong.outcome.text, HasSubstr("ALL_PROXY: "));
  EXPECT_THAT(wrong.outcome.text, testing::Not(HasSubstr("secret")));
}

TEST(Options, APasswordAmongTheArgumentsIsWarnedOf) {
  const auto parsed = parse(enough_and({"--proxy", "http://u:secret@proxy.test:3128"}));
  ASSERT_TRUE(parsed.outcome.run()) << parsed.outcome.text;
  EXPECT_THAT(parsed.outcome.warnings, testing::ElementsAre(HasSubstr("--proxy-credentials-file")));
  EXPECT_THAT(parsed.outcome.warnings[0], testing::Not(HasSubstr("secret")));
}

TEST(Options, TheDoctorHasThoseOfTheConnector) {
  auto arguments = enough_and({"--output", "json"});
  arguments.insert(arguments.begin(), "doctor");
  const auto parsed = parse(arguments);
  ASSERT_TRUE(parsed.outcome.run()) << parsed.outcome.text;
  EXPECT_TRUE(parsed.options.doctor);
  EXPECT_TRUE(parsed.options.doctor_json);
  EXPECT_FALSE(parse(kEnough).options.doctor);
}

TEST(Options, TunnelIsAUuid) {
  for (const char* tunnel : {"shop", "4d21094eb74c491686c1d9fa36ea677b", "4d21094e-b74c-4916-86c1-d9fa36ea677g"}) {
    const auto parsed =
        parse({"--gateway", "edge.test", "--tunnel", tunnel, "--token-file", "/etc/token", "--service", "http://web"});
    EXPECT_EQ(parsed.outcome.exit_code, 2) << tunnel;
    EXPECT_THAT(parsed.outcome.text, HasSubstr("\"" + std::string(tunnel) + "\" is not a UUID"));
  }
}

}  // namespace
}  // namespace adit::connector::test
