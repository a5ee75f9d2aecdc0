#pragma once
// A visitor's HTTP/1.1 connection: reads requests, has them admitted, and writes what their exchanges answer.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "gateway/admission.h"
#include "gateway/exchange.h"
#include "gateway/pace.h"
#include "gateway/request_record.h"
#include "gateway/visitor_origin.h"
#include "http/parser.h"
#include "http/web_socket_ending.h"
#include "net/stream.h"

namespace adit::gateway {

class Worker;

/// Lives on its worker, which destroys it at the end of the turn in which it says that it is over. Requests are read in
/// visitor.cc, answers written in visitor_answer.cc; visitor_pipe.cc is what follows a 101.
class Visitor final : public boost::intrusive::list_base_hook<>,
                      private net::StreamOwner,
                      private net::TurnTask,
                      private Responder,
                      private http::BodySink {
 public:
  /// `peer`: "address:port", for the connector.
  Visitor(Worker& worker, net::StreamPtr stream, VisitorEndpoint endpoint, std::string peer);
  ~Visitor();

  void start();
  /// The gateway is about to end: an idle connection is closed, a busy one after its answer.
  void drain();
  /// The drain time is up: both ends of a WebSocket are told 1001 (RFC 6455 §7.4.1), and the connection is closed once
  /// they have answered, or soon. No effect on anything else.
  void go_away();
  /// The gateway ends now: what is under way is cut off, and logged.
  void cut_off(std::string_view why);
  /// The password that this visitor waits for was checked.
  void password_checked();

  const VisitorEndpoint& endpoint() const { return endpoint_; }
  const std::string& peer() const { return peer_; }

 private:
  enum class State : std::uint8_t {
    head,      ///< waiting for a request, or for the rest of its head
    password,  ///< a head was read that cannot be admitted before a password was checked
    exchange,  ///< an exchange is under way
    skipping,  ///< the answer is whole and the request's body is not: its rest is thrown away
    pipe,      ///< after 101
    link,      ///< it is a connector: handed to the acceptor of links once all is sent
    closing,   ///< our half is ended; reads on until the visitor has closed too
    over,
  };

  // net::StreamOwner
  void on_established() override;
  void on_readable() override;
  void on_sent() override;
  void on_broken(std::string_view why) override;
  // Responder
  void on_answer_head(const http::ResponseHead& head) override;
  void on_answer_body(std::span<const char> bytes) override;
  void on_answer_trailers(const http::FieldList& trailers) override;
  void on_answer_end() override;
  void on_pipe_data(std::span<const char> bytes) override;
  void on_pipe_end() override;
  void on_exchange_failed(const ExchangeFailure& failure) override;
  void on_takes_more() override;
  // http::BodySink: the request's body
  void on_body(std::span<const char> bytes) override;
  void on_trailers(const http::FieldList& trailers) override;
  // net::TurnTask: the next request, once the last one's stack is gone
  void at_turn_end() override;

  std::string_view affinity_cookie();
  void read_head();
  void await_head();
  void take_request(const http::RequestHead& head, std::size_t head_size);
  void begin_request(const http::RequestHead& head, const RequestOrigin& origin);
  bool await_password(Verdict::Question question, const RequestOrigin& origin);
  void forward(const http::RequestHead& head, Verdict& verdict);
  void read_body();
  void refuse_body(int status, std::string_view reason);
  void skip_body();
  void begin_pipe(const http::ResponseHead& head);
  void read_pipe();
  void say_close(http::WebSocketEnding::End to);
  void say_going_away(http::WebSocketEnding::End to);
  void end_web_socket();
  void web_socket_time_is_up();
  void hand_over_link();

  void refuse(int status, std::string_view reason);
  void own_answer(int status, std::string_view fields, std::string_view reason, bool close);
  void end_request();
  void log_request();
  void close_gently();
  void set_closing_deadline();
  void discard();
  void end_of_requests();
  void over();
  const PaceLimits& pace() const;
  void set_deadline();
  void await_visitor();
  void on_deadline();

  Worker& worker_;
  net::StreamPtr stream_;
  http::RequestParser parser_;
  std::unique_ptr<Exchange> exchange_;  ///< only while a request is under way
  net::Deadline deadline_;
  base::TimePoint linger_until_;  ///< of closing
  Pace body_pace_;                ///< of the request's body
  Pace answer_pace_;
  std::uint64_t sent_ = 0;  ///< of stream_->bytes_out(), what answer_pace_ knows of
  VisitorEndpoint endpoint_;
  std::string peer_;
  std::unique_ptr<http::WebSocketEnding> web_socket_;  ///< of a pipe that is one
  base::TimePoint going_until_ = base::kNever;         ///< what go_away() began is cut short then
  std::shared_ptr<Visitor*> waiting_;  ///< whom the checker of passwords tells; emptied when this one is over
  State state_ = State::head;
  bool established_ = false;  ///< TLS is done, if it is used
  bool has_asked_ = false;    ///< for something, ever
  bool head_begun_ = false;   ///< bytes of a head have come, so that its time runs

  // Of the request under way.
  bool close_after_ = false;
  bool body_done_ = true;      ///< the request's body is whole
  bool body_awaited_ = false;  ///< the visitor waits for 100 before it sends the body
  bool body_too_large_ = false;
  bool body_handed_over_ = false;  ///< what was readable is the exchange's now
  bool answer_ended_ = false;      ///< the last chunk was written
  bool answered_ = false;          ///< the final head was written
  bool head_request_ = false;
  bool wants_json_ = false;
  http::Framing answer_framing_ = http::Framing::none;
  int version_ = 11;
  std::uint64_t most_body_ = 0;  ///< bytes
  std::size_t skipped_ = 0;
  routing::FiltersPtr filters_;                    ///< nullptr: none
  std::shared_ptr<const routing::Tunnel> tunnel_;  ///< if it has a page of its own, or cookies
  bool secure_ = false;                            ///< the request came by HTTPS
  TunnelPlace place_;
  std::optional<std::uint64_t> lot_;  ///< of the head that was read; see gateway/share_choice.h
  RequestRecord record_;
};

}  // namespace adit::gateway
