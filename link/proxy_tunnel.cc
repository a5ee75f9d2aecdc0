#include "link/proxy_tunnel.h"

#include <algorithm>

#include "base/text.h"
#include "link/handshake_digest.h"
#include "link/http_date.h"

namespace adit::link {
namespace {

constexpr std::size_t kMostSchemes = 100;  // bytes of their list

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// Appends the scheme that a part between commas begins, if it begins one: challenges and their parameters are
/// separated by commas alike (RFC 9110 §11.6.1), but only a parameter has '=' behind its first word.
void add_scheme(std::string_view part, std::string& schemes) {
  part = base::trim(part);
  const auto word = part.substr(0, part.find(' '));
  if (word.empty() || !std::all_of(word.begin(), word.end(), is_token_character)) return;
  if (schemes.size() + word.size() > kMostSchemes) return;
  schemes.append(schemes.empty() ? "" : ", ").append(word);
}

void add_schemes(std::string_view value, std::string& schemes) {
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (quoted && value[i] == '\\') {
      ++i;
    } else if (value[i] == '"') {
      quoted = !quoted;
    } else if (value[i] == ',' && !quoted) {
      add_scheme(value.substr(begin, i - begin), schemes);
      begin = i + 1;
    }
  }
  add_scheme(value.substr(begin), schemes);
}

ProxyAnswerReader::Outcome outcome_of(const http::ResponseHead& head) {
  ProxyAnswerReader::Outcome outcome;
  if (const auto* date = head.fields.find("Date")) outcome.date = parse_http_date(*date);
  outcome.connected = head.status >= 200 && head.status < 300;
  if (outcome.connected) return outcome;
  outcome.status = head.status;
  if (head.status < 400) {
    outcome.broken = "the answer to CONNECT is " + std::to_string(head.status) + ", which no proxy gives";
  }
  for (const auto& field : head.fields) {
    if (base::equals_ignoring_case(field.name, "Proxy-Authenticate")) add_schemes(field.value, outcome.authenticate);
  }
  return outcome;
}

}  // namespace

void write_connect(base::Buffer& out, std::string_view host, std::uint16_t port, std::string_view credentials) {
  const bool literal = host.find(':') != std::string_view::npos;
  const auto authority = (literal ? "[" + std::string(host) + "]" : std::string(host)) + ":" + std::to_string(port);
  std::string head = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (!credentials.empty()) {
    const std::span bytes(reinterpret_cast<const unsigned char*>(credentials.data()), credentials.size());
    head += "Proxy-Authorization: Basic " + base64(bytes) + "\r\n";
  }
  head += "\r\n";
  out.append(std::string_view(head));
}

ProxyAnswerReader::Outcome ProxyAnswerReader::read(std::span<const char> bytes) {
  while (true) {
    http::ResponseHead head;
    // As to HEAD: what follows a 2xx is the tunnel, whatever the fields say of a body (RFC 9110 §9.3.6).
    const auto parsed = parser_.parse_head(bytes.subspan(interim_), /*to_head=*/true, head);
    Outcome outcome;
    if (parsed.progress == http::Progress::need_more) return outcome;
    if (parsed.progress == http::Progress::refused) {
      outcome.broken = std::string("the answer is not HTTP: ") + parsed.reason;
      return outcome;
    }
    if (head.status >= 200 || head.status == 101) {
      outcome = outcome_of(head);
      outcome.consumed = interim_ + parsed.consumed;
      return outcome;
    }
    interim_ += parsed.consumed;
  }
}

}  // namespace adit::link
