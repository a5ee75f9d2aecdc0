#include "link/handshake_syntax.h"

#include <algorithm>

#include "link/handshake.h"
#include "link/peer_handshake.h"

namespace adit::link {
namespace {

constexpr std::size_t kMostName = 253;
constexpr std::size_t kMostToken = 4096;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool consists_of(std::string_view text, std::size_t most, std::string_view others) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || others.find(c) != others.npos;
  });
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && base::equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

}  // namespace

bool is_name(std::string_view text) { return consists_of(text, kMostName, "._-"); }
bool is_version(std::string_view text) { return consists_of(text, kMostName, "._-+~"); }
bool is_token(std::string_view text) { return consists_of(text, kMostToken, "-._~+/="); }

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = base::to_lower(text[i]);
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return base::equals_ignoring_case(text.substr(0, start.size()), start);
}

bool is_web_socket_key(std::string_view text) {
  constexpr std::size_t kSize = 24;
  return text.size() == kSize && text.ends_with("==") && consists_of(text.substr(0, kSize - 2), kSize, "+/");
}

bool upgrades_to(const http::FieldList& fields, std::string_view protocol) {
  return any_item(fields, "Upgrade",
                  [protocol](std::string_view item) { return base::equals_ignoring_case(item, protocol); });
}

bool names_subprotocol(const http::FieldList& fields) {
  return any_item(fields, "Sec-WebSocket-Protocol", [](std::string_view item) { return item == kSubprotocol; });
}

bool is_link_path(std::string_view path) { return ends_with_ignoring_case(path, kLinkPath); }
bool is_peer_path(std::string_view path) { return ends_with_ignoring_case(path, kPeerPath); }

}  // namespace adit::link
