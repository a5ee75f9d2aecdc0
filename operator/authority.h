#pragma once
// Certificates that the operator issues: its own authority, and server certificates under it (RFC 5280). ECDSA P-256.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace adit::controller {

using WallTime = std::chrono::system_clock::time_point;

/// PEM texts that belong together.
struct KeyCertificate {
  std::string certificate;  ///< one certificate
  std::string key;          ///< PKCS #8, not encrypted
};

struct Validity {
  WallTime from;
  WallTime until;
};

/// A self-signed authority that may sign end-entity certificates only. Valid from five minutes before `now`, so that a
/// peer whose clock is a little behind takes it.
base::Result<KeyCertificate> issue_authority(const std::string& common_name, WallTime now, std::chrono::hours lifetime);

/// What a certificate may be shown as (RFC 5280 §4.2.1.12).
enum class CertificateUse { server, server_and_client };

/// A certificate for TLS servers, or for either end. `names` are DNS names or IP addresses as text, at least one.
base::Result<KeyCertificate> issue_server(const KeyCertificate& authority, const std::vector<std::string>& names,
                                          WallTime now, std::chrono::hours lifetime,
                                          CertificateUse use = CertificateUse::server);

/// Of the first certificate of a PEM text.
base::Result<Validity> validity_of(std::string_view pem);

/// Key and certificate can be read, belong together, and were signed by `authority_pem`'s key.
bool is_issued_by(const KeyCertificate& pair, std::string_view authority_pem);
/// Key and certificate can be read and belong together.
bool is_pair(const KeyCertificate& pair);

/// The certificate's subject alternative names are exactly these.
bool is_for(std::string_view certificate_pem, std::vector<std::string> names);

}  // namespace adit::controller
