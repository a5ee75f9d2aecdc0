#include <optional>

#include "base/text.h"
#include "http/authority.h"
#include "http/body.h"
#include "http/control_fields.h"
#include "http/head_reader.h"
#include "http/head_scanner.h"
#include "http/parser.h"
#include "http/syntax.h"
#include "http/target.h"

namespace adit::http {
namespace {

constexpr unsigned kLeadingLines = 2;

/// Fills a RequestHead from Beast's callbacks.
class RequestReader final : public HeadReader<true> {
 public:
  RequestReader(const HeadLimits& limits, RequestHead& head) : limits_(limits), head_(head) { head.fields.clear(); }

  /// After read(): what depends on more than one line. False: see refused().
  bool finish();

 private:
  void on_request_impl(beast::http::verb verb, beast::string_view method, beast::string_view target, int version,
                       beast::error_code& error) override;
  void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                     beast::error_code& error) override;
  const char* steer(beast::http::field which, std::string_view name, std::string_view value);
  const char* resolve_authority();

  const HeadLimits& limits_;
  RequestHead& head_;
  Target target_;
  ControlFields control_;
  std::optional<std::string_view> host_;
  std::string_view upgrade_;
  bool expects_continue_ = false;
  bool expects_other_ = false;
};

void RequestReader::on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                                    int version, beast::error_code& error) {
  head_.method = std_view(method);
  head_.version = version;
  for (const std::string_view unwanted : {"CONNECT", "TRACE"}) {
    if (base::equals_ignoring_case(head_.method, unwanted)) return refuse(405, "CONNECT or TRACE", error);
  }
  if (target.size() > limits_.target) return refuse(414, "target too long", error);
  if (const char* fault = split_target(head_.method, std_view(target), target_)) return refuse(400, fault, error);
  head_.target = target_.origin;
  head_.path = head_.target.substr(0, head_.target.find('?'));
}

void RequestReader::on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                                  beast::error_code& error) {
  if (head_.fields.size() == limits_.fields || !head_.fields.add(std_view(name), std_view(value)))
    return refuse(431, "too many fields", error);
  if (const char* fault = steer(field, std_view(name), std_view(value))) refuse(400, fault, error);
}

const char* RequestReader::steer(beast::http::field which, std::string_view name, std::string_view value) {
  using beast::http::field;
  switch (which) {
    case field::host:
      if (host_) return "repeated Host";
      host_ = value;
      return nullptr;
    case field::content_length:
      return control_.on_content_length(value);
    case field::transfer_encoding:
      return control_.on_transfer_encoding(value);
    case field::connection:
      return control_.on_connection(value);
    case field::upgrade:
      if (upgrade_.empty()) upgrade_ = value;
      return nullptr;
    case field::expect:
      (base::equals_ignoring_case(value, "100-continue") ? expects_continue_ : expects_other_) = true;
      return nullptr;
    case field::unknown:
      return ControlFields::on_other(name);
    default:
      return nullptr;
  }
}

const char* RequestReader::resolve_authority() {
  if (!host_ && head_.version >= 11) return "no Host";
  head_.authority = host_.value_or(std::string_view());
  head_.host = {};
  if (target_.absolute) {
    if (host_ && !base::equals_ignoring_case(*host_, target_.authority)) return "Host differs from the target";
    head_.authority = target_.authority;
  } else if (head_.version < 11 && head_.authority.empty()) {
    return nullptr;
  }
  const auto authority = parse_authority(head_.authority);
  if (!authority) return "invalid host or port";
  head_.host = authority->host;
  return nullptr;
}

/// An upgrade to HTTP itself would carry requests past the edge's routes, unseen.
bool upgrades_to_http(std::string_view upgrade) {
  bool found = false;
  base::for_each_item(upgrade, [&](std::string_view protocol) {
    found = found || base::equals_ignoring_case(protocol.substr(0, 3), "h2c") ||
            base::equals_ignoring_case(protocol.substr(0, 4), "http");
  });
  return found;
}

bool RequestReader::finish() {
  if (const char* fault = resolve_authority()) return refuse(400, fault);
  if (const char* fault = control_.check(head_.version)) return refuse(400, fault);
  if (expects_other_) return refuse(417, "Expect other than 100-continue");
  head_.content_length = control_.length().value_or(0);
  head_.framing = control_.chunked() ? Framing::chunked : control_.length() ? Framing::length : Framing::none;
  head_.keep_alive = control_.persistent(head_.version);
  const bool has_body = control_.chunked() || head_.content_length != 0;
  head_.expect_continue = expects_continue_ && has_body && head_.version >= 11;
  const bool upgrades = control_.upgrade() && head_.version >= 11 && !upgrades_to_http(upgrade_);
  head_.upgrade = upgrades ? upgrade_ : std::string_view();
  return true;
}

}  // namespace

class RequestParser::Impl {
 public:
  explicit Impl(HeadLimits limits) : limits_(limits) {}

  Parsed parse_head(std::string_view bytes, RequestHead& head) {
    const auto found = scanner_.scan(bytes.substr(0, limits_.head));
    // At once, so that a TLS handshake on a plain port does not wait for a line feed.
    if (scanner_.begin() < bytes.size() && bytes[scanner_.begin()] != '\r' && !is_token_char(bytes[scanner_.begin()])) {
      return refusal(400, "does not begin with a method");
    }
    if (found == HeadScanner::Found::fault) return refusal(400, scanner_.fault());
    if (found == HeadScanner::Found::nothing) {
      if (bytes.size() < limits_.head) return {};
      return scanner_.in_first_line() ? refusal(414, "request line too long") : refusal(431, "head too large");
    }
    const auto begin = scanner_.begin();
    const auto end = scanner_.end();
    scanner_.reset();
    reader_.emplace(limits_, head);
    if (!reader_->read(bytes.substr(begin, end - begin)) || !reader_->finish()) return reader_->refused();
    body_.begin(head.framing, head.content_length);
    return {Progress::complete, end};
  }

  Parsed parse_body(std::string_view bytes, BodySink& sink) { return body_.parse(bytes, sink); }

 private:
  HeadLimits limits_;
  HeadScanner scanner_{kLeadingLines};
  std::optional<RequestReader> reader_;
  BodyDecoder body_;
};

RequestParser::RequestParser(HeadLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

Parsed RequestParser::parse_head(std::span<const char> bytes, RequestHead& head) {
  return impl_->parse_head({bytes.data(), bytes.size()}, head);
}

Parsed RequestParser::parse_body(std::span<const char> bytes, BodySink& sink) {
  return impl_->parse_body({bytes.data(), bytes.size()}, sink);
}

}  // namespace adit::http
