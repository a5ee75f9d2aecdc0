#include "connector/credentials.h"

#include <algorithm>
#include <utility>

#include "connector/service_map.h"

namespace adit::connector {

Credentials::Credentials(std::string token_file, std::string ca_file, std::string proxy_file)
    : token_file_(std::move(token_file)), ca_file_(std::move(ca_file)), proxy_file_(std::move(proxy_file)) {}

base::Result<std::string> Credentials::token() const {
  auto token = read_small_file(token_file_);
  if (!token) return base::Error{token.error()};
  while (!token->empty() && (token->back() == '\n' || token->back() == '\r' || token->back() == ' ')) token->pop_back();
  if (token->empty()) return base::Error{token_file_ + " is empty"};
  const bool plain = std::all_of(token->begin(), token->end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!plain) return base::Error{token_file_ + " holds spaces, line ends or bytes that are not ASCII"};
  return token;
}

base::Result<std::string> Credentials::proxy(const ProxyAddress& proxy) const {
  if (proxy_file_.empty()) return proxy.credentials;
  auto text = read_small_file(proxy_file_);
  if (!text) return base::Error{text.error()};
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  auto credentials = check_proxy_credentials(*std::move(text));
  if (!credentials) return base::Error{proxy_file_ + " holds " + credentials.error()};
  return credentials;
}

base::Result<net::TlsContext> Credentials::tls() {
  std::string pem;
  if (!ca_file_.empty()) {
    auto read = read_small_file(ca_file_);
    if (!read) return base::Error{read.error()};
    if (read->empty()) return base::Error{ca_file_ + " is empty"};
    pem = *std::move(read);
  }
  if (context_ && pem == ca_pem_) return context_;
  net::Trust trust;
  trust.ca_pem = pem;
  trust.link = true;
  auto context = net::make_client_context(trust);
  if (!context) return base::Error{(ca_file_.empty() ? std::string() : ca_file_ + ": ") + context.error()};
  context_ = *context;
  ca_pem_ = std::move(pem);
  return context_;
}

}  // namespace adit::connector
