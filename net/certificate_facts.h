#pragma once
// What a certificate says of itself, for people who look for a mistake.

#include <chrono>
#include <string>
#include <vector>

#include <openssl/x509.h>

namespace adit::net {

/// Texts are the certificate's: printable and bounded, whatever it holds.
struct CertificateFacts {
  std::vector<std::string> names;  ///< DNS names and addresses of subjectAltName (RFC 5280 §4.2.1.6)
  std::string subject;             ///< as "CN=edge.example.com,O=Example" (RFC 2253)
  std::string issuer;
  std::chrono::system_clock::time_point not_before{};
  std::chrono::system_clock::time_point not_after{};
};

CertificateFacts facts_of(X509* certificate);

/// "edge.example.com, *.example.com"; at most six names, and how many more there are; "no name" if there is none.
std::string names_text(const CertificateFacts& facts);
/// "for edge.example.com, issued by CN=Example CA, valid from 2026-11-21T12:00:00Z to 2027-11-21T12:00:00Z".
std::string text_of(const CertificateFacts& facts);

}  // namespace adit::net
