#include "routing/ocsp.h"

#include <openssl/err.h>

#include "routing/certificates.h"
#include "routing/digest.h"
#include "tests/routing/objects.h"
#include "tests/routing/test_ocsp.h"

namespace adit::routing {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// An issuer and what it says of its leaf; leaves of these tests sign themselves, but that is not looked at where the
/// chain has an issuer.
struct Case {
  TestKey key = ec_key();
  std::string leaf = certificate_pem(key, "DNS:a");
  std::string der = ocsp_response(leaf, leaf, key);
};

std::string pem_of(const std::string& der) {
  return "-----BEGIN OCSP RESPONSE-----\n" + encode_base64(der) + "\n-----END OCSP RESPONSE-----\n";
}

base::Result<KeyPair> read(const Case& c, const std::string& staple) {
  return KeyPair::read(secret("a/tls", "kubernetes.io/tls",
                              {{"tls.crt", c.leaf}, {"tls.key", key_pem(c.key)}, {"tls.ocsp-staple", staple}}));
}

TEST(Ocsp, IsTakenAsDerAndAsPem) {
  const Case c;
  const auto bare =
      KeyPair::read(secret("a/tls", "kubernetes.io/tls", {{"tls.crt", c.leaf}, {"tls.key", key_pem(c.key)}}));
  for (const auto& text : {c.der, pem_of(c.der)}) {
    const auto pair = read(c, text);
    ASSERT_TRUE(pair) << pair.error();
    EXPECT_THAT(pair->staple_fault(), IsEmpty());
    EXPECT_EQ(pair->certificate()->ocsp, c.der);
    EXPECT_NE(pair->certificate()->fingerprint, bare->certificate()->fingerprint);
    EXPECT_EQ(pair->certificate()->fingerprint, fingerprint_of(*pair->certificate()));
  }
  EXPECT_THAT(bare->certificate()->ocsp, IsEmpty());
}

TEST(Ocsp, BadOnesAreLeftOut) {
  const Case c;
  const Case other;
  std::string cut = c.der;
  cut.resize(cut.size() - 10);
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "not an OCSP response"},
      {"hello", "not an OCSP response"},
      {cut, "not an OCSP response"},
      {c.der + "x", "not an OCSP response"},
      {c.leaf, "not an OCSP response"},
      {pem_of("hello"), "not an OCSP response"},
      {std::string((64U << 10U) + 1, 'x'), "longer than 64 KiB"},
      {ocsp_failure(), "tells of a failure"},
      {other.der, "not about the first certificate"},
  };
  for (const auto& [staple, reason] : cases) {
    const auto pair = read(c, staple);
    ASSERT_TRUE(pair) << pair.error();
    EXPECT_THAT(pair->staple_fault(), testing::AllOf(HasSubstr("has a tls.ocsp-staple that "), HasSubstr(reason)));
    EXPECT_THAT(pair->certificate()->ocsp, IsEmpty());
  }
  EXPECT_EQ(ERR_peek_error(), 0U) << "the thread's error queue is left as connections expect it";
}

TEST(Ocsp, TheIssuerOfTheChainCounts) {
  const Case c;
  const Case other;
  const auto leaf = x509_of(c.leaf);
  const auto issuer = x509_of(c.leaf);
  const auto wrong = x509_of(other.leaf);
  EXPECT_TRUE(read_ocsp_response(c.der, *leaf, issuer.get()));
  EXPECT_FALSE(read_ocsp_response(c.der, *leaf, wrong.get())) << "its key is another";
  EXPECT_TRUE(read_ocsp_response(c.der, *leaf, nullptr)) << "without a chain its name is all there is";
}

TEST(Ocsp, TypesOfKeys) {
  const TestKey rsa = rsa_key(2048);
  EXPECT_EQ(read(Case(), "")->key_type(), "EC");
  EXPECT_EQ(
      KeyPair::read(secret("a/t", "Opaque", {{"tls.crt", certificate_pem(rsa, "DNS:a")}, {"tls.key", key_pem(rsa)}}))
          ->key_type(),
      "RSA");
}

}  // namespace
}  // namespace adit::routing
