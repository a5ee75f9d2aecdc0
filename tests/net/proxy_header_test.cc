// The PROXY protocol: what is a header, and what is not.

#include "net/proxy_header.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "net/address.h"

namespace adit::net::test {
namespace {

using namespace std::string_literals;
using Progress = ProxyHeader::Progress;

/// "SOURCE>DESTINATION", "own" for LOCAL and UNKNOWN, "more", or "refused: REASON".
std::string outcome_of(std::string_view bytes) {
  const auto header = parse_proxy_header(bytes);
  if (header.progress == Progress::need_more) return "more";
  if (header.progress == Progress::refused) return "refused: " + std::string(header.reason);
  if (!header.connection) return "own";
  return to_text(header.connection->source) + ">" + to_text(header.connection->destination);
}

struct Case {
  const char* what;
  std::string bytes;
  std::string outcome;
};

const std::string kV4 = "192.0.2.1:1234>192.0.2.2:443";
const std::string kV6 = "[2001:db8::1]:1234>[2001:db8::2]:443";
const std::string kAddress = "refused: a wrong address";
const std::string kPort = "refused: a wrong port";
const std::string kProtocol = "refused: a protocol other than TCP4, TCP6 and UNKNOWN";

std::string line_of(std::size_t size) {
  const std::string begin = "PROXY UNKNOWN ";
  return begin + std::string(size - begin.size() - 2, 'x') + "\r\n";
}

TEST(ProxyHeader, Version1) {
  const std::string widest =
      "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
      " 65535 65535\r\n";
  const Case table[] = {
      {"TCP4", "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n", kV4},
      {"TCP6", "PROXY TCP6 2001:db8::1 2001:db8::2 1234 443\r\n", kV6},
      {"TCP6 in capitals", "PROXY TCP6 2001:DB8::1 2001:DB8::2 1234 443\r\n", kV6},
      {"the widest addresses", widest,
       "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535>[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
      {"least and most ports", "PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0:0>255.255.255.255:65535"},
      {"UNKNOWN", "PROXY UNKNOWN\r\n", "own"},
      {"UNKNOWN with more", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "own"},
      {"longest line", line_of(107), "own"},
      {"too long", line_of(108), "refused: a line without an end"},
      {"far too long", line_of(4000), "refused: a line without an end"},
      {"UNKNOWNS", "PROXY UNKNOWNS\r\n", kProtocol},
      {"UDP4", "PROXY UDP4 192.0.2.1 192.0.2.2 1234 443\r\n", kProtocol},
      {"small letters", "PROXY tcp4 192.0.2.1 192.0.2.2 1234 443\r\n", kProtocol},
      {"no protocol", "PROXY \r\n", kProtocol},
      {"no word", "PROXY TCP4\r\n", kAddress},
      {"one address", "PROXY TCP4 192.0.2.1\r\n", kAddress},
      {"no ports", "PROXY TCP4 192.0.2.1 192.0.2.2\r\n", kPort},
      {"one port", "PROXY TCP4 192.0.2.1 192.0.2.2 1234\r\n", kPort},
      {"more words", "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443 x\r\n", "refused: more behind the ports"},
      {"space at the end", "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443 \r\n", "refused: more behind the ports"},
      {"two spaces first", "PROXY  TCP4 192.0.2.1 192.0.2.2 1234 443\r\n", kProtocol},
      {"two spaces between", "PROXY TCP4 192.0.2.1  192.0.2.2 1234 443\r\n", kAddress},
      {"two spaces before a port", "PROXY TCP4 192.0.2.1 192.0.2.2  1234 443\r\n", kPort},
      {"tab", "PROXY TCP4\t192.0.2.1 192.0.2.2 1234 443\r\n", kProtocol},
      {"space first", " PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n", "refused: no PROXY header"},
      {"IPv6 in TCP4", "PROXY TCP4 2001:db8::1 2001:db8::2 1234 443\r\n", kAddress},
      {"IPv4 in TCP6", "PROXY TCP6 192.0.2.1 192.0.2.2 1234 443\r\n", kAddress},
      {"mixed", "PROXY TCP6 2001:db8::1 192.0.2.2 1234 443\r\n", kAddress},
      {"name", "PROXY TCP4 localhost 192.0.2.2 1234 443\r\n", kAddress},
      {"octal", "PROXY TCP4 192.0.2.01 192.0.2.2 1234 443\r\n", kAddress},
      {"short form", "PROXY TCP4 192.1 192.0.2.2 1234 443\r\n", kAddress},
      {"octet too large", "PROXY TCP4 192.0.2.256 192.0.2.2 1234 443\r\n", kAddress},
      {"zone", "PROXY TCP6 fe80::1%eth0 2001:db8::2 1234 443\r\n", kAddress},
      {"brackets", "PROXY TCP6 [2001:db8::1] 2001:db8::2 1234 443\r\n", kAddress},
      {"port too large", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n", kPort},
      {"port far too large", "PROXY TCP4 192.0.2.1 192.0.2.2 99999999999999999999 443\r\n", kPort},
      {"leading zero", "PROXY TCP4 192.0.2.1 192.0.2.2 01234 443\r\n", kPort},
      {"sign", "PROXY TCP4 192.0.2.1 192.0.2.2 +1234 443\r\n", kPort},
      {"minus", "PROXY TCP4 192.0.2.1 192.0.2.2 1234 -443\r\n", kPort},
      {"hexadecimal", "PROXY TCP4 192.0.2.1 192.0.2.2 0x12 443\r\n", kPort},
      {"LF alone", "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\n", "refused: a line feed or NUL within the line"},
      {"NUL", "PROXY TCP4 192.0.2.1\0 192.0.2.2 1234 443\r\n"s, "refused: a line feed or NUL within the line"},
      {"CR alone", "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\rGET", "refused: a carriage return within the line"},
      {"small proxy", "proxy TCP4 192.0.2.1 192.0.2.2 1234 443\r\n", "refused: no PROXY header"},
      {"PROXYTCP4", "PROXYTCP4", "refused: no PROXY header"},
      {"HTTP", "GET / HTTP/1.1\r\n", "refused: no PROXY header"},
      {"a POST begins like it", "PO", "refused: no PROXY header"},
      {"TLS", "\x16\x03\x01\x02\x00", "refused: no PROXY header"},
      {"nothing", "", "more"},
      {"P", "P", "more"},
      {"PROXY", "PROXY ", "more"},
      {"no end yet", "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443", "more"},
      {"CR, LF to come", "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r", "more"},
  };
  for (const auto& c : table) EXPECT_EQ(outcome_of(c.bytes), c.outcome) << c.what;
}

// Version 2

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string kAddresses4("\xC0\x00\x02\x01\xC0\x00\x02\x02\x04\xD2\x01\xBB", 12);
const std::string kAddresses6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01\x20\x01\x0d\xb8"s +
                                std::string(11, '\0') + "\x02\x04\xD2\x01\xBB"s;

std::string number(std::size_t value) { return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xFFU)}; }
std::string block(int version_command, int family, const std::string& rest) {
  return kSignature + static_cast<char>(version_command) + static_cast<char>(family) + number(rest.size()) + rest;
}
std::string tlv(int type, const std::string& value) { return static_cast<char>(type) + number(value.size()) + value; }

/// CRC-32C bit by bit, as the RFC defines it.
std::string crc32c(const std::string& bytes) {
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0x82F63B78U : crc >> 1U;
  }
  crc = ~crc;
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(crc >> static_cast<unsigned>(shift));
  return text;
}
/// A TCP4 block with `before`, a right checksum and `after`.
std::string checked_block(const std::string& before, const std::string& after) {
  const auto with = [&](const std::string& sum) {
    return block(0x21, 0x11, kAddresses4 + before + tlv(3, sum) + after);
  };
  return with(crc32c(with(std::string(4, '\0'))));
}

TEST(ProxyHeader, Version2) {
  ASSERT_EQ(crc32c("123456789"), "\xE3\x06\x92\x83") << "the check value of CRC-32C";
  auto wrong_sum = checked_block("", "");
  wrong_sum.back() = static_cast<char>(wrong_sum.back() ^ 1);
  auto changed = checked_block("", tlv(4, "xyz"));
  changed[16] = static_cast<char>(changed[16] ^ 1);
  const Case table[] = {
      {"TCP4", block(0x21, 0x11, kAddresses4), kV4},
      {"TCP6", block(0x21, 0x21, kAddresses6), kV6},
      {"LOCAL", block(0x20, 0x00, ""), "own"},
      {"LOCAL with addresses", block(0x20, 0x11, kAddresses4), "own"},
      {"LOCAL of an odd family", block(0x20, 0xFF, "abc"), "own"},
      {"UNSPEC", block(0x21, 0x00, ""), "own"},
      {"a Unix stream", block(0x21, 0x31, std::string(216, 'u')), "own"},
      {"UDP4", block(0x21, 0x12, kAddresses4), "refused: a family or transport other than TCP over IPv4 and IPv6"},
      {"UDP6", block(0x21, 0x22, kAddresses6), "refused: a family or transport other than TCP over IPv4 and IPv6"},
      {"a Unix datagram", block(0x21, 0x32, std::string(216, 'u')),
       "refused: a family or transport other than TCP over IPv4 and IPv6"},
      {"family 4", block(0x21, 0x41, kAddresses4), "refused: a family or transport other than TCP over IPv4 and IPv6"},
      {"IPv4 without transport", block(0x21, 0x10, kAddresses4),
       "refused: a family or transport other than TCP over IPv4 and IPv6"},
      {"version 1 in binary", block(0x11, 0x11, kAddresses4), "refused: a version other than 2"},
      {"version 3", block(0x31, 0x11, kAddresses4), "refused: a version other than 2"},
      {"command 2", block(0x22, 0x11, kAddresses4), "refused: a command other than LOCAL and PROXY"},
      {"command 15", block(0x2F, 0x11, kAddresses4), "refused: a command other than LOCAL and PROXY"},
      {"too short for TCP4", block(0x21, 0x11, kAddresses4.substr(1)), "refused: too short for its addresses"},
      {"too short for TCP6", block(0x21, 0x21, kAddresses4), "refused: too short for its addresses"},
      {"too short for Unix", block(0x21, 0x31, std::string(215, 'u')), "refused: too short for its addresses"},
      {"a TLV", block(0x21, 0x11, kAddresses4 + tlv(4, "padding")), kV4},
      {"an empty TLV", block(0x21, 0x11, kAddresses4 + tlv(4, "")), kV4},
      {"two TLVs", block(0x21, 0x21, kAddresses6 + tlv(2, "shop.test") + tlv(0xEE, "x")), kV6},
      {"half a TLV's head", block(0x21, 0x11, kAddresses4 + "\x04"), "refused: a TLV cut short"},
      {"a TLV past the end", block(0x21, 0x11, kAddresses4 + "\x04"s + number(2) + "x"), "refused: a TLV cut short"},
      {"checksum", checked_block("", ""), kV4},
      {"checksum between TLVs", checked_block(tlv(2, "shop.test"), tlv(4, "xyz")), kV4},
      {"wrong checksum", wrong_sum, "refused: a wrong checksum"},
      {"address changed under its checksum", changed, "refused: a wrong checksum"},
      {"checksum of three bytes", block(0x21, 0x11, kAddresses4 + tlv(3, "abc")), "refused: a malformed checksum"},
      {"largest", block(0x21, 0x11, kAddresses4 + tlv(4, std::string(4096 - 15, 'x'))), kV4},
      {"too large", block(0x21, 0x11, kAddresses4 + tlv(4, std::string(4096 - 14, 'x'))), "refused: larger than 4 KiB"},
      {"far too large, before it has come", kSignature + "\x21\x11\xFF\xFF", "refused: larger than 4 KiB"},
      {"LOCAL too large", kSignature + "\x20"s + '\0' + "\xFF\xFF"s, "refused: larger than 4 KiB"},
      {"signature with another end", "\r\n\r\n\0\r\nQUIX\n"s, "refused: no PROXY header"},
      {"empty lines", "\r\n\r\nGET / HTTP/1.1\r\n", "refused: no PROXY header"},
      {"half a signature", kSignature.substr(0, 7), "more"},
      {"signature alone", kSignature, "more"},
      {"head alone", kSignature + "\x21\x11"s + number(12), "more"},
      {"last byte to come", block(0x21, 0x11, kAddresses4).substr(0, 27), "more"},
  };
  for (const auto& c : table) EXPECT_EQ(outcome_of(c.bytes), c.outcome) << c.what;
}

TEST(ProxyHeader, WhatFollowsIsNotTouchedAndCutsChangeNothing) {
  for (const auto& header :
       {"PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n"s, "PROXY UNKNOWN\r\n"s, block(0x21, 0x21, kAddresses6),
        checked_block(tlv(2, "shop.test"), ""), block(0x20, 0x00, "")}) {
    for (const auto& next : {"GET / HTTP/1.1\r\n\r\n"s, "\x16\x03\x01"s, "PROXY TCP4 again\r\n"s, kSignature}) {
      const auto all = header + next;
      EXPECT_EQ(parse_proxy_header(all).consumed, header.size());
      EXPECT_EQ(outcome_of(all), outcome_of(header));
    }
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(outcome_of(header.substr(0, size)), "more") << size << " of " << header;
    }
  }
}

}  // namespace
}  // namespace adit::net::test
