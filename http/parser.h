#pragma once
// HTTP/1.1 parsing (RFC 9112), sans-io and strict: what two parsers could read in two ways is refused, never repaired.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "http/message.h"

namespace adit::http {

/// The most that a head may hold.
struct HeadLimits {
  /// Bytes of start line and fields; more is refused with 431 (502 towards a service).
  std::size_t head = std::size_t{64} * 1024;
  /// Bytes of the request target; more is refused with 414.
  std::size_t target = std::size_t{16} * 1024;
  /// Fields of a request; more is refused with 431. At most FieldList::kMost, which is the limit of answers.
  std::size_t fields = 200;
};

/// What became of the bytes.
enum class Progress : std::uint8_t {
  need_more,  ///< valid so far; call again with the unconsumed bytes and more behind them
  complete,   ///< head or body ends within the bytes
  refused,    ///< see Parsed::status and Parsed::reason; nothing after it can be trusted: answer and close
};

struct Parsed {
  Progress progress = Progress::need_more;
  std::size_t consumed = 0;
  int status = 0;           ///< of a refusal: 400, 405 (CONNECT, TRACE), 414, 417, 431, 505
  const char* reason = "";  ///< of a refusal: static text for the log, never sent to the peer
};

/// Takes the decoded pieces of a body.
class BodySink {
 public:
  /// Valid during the call only; never empty.
  virtual void on_body(std::span<const char> bytes) = 0;
  /// Once, before the body's end, when a chunked body carried trailers.
  virtual void on_trailers(const FieldList& trailers) = 0;

 protected:
  ~BodySink() = default;
};

/// Parses the requests of one connection, one after the other. Not safe to share between threads. Allocates only when
/// constructed. Each call takes all bytes that were not consumed so far, the same ones first; the outcome does not
/// depend on how they were split. Stricter than RFC 9112 where services differ from one another:
///  - Content-Length is one decimal number, once; Transfer-Encoding is "chunked", once, never beside Content-Length or
///    with HTTP/1.0. Everything else is 400.
///  - Host is required of HTTP/1.1, is of the form that authority.h describes, and equals the authority of an absolute
///    target. HTTP/1.0 without it has an empty authority.
///  - "Transfer_Encoding" and "Content_Length" are 400: some servers take them for the real ones.
///  - An expectation other than 100-continue is 417, as RFC 9110 §10.1.1 allows. expect_continue is not set for
///    HTTP/1.0 or a request without body.
///  - An Upgrade to "h2c" or HTTP itself is ignored, as RFC 9110 §7.8 allows: what follows it would pass the edge's
///    rules unseen.
///  - At most HeadLimits::fields fields (431), 32 Connection options (400), 200 trailers or 8 KiB of them (431), 16 KiB
///    of chunk extensions (400).
class RequestParser {
 public:
  explicit RequestParser(HeadLimits limits = {});
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// Parses a whole head at the start of `bytes`; an incomplete one consumes nothing. Up to two empty lines before the
  /// request line are skipped (RFC 9112 §2.2). After `complete`, parse_body takes what follows; it must be called
  /// until complete unless head.framing is none. `head` then stays valid as long as the bytes do.
  Parsed parse_head(std::span<const char> bytes, RequestHead& head);

  /// Decodes body bytes into `sink`. `complete` also when the body is empty; the next parse_head begins a new message.
  Parsed parse_body(std::span<const char> bytes, BodySink& sink);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Parses the answers of one service connection at a time. A refusal's status is 502. As strict as RequestParser, and
/// more: an interim answer (1xx) that announces a body is refused; a 204 that does ends its connection (keep_alive is
/// false).
class ResponseParser {
 public:
  explicit ResponseParser(HeadLimits limits = {});
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  /// As RequestParser::parse_head. `to_head`: the request was HEAD, so the answer has no body whatever its fields say.
  /// Answers of status 1xx come out as heads without body; 101 ends HTTP on this connection.
  Parsed parse_head(std::span<const char> bytes, bool to_head, ResponseHead& head);
  Parsed parse_body(std::span<const char> bytes, BodySink& sink);
  /// Forgets the answer that was begun, if any: what comes next is of another connection. Needed after a refusal too.
  void reset();
  /// The service closed: `complete` if that is how this body ends, `refused` if it was cut short.
  Parsed finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adit::http
