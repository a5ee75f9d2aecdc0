#include "net/ocsp_staple.h"

#include <memory>

#include <openssl/err.h>
#include <openssl/ocsp.h>

namespace adit::net {
namespace {

std::time_t to_time(const ASN1_GENERALIZEDTIME* when) {
  std::tm parts = {};
  if (when == nullptr || ASN1_TIME_to_tm(when, &parts) != 1) return 0;
  return timegm(&parts);
}

base::Error refused(const char* why) {
  ERR_clear_error();
  return base::Error{std::string("OCSP response: ") + why};
}

}  // namespace

base::Result<OcspStaple> read_staple(std::string_view der, X509* leaf) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = bytes + der.size();
  const std::unique_ptr<OCSP_RESPONSE, decltype(&OCSP_RESPONSE_free)> response(
      d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(der.size())), OCSP_RESPONSE_free);
  if (!response || bytes != end) return refused("not DER of one");
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) return refused("of a failure");
  const std::unique_ptr<OCSP_BASICRESP, decltype(&OCSP_BASICRESP_free)> basic(OCSP_response_get1_basic(response.get()),
                                                                              OCSP_BASICRESP_free);
  if (!basic) return refused("not of the basic type");
  for (int i = 0; i < OCSP_resp_count(basic.get()); ++i) {
    OCSP_SINGLERESP* single = OCSP_resp_get0(basic.get(), i);
    ASN1_INTEGER* serial = nullptr;
    OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)));
    if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) != 0) continue;
    ASN1_GENERALIZEDTIME* next = nullptr;
    OCSP_single_get0_status(single, nullptr, nullptr, nullptr, &next);
    return OcspStaple{std::string(der), to_time(next)};
  }
  return refused("about another certificate");
}

}  // namespace adit::net
