#include "gateway/visitor_origin.h"

#include <algorithm>

#include "base/text.h"

namespace adit::gateway {
namespace {

constexpr std::size_t kLongestRequestId = 128;

bool is_request_id(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=:").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kLongestRequestId && std::all_of(text.begin(), text.end(), fits);
}

/// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80" → the address.
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  const auto colon = text.find(':');
  return colon != std::string_view::npos && colon == text.rfind(':') ? text.substr(0, colon) : text;
}

/// The items of all fields of that name, from the last to the first, until `each` returns false.
template <class Each>
void for_each_from_last(const http::FieldList& fields, std::string_view name, Each each) {
  for (std::size_t i = fields.size(); i-- > 0;) {
    const auto& field = fields.begin()[i];
    if (!base::equals_ignoring_case(field.name, name)) continue;
    auto list = field.value;
    while (true) {
      const auto comma = list.rfind(',');
      const auto item = base::trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
      if (!each(item)) return;
      if (comma == std::string_view::npos) break;
      list = list.substr(0, comma);
    }
  }
}

}  // namespace

RequestOrigin origin_of(const VisitorEndpoint& endpoint, const http::RequestHead& head,
                        const std::vector<base::IpNetwork>& trusted) {
  RequestOrigin origin{endpoint.address, endpoint.host, endpoint.tls ? "https" : "http", {}};
  if (!endpoint.trusted) return origin;
  for_each_from_last(head.fields, "X-Forwarded-For", [&](std::string_view item) {
    const auto text = without_port(item);
    const auto address = base::IpAddress::parse(text);
    if (!address) return false;  // what stands before it was written by nobody knows whom
    origin.address = *address;
    origin.host = text;
    return base::contains(trusted, *address);
  });
  for_each_from_last(head.fields, "X-Forwarded-Proto", [&](std::string_view item) {
    if (base::equals_ignoring_case(item, "https")) origin.scheme = "https";
    if (base::equals_ignoring_case(item, "http")) origin.scheme = "http";
    return false;
  });
  const auto* id = head.fields.find("X-Request-Id");
  if (id != nullptr && is_request_id(*id)) origin.request_id = *id;
  return origin;
}

}  // namespace adit::gateway
