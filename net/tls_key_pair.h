#pragma once
// A certificate chain with its private key, read from PEM.

#include <memory>
#include <string_view>

#include <openssl/ssl.h>

#include "base/result.h"

namespace adit::net {

struct OpensslDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, OpensslDeleter>;
using X509Ptr = std::unique_ptr<X509, OpensslDeleter>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), OpensslDeleter>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter>;

/// `pem` must outlive it.
BioPtr open_pem(std::string_view pem);

struct ParsedKeyPair {
  X509Ptr leaf;
  ChainPtr issuers;
  KeyPtr key;

  /// EVP_PKEY_RSA, EVP_PKEY_EC, …
  int type() const;
};

/// Refused: what is not PEM, and a key that is not that of the leaf.
base::Result<ParsedKeyPair> parse_key_pair(std::string_view chain_pem, std::string_view key_pem);

}  // namespace adit::net
