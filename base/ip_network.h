#pragma once
// IP addresses and networks in CIDR form, as values (RFC 4632, RFC 4291).

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace adit::base {

/// An address, IPv4 as the IPv4-mapped IPv6 one, so that both forms of one address are equal.
class IpAddress {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  IpAddress() : bytes_{} {}
  explicit IpAddress(const Bytes& bytes) : bytes_(bytes) {}
  /// "192.0.2.1", "2001:db8::1"; no port, brackets or zone.
  static Result<IpAddress> parse(std::string_view text);

  bool is_v4() const;
  const Bytes& bytes() const { return bytes_; }
  /// As parse() reads it; IPv4-mapped ones in the IPv4 form.
  std::string text() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  Bytes bytes_;
};

/// "10.0.0.0/8", "2001:db8::/32"; a single address is a network of one.
class IpNetwork {
 public:
  /// Refused: bits set behind the prefix, which are a mistake in most cases.
  static Result<IpNetwork> parse(std::string_view text);

  bool contains(const IpAddress& address) const;
  std::string text() const;

  friend bool operator==(const IpNetwork&, const IpNetwork&) = default;

 private:
  IpAddress first_;
  unsigned bits_ = 128;  ///< of the prefix, counted in the IPv6 form
};

/// Whether any of them does.
bool contains(const std::vector<IpNetwork>& networks, const IpAddress& address);

}  // namespace adit::base
