#pragma once
// A connection as the parsers see it: bytes arrive in pieces, and what was not consumed is handed in again. What came
// of them is told as one line of text, so that a test is a table.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "http/parser.h"

namespace adit::http::test {

/// Collects a body as text: "{body}" and "[name: value; …]" for trailers.
class TextSink final : public BodySink {
 public:
  void on_body(std::span<const char> bytes) override { body.append(bytes.data(), bytes.size()); }
  void on_trailers(const FieldList& fields) override {
    trailers += "[";
    for (const Field& field : fields) trailers.append(field.name).append(": ").append(field.value).append(";");
    trailers += "]";
  }
  std::string body;
  std::string trailers;
};

inline const char* framing_name(Framing framing) {
  switch (framing) {
    case Framing::none:
      return "none";
    case Framing::length:
      return "length";
    case Framing::chunked:
      return "chunked";
    case Framing::until_close:
      return "until_close";
  }
  return "?";
}

/// "METHOD TARGET AUTHORITY HOST VERSION FRAMING", then what else is set.
inline std::string summary(const RequestHead& head) {
  std::string text;
  text.append(head.method).append(" ").append(head.target).append(" ").append(head.authority).append(" ");
  text.append(head.host)
      .append(" ")
      .append(std::to_string(head.version))
      .append(" ")
      .append(framing_name(head.framing));
  if (head.framing == Framing::length) text.append("=").append(std::to_string(head.content_length));
  if (head.keep_alive) text.append(" keep");
  if (head.expect_continue) text.append(" continue");
  if (!head.upgrade.empty()) text.append(" upgrade=").append(head.upgrade);
  return text;
}

/// "STATUS VERSION FRAMING", then what else is set.
inline std::string summary(const ResponseHead& head) {
  std::string text =
      std::to_string(head.status) + " " + std::to_string(head.version) + " " + framing_name(head.framing);
  if (head.framing == Framing::length) text.append("=").append(std::to_string(head.content_length));
  if (head.keep_alive) text.append(" keep");
  return text;
}

/// Drives `Parser` over one connection. `parse_head(bytes, head)` hides how the two parsers differ.
template <class Parser, class Head>
class Conversation {
 public:
  explicit Conversation(bool to_head = false) : to_head_(to_head) {}

  void receive(std::string_view bytes) {
    pending_.append(bytes);
    while (!over_ && step()) {
    }
  }

  /// Messages joined by " | "; the status of a refusal, or "more" if a message is not complete.
  std::string outcome() const {
    std::string text = told_;
    if (!over_ && (in_body_ || !pending_.empty())) separate(text).append("more");
    return text;
  }
  Parser& parser() { return parser_; }
  const Parsed& last() const { return last_; }

 private:
  static std::string& separate(std::string& text) {
    if (!text.empty()) text.append(" | ");
    return text;
  }

  bool step() {
    // An allocation of exactly these bytes, so that reading past them is seen by AddressSanitizer.
    const std::size_t size = pending_.size();
    const std::unique_ptr<char[]> copy(new char[size]);
    pending_.copy(copy.get(), size);
    const std::span<const char> bytes(copy.get(), size);
    const bool was_body = in_body_;
    last_ = was_body ? parser_.parse_body(bytes, sink_) : parse_head(bytes);
    if (last_.progress == Progress::refused) {
      separate(told_).append(std::to_string(last_.status));
      over_ = true;
      return false;
    }
    if (last_.progress == Progress::complete) {
      was_body ? end_body() : end_head();
    }
    pending_.erase(0, last_.consumed);
    return last_.progress == Progress::complete && (in_body_ || !pending_.empty());
  }

  Parsed parse_head(std::span<const char> bytes) {
    if constexpr (std::is_same_v<Parser, ResponseParser>) {
      return parser_.parse_head(bytes, to_head_, head_);
    } else {
      return parser_.parse_head(bytes, head_);
    }
  }

  void end_head() {
    separate(told_).append(summary(head_));
    in_body_ = head_.framing != Framing::none;
  }

  void end_body() {
    told_.append(" {").append(sink_.body).append("}").append(sink_.trailers);
    sink_ = TextSink();
    in_body_ = false;
  }

  Parser parser_;
  Head head_;
  bool to_head_;
  TextSink sink_;
  Parsed last_;
  std::string pending_;
  std::string told_;
  bool in_body_ = false;
  bool over_ = false;
};

using Visitor = Conversation<RequestParser, RequestHead>;
using Service = Conversation<ResponseParser, ResponseHead>;

/// The outcome when the bytes come at once.
template <class Peer>
std::string outcome_at_once(std::string_view bytes, bool to_head = false) {
  Peer peer(to_head);
  peer.receive(bytes);
  return peer.outcome();
}

/// The first way to split `bytes` in two, or into single bytes, whose outcome is not `expected`; else empty.
template <class Peer>
std::string differs_when_split(std::string_view bytes, std::string_view expected, bool to_head = false) {
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    Peer peer(to_head);
    peer.receive(bytes.substr(0, at));
    peer.receive(bytes.substr(at));
    if (peer.outcome() != expected) return "split at " + std::to_string(at) + ": " + peer.outcome();
  }
  Peer peer(to_head);
  for (const char byte : bytes) peer.receive({&byte, 1});
  return peer.outcome() == expected ? "" : "byte by byte: " + peer.outcome();
}

}  // namespace adit::http::test
