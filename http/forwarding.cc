#include "http/forwarding.h"

#include <array>

#include "base/text.h"
#include "http/control_fields.h"
#include "http/field_kind.h"
#include "http/head_writer.h"

namespace adit::http {
namespace {

/// More than the names and separators of all that is written beside the fields received.
constexpr std::size_t kOwnBytes = 512;

/// The fields that Connection names beside the options that have a meaning of their own (RFC 9110 §7.6.1).
class Nominated {
 public:
  explicit Nominated(const FieldList& fields) {
    for (const Field& field : fields) {
      if (field_kind(field.name) == FieldKind::connection) add(field.value);
    }
  }

  bool contains(std::string_view name) const {
    for (std::size_t i = 0; i < size_; ++i) {
      if (base::equals_ignoring_case(names_[i], name)) return true;
    }
    return false;
  }

 private:
  void add(std::string_view options) {
    base::for_each_item(options, [this](std::string_view option) {
      const bool known = base::equals_ignoring_case(option, "keep-alive") ||
                         base::equals_ignoring_case(option, "close") || base::equals_ignoring_case(option, "upgrade");
      // The parsers refuse heads with more options.
      if (!known && size_ != names_.size()) names_[size_++] = option;
    });
  }

  std::array<std::string_view, ControlFields::kMostOptions> names_;
  std::size_t size_ = 0;
};

/// Bytes that the fields take at most: each gets ": " and CRLF.
std::size_t most_bytes(const FieldList& fields) {
  std::size_t bytes = kOwnBytes;
  for (const Field& field : fields) bytes += field.name.size() + field.value.size() + 4;
  return bytes;
}

void put_plain_fields(HeadWriter& writer, const FieldList& fields, const Nominated& nominated, bool response) {
  for (const Field& field : fields) {
    const FieldKind kind = field_kind(field.name);
    // A service may say Expect or X-Request-Id to a visitor: only requests have them replaced.
    const bool plain =
        kind == FieldKind::plain || (response && (kind == FieldKind::host || kind == FieldKind::expect ||
                                                  kind == FieldKind::forwarded || kind == FieldKind::request_id));
    if (plain && !nominated.contains(field.name)) writer.field(field.name, field.value);
  }
}

void put_framing(HeadWriter& writer, Framing framing, std::uint64_t length) {
  if (framing == Framing::chunked) writer.put("Transfer-Encoding: chunked\r\n");
  if (framing == Framing::length) writer.field("Content-Length", Digits(length).view());
}

/// TE is hop-by-hop, but whether trailers reach the visitor is known: they do.
bool takes_trailers(const FieldList& fields) {
  bool found = false;
  for (const Field& field : fields) {
    if (field_kind(field.name) != FieldKind::te) continue;
    base::for_each_item(field.value,
                        [&](std::string_view item) { found = found || base::equals_ignoring_case(item, "trailers"); });
  }
  return found;
}

std::string_view request_connection(bool upgrade, bool te) {
  if (upgrade) return te ? "Connection: Upgrade, TE\r\n" : "Connection: Upgrade\r\n";
  return te ? "Connection: TE\r\n" : "";
}

std::string_view response_connection(const ResponseHead& head, const ResponseRules& rules) {
  if (head.status == 101) return "Connection: Upgrade\r\n";
  if (head.status < 200) return "";
  if (rules.close || rules.framing == Framing::until_close) return "Connection: close\r\n";
  // HTTP/1.0 takes silence for "close".
  return rules.visitor_version < 11 ? "Connection: keep-alive\r\n" : "";
}

}  // namespace

void write_request_head(base::Buffer& out, const RequestHead& head, const Origin& origin) {
  const std::size_t origin_bytes =
      origin.client.size() + origin.scheme.size() + origin.port.size() + origin.request_id.size();
  HeadWriter writer(out, most_bytes(head.fields) + head.method.size() + head.target.size() + 2 * head.authority.size() +
                             head.upgrade.size() + origin_bytes);
  writer.put(head.method);
  writer.put(" ");
  writer.put(head.target);
  writer.put(" HTTP/1.1\r\n");
  writer.field("Host", head.authority);
  put_plain_fields(writer, head.fields, Nominated(head.fields), false);
  put_framing(writer, head.framing, head.content_length);
  if (head.expect_continue) writer.put("Expect: 100-continue\r\n");
  const bool te = takes_trailers(head.fields);
  if (te) writer.put("TE: trailers\r\n");
  if (!head.upgrade.empty()) writer.field("Upgrade", head.upgrade);
  writer.put(request_connection(!head.upgrade.empty(), te));
  writer.field("X-Forwarded-For", origin.client);
  writer.field("X-Forwarded-Proto", origin.scheme);
  writer.field("X-Forwarded-Host", head.authority);
  writer.field("X-Forwarded-Port", origin.port);
  writer.field("X-Request-Id", origin.request_id);
  writer.put("\r\n");
  writer.done();
}

Framing response_framing(const ResponseHead& head, int visitor_version) {
  if (head.framing == Framing::until_close && visitor_version >= 11) return Framing::chunked;
  if (head.framing == Framing::chunked && visitor_version < 11) return Framing::until_close;
  return head.framing;
}

void write_response_head(base::Buffer& out, const ResponseHead& head, const ResponseRules& rules) {
  HeadWriter writer(out, most_bytes(head.fields) + head.reason.size());
  writer.put("HTTP/1.1 ");
  writer.put(Digits(static_cast<unsigned>(head.status)).view());
  writer.put(" ");
  writer.put(head.reason);
  writer.put("\r\n");
  put_plain_fields(writer, head.fields, Nominated(head.fields), true);
  put_framing(writer, rules.framing, head.content_length);
  // What the body would have been: of HEAD and 304 (RFC 9110 §8.6); 1xx and 204 must not say it.
  if (rules.framing == Framing::none && head.status >= 200 && head.status != 204) {
    if (const auto* length = head.fields.find("Content-Length")) writer.field("Content-Length", *length);
  }
  if (head.status == 101) {
    if (const auto* upgrade = head.fields.find("Upgrade")) writer.field("Upgrade", *upgrade);
  }
  writer.put(response_connection(head, rules));
  writer.put("\r\n");
  writer.done();
}

void write_chunk(base::Buffer& out, std::span<const char> bytes) {
  if (bytes.empty()) return;
  const Digits size(bytes.size(), 16);
  HeadWriter writer(out, size.view().size() + bytes.size() + 4);
  writer.put(size.view());
  writer.put("\r\n");
  writer.put({bytes.data(), bytes.size()});
  writer.put("\r\n");
  writer.done();
}

void write_last_chunk(base::Buffer& out, const FieldList* trailers) {
  HeadWriter writer(out, trailers != nullptr ? most_bytes(*trailers) : kOwnBytes);
  writer.put("0\r\n");
  if (trailers != nullptr) {
    for (const Field& field : *trailers) {
      if (allowed_in_trailers(field.name)) writer.field(field.name, field.value);
    }
  }
  writer.put("\r\n");
  writer.done();
}

}  // namespace adit::http
