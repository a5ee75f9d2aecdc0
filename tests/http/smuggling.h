#pragma once
// The property that rules out request smuggling, for a test and for the fuzz targets.

#include <string>
#include <string_view>

#include "http/forwarding.h"
#include "tests/http/conversation.h"

namespace adit::http::test {

/// Re-frames a body as the edge sends it on.
class Reframer final : public BodySink {
 public:
  Reframer(base::Buffer& out, Framing framing) : out_(out), framing_(framing) {}
  void on_body(std::span<const char> bytes) override {
    framing_ == Framing::chunked ? write_chunk(out_, bytes) : out_.append(bytes);
  }
  void on_trailers(const FieldList& trailers) override {
    if (framing_ != Framing::chunked) return;
    write_last_chunk(out_, &trailers);
    ended_ = true;
  }
  void end() {
    if (framing_ == Framing::chunked && !ended_) write_last_chunk(out_, nullptr);
  }

 private:
  base::Buffer& out_;
  Framing framing_;
  bool ended_ = false;
};

/// What a service must see of a request: target, host, framing and body. Trailers may be dropped on the way.
inline std::string meaning(const RequestHead& head, const std::string& body) {
  std::string text(head.method);
  text.append(" ")
      .append(head.target)
      .append(" ")
      .append(head.authority)
      .append(" ")
      .append(framing_name(head.framing));
  text.append(" ").append(std::to_string(head.content_length)).append(head.expect_continue ? " continue " : " ");
  return text.append(head.upgrade).append(" {").append(body).append("}\n");
}

/// Reads every request of `bytes`: what each means, one line each; appends to `forwarded`, if there is one, what the
/// edge would send for them. Ends at the first that is refused or incomplete.
inline std::string read_requests(std::string_view bytes, base::Buffer* forwarded, HeadLimits limits = {}) {
  RequestParser parser(limits);
  RequestHead head;
  std::string told;
  for (;;) {
    const auto parsed_head = parser.parse_head(bytes, head);
    if (parsed_head.progress != Progress::complete) return told;
    // What HTTP/1.0 lacks cannot be told to the service as HTTP/1.1.
    if (head.authority.empty()) return told;
    const auto body = bytes.substr(parsed_head.consumed);
    TextSink text;
    const auto parsed_body = parser.parse_body(body, text);
    if (parsed_body.progress != Progress::complete) return told;
    told += meaning(head, text.body);
    if (forwarded != nullptr) {
      write_request_head(*forwarded, head, {"192.0.2.1", "http", "80", "id"});
      Reframer reframer(*forwarded, head.framing);
      RequestParser again;
      RequestHead same;
      again.parse_head(bytes, same);
      again.parse_body(body, reframer);
      reframer.end();
    }
    bytes.remove_prefix(parsed_head.consumed + parsed_body.consumed);
  }
}

/// Empty if the requests mean the same to the next parser after they were forwarded; else both readings.
inline std::string difference_after_forwarding(std::string_view bytes) {
  base::Buffer forwarded;
  const std::string sent = read_requests(bytes, &forwarded);
  // The edge adds fields of its own.
  const std::string received =
      read_requests(forwarded.view(), nullptr, {2 * HeadLimits().head, HeadLimits().target, 300});
  return sent == received ? "" : "sent:\n" + sent + "received:\n" + received;
}

}  // namespace adit::http::test
