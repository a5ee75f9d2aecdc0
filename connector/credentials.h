#pragma once
// What a dial to a gateway proves and trusts, read from files each time, so that a rotated secret needs no restart.

#include <optional>
#include <string>

#include "base/result.h"
#include "connector/proxy.h"
#include "net/tls_context.h"

namespace adit::connector {

/// One worker's reader of the token, CA and proxy credentials files.
class Credentials {
 public:
  /// Empty paths: the system's roots; no file for a proxy.
  Credentials(std::string token_file, std::string ca_file, std::string proxy_file = {});

  /// The token without its line end. The error never holds any of it.
  base::Result<std::string> token() const;
  /// Made anew when the CA file has changed: reading the system's roots takes milliseconds.
  base::Result<net::TlsContext> tls();
  /// "user:password" for `proxy`, of the file or else of its URL; empty for none. The error never holds any of it.
  base::Result<std::string> proxy(const ProxyAddress& proxy) const;

 private:
  std::string token_file_;
  std::string ca_file_;
  std::string proxy_file_;
  std::string ca_pem_;       ///< that context_ trusts
  net::TlsContext context_;  ///< nullptr before the first use
};

}  // namespace adit::connector
