#include "net/certificate_facts.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <string_view>

#include <openssl/x509v3.h>

#include "base/ip_network.h"
#include "base/utc.h"
#include "net/tls_key_pair.h"

namespace adit::net {
namespace {

constexpr std::size_t kMostText = 200;
constexpr std::size_t kMostNames = 100;
constexpr std::size_t kNamesShown = 6;

std::string printable(std::string_view text) {
  std::string clean(text.substr(0, kMostText));
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c < 0x20 || c == 0x7f; }, '?');
  return clean;
}

std::string text_of(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return printable({bytes, static_cast<std::size_t>(std::max(size, 0L))});
}

std::string_view bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string address_text(std::string_view bytes) {
  base::IpAddress::Bytes address{};
  auto first = address.begin();
  if (bytes.size() == 4) {
    address[10] = address[11] = 0xff;  // IPv4-mapped
    first += 12;
  } else if (bytes.size() != address.size()) {
    return "an address of a wrong size";
  }
  std::copy(bytes.begin(), bytes.end(), first);
  return base::IpAddress(address).text();
}

std::vector<std::string> names_of(X509* certificate) {
  struct Free {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  };
  const std::unique_ptr<GENERAL_NAMES, Free> alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  const int count = alternatives ? sk_GENERAL_NAME_num(alternatives.get()) : 0;
  for (int i = 0; i < count && names.size() < kMostNames; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type == GEN_DNS) names.push_back(printable(bytes_of(name->d.dNSName)));
    if (name->type == GEN_IPADD) names.push_back(address_text(bytes_of(name->d.iPAddress)));
  }
  return names;
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

}  // namespace

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts;
  facts.names = names_of(certificate);
  facts.subject = text_of(X509_get_subject_name(certificate));
  facts.issuer = text_of(X509_get_issuer_name(certificate));
  facts.not_before = time_of(X509_get0_notBefore(certificate));
  facts.not_after = time_of(X509_get0_notAfter(certificate));
  return facts;
}

std::string names_text(const CertificateFacts& facts) {
  if (facts.names.empty()) return "no name";
  std::string text;
  for (std::size_t i = 0; i < std::min(facts.names.size(), kNamesShown); ++i) {
    text.append(i > 0 ? ", " : "").append(facts.names[i]);
  }
  if (facts.names.size() > kNamesShown) text += " and " + std::to_string(facts.names.size() - kNamesShown) + " more";
  return text;
}

std::string text_of(const CertificateFacts& facts) {
  return "for " + names_text(facts) + ", issued by " + facts.issuer + ", valid from " +
         base::utc_text(facts.not_before) + " to " + base::utc_text(facts.not_after);
}

}  // namespace adit::net
