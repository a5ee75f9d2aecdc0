#include "base/ip_network.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>

namespace adit::base {
namespace {

constexpr IpAddress::Bytes kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kMappedPrefix = 12;

/// Bit `i` of an address, the first one is 0.
bool bit(const IpAddress::Bytes& bytes, unsigned i) { return (bytes[i / 8] >> (7 - i % 8) & 1) != 0; }

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  if (copy.size() != text.size() || copy.find('\0') != std::string::npos) return Error{"is no IP address"};
  Bytes bytes = kMapped;
  if (inet_pton(AF_INET, copy.c_str(), bytes.data() + kMappedPrefix) == 1) return IpAddress(bytes);
  if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return IpAddress(bytes);
  return Error{"is no IP address"};
}

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.begin() + kMappedPrefix, bytes_.begin()); }

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> room{};
  const bool v4 = is_v4();
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes_.data() + (v4 ? kMappedPrefix : 0), room.data(), room.size());
  return room.data();
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return Error{"is no network such as 10.0.0.0/8 or 2001:db8::/32"};
  IpNetwork network;
  network.first_ = *address;
  if (slash == std::string_view::npos) return network;
  const unsigned most = address->is_v4() ? 32 : 128;
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const bool padded = digits.size() > 1 && digits.front() == '0';  // some would read it as octal
  if (error != std::errc() || end != digits.data() + digits.size() || padded || bits > most) {
    return Error{"has a prefix that is no number from 0 to " + std::to_string(most)};
  }
  network.bits_ = bits + 128 - most;
  for (unsigned i = network.bits_; i < 128; ++i) {
    if (bit(address->bytes(), i)) return Error{"has bits set behind its prefix"};
  }
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
  const unsigned whole = bits_ / 8;
  if (std::memcmp(first_.bytes().data(), address.bytes().data(), whole) != 0) return false;
  if (bits_ % 8 == 0) return true;
  const auto differing = static_cast<unsigned>(first_.bytes()[whole] ^ address.bytes()[whole]);
  return differing >> (8 - bits_ % 8) == 0;
}

std::string IpNetwork::text() const {
  const unsigned bits = first_.is_v4() ? bits_ - 96 : bits_;
  return first_.text() + "/" + std::to_string(bits);
}

bool contains(const std::vector<IpNetwork>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(), [&](const auto& network) { return network.contains(address); });
}

}  // namespace adit::base
