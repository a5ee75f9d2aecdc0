#include "telemetry/health_check.h"

#include <thread>

#include <gtest/gtest.h>

#include "telemetry/admin_asio.h"
#include "telemetry/admin_server.h"

namespace adit::telemetry {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

TEST(HealthUrl, IsTakenApart) {
  struct Case {
    const char* text;
    const char* host;
    const char* port;
    const char* path;
  };
  for (const auto& [text, host, port, path] : std::initializer_list<Case>{
           {"http://localhost", "localhost", "80", "/"},
           {"http://localhost/", "localhost", "80", "/"},
           {"http://127.0.0.1:9090/readyz", "127.0.0.1", "9090", "/readyz"},
           {"http://edge.adit.svc:9090/a/b?c=d:1", "edge.adit.svc", "9090", "/a/b?c=d:1"},
           {"http://[::1]:9091/healthz", "::1", "9091", "/healthz"},
           {"http://[fd00::7]", "fd00::7", "80", "/"},
       }) {
    const auto url = parse_health_url(text);
    ASSERT_TRUE(url) << text << ": " << url.error();
    EXPECT_EQ(url->host, host) << text;
    EXPECT_EQ(url->port, port) << text;
    EXPECT_EQ(url->path, path) << text;
  }
}

TEST(HealthUrl, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "localhost:9090", "https://localhost:9090/", "http://", "http://:80/", "http://a:0/", "http://a:65536/",
        "http://a:b/", "http://a:/", "http://me@a/", "http://[::1/", "http://a b/", "http://a/\r\nX: y"}) {
    EXPECT_FALSE(parse_health_url(text)) << text;
  }
}

/// An admin server that is ready, or not.
std::unique_ptr<AdminServer> server(bool ready) {
  AdminHandlers handlers;
  handlers.ready = [ready]() -> base::Result<void> {
    if (!ready) return base::Error{"no configuration"};
    return {};
  };
  return *AdminServer::start({"127.0.0.1", 0, false}, std::move(handlers));
}

HealthUrl url_of(std::uint16_t port, const char* path) { return {"127.0.0.1", std::to_string(port), path}; }

TEST(HealthCheck, FollowsTheStatus) {
  const auto ready = server(true);
  EXPECT_TRUE(check_health(url_of(ready->port(), "/readyz"), 10s));
  EXPECT_EQ(check_health(url_of(ready->port(), "/nothing"), 10s).error(), "status 404");
  const auto unready = server(false);
  EXPECT_TRUE(check_health(url_of(unready->port(), "/healthz"), 10s));
  EXPECT_EQ(check_health(url_of(unready->port(), "/readyz"), 10s).error(), "status 503");
}

/// Listens, and answers with `bytes`, or never.
class Speaker {
 public:
  explicit Speaker(std::string bytes) {
    if (bytes.empty()) return;
    thread_ = std::jthread([this, bytes = std::move(bytes)] {
      tcp::socket socket = acceptor_.accept();
      asio::write(socket, asio::buffer(bytes));
    });
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::jthread thread_;
};

TEST(HealthCheck, WhatIsNoAnswerIsAFailure) {
  const Speaker ssh("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  EXPECT_FALSE(check_health(url_of(ssh.port(), "/"), 10s));
  const Speaker redirect("HTTP/1.1 302 Found\r\nLocation: /healthz\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(check_health(url_of(redirect.port(), "/"), 10s).error(), "status 302");
  const Speaker endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(check_health(url_of(endless.port(), "/"), 10s));
}

TEST(HealthCheck, SilenceEnds) {
  const Speaker silent("");
  EXPECT_EQ(check_health(url_of(silent.port(), "/"), 50ms).error(), "no answer within 50ms");
}

TEST(HealthCheck, NobodyThere) {
  std::uint16_t port = 0;
  {
    const Speaker gone("");
    port = gone.port();
  }
  const auto answer = check_health(url_of(port, "/"), 10s);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().starts_with("cannot connect: ")) << answer.error();
}

TEST(HealthCheck, IsACommand) {
  const auto run = [](std::initializer_list<const char*> arguments) {
    return health_check_command(static_cast<int>(arguments.size()), std::data(arguments));
  };
  EXPECT_FALSE(run({"adit-gateway"}));
  EXPECT_FALSE(run({"adit-gateway", "--manifests", "healthcheck"}));
  EXPECT_EQ(run({"adit-gateway", "healthcheck"}), 2);
  EXPECT_EQ(run({"adit-gateway", "healthcheck", "localhost"}), 2);
  EXPECT_EQ(run({"adit-gateway", "healthcheck", "--timeout", "3", "http://localhost"}), 2);
  const auto ready = server(true);
  const auto url = "http://127.0.0.1:" + std::to_string(ready->port()) + "/readyz";
  EXPECT_EQ(run({"adit-gateway", "healthcheck", url.c_str()}), 0);
  EXPECT_EQ(run({"adit-gateway", "healthcheck", "--timeout", "10s", (url + "x").c_str()}), 1);
}

}  // namespace
}  // namespace adit::telemetry
