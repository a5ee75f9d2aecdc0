#include "net/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>

#include <arpa/inet.h>

namespace adit::net {
namespace {

using Progress = ProxyHeader::Progress;
using asio::ip::address_v4;
using asio::ip::address_v6;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kMostLine = 107;  // of version 1, with CRLF
constexpr std::size_t kHead2 = 16;      // of version 2: signature, version and command, family, size
constexpr std::uint8_t kChecksumType = 0x03;

ProxyHeader need_more() { return {}; }
ProxyHeader refused(std::string_view reason) { return {Progress::refused, 0, std::nullopt, reason}; }
ProxyHeader complete(std::size_t size, std::optional<ProxiedConnection> connection = std::nullopt) {
  return {Progress::complete, size, std::move(connection), {}};
}

// Version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n"

/// Takes the next word; the words are parted by one space each. Absent when there is none.
std::optional<std::string_view> next_word(std::string_view& line) {
  if (!line.starts_with(' ')) return std::nullopt;
  line.remove_prefix(1);
  const auto size = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, size);
  line.remove_prefix(size);
  return word;
}

std::optional<std::uint16_t> parse_port(std::optional<std::string_view> word) {
  if (!word || word->empty() || (word->size() > 1 && word->front() == '0')) return std::nullopt;
  std::uint16_t port = 0;
  const auto* const end = word->data() + word->size();
  const auto [stopped, error] = std::from_chars(word->data(), end, port);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return port;
}

std::optional<asio::ip::address> parse_address(std::optional<std::string_view> word, bool v6) {
  if (!word) return std::nullopt;
  const std::string text(*word);
  address_v4::bytes_type four;
  if (!v6 && inet_pton(AF_INET, text.c_str(), four.data()) == 1) return address_v4(four);
  address_v6::bytes_type sixteen;
  if (v6 && inet_pton(AF_INET6, text.c_str(), sixteen.data()) == 1) return address_v6(sixteen);
  return std::nullopt;
}

ProxyHeader parse_addresses_1(std::string_view words, std::size_t size, bool v6) {
  const auto source = parse_address(next_word(words), v6);
  const auto destination = parse_address(next_word(words), v6);
  if (!source || !destination) return refused("a wrong address");
  const auto source_port = parse_port(next_word(words));
  const auto destination_port = parse_port(next_word(words));
  if (!source_port || !destination_port) return refused("a wrong port");
  if (!words.empty()) return refused("more behind the ports");
  return complete(size, ProxiedConnection{{*source, *source_port}, {*destination, *destination_port}});
}

ProxyHeader parse_version_1(std::string_view bytes) {
  const auto line = bytes.substr(0, kMostLine);
  const auto end = line.find_first_of(std::string_view("\r\n\0", 3));
  if (end == std::string_view::npos) return line.size() < kMostLine ? need_more() : refused("a line without an end");
  if (line[end] != '\r') return refused("a line feed or NUL within the line");
  if (end + 1 == line.size()) return line.size() < kMostLine ? need_more() : refused("a line without an end");
  if (line[end + 1] != '\n') return refused("a carriage return within the line");
  auto words = line.substr(0, end);
  words.remove_prefix(kSignature1.size() - 1);  // to the space before the protocol
  const auto protocol = next_word(words);
  if (protocol == "TCP4") return parse_addresses_1(words, end + 2, false);
  if (protocol == "TCP6") return parse_addresses_1(words, end + 2, true);
  // What follows UNKNOWN is to be ignored, but not if it only begins alike: "UNKNOWNS".
  if (protocol == "UNKNOWN") return complete(end + 2);
  return refused("a protocol other than TCP4, TCP6 and UNKNOWN");
}

// Version 2: binary

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }
std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? 0x82F63B78U : 0U);
    table[i] = value;
  }
  return table;
}

/// CRC-32C (RFC 3720, appendix B.4) of the header with the four bytes at `hole` taken as zero.
std::uint32_t checksum(std::string_view header, std::size_t hole) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t crc = ~0U;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::uint8_t byte = i >= hole && i < hole + 4 ? 0 : byte_at(header, i);
    crc = kTable[(crc ^ byte) & 0xFFU] ^ (crc >> 8U);
  }
  return ~crc;
}

/// The reason why the TLVs from `at` on are wrong; empty if they are not.
std::string_view check_tlvs(std::string_view header, std::size_t at) {
  bool checked = false;
  while (at < header.size()) {
    if (header.size() - at < 3) return "a TLV cut short";
    const std::size_t value = at + 3;
    const std::size_t size = number_at(header, at + 1);
    if (header.size() - value < size) return "a TLV cut short";
    if (byte_at(header, at) == kChecksumType) {
      if (size != 4 || checked) return "a malformed checksum";
      const auto said = static_cast<std::uint32_t>(number_at(header, value)) << 16U | number_at(header, value + 2);
      if (said != checksum(header, value)) return "a wrong checksum";
      checked = true;
    }
    at = value + size;
  }
  return {};
}

template <class Address>
Address address_at(std::string_view bytes, std::size_t at) {
  typename Address::bytes_type copy;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), copy.size(), copy.begin());
  return Address(copy);
}

template <class Address>
ProxiedConnection connection_in(std::string_view header) {
  constexpr std::size_t kSize = sizeof(typename Address::bytes_type);
  constexpr std::size_t kPorts = kHead2 + 2 * kSize;
  return {{address_at<Address>(header, kHead2), number_at(header, kPorts)},
          {address_at<Address>(header, kHead2 + kSize), number_at(header, kPorts + 2)}};
}

/// How many bytes the addresses of a family take. Absent: not one that a TCP listener may be told.
std::optional<std::size_t> addresses_size(std::uint8_t family) {
  switch (family) {
    case 0x00:  // AF_UNSPEC
      return 0;
    case 0x11:  // TCP over IPv4
      return 12;
    case 0x21:  // TCP over IPv6
      return 36;
    case 0x31:  // a Unix stream
      return 216;
    default:
      return std::nullopt;
  }
}

ProxyHeader parse_version_2(std::string_view bytes) {
  if (bytes.size() > 12 && byte_at(bytes, 12) >> 4U != 2) return refused("a version other than 2");
  if (bytes.size() > 12 && (byte_at(bytes, 12) & 0xFU) > 1) return refused("a command other than LOCAL and PROXY");
  if (bytes.size() < kHead2) return need_more();
  const bool local = (byte_at(bytes, 12) & 0xFU) == 0;
  const auto family = byte_at(bytes, 13);
  const std::size_t size = kHead2 + number_at(bytes, 14);
  if (size > kMostProxyHeader) return refused("larger than 4 KiB");
  const auto addresses = addresses_size(family);
  // The receiver of LOCAL must not look at the rest, not even at the family.
  if (!local && !addresses) return refused("a family or transport other than TCP over IPv4 and IPv6");
  if (!local && size < kHead2 + *addresses) return refused("too short for its addresses");
  if (bytes.size() < size) return need_more();
  if (local) return complete(size);
  const auto header = bytes.substr(0, size);
  if (const auto wrong = check_tlvs(header, kHead2 + *addresses); !wrong.empty()) return refused(wrong);
  if (family == 0x11) return complete(size, connection_in<address_v4>(header));
  if (family == 0x21) return complete(size, connection_in<address_v6>(header));
  return complete(size);
}

/// Whether the bytes begin with the signature, as far as both go.
bool begins(std::string_view bytes, std::string_view signature) {
  const auto common = std::min(bytes.size(), signature.size());
  return bytes.substr(0, common) == signature.substr(0, common);
}

}  // namespace

ProxyHeader parse_proxy_header(std::span<const char> span) {
  const std::string_view bytes(span.data(), span.size());
  if (begins(bytes, kSignature1)) return bytes.size() < kSignature1.size() ? need_more() : parse_version_1(bytes);
  if (begins(bytes, kSignature2)) return bytes.size() < kSignature2.size() ? need_more() : parse_version_2(bytes);
  return refused("no PROXY header");
}

}  // namespace adit::net
