#include "http/field_kind.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace adit::http {
namespace {

/// `known` is in lower case and not longer than `name`.
bool begins_with(std::string_view name, std::string_view known) {
  for (std::size_t i = 0; i < known.size(); ++i) {
    const char c = name[i] == '_' ? '-' : base::to_lower(name[i]);
    if (c != known[i]) return false;
  }
  return true;
}

/// Nearly all names differ in their first letter already.
inline FieldKind kind_if(char first, std::string_view name, std::string_view known, FieldKind kind) {
  return first == known.front() && begins_with(name, known) ? kind : FieldKind::plain;
}

/// RFC 9110 §6.5.1, beside what field_kind knows.
constexpr std::array<std::string_view, 33> kNotInTrailers = {"accept-encoding",
                                                             "age",
                                                             "allow",
                                                             "authorization",
                                                             "cache-control",
                                                             "content-encoding",
                                                             "content-language",
                                                             "content-location",
                                                             "content-range",
                                                             "content-type",
                                                             "cookie",
                                                             "date",
                                                             "expires",
                                                             "if-match",
                                                             "if-modified-since",
                                                             "if-none-match",
                                                             "if-range",
                                                             "if-unmodified-since",
                                                             "last-modified",
                                                             "location",
                                                             "max-forwards",
                                                             "pragma",
                                                             "proxy-authentication-info",
                                                             "range",
                                                             "retry-after",
                                                             "set-cookie",
                                                             "strict-transport-security",
                                                             "trailer",
                                                             "vary",
                                                             "via",
                                                             "warning",
                                                             "www-authenticate",
                                                             "x-http-method-override"};

}  // namespace

FieldKind field_kind(std::string_view name) {
  if (name.size() < 2) return FieldKind::plain;
  const char first = base::to_lower(name.front());
  if (first == 'x' && name.size() >= 12) {
    if (name.size() == 12 && begins_with(name, "x-request-id")) return FieldKind::request_id;
    return kind_if(first, name, "x-forwarded-", FieldKind::forwarded);
  }
  switch (name.size()) {
    case 2:
      return kind_if(first, name, "te", FieldKind::te);
    case 4:
      return kind_if(first, name, "host", FieldKind::host);
    case 6:
      return kind_if(first, name, "expect", FieldKind::expect);
    case 7:
      return kind_if(first, name, "upgrade", FieldKind::upgrade);
    case 9:
      return first == 'x' ? kind_if(first, name, "x-real-ip", FieldKind::forwarded)
                          : kind_if(first, name, "forwarded", FieldKind::forwarded);
    case 10:
      return first == 'c' ? kind_if(first, name, "connection", FieldKind::connection)
                          : kind_if(first, name, "keep-alive", FieldKind::hop_by_hop);
    case 14:
      return kind_if(first, name, "content-length", FieldKind::content_length);
    case 16:
      return kind_if(first, name, "proxy-connection", FieldKind::hop_by_hop);
    case 17:
      return kind_if(first, name, "transfer-encoding", FieldKind::transfer_encoding);
    case 18:
      return kind_if(first, name, "proxy-authenticate", FieldKind::hop_by_hop);
    case 19:
      return kind_if(first, name, "proxy-authorization", FieldKind::hop_by_hop);
    default:
      return FieldKind::plain;
  }
}

bool same_field(std::string_view a, std::string_view b) {
  const auto plain = [](char c) { return c == '_' ? '-' : base::to_lower(c); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return plain(x) == plain(y); });
}

bool allowed_in_trailers(std::string_view name) {
  if (field_kind(name) != FieldKind::plain) return false;
  return std::none_of(kNotInTrailers.begin(), kNotInTrailers.end(),
                      [&](std::string_view known) { return name.size() == known.size() && begins_with(name, known); });
}

}  // namespace adit::http
