#pragma once
// Key pairs from TLS Secrets, checked before a listener sees them.

#include <memory>
#include <string>

#include <openssl/x509.h>

#include "base/result.h"
#include "routing/manifest.h"
#include "routing/table.h"

namespace adit::routing {

/// A certificate chain and the private key of its first certificate.
class KeyPair {
 public:
  /// From the keys tls.crt and tls.key (PEM) of a Secret of type kubernetes.io/tls. Refused: what OpenSSL cannot read,
  /// an encrypted key, a key of another certificate, a chain of more than 16, and a key of less than 112 bits of
  /// security (RSA below 2048), which clients and OpenSSL itself would not take. Expiry is not looked at: this is pure.
  /// The optional key tls.ocsp-staple is an OCSP response; a bad one is left out.
  static base::Result<KeyPair> read(const SecretObject& secret);

  /// Whether the certificate's subject alternative names cover a rule's host; "*" is covered by any.
  bool covers(const std::string& host) const;

  const std::shared_ptr<const Certificate>& certificate() const { return certificate_; }
  /// "EC", "RSA", "RSA-PSS", "ED25519": of two pairs of one type a listener can serve one only.
  const std::string& key_type() const { return key_type_; }
  /// Why there is no staple although the Secret has one; empty: no fault.
  const std::string& staple_fault() const { return staple_fault_; }

 private:
  struct Free {
    void operator()(X509* leaf) const { X509_free(leaf); }
  };

  /// The response to staple, DER; empty when there is none or a bad one.
  std::string read_staple(const SecretObject& secret, X509* issuer);

  std::unique_ptr<X509, Free> leaf_;
  std::shared_ptr<const Certificate> certificate_;
  std::string key_type_;
  std::string staple_fault_;
};

/// Of chain, key and OCSP response, as Certificate::fingerprint is made.
std::string fingerprint_of(const Certificate& certificate);

}  // namespace adit::routing
