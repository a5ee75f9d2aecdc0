#pragma once
// Both ends of a link in one test, with simulated latency and a simulated clock (after quinn-proto's tests/util.rs).

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "link/session.h"

namespace adit::link::test {

using namespace std::chrono_literals;
using base::Duration;
using base::TimePoint;

inline constexpr TimePoint kStart{std::chrono::hours(1)};

/// A stream's user that remembers all it hears. Sends what `out` holds, consumes at once unless told not to.
class Recorder final : public StreamHandler {
 public:
  Stream* stream = nullptr;
  int status = 0;
  std::string reason;
  std::string in;           // kept only while keep is set
  std::uint64_t bytes = 0;  // received
  std::uint64_t sent = 0;
  bool ended = false;
  std::vector<Closed> closed;
  bool keep = true;
  bool consumes = true;
  bool echoes = false;
  bool finishes_on_end = false;
  std::string out;
  std::uint64_t filler = 0;    // bytes to send after `out`, of no interest
  std::function<void()> hook;  // called on each event but to_send

  void send(std::string_view bytes_to_send) {
    out += bytes_to_send;
    stream->resume();
  }

  void on_answer(int answer_status, std::string_view answer_reason) override {
    status = answer_status;
    reason = answer_reason;
    if (hook) hook();
  }
  void on_data(std::span<const char> data) override {
    EXPECT_TRUE(closed.empty());
    bytes += data.size();
    if (keep) in.append(data.data(), data.size());
    if (echoes) send({data.data(), data.size()});
    if (consumes && stream != nullptr) stream->consume(data.size());
    if (hook) hook();
  }
  void on_end() override {
    EXPECT_FALSE(ended);
    ended = true;
    if (finishes_on_end) stream->finish();
    if (hook) hook();
  }
  void on_closed(Closed why) override {
    closed.push_back(why);
    if (hook) hook();
    stream = nullptr;
  }
  std::span<const char> to_send() override {
    if (!out.empty()) return out;
    static const std::string zeros(256 * 1024, '\0');
    return {zeros.data(), static_cast<std::size_t>(std::min<std::uint64_t>(filler, zeros.size()))};
  }
  void on_sent(std::size_t size) override {
    sent += size;
    if (!out.empty()) {
      out.erase(0, size);
    } else {
      filler -= size;
    }
    if (hook) hook();
  }
};

/// One end: a session, its events, and the bytes on their way to the other end.
class End final : public SessionEvents {
 public:
  struct Flight {
    TimePoint arrives;
    std::string bytes;
  };

  End(Role role, const SessionOptions& options, TimePoint now)
      : session(std::make_unique<Session>(role, options, *this, now)) {}

  std::deque<Flight> flights;  // from this end
  bool ready = false;
  bool cut = false;  // nothing gets through any more, in silence
  std::vector<ControlMessage> control;
  std::vector<bool> suspicions;
  std::vector<std::unique_ptr<Recorder>> served;
  std::vector<std::string> services;
  std::vector<std::string> visitors;
  std::vector<std::string> request_ids;
  std::vector<std::string> tunnels;
  std::string error;
  std::size_t write_limit = 256 * 1024;
  unsigned write_calls = 0;
  /// Connector: sets up the handler of a new stream; the default answers 200 and echoes.
  std::function<void(Recorder&)> serve = [](Recorder& recorder) {
    recorder.echoes = true;
    recorder.finishes_on_end = true;
    recorder.stream->answer(200, "");
  };
  std::unique_ptr<Session> session;  // last: the members above hear of its end

  StreamHandler* on_open(Stream& stream, const Opening& opening) override {
    auto& recorder = *served.emplace_back(std::make_unique<Recorder>());
    recorder.stream = &stream;
    services.emplace_back(opening.service);
    visitors.emplace_back(opening.visitor);
    request_ids.emplace_back(opening.request_id);
    tunnels.emplace_back(opening.tunnel);
    serve(recorder);
    return &recorder;
  }
  void on_ready() override { ready = true; }
  void on_control(const ControlMessage& message) override { control.push_back(message); }
  void on_suspect(bool suspect) override { suspicions.push_back(suspect); }
  void on_wants_write() override { ++write_calls; }

  void note(const base::Result<void>& result) {
    if (!result && error.empty()) error = result.error();
  }
};

/// A gateway's and a connector's session and a wire of fixed latency between them. Bandwidth has no limit, so windows
/// and round trips alone say how fast a stream is.
class Pair {
 public:
  explicit Pair(Duration one_way = 0ms, const SessionOptions& options = {}) : Pair(one_way, options, options) {}
  Pair(Duration one_way, const SessionOptions& gateway_options, const SessionOptions& connector_options)
      : latency(one_way),
        gateway(Role::gateway, gateway_options, kStart),
        connector(Role::connector, connector_options, kStart) {}

  Duration latency;
  TimePoint now = kStart;
  std::vector<std::unique_ptr<Recorder>> opened;  // outlive the sessions, which tell them of their end
  End gateway;
  End connector;

  /// Runs until nothing moves, without letting a timer of liveness expire.
  void settle() {
    do {
      flush();
    } while (step(base::kNever, false));
  }

  /// Runs for that long, timers included.
  void run(Duration span) {
    const auto until = now + span;
    do {
      flush();
    } while (step(until, true));
    now = until;
  }

  /// Opens a stream from the gateway.
  Recorder* open(std::string_view service = "default") {
    auto* recorder = opened.emplace_back(std::make_unique<Recorder>()).get();
    recorder->stream = gateway.session->open({service, "192.0.2.7:4242", "0123456789abcdef"}, *recorder);
    EXPECT_NE(recorder->stream, nullptr);
    return recorder;
  }

  /// Writes what both sessions have to say.
  void flush() {
    for (End* end : {&gateway, &connector}) {
      while (end->session && end->error.empty() && end->session->wants_write()) {
        base::Buffer out;
        end->note(end->session->produce(out, end->write_limit));
        if (out.empty()) break;
        if (!end->cut) end->flights.push_back({now + latency, std::string(out.view())});
      }
    }
  }

 private:
  /// Moves on to the next event up to `until`; false when there is none.
  bool step(TimePoint until, bool timers) {
    TimePoint next = base::kNever;
    for (End* end : {&gateway, &connector}) {
      if (!end->flights.empty()) next = std::min(next, end->flights.front().arrives);
      if (timers && end->session && end->error.empty()) next = std::min(next, end->session->deadline());
    }
    if (next == base::kNever || next > until) return false;
    now = std::max(now, next);
    deliver(gateway, connector);
    deliver(connector, gateway);
    for (End* end : {&gateway, &connector}) {
      if (timers && end->session && end->error.empty() && end->session->deadline() <= now) {
        end->note(end->session->on_time(now));
      }
    }
    return true;
  }

  void deliver(End& from, End& to) {
    while (!from.flights.empty() && from.flights.front().arrives <= now) {
      const std::string bytes = std::move(from.flights.front().bytes);
      from.flights.pop_front();
      if (to.session && to.error.empty()) to.note(to.session->receive(bytes, now));
    }
  }
};

}  // namespace adit::link::test
