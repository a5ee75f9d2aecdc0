#include <optional>

#include "http/body.h"
#include "http/control_fields.h"
#include "http/head_reader.h"
#include "http/head_scanner.h"
#include "http/parser.h"

namespace adit::http {
namespace {

/// Fills a ResponseHead from Beast's callbacks.
class ResponseReader final : public HeadReader<false> {
 public:
  explicit ResponseReader(ResponseHead& head) : head_(head) { head.fields.clear(); }

  /// After read(): the framing, RFC 9112 §6.3. False: see refused().
  bool finish(bool to_head);

 private:
  void on_response_impl(int status, beast::string_view reason, int version, beast::error_code& error) override {
    head_.status = status;
    head_.reason = std_view(reason);
    head_.version = version;
    if (status < 100 || status > 599) refuse(502, "status outside 100 to 599", error);
  }

  void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                     beast::error_code& error) override {
    if (!head_.fields.add(std_view(name), std_view(value))) return refuse(502, "too many fields", error);
    if (const char* fault = steer(field, std_view(name), std_view(value))) refuse(502, fault, error);
  }

  const char* steer(beast::http::field which, std::string_view name, std::string_view value) {
    using beast::http::field;
    switch (which) {
      case field::content_length:
        return control_.on_content_length(value);
      case field::transfer_encoding:
        return control_.on_transfer_encoding(value);
      case field::connection:
        return control_.on_connection(value);
      case field::unknown:
        return ControlFields::on_other(name);
      default:
        return nullptr;
    }
  }

  ResponseHead& head_;
  ControlFields control_;
};

bool ResponseReader::finish(bool to_head) {
  if (const char* fault = control_.check(head_.version)) return refuse(502, fault);
  const bool interim = head_.status < 200;
  const bool promises_body = control_.chunked() || control_.length().value_or(0) != 0;
  // The next bytes of such a connection would be either its body or the next head.
  if (interim && promises_body) return refuse(502, "interim answer with a body");
  const bool bodiless = interim || head_.status == 204 || head_.status == 304 || to_head;
  head_.content_length = control_.length().value_or(0);
  head_.framing = bodiless             ? Framing::none
                  : control_.chunked() ? Framing::chunked
                  : control_.length()  ? Framing::length
                                       : Framing::until_close;
  const bool doubtful = head_.status == 204 && promises_body;
  head_.keep_alive =
      control_.persistent(head_.version) && head_.framing != Framing::until_close && head_.status != 101 && !doubtful;
  return true;
}

Parsed as_bad_gateway(Parsed parsed) {
  if (parsed.progress == Progress::refused) parsed.status = 502;
  return parsed;
}

}  // namespace

class ResponseParser::Impl {
 public:
  explicit Impl(HeadLimits limits) : limits_(limits) {}

  Parsed parse_head(std::string_view bytes, bool to_head, ResponseHead& head) {
    switch (scanner_.scan(bytes.substr(0, limits_.head))) {
      case HeadScanner::Found::fault:
        return refusal(502, scanner_.fault());
      case HeadScanner::Found::nothing:
        return bytes.size() < limits_.head ? Parsed{} : refusal(502, "head too large");
      case HeadScanner::Found::end:
        break;
    }
    const auto end = scanner_.end();
    scanner_.reset();
    reader_.emplace(head);
    if (!reader_->read(bytes.substr(0, end)) || !reader_->finish(to_head)) return as_bad_gateway(reader_->refused());
    body_.begin(head.framing, head.content_length);
    return {Progress::complete, end};
  }

  Parsed parse_body(std::string_view bytes, BodySink& sink) { return as_bad_gateway(body_.parse(bytes, sink)); }

  void reset() {
    scanner_.reset();
    body_.begin(Framing::none, 0);
  }

  Parsed finish() {
    if (!scanner_.untouched()) return refusal(502, "closed within a head");
    return body_.finish() ? Parsed{Progress::complete} : refusal(502, "closed within a body");
  }

 private:
  HeadLimits limits_;
  HeadScanner scanner_{0};
  std::optional<ResponseReader> reader_;
  BodyDecoder body_;
};

ResponseParser::ResponseParser(HeadLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
ResponseParser::~ResponseParser() = default;

Parsed ResponseParser::parse_head(std::span<const char> bytes, bool to_head, ResponseHead& head) {
  return impl_->parse_head({bytes.data(), bytes.size()}, to_head, head);
}

Parsed ResponseParser::parse_body(std::span<const char> bytes, BodySink& sink) {
  return impl_->parse_body({bytes.data(), bytes.size()}, sink);
}

void ResponseParser::reset() { impl_->reset(); }

Parsed ResponseParser::finish() { return impl_->finish(); }

}  // namespace adit::http
