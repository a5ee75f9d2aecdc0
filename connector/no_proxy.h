#pragma once
// Which hosts are dialled without the proxy: NO_PROXY. There is no standard; this is what curl and Go agree on.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_network.h"
#include "base/result.h"

namespace adit::connector {

/// Immutable once parsed. Pure: names are compared as they are written and never resolved.
class NoProxy {
 public:
  /// Items separated by commas or white space, each a
  ///  - "*": every host,
  ///  - "example.com": that name and those below it; ".example.com" and "*.example.com": only those below it,
  ///  - "192.0.2.1", "2001:db8::1", "10.0.0.0/8": hosts that are given as addresses,
  /// of which all but CIDRs may end with ":PORT" (IPv6 then in brackets). What is none of these is left out, as others
  /// do with a variable that is meant for many programs, and told in `problems`.
  static NoProxy parse(std::string_view list, std::vector<std::string>& problems);

  /// The item that excludes `host` (a name or an address, IPv6 without brackets) at that port; nullptr when none does.
  const std::string* match(std::string_view host, std::uint16_t port) const;

 private:
  struct Item {
    std::string text;                        ///< as written
    std::string name;                        ///< lower case, without leading "." or "*."; empty for the other forms
    bool below_only = false;                 ///< not the name itself
    bool any = false;                        ///< "*"
    std::optional<base::IpNetwork> network;  ///< an address is a network of one
    std::optional<std::uint16_t> port;
  };

  static base::Result<Item> parse_item(std::string_view text);
  static bool matches(const Item& item, std::string_view name, const std::optional<base::IpAddress>& address);

  std::vector<Item> items_;
};

/// "localhost" or an address of this machine's loopback interface.
bool is_loopback(std::string_view host);

}  // namespace adit::connector
