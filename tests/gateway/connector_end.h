#pragma once
// The connector's end of a link, and the services behind it, on the loop of a test.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/link_table.h"
#include "net/link_driver.h"
#include "tests/net/loop_until.h"
#include "tests/net/stream_end.h"

namespace adit::gateway::test {

/// One end of a stream: sends `out`, writes down what it hears.
struct StreamEnd final : link::StreamHandler {
  void send(std::string_view bytes) {
    out += bytes;
    if (stream != nullptr) stream->resume();
  }

  void on_answer(int code, std::string_view why) override {
    status = code;
    reason = why;
  }
  void on_data(std::span<const char> bytes) override {
    EXPECT_FALSE(ended || closed) << "bytes behind the end";
    in.append(bytes.data(), bytes.size());
    if (consumes) stream->consume(bytes.size());
  }
  void on_end() override { ended = true; }
  void on_closed(link::Closed why) override {
    stream = nullptr;
    closed = why;
  }
  std::span<const char> to_send() override { return std::span<const char>(out).subspan(sent); }
  void on_sent(std::size_t size) override {
    sent += size;
    if (when_sent) when_sent();
  }

  link::Stream* stream = nullptr;
  std::string service;
  int status = 0;
  std::string reason;
  std::string in;
  std::string out;
  std::size_t sent = 0;
  bool consumes = true;
  bool ended = false;
  std::optional<link::Closed> closed;
  std::function<void()> when_sent;
};

/// Answers every stream with `status`; 0: not by itself.
class ConnectorEnd final : public net::LinkOwner {
 public:
  ConnectorEnd(net::Loop& loop, net::Socket socket, std::vector<std::string> services,
               const link::SessionOptions& options = {})
      : driver(loop, net::test::make_stream(loop, std::move(socket)), nullptr, link::Role::connector, options, *this) {
    offer(std::move(services));
    driver.start();
  }

  void offer(std::vector<std::string> services) {
    link::Offers offers;
    for (auto& name : services) offers.services.push_back({std::move(name), "tcp"});
    driver.session().send_control(offers);
  }
  void leave() { driver.session().send_control(link::Leaving{"test"}); }
  StreamEnd& last() { return *streams.back(); }

  link::StreamHandler* on_open(link::Stream& stream, const link::Opening& opening) override {
    auto& end = *streams.emplace_back(std::make_unique<StreamEnd>());
    end.stream = &stream;
    end.service = opening.service;
    if (status != 0) stream.answer(status, status == 200 ? "" : "said by the test");
    return &end;
  }
  void on_link_ready() override {}
  void on_link_control(const link::ControlMessage&) override {}
  void on_link_suspect(bool) override {}
  void on_link_closed(std::string_view why) override { closed = why; }

  int status = 200;
  std::string closed;
  std::vector<std::unique_ptr<StreamEnd>> streams;
  net::LinkDriver driver;
};

inline std::shared_ptr<LinkInfo> link_info(std::uint64_t id, std::size_t worker = 0) {
  auto info = std::make_shared<LinkInfo>();
  info->id = id;
  info->worker = worker;
  info->tunnel_id = "tunnel-id";
  info->tunnel_name = "team/shop";
  info->connector = "connector-" + std::to_string(id);
  return info;
}

/// A link of `table`, which runs on `loop` as does its connector. It offers "web".
inline std::unique_ptr<ConnectorEnd> connect(net::Loop& loop, LinkTable& table, LinkDirectory& directory,
                                             const std::shared_ptr<LinkInfo>& info,
                                             const link::SessionOptions& options = {}) {
  auto [near, far] = net::test::socket_pair(loop);
  auto connector = std::make_unique<ConnectorEnd>(loop, std::move(far), std::vector<std::string>{"web"}, options);
  directory.add(info);
  auto stream = net::test::make_stream(loop, std::move(near));
  net::test::End nobody;
  stream->start(nobody);
  table.adopt(stream, info);
  return connector;
}

}  // namespace adit::gateway::test
