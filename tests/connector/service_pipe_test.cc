#include "connector/service_pipe.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "connector/connector_link.h"
#include "tests/connector/gateway_end.h"
#include "tests/net/certificates.h"

namespace adit::connector::test {
namespace {

using net::test::settle;
using net::test::until;
using testing::HasSubstr;

/// A link in one process: the gateway's end is the test's, the connector's end is real.
class Pipe : public testing::Test, private ConnectorLinkOwner {
 protected:
  void offer(const std::string& text) { ASSERT_TRUE(services.add(*parse_service(text))); }
  void offer(const std::string& name, const LoopbackService& service) {
    offer(name + "=tcp://127.0.0.1:" + std::to_string(service.port()));
  }

  void connect() {
    const auto trusted = services.load_trust();
    ASSERT_TRUE(trusted) << trusted.error();
    metrics = std::make_unique<WorkerMetrics>(services.services().size());
    pipes = std::make_unique<ServicePipes>(loop, services, *metrics);
    auto [near, far] = net::test::socket_pair(loop);
    gateway = std::make_unique<GatewayEnd>(loop, net::test::make_stream(loop, std::move(near)));
    ConnectorLinkOwner& owner = *this;
    link = std::make_unique<ConnectorLink>(loop, net::test::make_stream(loop, std::move(far)), nullptr,
                                           link::SessionOptions{}, services, *pipes, owner);
    gateway->driver.start();
    link->start();
    ASSERT_TRUE(until(loop, [&] { return gateway->ready && gateway->offers; }));
  }

  VisitorStream& open(const std::string& service) {
    auto& stream = gateway->open(service);
    EXPECT_NE(stream.stream, nullptr);
    return stream;
  }
  VisitorStream& open_and_wait(const std::string& service, int status) {
    auto& stream = open(service);
    EXPECT_TRUE(until(loop, [&] { return stream.status != 0; }));
    EXPECT_EQ(stream.status, status) << stream.reason;
    return stream;
  }
  std::uint64_t failures(StreamFailure failure) {
    return metrics->services[0].failures[static_cast<std::size_t>(failure)].value();
  }

  void on_gateways(ConnectorLink&, const std::vector<std::string>&) override {}
  void on_gateway_leaving(ConnectorLink&, std::string_view) override {}
  void on_link_over(ConnectorLink&, std::string_view why) override { link_over = why; }

  net::Loop loop;
  ServiceMap services;
  std::unique_ptr<WorkerMetrics> metrics;
  std::unique_ptr<ServicePipes> pipes;
  std::unique_ptr<GatewayEnd> gateway;
  std::unique_ptr<ConnectorLink> link;
  std::string link_over;
};

TEST_F(Pipe, OffersWhatTheMapHolds) {
  offer("web=http://127.0.0.1:1");
  offer("db=tcp://127.0.0.1:2");
  connect();
  ASSERT_EQ(gateway->offers->services.size(), 2U);
  EXPECT_EQ(gateway->offers->services[0].name, "web");
  EXPECT_EQ(gateway->offers->services[1].name, "db");
  EXPECT_EQ(gateway->offers->services[1].protocol, "tcp");
}

TEST_F(Pipe, CarriesBytesBothWaysAndAgain) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1; }));
  auto& end = *service.ends[0];
  for (int i = 0; i < 3; ++i) {
    stream.in.clear();
    end.in.clear();
    stream.send("request");
    ASSERT_TRUE(until(loop, [&] { return end.in == "request"; }));
    end.send("response");
    ASSERT_TRUE(until(loop, [&] { return stream.in == "response"; }));
  }
  EXPECT_EQ(metrics->services[0].streams.value(), 1U);
  EXPECT_EQ(metrics->services[0].streams_open.value(), 1);
  EXPECT_EQ(metrics->services[0].bytes_in.value(), 24U);
  EXPECT_EQ(metrics->services[0].bytes_out.value(), 21U);
}

TEST_F(Pipe, WhatIsNotOfferedCantBeReached) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  for (const std::string name : {"other", "127.0.0.1:22", "WEB", ""}) {
    auto& stream = gateway->open(name);
    if (name.empty()) {
      EXPECT_EQ(stream.stream, nullptr);
      continue;
    }
    ASSERT_TRUE(until(loop, [&] { return stream.closed.has_value(); }));
    EXPECT_EQ(stream.status, 403);
    EXPECT_EQ(stream.reason, "service \"" + name + "\" is not offered");
  }
  EXPECT_EQ(metrics->not_offered.value(), 3U);
  EXPECT_TRUE(service.ends.empty());
  EXPECT_TRUE(pipes->empty());
}

TEST_F(Pipe, RefusedConnectionIs502WithItsReason) {
  LoopbackService service(loop);
  offer("web", service);
  service.close();
  connect();
  auto& stream = open_and_wait("web", 502);
  EXPECT_EQ(stream.reason, "Connection refused (127.0.0.1:" + std::to_string(service.port()) + ")");
  ASSERT_TRUE(until(loop, [&] { return stream.closed && pipes->empty(); }));
  EXPECT_EQ(failures(StreamFailure::refused), 1U);
  EXPECT_EQ(metrics->services[0].streams_open.value(), 0);
}

TEST_F(Pipe, UnknownNameIs502WithItsReason) {
  offer("web=http://no-such-host.invalid");
  connect();
  auto& stream = open_and_wait("web", 502);
  EXPECT_THAT(stream.reason, HasSubstr("name not found"));
  EXPECT_EQ(failures(StreamFailure::name), 1U);
}

TEST_F(Pipe, ServiceThatEndsItsHalfStillGetsTheRest) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1; }));
  auto& end = *service.ends[0];
  end.send("all I have");
  end.stream->finish();
  ASSERT_TRUE(until(loop, [&] { return stream.ended; }));
  EXPECT_EQ(stream.in, "all I have");
  EXPECT_FALSE(stream.closed);
  stream.send("thanks");
  stream.finish();
  ASSERT_TRUE(until(loop, [&] { return end.ended && stream.closed && pipes->empty(); }));
  EXPECT_EQ(end.in, "thanks");
  EXPECT_EQ(stream.closed, link::Closed::finished);
  EXPECT_EQ(end.broken, "");
}

TEST_F(Pipe, VisitorThatEndsItsHalfStillGetsTheAnswer) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  stream.send("question");
  stream.finish();
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1 && service.ends[0]->ended; }));
  auto& end = *service.ends[0];
  EXPECT_EQ(end.in, "question");
  end.send("answer");
  end.stream->finish();
  ASSERT_TRUE(until(loop, [&] { return stream.closed && pipes->empty(); }));
  EXPECT_EQ(stream.in, "answer");
  EXPECT_EQ(stream.closed, link::Closed::finished);
}

TEST_F(Pipe, EndBeforeTheAnswerReachesTheService) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  auto& stream = open("web");
  stream.send("early");
  stream.finish();
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1 && service.ends[0]->ended; }));
  EXPECT_EQ(service.ends[0]->in, "early");
}

TEST_F(Pipe, BulkBothWaysArrivesWhole) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1; }));
  auto& end = *service.ends[0];
  std::string up(16 << 20, '\0');
  for (std::size_t i = 0; i < up.size(); ++i) up[i] = static_cast<char>(i * 2654435761U >> 13U);
  const std::string down(up.rbegin(), up.rend());
  end.send(down);
  end.stream->finish();
  stream.send(up);
  stream.finish();
  ASSERT_TRUE(until(loop, [&] { return stream.closed && end.ended; }));
  EXPECT_TRUE(end.in == up);
  EXPECT_TRUE(stream.in == down);
  EXPECT_TRUE(until(loop, [&] { return pipes->empty(); }));
}

TEST_F(Pipe, VisitorThatDoesNotReadHoldsTheServiceBack) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  stream.consumes = false;
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1; }));
  const std::string bulk(32 << 20, 'x');
  service.ends[0]->send(bulk);
  settle(loop);
  ASSERT_TRUE(until(loop, [&] { return stream.in.size() == link::SessionOptions{}.first_window; }));
  settle(loop);
  EXPECT_EQ(stream.in.size(), link::SessionOptions{}.first_window);
  EXPECT_GT(service.ends[0]->stream->unsent(), bulk.size() / 2);
  stream.consumes = true;
  stream.stream->consume(stream.in.size());
  EXPECT_TRUE(until(loop, [&] { return stream.in.size() == bulk.size(); }));
}

TEST_F(Pipe, ServiceThatDoesNotReadHoldsTheVisitorBack) {
  LoopbackService service(loop);
  service.reads = false;
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1; }));
  const std::string bulk(32 << 20, 'x');
  stream.send(bulk);
  auto& end = *service.ends[0];
  // Settled: nothing more goes although more is there.
  std::size_t before = 0;
  do {
    before = stream.sent;
    settle(loop);
  } while (stream.sent != before);
  EXPECT_LT(stream.sent, bulk.size() * 3 / 4);
  end.reads = true;
  end.stream->read();
  EXPECT_TRUE(until(loop, [&] { return end.in.size() == bulk.size(); }));
}

TEST_F(Pipe, ResetOfTheStreamResetsTheService) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1; }));
  stream.stream->reset();
  ASSERT_TRUE(until(loop, [&] { return !service.ends[0]->broken.empty(); }));
  EXPECT_FALSE(service.ends[0]->ended) << "the service takes the request for whole";
  EXPECT_TRUE(until(loop, [&] { return pipes->empty(); }));
}

TEST_F(Pipe, ResetDuringTheDialEndsIt) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  for (int turns = 0; turns < 20; ++turns) {
    auto& stream = open("web");
    for (int i = 0; i < turns; ++i) loop.context().poll_one();
    if (stream.stream != nullptr) stream.stream->reset();
    ASSERT_TRUE(until(loop, [&] { return pipes->empty(); })) << turns;
  }
  EXPECT_EQ(metrics->services[0].streams_open.value(), 0);
}

TEST_F(Pipe, WhatABreakingServiceSaidIsPassedOnFirst) {
  LoopbackService service(loop);
  service.reads = false;
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1; }));
  stream.send("a request that is never read");
  settle(loop);
  service.ends[0]->send("HTTP/1.1 413 Content Too Large\r\n\r\n");
  settle(loop);
  service.ends[0]->stream->close();  // unread bytes make this a reset
  ASSERT_TRUE(until(loop, [&] { return stream.closed.has_value(); }));
  EXPECT_EQ(stream.in, "HTTP/1.1 413 Content Too Large\r\n\r\n");
  EXPECT_EQ(stream.closed, link::Closed::reset);
  EXPECT_TRUE(until(loop, [&] { return pipes->empty(); }));
}

TEST_F(Pipe, AnswerOfAServiceThatRefusesAnUploadIsPassedOn) {
  LoopbackService service(loop);
  service.reads = false;
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1; }));
  stream.send(std::string(32 << 20, 'x'));
  std::size_t before = 0;
  do {
    before = stream.sent;
    settle(loop);
  } while (stream.sent != before);
  service.ends[0]->stream->out().append(std::string_view("HTTP/1.1 413 Content Too Large\r\n\r\n"));
  service.ends[0]->stream->flush();
  service.ends[0]->stream->close();  // most of the upload is unread: a reset follows the answer
  ASSERT_TRUE(until(loop, [&] { return stream.closed.has_value(); }));
  EXPECT_EQ(stream.in, "HTTP/1.1 413 Content Too Large\r\n\r\n");
  EXPECT_TRUE(until(loop, [&] { return pipes->empty(); }));
}

TEST_F(Pipe, LostLinkAbortsItsServices) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  open_and_wait("web", 200);
  open_and_wait("web", 200);
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 2; }));
  gateway->driver.close("test");
  ASSERT_TRUE(until(loop, [&] { return !service.ends[0]->broken.empty() && !service.ends[1]->broken.empty(); }));
  EXPECT_EQ(link_over, "the peer closed the connection");
  EXPECT_TRUE(until(loop, [&] { return pipes->empty(); }));
  EXPECT_EQ(metrics->services[0].streams_open.value(), 0);
}

TEST_F(Pipe, LeavingIsSaidAndStreamsFinish) {
  LoopbackService service(loop);
  offer("web", service);
  connect();
  auto& stream = open_and_wait("web", 200);
  link->leave("test");
  ASSERT_TRUE(until(loop, [&] { return gateway->leaving; }));
  EXPECT_EQ(gateway->open("web").stream, nullptr);
  link->shutdown();
  stream.send("still served");
  ASSERT_TRUE(until(loop, [&] { return service.ends[0]->in == "still served"; }));
  EXPECT_EQ(link_over, "");
  stream.finish();
  service.ends[0]->stream->finish();
  ASSERT_TRUE(until(loop, [&] { return !link_over.empty(); }));
  EXPECT_EQ(stream.closed, link::Closed::finished);
  EXPECT_TRUE(link_over == "finished" || link_over == "the peer closed the connection") << link_over;
}

class TlsPipe : public Pipe {
 protected:
  void offer_tls(const LoopbackService& service, const std::string& parameters) {
    offer("web=https://127.0.0.1:" + std::to_string(service.port()) + parameters);
  }
  net::TlsContext serve(const std::string& names) {
    const auto issued = authority.issue(names);
    return *net::make_server_context(net::TlsUse::public_edge, issued.chain_pem, issued.key_pem);
  }
  std::string ca_file() {
    const std::string path = testing::TempDir() + std::to_string(getpid()) + "adit-pipe-ca.pem";
    std::ofstream(path) << authority.pem();
    return path;
  }
  net::test::Authority authority;
};

TEST_F(TlsPipe, ServiceIsVerifiedByItsOwnCa) {
  LoopbackService service(loop, serve("IP:127.0.0.1"));
  offer_tls(service, "?caFile=" + ca_file());
  connect();
  auto& stream = open_and_wait("web", 200);
  stream.send("over TLS");
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1 && service.ends[0]->in == "over TLS"; }));
  service.ends[0]->send("so it is");
  service.ends[0]->stream->finish();
  ASSERT_TRUE(until(loop, [&] { return stream.ended; }));
  EXPECT_EQ(stream.in, "so it is");
  stream.finish();
  ASSERT_TRUE(until(loop, [&] { return service.ends[0]->ended && pipes->empty(); }));
  EXPECT_EQ(service.ends[0]->broken, "");
}

TEST_F(TlsPipe, ServerNameMayDifferFromTheHost) {
  LoopbackService service(loop, serve("DNS:internal.test"));
  offer_tls(service, "?serverName=internal.test&caFile=" + ca_file());
  connect();
  open_and_wait("web", 200);
}

TEST_F(TlsPipe, UnverifiedCertificateIs502WithItsReason) {
  LoopbackService service(loop, serve("DNS:other.test"));
  offer_tls(service, "?caFile=" + ca_file());
  connect();
  auto& stream = open_and_wait("web", 502);
  EXPECT_THAT(stream.reason, HasSubstr("certificate refused"));
  EXPECT_EQ(failures(StreamFailure::tls), 1U);
  EXPECT_TRUE(until(loop, [&] { return stream.closed && pipes->empty(); }));
}

TEST_F(TlsPipe, VerificationCanBeSwitchedOff) {
  LoopbackService service(loop, serve("DNS:other.test"));
  offer_tls(service, "?insecureSkipVerify=true");
  connect();
  open_and_wait("web", 200);
}

TEST_F(TlsPipe, BulkUploadArrivesWhole) {
  LoopbackService service(loop, serve("DNS:other.test"));
  offer_tls(service, "?insecureSkipVerify=true");
  connect();
  auto& stream = open_and_wait("web", 200);
  ASSERT_TRUE(until(loop, [&] { return service.ends.size() == 1; }));
  const std::string up(8 << 20, 'u');
  service.ends[0]->stream->finish();
  stream.send(up);
  stream.finish();
  ASSERT_TRUE(until(loop, [&] { return service.ends[0]->ended && pipes->empty(); }));
  EXPECT_EQ(service.ends[0]->in.size(), up.size());
  EXPECT_EQ(service.ends[0]->broken, "");
}

}  // namespace
}  // namespace adit::connector::test
