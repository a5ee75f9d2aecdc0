#include "net/tls_key_pair.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "net/tls_context.h"

namespace adit::net {

BioPtr open_pem(std::string_view pem) { return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

int ParsedKeyPair::type() const { return EVP_PKEY_get_base_id(key.get()); }

base::Result<ParsedKeyPair> parse_key_pair(std::string_view chain_pem, std::string_view key_pem) {
  ERR_clear_error();
  ParsedKeyPair pair;
  const auto chain = open_pem(chain_pem);
  pair.leaf.reset(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (!pair.leaf) return base::Error{openssl_error("certificate")};
  pair.issuers.reset(sk_X509_new_null());
  while (X509* issuer = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    sk_X509_push(pair.issuers.get(), issuer);
  }
  ERR_clear_error();  // the end of a PEM list looks like an error to OpenSSL
  const auto key = open_pem(key_pem);
  pair.key.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  if (!pair.key || X509_check_private_key(pair.leaf.get(), pair.key.get()) != 1) {
    return base::Error{openssl_error("private key")};
  }
  return pair;
}

}  // namespace adit::net
