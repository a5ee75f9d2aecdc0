#include "http/forwarding.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "http/control_fields.h"
#include "http/cookies.h"
#include "http/field_kind.h"
#include "http/head_writer.h"

namespace adit::http {
namespace {

/// More than the names and separators of all that is written beside the fields received.
constexpr std::size_t kOwnBytes = 640;

std::size_t size_of(FieldEdits edits) {
  std::size_t bytes = 0;
  for (const FieldEdit& edit : edits) bytes += edit.name.size() + edit.value.size() + 4;
  return bytes;
}

/// One pass over the fields of a head before any is written: what each is, how long all are, and which ones Connection
/// names beside the options that have a meaning of their own (RFC 9110 §7.6.1).
class Survey {
 public:
  explicit Survey(const FieldList& fields) : fields_(fields) {
    std::size_t i = 0;
    for (const Field& field : fields) {
      bytes_ += field.name.size() + field.value.size() + 4;  // ": " and CRLF
      kinds_[i] = field_kind(field.name);
      if (kinds_[i] == FieldKind::connection) nominate(field.value);
      if (kinds_[i] == FieldKind::te) look_for_trailers(field.value);
      ++i;
    }
  }

  std::size_t bytes() const { return bytes_; }
  bool takes_trailers() const { return takes_trailers_; }

  /// Writes the fields that are of a kind in `kept`, not nominated and not edited away, and those that edits bring.
  template <class Kept>
  void put(HeadWriter& writer, Kept kept, FieldEdits edits, std::string_view hidden_cookie = {}) const {
    const FieldKind* kind = kinds_.data();
    for (const Field& field : fields_) {
      if (!kept(*kind++) || nominated(field.name) || replaced(field.name, edits)) continue;
      if (!hidden_cookie.empty() && hides(field, hidden_cookie)) {
        put_rest_of_cookies(writer, field, hidden_cookie);
      } else {
        writer.field(field.name, field.value);
      }
    }
    for (const FieldEdit& edit : edits) {
      if (edit.kind != FieldEdit::Kind::remove) writer.field(edit.name, edit.value);
    }
  }

  /// Calls `each(field)` for the fields that say where a request came from.
  template <class Each>
  void for_each_forwarded(Each each) const {
    const FieldKind* kind = kinds_.data();
    for (const Field& field : fields_) {
      if (*kind++ == FieldKind::forwarded) each(field);
    }
  }

 private:
  void nominate(std::string_view options) {
    base::for_each_item(options, [this](std::string_view option) {
      const bool known = base::equals_ignoring_case(option, "keep-alive") ||
                         base::equals_ignoring_case(option, "close") || base::equals_ignoring_case(option, "upgrade");
      // The parsers refuse heads with more options.
      if (!known && nominated_count_ != nominated_.size()) nominated_[nominated_count_++] = option;
    });
  }

  void look_for_trailers(std::string_view codings) {
    base::for_each_item(codings, [this](std::string_view coding) {
      takes_trailers_ = takes_trailers_ || base::equals_ignoring_case(coding, "trailers");
    });
  }

  bool nominated(std::string_view name) const {
    for (std::size_t i = 0; i < nominated_count_; ++i) {
      if (base::equals_ignoring_case(nominated_[i], name)) return true;
    }
    return false;
  }

  static bool hides(const Field& field, std::string_view cookie) {
    return base::equals_ignoring_case(field.name, "Cookie") && holds_cookie(field.value, cookie);
  }

  /// Nothing if no other cookie is left. Between them stands what stood there, so that it is not longer than before.
  static void put_rest_of_cookies(HeadWriter& writer, const Field& field, std::string_view hidden) {
    bool begun = false;
    for_each_cookie_pair(field.value, [&](std::string_view pair) {
      if (is_cookie(pair, hidden)) return;
      if (!begun) writer.put(field.name);
      const bool spaced = pair.data() != field.value.data() && *(pair.data() - 1) == ' ';
      writer.put(!std::exchange(begun, true) ? ": " : spaced ? "; " : ";");
      writer.put(pair);
    });
    if (begun) writer.put("\r\n");
  }

  static bool replaced(std::string_view name, FieldEdits edits) {
    for (const FieldEdit& edit : edits) {
      if (edit.kind != FieldEdit::Kind::add && same_field(edit.name, name)) return true;
    }
    return false;
  }

  const FieldList& fields_;
  std::array<FieldKind, FieldList::kMost> kinds_;  // left uninitialised: only those of the fields are read
  std::size_t bytes_ = kOwnBytes;
  bool takes_trailers_ = false;
  std::array<std::string_view, ControlFields::kMostOptions> nominated_;
  std::size_t nominated_count_ = 0;
};

bool kept_in_request(FieldKind kind) { return kind == FieldKind::plain; }

/// What only requests have replaced passes in an answer.
bool kept_in_response(FieldKind kind) {
  return kind == FieldKind::plain || kind == FieldKind::host || kind == FieldKind::expect ||
         kind == FieldKind::forwarded || kind == FieldKind::request_id;
}

void put_framing(HeadWriter& writer, Framing framing, std::uint64_t length) {
  if (framing == Framing::chunked) writer.put("Transfer-Encoding: chunked\r\n");
  if (framing == Framing::length) writer.field("Content-Length", Digits(length).view());
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

/// RFC 7239 §4 and §6.
void put_element(HeadWriter& writer, const RequestHead& head, const Origin& origin) {
  const bool v6 = origin.client.find(':') != std::string_view::npos;
  writer.put("for=");
  writer.put(v6 ? "\"[" : "");
  writer.put(origin.client);
  writer.put(v6 ? "]\"" : "");
  if (!head.authority.empty()) {
    writer.put(";host=\"");
    writer.put(head.authority);
    writer.put("\"");
  }
  writer.put(";proto=");
  writer.put(origin.scheme);
}

void put_origin(HeadWriter& writer, const RequestHead& head, const Origin& origin) {
  writer.field("X-Forwarded-For", origin.client);
  writer.field("X-Forwarded-Proto", origin.scheme);
  writer.field("X-Forwarded-Host", head.authority);
  writer.field("X-Forwarded-Port", origin.port);
  writer.put("Forwarded: ");
  put_element(writer, head, origin);
  writer.put("\r\n");
}

/// Writes a list field with all that came of it in front, so that nobody who reads only one line of it is misled.
class Continued {
 public:
  Continued(HeadWriter& writer, std::string_view name) : writer_(writer) {
    writer_.put(name);
    writer_.put(": ");
  }
  void take(std::string_view value) {
    if (value.empty()) return;
    writer_.put(value);
    writer_.put(", ");
  }

 private:
  HeadWriter& writer_;
};

/// As put_origin(), behind a proxy that has said most of it already.
void continue_origin(HeadWriter& writer, const Survey& survey, const RequestHead& head, const Origin& origin) {
  bool proto = false;
  bool host = false;
  bool port = false;
  survey.for_each_forwarded([&](const Field& field) {
    if (same_field(field.name, "x-forwarded-for") || same_field(field.name, "forwarded")) return;
    proto = proto || same_field(field.name, "x-forwarded-proto");
    host = host || same_field(field.name, "x-forwarded-host");
    port = port || same_field(field.name, "x-forwarded-port");
    writer.field(field.name, field.value);
  });
  if (!proto) writer.field("X-Forwarded-Proto", origin.scheme);
  if (!host) writer.field("X-Forwarded-Host", head.authority);
  if (!port) writer.field("X-Forwarded-Port", origin.port);
  for (const std::string_view name : {"X-Forwarded-For", "Forwarded"}) {
    Continued list(writer, name);
    survey.for_each_forwarded([&](const Field& field) {
      if (same_field(field.name, name)) list.take(field.value);
    });
    name == "Forwarded" ? put_element(writer, head, origin) : writer.put(origin.client);
    writer.put("\r\n");
  }
}

}  // namespace

void write_request_head(base::Buffer& out, const RequestHead& head, const Origin& origin, const RequestEdits& edits) {
  const auto target = edits.target.empty() ? head.target : edits.target;
  const auto authority = edits.authority.empty() ? head.authority : edits.authority;
  const std::size_t origin_bytes =
      2 * origin.client.size() + 2 * origin.scheme.size() + origin.port.size() + origin.request_id.size();
  const Survey survey(head.fields);
  HeadWriter writer(out, survey.bytes() + head.method.size() + target.size() + authority.size() +
                             2 * head.authority.size() + head.upgrade.size() + origin_bytes + size_of(edits.fields));
  writer.put(head.method);
  writer.put(" ");
  writer.put(target);
  writer.put(" HTTP/1.1\r\n");
  writer.field("Host", authority);
  survey.put(writer, kept_in_request, edits.fields, edits.hidden_cookie);
  put_framing(writer, head.framing, head.content_length);
  if (head.expect_continue) writer.put("Expect: 100-continue\r\n");
  const bool te = survey.takes_trailers();  // hop-by-hop, but they do pass
  if (te) writer.put("TE: trailers\r\n");
  if (!head.upgrade.empty()) writer.field("Upgrade", head.upgrade);
  writer.put(request_connection(!head.upgrade.empty(), te));
  if (origin.trusted) {
    continue_origin(writer, survey, head, origin);
  } else {
    put_origin(writer, head, origin);
  }
  writer.field("X-Request-Id", origin.request_id);
  writer.put(head.version < 11 ? "Via: 1.0 adit\r\n\r\n" : "Via: 1.1 adit\r\n\r\n");
  writer.done();
}

Framing response_framing(const ResponseHead& head, int visitor_version) {
  if (head.framing == Framing::until_close && visitor_version >= 11) return Framing::chunked;
  if (head.framing == Framing::chunked && visitor_version < 11) return Framing::until_close;
  return head.framing;
}

void write_response_head(base::Buffer& out, const ResponseHead& head, const ResponseRules& rules) {
  const Survey survey(head.fields);
  const bool interim = head.status < 200 && head.status != 101;
  const auto edits = interim ? FieldEdits() : rules.edits;
  HeadWriter writer(out, survey.bytes() + head.reason.size() + size_of(edits));
  writer.put("HTTP/1.1 ");
  writer.put(Digits(static_cast<unsigned>(head.status)).view());
  writer.put(" ");
  writer.put(head.reason);
  writer.put("\r\n");
  survey.put(writer, kept_in_response, edits);
  put_framing(writer, rules.framing, head.content_length);
  // What the body would have been: of HEAD and 304 (RFC 9110 §8.6); 1xx and 204 must not say it.
  if (rules.framing == Framing::none && head.status >= 200 && head.status != 204) {
    if (head.fields.find("Content-Length") != nullptr) put_framing(writer, Framing::length, head.content_length);
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
  std::size_t most = 5;
  if (trailers != nullptr) {
    for (const Field& field : *trailers) most += field.name.size() + field.value.size() + 4;
  }
  HeadWriter writer(out, most);
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
