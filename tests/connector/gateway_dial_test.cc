#include "connector/gateway_dial.h"

#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/connector/gateway_end.h"

namespace adit::connector::test {
namespace {

using namespace std::chrono_literals;
using net::test::until;
using testing::HasSubstr;
using testing::Not;

/// Answers the connections in turn: each as soon as a whole head has come.
class Script {
 public:
  Script(net::Loop& loop, std::vector<std::string> answers) : service_(loop), answers_(std::move(answers)) {}

  std::uint16_t port() const { return service_.port(); }
  /// What came in on that connection so far; empty when there is none yet.
  std::string heard(std::size_t connection) const {
    return connection < service_.ends.size() ? service_.ends[connection]->in : std::string();
  }
  std::size_t connections() const { return service_.ends.size(); }
  /// To be called between turns of the loop.
  void serve() {
    for (; answered_ < service_.ends.size() && answered_ < answers_.size(); ++answered_) {
      auto& end = *service_.ends[answered_];
      if (end.in.find("\r\n\r\n") == std::string::npos) return;
      const auto& answer = answers_[answered_];
      if (answer == "silence") continue;
      end.send(answer);
      end.stream->finish();
    }
  }

 private:
  LoopbackService service_;
  std::vector<std::string> answers_;
  std::size_t answered_ = 0;
};

class DialTest : public testing::Test, public GatewayDialOwner {
 protected:
  DialTest() { std::ofstream(token_file) << "a-token\n"; }
  ~DialTest() override {
    dial.reset();
    std::remove(token_file.c_str());
    std::remove(proxy_file.c_str());
  }

  /// Dials the script's port, or through it as a proxy, until the dial is over.
  void run(Script& script) {
    problem.reset();
    dialed.reset();
    const DialContext context{loop, identity, credentials, proxy, random, limit};
    dial = std::make_unique<GatewayDial>(context, address, 0, mode, memory, *this);
    dial->start();
    ASSERT_TRUE(until(loop, [&] {
      script.serve();
      return problem || dialed;
    }));
  }
  void aim(const Script& script) { address.target = {net::Target::Kind::tcp, "127.0.0.1", script.port(), ""}; }
  void aim_through(const Script& script) {
    address.target = {net::Target::Kind::tcp, "edge.invalid", 443, ""};
    proxy.proxy = ProxyAddress{{net::Target::Kind::tcp, "127.0.0.1", script.port(), ""}, proxy_credentials};
    proxy.origin = "--proxy";
  }

  void on_dialed(Dialed what) override { dialed = std::move(what); }
  void on_dial_failed(const DialProblem& what, const link::DialPath&) override { problem = what; }

  net::Loop loop;
  std::string token_file = testing::TempDir() + std::to_string(getpid()) + "adit-dial-token";
  std::string proxy_file = testing::TempDir() + std::to_string(getpid()) + "adit-dial-proxy";
  Identity identity{"", "blue", "0123"};
  Credentials credentials{token_file, ""};
  ProxySettings proxy;
  std::string proxy_credentials;
  base::Random random{7};
  base::Duration limit = DialContext::kLimit;
  GatewayAddress address{{}, "", false, false};
  TransportMode mode = TransportMode::automatic;
  TransportMemory memory;
  std::unique_ptr<GatewayDial> dial;
  std::optional<Dialed> dialed;
  std::optional<DialProblem> problem;
};

std::string refusal(int status, std::string_view reason, bool by_gateway) {
  base::Buffer out;
  link::write_refusal(out, {status, std::string(reason)}, "gw-1");
  const auto bytes = out.readable();
  std::string text(bytes.data(), bytes.size());
  if (!by_gateway) {
    const auto field = text.find("Adit-Gateway");
    if (field != std::string::npos) text.erase(field, text.find("\r\n", field) + 2 - field);
  }
  return text;
}

TEST_F(DialTest, FallsBackWhereAnotherTransportMayWork) {
  const struct {
    std::string answer;
    const char* cause;
    bool falls_back;
  } cases[] = {
      {refusal(400, "x", true), "gateway_refused", true},
      {refusal(404, "x", false), "not_a_gateway", true},
      {refusal(426, "x", true), "version_refused", true},
      {refusal(502, "x", false), "front_failed", true},
      {refusal(503, "x", true), "not_ready", false},
      {refusal(401, "x", true), "token_refused", false},
      {refusal(403, "x", false), "front_refused", false},
      {refusal(409, "x", true), "conflict", false},
      {refusal(429, "x", true), "too_many_attempts", false},
      {"SSH-2.0-x\r\n\r\n", "not_a_gateway", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "not_a_gateway", true},
      {"", "handshake_closed", true},
  };
  for (const auto& one : cases) {
    memory = {};
    Script script(loop, {one.answer, refusal(401, "second", true)});
    aim(script);
    run(script);
    ASSERT_TRUE(problem);
    EXPECT_EQ(script.connections(), one.falls_back ? 2U : 1U) << one.answer;
    EXPECT_THAT(script.heard(0), HasSubstr("Upgrade: adit-link/1")) << one.answer;
    if (one.falls_back) {
      EXPECT_THAT(script.heard(1), HasSubstr("Upgrade: websocket")) << one.answer;
      EXPECT_THAT(problem->text(), HasSubstr("by websocket: the gateway refused the token: status 401, second"));
      EXPECT_THAT(problem->text(), HasSubstr("by upgrade: ")) << one.answer;
    } else {
      EXPECT_EQ(info_of(problem->cause).name, one.cause) << one.answer;
    }
  }
}

TEST_F(DialTest, FallsBackAfterSilence) {
  limit = 200ms;
  Script script(loop, {"silence", refusal(401, "second", true)});
  aim(script);
  run(script);
  EXPECT_EQ(script.connections(), 2U);
  EXPECT_THAT(problem->text(), HasSubstr("by upgrade: nothing answered the request for a link in time"));
}

TEST_F(DialTest, AFixedTransportIsNotLeft) {
  for (const auto fixed : {TransportMode::upgrade, TransportMode::websocket}) {
    mode = fixed;
    Script script(loop, {refusal(404, "x", false)});
    aim(script);
    run(script);
    EXPECT_EQ(script.connections(), 1U);
    EXPECT_THAT(script.heard(0),
                HasSubstr(fixed == TransportMode::upgrade ? "Upgrade: adit-link/1" : "Upgrade: websocket"));
  }
}

TEST_F(DialTest, ThePrefixIsAsked) {
  Script script(loop, {refusal(401, "x", true)});
  aim(script);
  address.prefix = "/edge";
  run(script);
  EXPECT_THAT(script.heard(0), HasSubstr("GET /edge/.well-known/adit/link HTTP/1.1\r\n"));
}

TEST_F(DialTest, AsksTheProxyForTheName) {
  proxy_credentials = "user:pass";
  Script script(loop, {"HTTP/1.1 200 OK\r\n\r\n" + refusal(401, "behind the proxy", true)});
  aim_through(script);
  run(script);
  EXPECT_THAT(script.heard(0), testing::StartsWith("CONNECT edge.invalid:443 HTTP/1.1\r\n"));
  EXPECT_THAT(script.heard(0), HasSubstr("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
  EXPECT_EQ(problem->cause, Cause::token_refused);
  EXPECT_THAT(problem->text(), HasSubstr("behind the proxy"));
}

TEST_F(DialTest, CredentialsOfTheFileWinAndAreReadAnew) {
  proxy_credentials = "user:pass";
  credentials = Credentials(token_file, "", proxy_file);
  std::ofstream(proxy_file) << "other:word\n";
  Script first(loop, {"HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"});
  aim_through(first);
  run(first);
  EXPECT_THAT(first.heard(0), HasSubstr("Basic b3RoZXI6d29yZA==\r\n"));
  EXPECT_EQ(problem->cause, Cause::proxy_authentication);
  EXPECT_EQ(first.connections(), 1U) << "another transport is no help";
  std::ofstream(proxy_file, std::ios::trunc) << "user:pass";
  Script second(loop, {"HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n"});
  aim_through(second);
  run(second);
  EXPECT_THAT(second.heard(0), HasSubstr("Basic dXNlcjpwYXNz\r\n"));
  EXPECT_EQ(problem->cause, Cause::proxy_refused);
  std::ofstream(proxy_file, std::ios::trunc) << "secret";
  Script third(loop, {});
  aim_through(third);
  run(third);
  EXPECT_EQ(problem->cause, Cause::proxy_credentials_file);
  EXPECT_THAT(problem->text(), Not(HasSubstr("secret")));
}

TEST_F(DialTest, WhatIsNoProxyIsToldAsSuch) {
  for (const char* answer : {"SSH-2.0-x\r\n\r\n", "", "HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n"}) {
    Script script(loop, {answer});
    aim_through(script);
    run(script);
    EXPECT_EQ(problem->cause, Cause::not_a_proxy) << answer;
    EXPECT_EQ(problem->step, DialStep::proxy);
  }
  limit = 200ms;
  Script silent(loop, {"silence"});
  aim_through(silent);
  run(silent);
  EXPECT_EQ(problem->cause, Cause::proxy_timeout);
}

TEST_F(DialTest, AProxyThatIsNotThereIsTold) {
  Script script(loop, {});
  aim_through(script);
  proxy.proxy->target.port = 1;
  run(script);
  EXPECT_EQ(problem->cause, Cause::proxy_unreachable);
  EXPECT_THAT(problem->text(), HasSubstr("proxy 127.0.0.1:1"));
}

TEST_F(DialTest, TlsBehindTheProxyIsTheGateways) {
  address.encrypted = true;
  Script script(loop, {"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 no TLS here\r\n\r\n"});
  aim_through(script);
  run(script);
  EXPECT_EQ(problem->cause, Cause::not_tls);
}

}  // namespace
}  // namespace adit::connector::test
