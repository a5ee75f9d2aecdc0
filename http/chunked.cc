#include "http/chunked.h"

#include <algorithm>

#include "base/text.h"
#include "http/syntax.h"

namespace adit::http {
namespace {

constexpr std::size_t kMostDigits = 16;  // 64 bits

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = base::to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Nullptr, or why `line` ("name: value", no CRLF) is refused.
const char* add_trailer(std::string_view line, FieldList& fields) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return "malformed trailer name";
  const auto value = base::trim(line.substr(colon + 1));
  if (!is_value(value)) return "control character in a trailer";
  fields.add(line.substr(0, colon), value);
  return nullptr;
}

}  // namespace

Parsed ChunkedDecoder::parse(std::string_view bytes, BodySink& sink) {
  std::size_t consumed = 0;
  for (;;) {
    const Step taken = step(bytes.substr(consumed), sink);
    consumed += taken.consumed;
    if (taken.progress == Progress::need_more && taken.consumed != 0 && consumed != bytes.size()) continue;
    return {taken.progress, consumed, taken.status, taken.reason};
  }
}

ChunkedDecoder::Step ChunkedDecoder::step(std::string_view bytes, BodySink& sink) {
  if (bytes.empty()) return {Progress::need_more};
  switch (state_) {
    case State::size:
      return size_line(bytes);
    case State::data:
      return data(bytes, sink);
    case State::data_end:
      return data_end(bytes);
    case State::trailers:
      break;
  }
  return trailers(bytes, sink);
}

ChunkedDecoder::Step ChunkedDecoder::size_line(std::string_view bytes) {
  const auto window = bytes.substr(0, kLongestSizeLine);
  const auto feed = window.find('\n');
  if (feed == std::string_view::npos) {
    if (window.size() == kLongestSizeLine) return refuse("chunk size line too long");
    return {Progress::need_more};
  }
  if (feed == 0 || window[feed - 1] != '\r') return refuse("line feed without carriage return in a chunk size line");
  const auto line = window.substr(0, feed - 1);

  std::size_t digits = 0;
  left_ = 0;
  for (; digits < line.size() && digits <= kMostDigits; ++digits) {
    const int value = hex_digit(line[digits]);
    if (value < 0) break;
    left_ = (left_ << 4U) | static_cast<unsigned>(value);
  }
  if (digits == 0) return refuse("chunk without a size");
  if (digits > kMostDigits) return refuse("chunk size overflows");

  const auto extension = line.substr(digits);
  if (!extension.empty()) {
    if (extension.front() != ';' || extension.size() == 1 || !is_value(extension))
      return refuse("junk after a chunk size");
    extensions_ += extension.size();
    if (extensions_ > kMostExtensions) return refuse("too many chunk extensions");
  }
  state_ = left_ == 0 ? State::trailers : State::data;
  return {Progress::need_more, feed + 1};
}

ChunkedDecoder::Step ChunkedDecoder::data(std::string_view bytes, BodySink& sink) {
  const auto piece = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
  sink.on_body(piece);
  left_ -= piece.size();
  if (left_ == 0) state_ = State::data_end;
  return {Progress::need_more, piece.size()};
}

ChunkedDecoder::Step ChunkedDecoder::data_end(std::string_view bytes) {
  if (bytes[0] != '\r' || (bytes.size() > 1 && bytes[1] != '\n')) return refuse("junk after chunk data");
  if (bytes.size() < 2) return {Progress::need_more};
  state_ = State::size;
  return {Progress::need_more, 2};
}

ChunkedDecoder::Step ChunkedDecoder::trailers(std::string_view bytes, BodySink& sink) {
  switch (scanner_.scan(bytes.substr(0, kLongestTrailers))) {
    case HeadScanner::Found::fault:
      return refuse(scanner_.fault());
    case HeadScanner::Found::nothing:
      if (bytes.size() >= kLongestTrailers) return {Progress::refused, 0, 431, "trailers too large"};
      return {Progress::need_more};
    case HeadScanner::Found::end:
      break;
  }
  auto section = bytes.substr(0, scanner_.end() - 2);
  if (!section.empty()) {
    FieldList fields;
    while (!section.empty()) {
      if (fields.size() == kMostTrailers) return {Progress::refused, 0, 431, "too many trailers"};
      const auto end = section.find('\n') + 1;  // the scanner has seen that each line ends in CRLF
      if (const char* fault = add_trailer(section.substr(0, end - 2), fields)) return refuse(fault);
      section.remove_prefix(end);
    }
    sink.on_trailers(fields);
  }
  return {Progress::complete, scanner_.end()};
}

}  // namespace adit::http
