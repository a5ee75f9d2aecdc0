#include "telemetry/admin_server.h"

#include <condition_variable>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/admin_asio.h"

namespace adit::telemetry {
namespace {

using asio::ip::tcp;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kHealth = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr const char* kLastHealth = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

std::unique_ptr<AdminServer> start(AdminHandlers handlers = {}, AdminLimits limits = {}) {
  auto server = AdminServer::start({"127.0.0.1", 0, false}, std::move(handlers), limits);
  EXPECT_TRUE(server) << server.error();
  return *std::move(server);
}

/// A blocking connection.
class Client {
 public:
  explicit Client(std::uint16_t port, const char* address = "127.0.0.1") {
    socket_.connect({asio::ip::make_address(address), port});
  }

  Client& send(std::string_view bytes) {
    beast::error_code ignored;  // the server may have refused and closed already
    asio::write(socket_, asio::buffer(bytes), ignored);
    return *this;
  }
  void finish() { socket_.shutdown(tcp::socket::shutdown_send); }

  /// One answer, with its body.
  http::response<http::string_body> receive() {
    http::response<http::string_body> answer;
    http::read(socket_, buffer_, answer);
    return answer;
  }

  /// All bytes until the server closes.
  std::string receive_all() {
    std::string text = beast::buffers_to_string(buffer_.data());
    asio::read(socket_, asio::dynamic_buffer(text), error_);
    return text;
  }
  /// How the last receive_all ended.
  beast::error_code error() const { return error_; }

 private:
  asio::io_context io_;
  tcp::socket socket_{io_};
  beast::flat_buffer buffer_;
  beast::error_code error_;
};

std::string ask(std::uint16_t port, std::string_view request) { return Client(port).send(request).receive_all(); }

TEST(AdminServer, AnswersProbesAndPages) {
  const auto server = start({.ready = [] { return base::Result<void>(); },
                             .metrics = [] { return std::string("adit_x 1\n"); },
                             .status = [] { return std::string(R"({"links":4})"); }});
  ASSERT_NE(server->port(), 0);
  EXPECT_THAT(ask(server->port(), kLastHealth), StartsWith("HTTP/1.1 200 OK\r\n"));
  const auto metrics = ask(server->port(), "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(metrics, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(metrics, HasSubstr("\r\n\r\nadit_x 1\n"));
  EXPECT_THAT(ask(server->port(), "GET /status HTTP/1.0\r\n\r\n"), HasSubstr("\r\n\r\n{\"links\":4}"));
}

TEST(AdminServer, ReadinessFollowsTheCallback) {
  std::atomic<bool> ready = false;
  const auto server = start({.ready = [&]() -> base::Result<void> {
    if (!ready) return base::Error{"no manifest has been read"};
    return {};
  }});
  Client client(server->port());
  const auto before = client.send("GET /readyz HTTP/1.1\r\n\r\n").receive();
  EXPECT_EQ(before.result_int(), 503U);
  EXPECT_EQ(before.body(), "no manifest has been read\n");
  ready = true;
  EXPECT_EQ(client.send("GET /readyz HTTP/1.1\r\n\r\n").receive().result_int(), 200U);
}

TEST(AdminServer, AnswersPipelinedRequestsInOrder) {
  const auto server = start();
  Client client(server->port());
  client.send(std::string(kHealth) + "GET /nothing HTTP/1.1\r\n\r\n" + kHealth);
  EXPECT_EQ(client.receive().result_int(), 200U);
  EXPECT_EQ(client.receive().result_int(), 404U);
  EXPECT_EQ(client.receive().result_int(), 200U);
}

TEST(AdminServer, HeadHasTheFieldsOfGetAndNoBody) {
  const auto server = start();
  const auto answer = ask(server->port(), "HEAD /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST(AdminServer, RefusesWhatItDoesNotServe) {
  struct Case {
    std::string request;
    std::string status;
  };
  const auto server = start({}, {.head_bytes = 1024});
  for (const auto& [request, status] : std::vector<Case>{
           {"POST / HTTP/1.1\r\nConnection: close\r\n\r\n", "405 Method Not Allowed\r\n"},
           {"BREW / HTTP/1.1\r\nConnection: close\r\n\r\n", "405 Method Not Allowed\r\n"},
           {"GET /secret HTTP/1.1\r\nConnection: close\r\n\r\n", "404 Not Found\r\n"},
           {"GET /../etc/passwd HTTP/1.1\r\nConnection: close\r\n\r\n", "404 Not Found\r\n"},
           {"GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", "431 "},
           {"GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\n\r\n", "431 "},
           {"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "413 "},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "413 "},
           {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03 a TLS client\r\n\r\n", "400 "},
           {"GET / HTTP/2.0\r\n\r\n", "400 "},
           {"GET\r\n\r\n", "400 "},
           {"GET / HTTP/1.1\r\nbad header\r\n\r\n", "400 "},
       }) {
    Client client(server->port());
    client.send(request);
    const auto answer = client.receive_all();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + status)) << request.substr(0, 80);
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << request.substr(0, 80);
    EXPECT_EQ(client.error(), asio::error::eof) << "a reset may swallow the answer: " << request.substr(0, 80);
  }
}

TEST(AdminServer, NamesTheAllowedMethods) {
  const auto server = start();
  EXPECT_THAT(ask(server->port(), "DELETE / HTTP/1.1\r\nConnection: close\r\n\r\n"), HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST(AdminServer, APageThatThrowsIs500AndTheServerLivesOn) {
  testing::internal::CaptureStderr();
  const auto server = start({.status = []() -> std::string { throw std::runtime_error("private detail"); }});
  Client client(server->port());
  const auto answer = client.send("GET /status HTTP/1.1\r\n\r\n").receive();
  EXPECT_EQ(answer.result_int(), 500U);
  EXPECT_THAT(answer.body(), Not(HasSubstr("private detail")));
  EXPECT_EQ(client.send(kHealth).receive().result_int(), 200U);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("private detail"));
}

TEST(AdminServer, AClientThatLeavesInTheMiddleHurtsNobody) {
  const auto server = start();
  for (const auto* part : {"", "G", "GET /healthz HTTP/1.1\r\n"}) {
    Client client(server->port());
    client.send(part).finish();
    EXPECT_EQ(client.receive_all(), "");
  }
  EXPECT_THAT(ask(server->port(), kLastHealth), StartsWith("HTTP/1.1 200"));
}

TEST(AdminServer, ASilentOrSlowClientIsClosed) {
  const auto server = start({}, {.timeout = std::chrono::milliseconds{50}});
  for (const auto* part : {"", "GET /healthz HTTP/1.1\r\n"}) {
    Client client(server->port());
    EXPECT_EQ(client.send(part).receive_all(), "");
  }
}

TEST(AdminServer, ACrowdOfIdlersDoesNotKeepProbesOut) {
  const auto server = start({}, {.connections = 3});
  Client first(server->port());
  EXPECT_EQ(first.send(kHealth).receive().result_int(), 200U);
  Client second(server->port());
  EXPECT_EQ(second.send(kHealth).receive().result_int(), 200U);
  Client third(server->port());
  EXPECT_EQ(third.send(kHealth).receive().result_int(), 200U);
  EXPECT_THAT(ask(server->port(), kLastHealth), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(first.receive_all(), "");
  EXPECT_EQ(third.send(kHealth).receive().result_int(), 200U);
}

TEST(AdminServer, ListensWhereItWasTold) {
  struct Case {
    base::ListenAddress address;
    std::vector<const char*> clients;
  };
  for (const auto& [address, clients] : std::vector<Case>{{{"", 0, false}, {"127.0.0.1", "::1"}},
                                                          {{"::1", 0, false}, {"::1"}},
                                                          {{"::", 0, false}, {"::1", "127.0.0.1"}},
                                                          {{"0.0.0.0", 0, false}, {"127.0.0.1"}}}) {
    const auto server = AdminServer::start(address, {});
    ASSERT_TRUE(server) << server.error();
    for (const auto* client : clients) {
      EXPECT_THAT(Client((*server)->port(), client).send(kLastHealth).receive_all(), StartsWith("HTTP/1.1 200"));
    }
  }
}

TEST(AdminServer, SaysWhyItCannotListen) {
  const auto server = start();
  const auto taken = AdminServer::start({"127.0.0.1", server->port(), false}, {});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error(),
            "admin server cannot listen on 127.0.0.1:" + std::to_string(server->port()) + ": Address already in use");
  const auto foreign = AdminServer::start({"192.0.2.1", 0, false}, {});
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error(), StartsWith("admin server cannot listen on 192.0.2.1:0: "));
  const auto unknown = AdminServer::start({"no-such-name.invalid", 0, false}, {});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error(), StartsWith("admin server cannot listen on no-such-name.invalid:0: "));
  EXPECT_FALSE(AdminServer::start({"", 0, true}, {}));
}

TEST(AdminServer, StoppingClosesIdleClientsAndFreesThePort) {
  auto server = start();
  const auto port = server->port();
  Client client(port);
  EXPECT_EQ(client.send(kHealth).receive().result_int(), 200U);
  server.reset();
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(AdminServer::start({"127.0.0.1", port, false}, {}));
}

TEST(AdminServer, StoppingFinishesTheAnswerOnItsWay) {
  const std::string page(4'000'000, 'm');
  std::promise<void> asked;
  std::promise<void> go_on;
  auto server = start({.metrics = [&] {
    asked.set_value();
    go_on.get_future().wait();
    return page;
  }});
  Client client(server->port());
  client.send("GET /metrics HTTP/1.1\r\n\r\n");
  asked.get_future().wait();
  std::thread stopping([&] { server.reset(); });
  go_on.set_value();
  const auto answer = client.receive_all();
  stopping.join();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), page);
}

}  // namespace
}  // namespace adit::telemetry
