#pragma once
// The gateway's end of a link, and a service, for tests of a connector's parts on one loop.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/link_driver.h"
#include "net/listener.h"
#include "tests/net/loop_until.h"
#include "tests/net/stream_end.h"

namespace adit::connector::test {

/// A stream as the gateway sees it.
struct VisitorStream final : link::StreamHandler {
  void send(std::string_view bytes) {
    out += bytes;
    stream->resume();
  }
  void finish() {
    finishing = true;
    stream->finish();
  }

  void on_answer(int code, std::string_view why) override {
    status = code;
    reason = why;
  }
  void on_data(std::span<const char> bytes) override {
    in.append(bytes.data(), bytes.size());
    if (consumes) stream->consume(bytes.size());
  }
  void on_end() override { ended = true; }
  void on_closed(link::Closed why) override {
    stream = nullptr;
    closed = why;
  }
  std::span<const char> to_send() override { return std::span(out).subspan(sent); }
  void on_sent(std::size_t size) override { sent += size; }

  link::Stream* stream = nullptr;
  int status = 0;
  std::string reason;
  std::string in;
  std::string out;
  std::size_t sent = 0;
  bool consumes = true;
  bool ended = false;
  bool finishing = false;
  std::optional<link::Closed> closed;
};

class GatewayEnd final : public net::LinkOwner {
 public:
  GatewayEnd(net::Loop& loop, net::StreamPtr stream)
      : driver(loop, std::move(stream), nullptr, link::Role::gateway, link::SessionOptions{}, *this) {}

  VisitorStream& open(std::string_view service) {
    auto& visitor = *streams.emplace_back(std::make_unique<VisitorStream>());
    visitor.stream = driver.session().open({service, "192.0.2.7:4242", "0123456789abcdef"}, visitor);
    return visitor;
  }

  link::StreamHandler* on_open(link::Stream&, const link::Opening&) override { return nullptr; }
  void on_link_ready() override { ready = true; }
  void on_link_control(const link::ControlMessage& message) override {
    if (const auto* sent = std::get_if<link::Offers>(&message)) {
      offers = *sent;
      driver.session().send_control(link::Gateways{{"gw-1"}});
    }
    if (const auto* sent = std::get_if<link::Health>(&message)) health = *sent;
    if (std::holds_alternative<link::Leaving>(message)) leaving = true;
  }
  void on_link_suspect(bool) override {}
  void on_link_closed(std::string_view why) override { closed = why; }

  bool ready = false;
  bool leaving = false;
  std::optional<link::Offers> offers;
  std::optional<link::Health> health;
  std::string closed;
  std::vector<std::unique_ptr<VisitorStream>> streams;
  net::LinkDriver driver;
};

/// Accepts connections on 127.0.0.1; each is an End, TLS when a context is given.
class LoopbackService {
 public:
  explicit LoopbackService(net::Loop& loop, net::TlsContext tls = nullptr)
      : listener_(*net::Listener::open(loop, {net::asio::ip::address_v4::loopback(), 0}, false)) {
    listener_->start([this, &loop, tls](net::Socket socket, const net::asio::ip::tcp::endpoint&) {
      auto& end = *ends.emplace_back(std::make_unique<net::test::End>());
      end.reads = reads;
      end.start(net::test::make_stream(loop, std::move(socket), tls ? net::new_server(tls) : nullptr));
    });
  }

  std::uint16_t port() const { return listener_->endpoint().port(); }
  void close() { listener_->close(); }

  bool reads = true;  ///< of connections to come
  std::vector<std::unique_ptr<net::test::End>> ends;

 private:
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace adit::connector::test
