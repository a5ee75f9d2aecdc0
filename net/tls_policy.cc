#include "net/tls_policy.h"

#include <algorithm>
#include <array>
#include <memory>

#include <openssl/err.h>

namespace adit::net {
namespace {

// AES-128-GCM first: the fastest with AES instructions, and no weaker in practice. RFC 9325 §4.2 for TLS 1.2.
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
// OpenSSL's own list without SHA-1, SHA-224 and DSA.
constexpr const char* kSignatures =
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:ed448:"
    "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:"
    "rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512";
constexpr std::array<std::string_view, 5> kKnownSuites = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                                          "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
                                                          "TLS_AES_128_CCM_8_SHA256"};

/// Calls `check` with each element between the separators until it gives a reason.
template <class Check>
base::Result<void> check_each(std::string_view list, std::string_view separators, Check check) {
  while (!list.empty()) {
    const auto size = std::min(list.find_first_of(separators), list.size());
    const auto item = list.substr(0, size);
    if (!check(item)) return base::Error{"OpenSSL knows no \"" + std::string(item) + "\""};
    list.remove_prefix(std::min(size + 1, list.size()));
  }
  return {};
}

bool matches_a_cipher(SSL_CTX* scratch, std::string_view item) {
  if (item.starts_with('!') || item.starts_with('-') || item.starts_with('@')) return true;  // they add nothing
  if (item.starts_with('+')) item.remove_prefix(1);
  return !item.empty() && SSL_CTX_set_cipher_list(scratch, std::string(item).c_str()) == 1;
}

}  // namespace

base::Result<void> check_ciphers(std::string_view list) {
  if (list.empty()) return {};
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> scratch(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  auto checked = check_each(list, ":, ", [&](std::string_view item) { return matches_a_cipher(scratch.get(), item); });
  if (checked && SSL_CTX_set_cipher_list(scratch.get(), std::string(list).c_str()) != 1) {
    checked = base::Error{"leaves no cipher of TLS 1.2"};
  }
  ERR_clear_error();
  return checked;
}

base::Result<void> check_cipher_suites(std::string_view list) {
  return check_each(list, ":", [](std::string_view item) {
    return std::find(kKnownSuites.begin(), kKnownSuites.end(), item) != kKnownSuites.end();
  });
}

void apply_policy(SSL_CTX* context, const TlsPolicy& policy) {
  SSL_CTX_set_min_proto_version(context, policy.min_version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, policy.ciphers.empty() ? kCiphers12 : policy.ciphers.c_str());
  SSL_CTX_set_ciphersuites(context, policy.cipher_suites.empty() ? kSuites13 : policy.cipher_suites.c_str());
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

void limit_groups_and_signatures(SSL_CTX* context) {
  SSL_CTX_set1_groups_list(context, kGroups);
  SSL_CTX_set1_sigalgs_list(context, kSignatures);
}

}  // namespace adit::net
