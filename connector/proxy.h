#pragma once
// The HTTP proxy that a site puts between its machines and the world: which, and whether a gateway is dialled through
// it.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connector/no_proxy.h"
#include "net/address.h"

namespace adit::connector {

struct ProxyAddress {
  net::Target target;
  std::string credentials;  ///< "user:password" of the URL, decoded; empty for none. Never shown

  /// "http://proxy.test:3128", without credentials.
  std::string text() const;
};

/// Reads "http://[USER:PASSWORD@]HOST[:PORT]", or that without the scheme; port 80. Errors hold nothing of the URL,
/// where a password may stand.
base::Result<ProxyAddress> parse_proxy(std::string_view url);
/// Reads "user:password" (RFC 7617 §2): neither empty, no control characters. Errors hold nothing of it.
base::Result<std::string> check_proxy_credentials(std::string text);

/// What was said of proxies. Immutable once the program runs.
struct ProxySettings {
  std::optional<ProxyAddress> proxy;
  std::string origin = "no setting";       ///< of `proxy`, or of there being none: "--proxy", "HTTPS_PROXY"
  bool by_environment = false;             ///< as opposed to a setting of this program's own
  NoProxy exceptions;                      ///< NO_PROXY
  std::filesystem::path credentials_file;  ///< wins over the URL's; empty for none
};

/// Settings of this program's own win over HTTPS_PROXY and ALL_PROXY, lower case over upper case as with curl.
/// `setting` is --proxy: a URL, "off", or empty for the environment's. `problems` tells what of NO_PROXY can't be read.
base::Result<ProxySettings> read_proxy_settings(std::string_view setting, const char* const* environment,
                                                std::vector<std::string>& problems);

struct ProxyDecision {
  const ProxyAddress* proxy = nullptr;  ///< nullptr: dialled directly
  std::string why;                      ///< "HTTPS_PROXY", "NO_PROXY: .example.com", …
};
/// NO_PROXY counts for every proxy; loopback addresses are spared from that of the environment.
ProxyDecision decide_proxy(const ProxySettings& settings, const net::Target& gateway);

}  // namespace adit::connector
