#pragma once
// Where a body ends, by each of the framings (RFC 9112 §6.3).

#include <cstdint>
#include <string_view>

#include "http/chunked.h"
#include "http/message.h"
#include "http/parser.h"

namespace adit::http {

/// Decodes the body of one message after the other.
class BodyDecoder {
 public:
  /// A new body; `length` is that of Framing::length.
  void begin(Framing framing, std::uint64_t length);
  /// As RequestParser::parse_body.
  Parsed parse(std::string_view bytes, BodySink& sink);
  /// The peer closed: whether the body has ended by that, or ended before.
  bool finish();
  bool ended() const { return framing_ == Framing::none; }

 private:
  Framing framing_ = Framing::none;  // none once the body has ended
  std::uint64_t left_ = 0;
  ChunkedDecoder chunked_;
};

}  // namespace adit::http
