#include "link/handshake.h"

#include <string>

#include "base/text.h"
#include "http/forwarding.h"
#include "link/handshake_digest.h"
#include "link/handshake_syntax.h"
#include "link/http_date.h"

namespace adit::link {
namespace {

// Of our upgrade tokens and WebSocket subprotocols, any version.
constexpr std::string_view kFamily = "adit-link";
constexpr std::string_view kPeerFamily = "adit-peer";

bool is_ours(std::string_view item) {
  return starts_with_ignoring_case(item, kFamily) || starts_with_ignoring_case(item, kPeerFamily);
}

/// "Name: value" and the end of line; bytes that would end the line early are left out.
void write_field(base::Buffer& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.append(std::string_view(": "));
  for (const char c : value) {
    if (c >= 0x20 && c != 0x7f) out.append(c);
  }
  out.append(std::string_view("\r\n"));
}

}  // namespace

bool asks_for_link(const http::RequestHead& head) {
  return is_link_path(head.path) || is_peer_path(head.path) || any_item(head.fields, "Upgrade", is_ours) ||
         any_item(head.fields, "Sec-WebSocket-Protocol", is_ours);
}

void write_hello(base::Buffer& out, const Hello& hello, const HelloForm& form) {
  out.append(std::string_view("GET "));
  out.append(form.prefix);
  out.append(kLinkPath);
  out.append(std::string_view(" HTTP/1.1\r\n"));
  write_field(out, "Host", form.host);
  write_field(out, "Connection", "Upgrade");
  if (form.transport == Transport::websocket) {
    write_field(out, "Upgrade", kWebSocketToken);
    write_field(out, "Sec-WebSocket-Version", kWebSocketVersion);
    write_field(out, "Sec-WebSocket-Key", form.key);
    write_field(out, "Sec-WebSocket-Protocol", kSubprotocol);
  } else {
    write_field(out, "Upgrade", kUpgradeToken);
  }
  write_field(out, "Authorization", "Bearer " + hello.token);
  if (!hello.tunnel_id.empty()) write_field(out, "Adit-Tunnel", hello.tunnel_id);
  write_field(out, "Adit-Connector", hello.connector);
  write_field(out, "Adit-Instance", hello.instance);
  if (hello.slot) write_field(out, "Adit-Slot", std::to_string(*hello.slot));
  write_field(out, "Adit-Version", hello.version);
  out.append(std::string_view("\r\n"));
}

void write_welcome(base::Buffer& out, std::string_view gateway_id, std::string_view key) {
  out.append(std::string_view("HTTP/1.1 101 Switching Protocols\r\n"));
  write_field(out, "Connection", "Upgrade");
  write_field(out, "Upgrade", key.empty() ? kUpgradeToken : kWebSocketToken);
  if (!key.empty()) {
    write_field(out, "Sec-WebSocket-Accept", web_socket_accept(key));
    write_field(out, "Sec-WebSocket-Protocol", kSubprotocol);
  }
  write_field(out, "Adit-Gateway", gateway_id);
  out.append(std::string_view("\r\n"));
}

void write_refusal(base::Buffer& out, const Refusal& refusal, std::string_view gateway_id) {
  const auto title = http::reason_phrase(refusal.status);
  const auto status = std::to_string(refusal.status);
  std::string body = R"({"type":"about:blank","title":")";
  base::append_json_escaped(body, title);
  body += R"(","status":)" + status + R"(,"detail":")";
  base::append_json_escaped(body, refusal.reason);
  body += "\"}\n";

  const std::string status_line = "HTTP/1.1 " + status + " " + std::string(title) + "\r\n";
  out.append(std::string_view(status_line));
  write_field(out, "Content-Type", "application/problem+json");
  write_field(out, "Content-Length", std::to_string(body.size()));
  if (refusal.retry_after.count() > 0) write_field(out, "Retry-After", std::to_string(refusal.retry_after.count()));
  if (refusal.status == 401) write_field(out, "WWW-Authenticate", "Bearer");
  if (refusal.status == 426) {
    write_field(out, "Upgrade", std::string(kUpgradeToken) + ", " + std::string(kWebSocketToken));
    write_field(out, "Sec-WebSocket-Version", kWebSocketVersion);
  }
  write_field(out, "Adit-Gateway", gateway_id);
  if (refusal.date) write_field(out, "Date", to_http_date(*refusal.date));
  write_field(out, "Connection", refusal.status == 426 ? "Upgrade, close" : "close");
  out.append(std::string_view("\r\n"));
  out.append(std::string_view(body));
}

}  // namespace adit::link
