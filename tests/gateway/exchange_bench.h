#pragma once
// One exchange between a responder that writes down what it hears and services that the test plays.

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/exchange.h"
#include "http/parser.h"
#include "tests/gateway/fake_service.h"

namespace adit::gateway::test {

/// The visitor's side.
class Answer final : public Responder {
 public:
  std::vector<int> heads;
  std::string body;
  std::string trailers;
  std::string piped;
  bool ended = false;
  bool pipe_ended = false;
  std::optional<ExchangeFailure> failure;
  std::string reason;
  int takes_more = 0;
  std::function<void()> when_takes_more;

  /// Everything in one line, for tables.
  std::string text() const {
    std::string all;
    for (const int head : heads) all += std::to_string(head) + " ";
    all += body;
    if (!trailers.empty()) all += " [" + trailers + "]";
    if (ended) all += " end";
    if (failure) all += "failed " + std::to_string(failure->status) + (failure->retry_after ? " retry-after" : "");
    return all;
  }

  void on_answer_head(const http::ResponseHead& head) override { heads.push_back(head.status); }
  void on_answer_body(std::span<const char> bytes) override { body.append(bytes.data(), bytes.size()); }
  void on_answer_trailers(const http::FieldList& fields) override {
    for (const auto& field : fields) trailers += std::string(field.name) + ":" + std::string(field.value);
  }
  void on_answer_end() override {
    EXPECT_FALSE(ended || failure) << "the end came twice";
    ended = true;
  }
  void on_pipe_data(std::span<const char> bytes) override { piped.append(bytes.data(), bytes.size()); }
  void on_pipe_end() override { pipe_ended = true; }
  void on_exchange_failed(const ExchangeFailure& why) override {
    EXPECT_FALSE(ended || failure) << "the end came twice";
    failure = why;
    reason = why.reason;
  }
  void on_takes_more() override {
    ++takes_more;
    if (when_takes_more) when_takes_more();
  }
};

class Bench {
 public:
  AffinityWish wish;
  explicit Bench(std::size_t links = 1, base::Duration answer_timeout = std::chrono::minutes(1))
      : exchange({loop, pool, metrics, scratch, answer_timeout}) {
    for (std::uint64_t id = 1; id <= links; ++id) opener.links.push_back(make_link(id));
    tunnel.id = "tunnel-id";
    tunnel.name = "team/shop";
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  /// Begins with a head as a visitor would send it.
  void begin(std::string head) {
    request_ = std::move(head);
    http::RequestParser parser;
    http::RequestHead parsed;
    ASSERT_EQ(parser.parse_head(bytes_of(request_), parsed).progress, http::Progress::complete);
    http::Origin origin;
    origin.client = "192.0.2.1";
    origin.scheme = "http";
    origin.port = "80";
    origin.request_id = "0123456789abcdef";
    answer = Answer();
    exchange.begin(answer, {parsed, {}, origin, "192.0.2.1:999", wish}, pool.upstream(tunnel, "web"));
  }
  void get(const char* method = "GET") {
    begin(std::string(method) + " /page HTTP/1.1\r\nHost: shop.example.com\r\n\r\n");
  }
  void post(std::string_view body) {
    begin("POST /form HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n\r\n");
    if (!exchange.active()) return;
    exchange.body(bytes_of(body));
    exchange.end_body(nullptr);
  }
  /// Leaves one idle stream of a request that went well, its record cleared.
  FakeStream& warm_up() {
    get();
    stream().accept();
    stream().take();
    stream().data("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(answer.text(), "204  end");
    stream().sent.clear();
    return stream();
  }
  FakeStream& stream() { return opener.last(); }
  std::size_t opened() const { return opener.streams.size(); }
  std::uint64_t unserved(Unserved why) const { return metrics.unserved[static_cast<std::size_t>(why)].value(); }

  net::Loop loop;
  WorkerMetrics metrics;
  FakeOpener opener;
  StreamPool pool{loop, opener, metrics.tunnels};
  http::ResponseHead scratch;
  routing::Tunnel tunnel;
  Answer answer;
  Exchange exchange;

 private:
  std::string request_;
};

}  // namespace adit::gateway::test
