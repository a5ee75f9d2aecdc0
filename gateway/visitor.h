#pragma once
// A visitor's HTTP/1.1 connection: reads requests, routes them, and writes what their exchanges answer.

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "gateway/exchange.h"
#include "http/parser.h"
#include "net/stream.h"

namespace adit::gateway {

class Worker;

/// Lives on its worker, which destroys it at the end of the turn in which it says that it is over.
class Visitor final : public boost::intrusive::list_base_hook<>,
                      private net::StreamOwner,
                      private net::TurnTask,
                      private Responder,
                      private http::BodySink {
 public:
  Visitor(Worker& worker, net::StreamPtr stream, const net::asio::ip::tcp::endpoint& peer, bool tls,
          std::uint16_t public_port);
  ~Visitor();

  void start();
  /// The gateway is about to end: an idle connection is closed, a busy one after its answer.
  void drain();
  /// The gateway ends now: what is under way is cut off, and logged.
  void cut_off(std::string_view why);

 private:
  enum class State : std::uint8_t {
    head,      ///< waiting for a request, or for the rest of its head
    exchange,  ///< an exchange is under way
    pipe,      ///< after 101
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

  void read_head();
  void await_head();
  void take_request(const http::RequestHead& head, std::size_t head_size);
  int route(const http::RequestHead& head, const routing::Route*& route);
  bool misdirected(const http::RequestHead& head);
  void read_body();
  void read_pipe();
  void refuse(int status, std::string_view reason);
  void own_answer(int status, std::string_view extra, std::string_view reason, bool close);
  void begin_record(const http::RequestHead& head);
  void end_request();
  void await_visitor(std::size_t unsent);
  void log_request();
  void close_gently();
  void set_closing_deadline();
  void discard();
  void end_of_requests();
  void over();
  void on_deadline();

  Worker& worker_;
  net::StreamPtr stream_;
  http::RequestParser parser_;
  std::unique_ptr<Exchange> exchange_;  ///< only while a request is under way
  net::Deadline deadline_;
  base::TimePoint linger_until_;  ///< of closing
  std::string address_;           ///< the visitor's IP address
  std::string endpoint_;          ///< with port
  std::string port_;              ///< the public port
  bool tls_;
  State state_ = State::head;
  bool close_after_ = false;
  bool established_ = false;   ///< TLS is done, if it is used
  bool head_begun_ = false;    ///< bytes of a head have come, so that its time runs
  bool body_done_ = true;      ///< the request's body is whole
  bool answer_ended_ = false;  ///< the last chunk was written
  bool answered_ = false;      ///< the final head was written
  bool head_request_ = false;
  http::Framing answer_framing_ = http::Framing::none;
  int version_ = 11;

  // Of the request under way, for the log.
  struct Record {
    std::array<char, 32> id;
    std::string method;
    std::string host;
    std::string target;
    std::string reason;
    std::string tunnel;
    std::string service;
    int status = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    base::TimePoint started;
    std::chrono::system_clock::time_point time;
  };
  Record record_;
  Upstream* upstream_ = nullptr;
};

}  // namespace adit::gateway
