#include "http/body.h"

#include <algorithm>

namespace adit::http {

void BodyDecoder::begin(Framing framing, std::uint64_t length) {
  framing_ = framing;
  left_ = length;
  if (framing == Framing::chunked) chunked_.reset();
}

Parsed BodyDecoder::parse(std::string_view bytes, BodySink& sink) {
  if (framing_ == Framing::none) return {Progress::complete};
  if (framing_ == Framing::chunked) {
    const Parsed parsed = chunked_.parse(bytes, sink);
    if (parsed.progress == Progress::complete) framing_ = Framing::none;
    return parsed;
  }
  auto piece = bytes;
  if (framing_ == Framing::length) {
    piece = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    left_ -= piece.size();
  }
  if (!piece.empty()) sink.on_body(piece);
  if (framing_ == Framing::until_close || left_ != 0) return {Progress::need_more, piece.size()};
  framing_ = Framing::none;
  return {Progress::complete, piece.size()};
}

bool BodyDecoder::finish() {
  if (framing_ == Framing::until_close || (framing_ == Framing::length && left_ == 0)) framing_ = Framing::none;
  return ended();
}

}  // namespace adit::http
