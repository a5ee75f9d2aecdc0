#pragma once
// The chunked transfer coding, decoded strictly (RFC 9112 §7.1). Boost.Beast's decoder takes bare line feeds inside
// quoted extensions and extensions without limit, so it is not used.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/head_scanner.h"
#include "http/parser.h"

namespace adit::http {

/// Decodes one chunked body. Chunk extensions are dropped; their bytes are limited over the whole body.
class ChunkedDecoder {
 public:
  /// Bytes of a chunk size with its extensions and CRLF.
  static constexpr std::size_t kLongestSizeLine = 256;
  /// Bytes of extensions in one body.
  static constexpr std::size_t kMostExtensions = std::size_t{16} * 1024;
  /// Bytes of the trailer section; more is refused with 431.
  static constexpr std::size_t kLongestTrailers = std::size_t{8} * 1024;
  /// Trailers of one body; more is refused with 431.
  static constexpr std::size_t kMostTrailers = 200;

  /// As RequestParser::parse_body.
  Parsed parse(std::string_view bytes, BodySink& sink);
  void reset() { *this = ChunkedDecoder(); }

 private:
  enum class State : std::uint8_t { size, data, data_end, trailers };
  struct Step {
    Progress progress;
    std::size_t consumed = 0;
    int status = 0;
    const char* reason = "";
  };

  Step step(std::string_view bytes, BodySink& sink);
  Step size_line(std::string_view bytes);
  Step data(std::string_view bytes, BodySink& sink);
  Step data_end(std::string_view bytes);
  Step trailers(std::string_view bytes, BodySink& sink);
  static Step refuse(const char* reason) { return {Progress::refused, 0, 400, reason}; }

  State state_ = State::size;
  std::uint64_t left_ = 0;      // of the current chunk
  std::size_t extensions_ = 0;  // bytes so far
  HeadScanner scanner_{0};      // of the trailer section
};

}  // namespace adit::http
