#include "connector/link_slot.h"

#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/connector/gateway_end.h"
#include "tests/net/certificates.h"

namespace adit::connector::test {
namespace {

using namespace std::chrono_literals;
using net::test::settle;
using net::test::until;
using testing::HasSubstr;

/// A gateway that answers each connection as the test says.
class FakeGateway {
 public:
  explicit FakeGateway(net::Loop& loop, net::TlsContext tls = nullptr) : loop_(loop), service(loop, std::move(tls)) {}

  std::size_t connections() const { return service.ends.size(); }
  net::test::End& last() { return *service.ends.back(); }
  /// The connector has dialled that often and said hello.
  bool got_hello(std::size_t dials) {
    return connections() == dials && last().in.find("\r\n\r\n") != std::string::npos;
  }
  void answer(std::string_view text) { last().send(text); }
  void refuse(int status, const std::string& reason, std::chrono::seconds retry_after = 0s) {
    link::write_refusal(last().stream->out(), {status, reason, retry_after}, "gw-1");
    last().stream->flush_soon();
    last().stream->finish();
  }
  /// Answers 101 and runs the gateway's end of the link.
  GatewayEnd& welcome() {
    last().reads = false;
    link::write_welcome(last().stream->out(), "gw-1");
    auto stream = std::exchange(last().stream, nullptr);
    stream->flush_soon();
    auto& end = *links.emplace_back(std::make_unique<GatewayEnd>(loop_, std::move(stream)));
    end.driver.start();
    return end;
  }

 private:
  net::Loop& loop_;

 public:
  LoopbackService service;
  std::vector<std::unique_ptr<GatewayEnd>> links;
};

class SlotTest : public testing::Test {
 protected:
  SlotTest() { std::ofstream(token_file) << "a-token\n"; }
  ~SlotTest() override { std::remove(token_file.c_str()); }

  void make(FakeGateway& gateway, bool insecure = true, const std::string& ca_file = "") {
    ASSERT_TRUE(services.add(*parse_service("web=http://127.0.0.1:1")));
    address.target = net::Target{net::Target::Kind::tcp, "127.0.0.1", gateway.service.port(), ""};
    make(insecure, ca_file);
  }
  void make(bool insecure, const std::string& ca_file = "") {
    metrics = std::make_unique<WorkerMetrics>(services.services().size());
    pipes = std::make_unique<ServicePipes>(loop, services, *metrics);
    credentials = std::make_unique<Credentials>(token_file, ca_file);
    address.encrypted = !insecure;
    const DialContext dial{loop, identity, *credentials, proxy, random, limit};
    settle(loop);  // the loop has nothing left to do for a former coordinator
    coordinator = std::make_unique<LinkCoordinator>(
        loop, link::Coverage::Settings{.links = 1, .instance = identity.instance, .backoff = {1ms, 10ms}});
    const SlotContext context{dial, transport, services, *pipes, *metrics, *coordinator};
    gateway_context = std::make_unique<GatewayContext>(GatewayContext{address});
    report = reports.add();
    slot = std::make_unique<LinkSlot>(context, 0, report);
    coordinator->add_worker([this](const auto& action) { loop.post([this, action] { obey(action); }); });
    coordinator->start();
  }
  void obey(const link::Coverage::Action& action) {
    if (!slot) return;
    if (std::holds_alternative<link::Coverage::Release>(action)) return slot->release();
    const auto& wanted = std::get<link::Coverage::Dial>(action);
    slot->dial(*gateway_context, {wanted.avoid, wanted.turn});
  }
  bool error_is(const std::string& text) {
    return until(loop, [&] { return report->get().last_error.find(text) != std::string::npos; });
  }
  std::uint64_t failed(Cause cause) { return metrics->dial_failed(cause).value(); }

  net::Loop loop;
  std::string token_file = testing::TempDir() + std::to_string(getpid()) + "adit-slot-token";
  ServiceMap services;
  Identity identity{"4d21094e-b74c-4916-86c1-d9fa36ea677b", "blue", "0123"};
  base::Random random{7};
  GatewayAddress address;
  ProxySettings proxy;
  TransportMode transport = TransportMode::upgrade;
  base::Duration limit = DialContext::kLimit;
  std::unique_ptr<GatewayContext> gateway_context;
  LinkReports reports;
  std::shared_ptr<LinkReport> report;
  std::unique_ptr<WorkerMetrics> metrics;
  std::unique_ptr<ServicePipes> pipes;
  std::unique_ptr<Credentials> credentials;
  std::unique_ptr<LinkCoordinator> coordinator;
  std::unique_ptr<LinkSlot> slot;
};

TEST_F(SlotTest, SaysHelloAndOffersItsServices) {
  FakeGateway gateway(loop);
  make(gateway);
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(1); }));
  for (const char* line : {"GET /.well-known/adit/link HTTP/1.1\r\n", "Authorization: Bearer a-token\r\n",
                           "Adit-Tunnel: 4d21094e-b74c-4916-86c1-d9fa36ea677b\r\n", "Adit-Connector: blue\r\n",
                           "Adit-Instance: 0123\r\n", "Host: 127.0.0.1:", "Adit-Slot: 0\r\n"}) {
    EXPECT_THAT(gateway.last().in, HasSubstr(line));
  }
  auto& end = gateway.welcome();
  ASSERT_TRUE(until(loop, [&] { return end.ready && end.offers; }));
  EXPECT_EQ(end.offers->services[0].name, "web");
  EXPECT_EQ(report->get().state, "opening") << "the gateway has not said yet that it serves the offers";
  ASSERT_TRUE(until(loop, [&] { return report->get().state == "up"; }));
  const auto status = report->get();
  EXPECT_EQ(status.gateway_id, "gw-1");
  EXPECT_EQ(status.remote, "127.0.0.1:" + std::to_string(gateway.service.port()));
  EXPECT_EQ(status.last_error, "");
  EXPECT_EQ(status.transport, "upgrade");
  EXPECT_EQ(metrics->dials_up.value(), 1U);
}

TEST_F(SlotTest, RefusalsAreToldAndTriedAgain) {
  FakeGateway gateway(loop);
  make(gateway);
  std::size_t tries = 0;
  for (const int status : {401, 403, 409, 426, 429, 503}) {
    ++tries;
    ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(tries); }));
    const auto number = std::to_string(status);
    gateway.refuse(status, "reason " + number);
    EXPECT_TRUE(error_is("status " + number + ", reason " + number)) << number;
  }
  for (const auto cause : {Cause::token_refused, Cause::forbidden, Cause::conflict, Cause::version_refused,
                           Cause::too_many_attempts, Cause::not_ready}) {
    EXPECT_EQ(failed(cause), 1U) << info_of(cause).name;
  }
}

TEST_F(SlotTest, RetryAfterIsHonoured) {
  FakeGateway gateway(loop);
  make(gateway);
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(1); }));
  gateway.refuse(503, "no tunnel yet", 1s);
  const auto refused = net::Loop::now();
  ASSERT_TRUE(error_is("no tunnel yet"));
  ASSERT_TRUE(until(loop, [&] { return gateway.connections() == 2; }));
  EXPECT_GE(net::Loop::now() - refused, 1s);
}

TEST_F(SlotTest, AnswersThatNoGatewayGivesAreToldAsSuch) {
  FakeGateway gateway(loop);
  make(gateway);
  const std::pair<const char*, const char*> cases[] = {
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the answer is not HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "the answer is 200"},
      {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "another protocol"},
  };
  std::size_t tries = 0;
  for (const auto& [answer, why] : cases) {
    ++tries;
    ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(tries); })) << why;
    gateway.answer(answer);
    EXPECT_TRUE(error_is(why)) << why << " is not in " << report->get().last_error;
  }
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(tries + 1); }));
  gateway.last().stream->finish();
  EXPECT_TRUE(error_is("the connection was closed before an answer"));
  EXPECT_EQ(failed(Cause::not_a_gateway), 3U);
}

TEST_F(SlotTest, WhatIsWrongBeforeTheHandshakeIsTold) {
  FakeGateway gateway(loop);
  gateway.service.close();
  make(gateway);
  EXPECT_TRUE(error_is("connect: nobody listens there: Connection refused (127.0.0.1:"));
  std::ofstream(token_file, std::ios::trunc) << "\n";
  EXPECT_TRUE(error_is("credentials: the token file can't be used: " + token_file + " is empty"));
  std::ofstream(token_file, std::ios::trunc) << "a-token";
  EXPECT_TRUE(error_is("connect: nobody listens"));
  slot.reset();
  address.target.host = "no-such-host.invalid";
  make(true);
  EXPECT_TRUE(error_is("resolve: "));
}

TEST_F(SlotTest, SpeaksTlsAndVerifiesTheGateway) {
  const net::test::Authority authority;
  const std::string ca_file = testing::TempDir() + std::to_string(getpid()) + "adit-slot-ca.pem";
  std::ofstream(ca_file) << net::test::Authority().pem();
  const auto issued = authority.issue("IP:127.0.0.1");
  FakeGateway gateway(loop, *net::make_server_context(net::TlsUse::link, issued.chain_pem, issued.key_pem));
  make(gateway, false, ca_file);
  EXPECT_TRUE(error_is("tls: the certificate is signed by a CA that is not trusted here"));
  EXPECT_TRUE(error_is("it is for 127.0.0.1, issued by "));
  EXPECT_GE(failed(Cause::certificate_unknown_authority), 1U);
  // The right CA comes: no restart is needed.
  std::ofstream(ca_file, std::ios::trunc) << authority.pem();
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(gateway.connections()); }));
  auto& end = gateway.welcome();
  EXPECT_TRUE(until(loop, [&] { return report->get().state == "up"; }));
  EXPECT_TRUE(end.offers);
  std::remove(ca_file.c_str());
}

TEST_F(SlotTest, TlsAgainstAPlainGatewayIsTold) {
  FakeGateway gateway(loop);
  make(gateway, false);
  ASSERT_TRUE(until(loop, [&] { return gateway.connections() == 1 && !gateway.last().in.empty(); }));
  gateway.answer("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_TRUE(error_is("tls: what answers does not speak TLS"));
}

TEST_F(SlotTest, LostLinkIsDialledAgain) {
  FakeGateway gateway(loop);
  make(gateway);
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(1); }));
  gateway.welcome();
  ASSERT_TRUE(until(loop, [&] { return gateway.links[0]->ready; }));
  gateway.links[0]->driver.close("test");
  EXPECT_TRUE(error_is("link: the peer closed the connection"));
  EXPECT_EQ(report->get().last_cause, "link_lost");
  EXPECT_EQ(metrics->lost(LinkLoss::lost).value(), 1U);
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(2); }));
  auto& end = gateway.welcome();
  EXPECT_TRUE(until(loop, [&] { return end.ready; }));
}

TEST_F(SlotTest, LeavingGatewayIsReplacedWhileItsStreamsGoOn) {
  LoopbackService service(loop);
  ASSERT_TRUE(services.add(*parse_service("real=tcp://127.0.0.1:" + std::to_string(service.port()))));
  FakeGateway gateway(loop);
  make(gateway);
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(1); }));
  auto& old = gateway.welcome();
  ASSERT_TRUE(until(loop, [&] { return old.ready && old.offers; }));
  auto& stream = old.open("real");
  ASSERT_TRUE(until(loop, [&] { return stream.status == 200 && service.ends.size() == 1; }));
  old.driver.session().send_control(link::Leaving{"test"});
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(2); }));
  auto& next = gateway.welcome();
  ASSERT_TRUE(until(loop, [&] { return next.ready && next.offers; }));
  EXPECT_EQ(report->get().retiring, 1U);
  stream.send("still served");
  EXPECT_TRUE(until(loop, [&] { return service.ends[0]->in == "still served"; }));
  EXPECT_EQ(old.closed, "");
  auto& late = old.open("real");
  EXPECT_TRUE(until(loop, [&] { return late.status == 200; })) << "the gateway still serves the visitors it has";
  late.stream->reset();
  stream.finish();
  service.ends[0]->stream->finish();
  old.driver.session().shutdown();
  EXPECT_TRUE(until(loop, [&] { return !old.closed.empty() && report->get().retiring == 0; }));
  EXPECT_TRUE(until(loop, [&] { return report->get().state == "up"; }));
}

TEST_F(SlotTest, LeavesInOrder) {
  FakeGateway gateway(loop);
  make(gateway);
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(1); }));
  auto& end = gateway.welcome();
  ASSERT_TRUE(until(loop, [&] { return end.ready && end.offers; }));
  coordinator->stop();
  slot->leave("test");
  ASSERT_TRUE(until(loop, [&] { return end.leaving; }));
  EXPECT_EQ(report->get().state, "stopped");
  EXPECT_FALSE(slot->idle());
  slot->shutdown();
  EXPECT_TRUE(until(loop, [&] { return slot->idle() && !end.closed.empty(); }));
  settle(loop);
  EXPECT_EQ(gateway.connections(), 1U);
}

TEST_F(SlotTest, LeavesWhileItDials) {
  FakeGateway gateway(loop);
  make(gateway);
  ASSERT_TRUE(until(loop, [&] { return gateway.got_hello(1); }));
  coordinator->stop();
  slot->leave("test");
  EXPECT_TRUE(until(loop, [&] { return gateway.last().ended || !gateway.last().broken.empty(); }));
  EXPECT_TRUE(slot->idle());
  EXPECT_EQ(report->get().state, "stopped");
}

}  // namespace
}  // namespace adit::connector::test
