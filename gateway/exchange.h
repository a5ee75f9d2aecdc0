#pragma once
// One request and its answer, whatever the visitor's protocol: picks a stream, retries, and moves both bodies.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/clock.h"
#include "gateway/retry_rules.h"
#include "gateway/stream_pool.h"
#include "http/forwarding.h"
#include "http/message.h"
#include "http/parser.h"
#include "link/stream.h"
#include "net/loop.h"
#include "routing/table.h"

namespace adit::gateway {

/// Why an exchange failed, for the answer and the log.
struct ExchangeFailure {
  int status = 502;           ///< 502, 503 or 504
  bool retry_after = false;   ///< say when to try again
  std::string_view reason;    ///< for the log; valid during the call
  bool link_leaving = false;  ///< its connector had said that it was about to go
};

/// The visitor's side of an exchange: a codec that turns these into its protocol. All calls come on the worker's loop.
class Responder {
 public:
  /// An interim (1xx but 101) or the final answer's head; views are valid during the call. Status 101 turns the
  /// exchange into a pipe: bytes come by on_pipe_data from then on.
  virtual void on_answer_head(const http::ResponseHead& head) = 0;
  virtual void on_answer_body(std::span<const char> bytes) = 0;
  virtual void on_answer_trailers(const http::FieldList& trailers) = 0;
  /// The answer is whole and the exchange over; it may be reused, but not from within this call.
  virtual void on_answer_end() = 0;
  virtual void on_pipe_data(std::span<const char> bytes) = 0;
  /// The service ended its half of the pipe.
  virtual void on_pipe_end() = 0;
  /// The exchange is over without a whole answer. Before on_answer_head: answer with failure.status; after: cut off.
  virtual void on_exchange_failed(const ExchangeFailure& failure) = 0;
  /// More of the request can be taken again.
  virtual void on_takes_more() = 0;

 protected:
  ~Responder() = default;
};

/// What an exchange needs of its worker.
struct ExchangeContext {
  net::Loop& loop;  ///< the worker's
  StreamPool& pool;
  WorkerMetrics& metrics;
  http::ResponseHead& scratch;  ///< used within one call
  base::Duration answer_timeout;
};

/// Reusable; one request at a time. On its worker's loop only.
class Exchange final : private link::StreamHandler, private http::BodySink {
 public:
  /// What happened, for the access log.
  struct Summary {
    unsigned attempts = 0;
    std::shared_ptr<const LinkInfo> link;  ///< of the last attempt
    base::TimePoint first_byte = base::kNever;
    std::string reason;
  };

  explicit Exchange(ExchangeContext context);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// What is sent to the service, read before begin() returns.
  struct Request {
    const http::RequestHead& head;
    const http::RequestEdits& edits;
    const http::Origin& origin;
    std::string_view visitor;  ///< "address:port" for the connector
    const AffinityWish& wish;
  };
  /// The responder may hear of a failure from within.
  void begin(Responder& responder, const Request& request, Upstream& upstream);

  /// The request's body, decoded. Take it only as long as takes_more().
  void body(std::span<const char> bytes);
  /// The same for bytes that bring their memory along.
  void body(base::Buffer bytes);
  void end_body(const http::FieldList* trailers);
  /// After 101: the visitor's bytes, and the end of its half.
  void pipe(std::span<const char> bytes);
  void end_pipe();
  bool takes_more() const { return to_service_.size() - sent_ + next_.size() < kMostBuffered; }

  /// The visitor's connection has taken bytes and has `unsent` left: the service's credit follows.
  void delivered(std::size_t unsent);
  /// The visitor is gone: ends the stream; the responder hears nothing more.
  void abort();

  bool active() const { return responder_ != nullptr; }
  const Summary& summary() const { return summary_; }
  Upstream& upstream() const { return *upstream_; }
  /// From on_answer_head on: the connector instance that answers; 0: not known.
  link::InstanceKey instance() const { return instance_; }
  const AffinityWish& wish() const { return wish_; }

 private:
  static constexpr std::size_t kMostBuffered = 64 * 1024;
  enum class State : std::uint8_t { idle, opening, sending, answering, piping };

  // link::StreamHandler
  void on_answer(int status, std::string_view reason) override;
  void on_data(std::span<const char> bytes) override;
  void on_end() override;
  void on_closed(link::Closed why) override;
  std::span<const char> to_send() override { return to_service_.readable().subspan(sent_); }
  void on_sent(std::size_t size) override;
  // http::BodySink
  void on_body(std::span<const char> bytes) override { responder_->on_answer_body(bytes); }
  void on_trailers(const http::FieldList& trailers) override { responder_->on_answer_trailers(trailers); }

  base::Buffer& last_buffer() { return next_.empty() ? to_service_ : next_; }
  void choose_instance();
  void attempt();
  void wait_at_most(base::Duration limit);
  void resume();
  AttemptsMade made() const;
  bool retry(AttemptEnd end, std::string_view why);
  void note_unreachable();
  bool move_on();
  std::size_t parse(std::span<const char> bytes);
  bool take_head(const http::ResponseHead& head);
  void complete();
  void fail(int status, std::string_view reason, bool retry_after = false);
  void fail_unserved(Unserved why, std::string_view reason);
  void end();
  void release_stream(bool keep);
  void on_deadline();

  ExchangeContext context_;
  Responder* responder_ = nullptr;
  Upstream* upstream_ = nullptr;
  ServiceStream* stream_ = nullptr;
  State state_ = State::idle;
  http::Framing request_framing_ = http::Framing::none;
  bool request_ended_ = false;
  bool repeatable_ = false;  ///< idempotent and without body: may be sent again while no answer byte came
  bool to_head_ = false;     ///< HEAD
  bool upgrade_ = false;
  bool repeated_ = false;      ///< the one repeat after a reused stream was used up
  bool answer_keeps_ = false;  ///< the service keeps its connection after this answer
  bool being_fed_ = false;     ///< body() or pipe() is on the stack
  bool probed_ = false;        ///< the link was made suspect, its verdict is awaited
  base::Buffer to_service_;    ///< request bytes; the first sent_ have left (kept while the request may be repeated)
  std::size_t sent_ = 0;
  base::Buffer next_;  ///< goes after all of to_service_: body that brought its memory along while that was not empty
  bool left_ = false;  ///< a byte has left on the present attempt
  bool link_failed_ = false;     ///< the last attempt ended for the link's sake, before a byte had left
  base::Buffer answer_;          ///< answer bytes that do not parse yet
  std::size_t undelivered_ = 0;  ///< answer bytes whose credit is not given back yet
  http::ResponseParser parser_;
  bool head_done_ = false;
  std::vector<std::uint64_t> tried_;
  std::string visitor_;
  std::string request_id_;
  AffinityWish wish_;
  link::InstanceKey instance_ = 0;  ///< that is wanted, and then that of the stream
  base::TimePoint give_up_;         ///< of the present phase
  net::Deadline deadline_;
  Summary summary_;
};

}  // namespace adit::gateway
