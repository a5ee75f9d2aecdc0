// What visitors' handshakes get: key types, staples, versions, ciphers, and ClientHellos of all sizes and cuts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ocsp.h>

#include "tests/net/tls_pair.h"

namespace adit::net::test {
namespace {

using Status = TlsEngine::Status;
using testing::HasSubstr;

const OwnedPair& ec_pair() {
  static const OwnedPair pair("team/ec", routing::ec_key());
  return pair;
}
const OwnedPair& rsa_pair() {
  static const OwnedPair pair("team/rsa", routing::rsa_key(2048));
  return pair;
}

ServerContext serve(const std::vector<KeyPair>& pairs, const TlsPolicy& policy = {}) {
  return make_server_context(ServerTls{TlsUse::public_edge, policy, nullptr}, pairs, "identity");
}

/// A response about the certificate of `pair`, signed by its key; nextUpdate in `seconds`.
std::string ocsp_for(const OwnedPair& pair, long seconds, int serial = 1) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> chain(BIO_new_mem_buf(pair.chain_pem.data(), -1), BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> key_bio(BIO_new_mem_buf(pair.key_pem.data(), -1), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr),
                                                         X509_free);
  const routing::TestKey key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<ASN1_INTEGER, decltype(&ASN1_INTEGER_free)> number(ASN1_INTEGER_new(), ASN1_INTEGER_free);
  ASN1_INTEGER_set(number.get(), serial);
  OCSP_CERTID* id = OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(leaf.get()), X509_get0_pubkey_bitstr(leaf.get()),
                                     number.get());
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> from(X509_gmtime_adj(nullptr, -60), ASN1_TIME_free);
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> next(X509_gmtime_adj(nullptr, seconds), ASN1_TIME_free);
  OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
  OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, from.get(), next.get());
  OCSP_basic_sign(basic, leaf.get(), key.get(), EVP_sha256(), nullptr, 0);
  OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  OCSP_RESPONSE_free(response);
  OCSP_BASICRESP_free(basic);
  OCSP_CERTID_free(id);
  return text;
}

std::string staple_of(SSL* client) {
  const unsigned char* bytes = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(client, &bytes);
  return size <= 0 ? "" : std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

struct Choice {
  const char* what;
  int version;
  const char* signatures;  ///< of the client
  const char* ciphers;     ///< of the client, for TLS 1.2; nullptr: its default
  int type;
};

TEST(TlsServer, SignatureAlgorithmsOfTheClientChooseTheKey) {
  const auto made = serve({rsa_pair().view(), ec_pair().view()});
  ASSERT_TRUE(made.context);
  EXPECT_TRUE(made.problems.empty());
  for (const auto& c : {
           Choice{"1.3, both", TLS1_3_VERSION, "ECDSA+SHA256:RSA-PSS+SHA256", nullptr, EVP_PKEY_EC},
           Choice{"1.3, EC only", TLS1_3_VERSION, "ECDSA+SHA256", nullptr, EVP_PKEY_EC},
           Choice{"1.3, RSA only", TLS1_3_VERSION, "RSA-PSS+SHA256", nullptr, EVP_PKEY_RSA},
           Choice{"1.2, both", TLS1_2_VERSION, "RSA-PSS+SHA256:ECDSA+SHA256", nullptr, EVP_PKEY_EC},
           Choice{"1.2, RSA signatures", TLS1_2_VERSION, "RSA+SHA256", nullptr, EVP_PKEY_RSA},
           Choice{"1.2, RSA cipher", TLS1_2_VERSION, "ECDSA+SHA256:RSA+SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
                  EVP_PKEY_RSA},
       }) {
    TlsPair pair(made.context, "localhost", c.version);
    SSL_set1_sigalgs_list(pair.client->ssl(), c.signatures);
    if (c.ciphers != nullptr) SSL_set_cipher_list(pair.client->ssl(), c.ciphers);
    pair.exchange();
    EXPECT_TRUE(pair.established()) << c.what << ": " << pair.server->error();
    EXPECT_EQ(pair.key_type(), c.type) << c.what;
  }
}

TEST(TlsServer, EachKeyHasItsOwnChain) {
  OwnedPair ec("team/ec", routing::ec_key());
  ec.chain_pem += rsa_pair().chain_pem;  // in the place of an issuer
  const auto made = serve({rsa_pair().view(), ec.view()});
  for (const auto& [signatures, size] : {std::pair("RSA-PSS+SHA256", 1), std::pair("ECDSA+SHA256", 2)}) {
    TlsPair pair(made.context, "localhost");
    SSL_set1_sigalgs_list(pair.client->ssl(), signatures);
    pair.exchange();
    EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(pair.client->ssl())), size) << signatures;
  }
}

TEST(TlsServer, PairThatCannotBeUsedIsNamedAndTheOthersServe) {
  OwnedPair mismatched("team/mismatched", routing::ec_key());
  mismatched.key_pem = routing::key_pem(routing::ec_key());
  OwnedPair weak("team/weak", routing::rsa_key(1024));
  OwnedPair nonsense("team/nonsense", routing::ec_key());
  nonsense.chain_pem = "nonsense";
  const OwnedPair second("team/second", routing::rsa_key(2048));
  const auto made = serve({mismatched.view(), weak.view(), nonsense.view(), rsa_pair().view(), second.view()});
  ASSERT_TRUE(made.context);
  ASSERT_EQ(made.problems.size(), 4U);
  const std::pair<const char*, const char*> expected[] = {{"team/mismatched", "key values mismatch"},
                                                          {"team/weak", "ee key too small"},
                                                          {"team/nonsense", "no start line"},
                                                          {"team/second", "same type, rsaEncryption"}};
  for (std::size_t i = 0; i < made.problems.size(); ++i) {
    EXPECT_EQ(made.problems[i].name, expected[i].first);
    EXPECT_THAT(made.problems[i].reason, HasSubstr(expected[i].second));
  }
  TlsPair pair(made.context, "localhost");
  pair.exchange();
  EXPECT_TRUE(pair.established());
  EXPECT_FALSE(serve({nonsense.view()}).context);
}

TEST(TlsServer, StapleIsThatOfTheCertificateThatWasChosen) {
  auto ec = ec_pair();
  auto rsa = rsa_pair();
  ec.ocsp = ocsp_for(ec, 3600);
  rsa.ocsp = ocsp_for(rsa, 3600);
  const auto made = serve({ec.view(), rsa.view()});
  EXPECT_TRUE(made.problems.empty());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto& [signatures, staple] :
         {std::pair("RSA-PSS+SHA256", rsa.ocsp), std::pair("ECDSA+SHA256", ec.ocsp)}) {
      TlsPair pair(made.context, "localhost", version);
      SSL_set1_sigalgs_list(pair.client->ssl(), signatures);
      SSL_set_tlsext_status_type(pair.client->ssl(), TLSEXT_STATUSTYPE_ocsp);
      pair.exchange();
      EXPECT_TRUE(staple_of(pair.client->ssl()) == staple) << signatures << " " << version;
    }
    TlsPair silent(made.context, "localhost", version);
    silent.exchange();
    EXPECT_EQ(staple_of(silent.client->ssl()), "") << "nobody asked";
  }
}

TEST(TlsServer, StaleStapleIsNotSentAndAWrongOneIsNamed) {
  const std::tuple<const char*, std::string, const char*> table[] = {
      {"stale", ocsp_for(ec_pair(), -1), ""},
      {"of another certificate", ocsp_for(ec_pair(), 3600, 7), "OCSP response: about another certificate"},
      {"no DER", "nonsense", "OCSP response: not DER of one"},
      {"more behind it", ocsp_for(ec_pair(), 3600) + "x", "OCSP response: not DER of one"},
      {"try later", std::string("\x30\x03\x0a\x01\x03", 5), "OCSP response: of a failure"},
  };
  for (const auto& [what, der, problem] : table) {
    auto ec = ec_pair();
    ec.ocsp = der;
    const auto made = serve({ec.view()});
    ASSERT_EQ(made.problems.size(), *problem == '\0' ? 0U : 1U) << what;
    if (!made.problems.empty()) {
      EXPECT_EQ(made.problems[0].reason, problem) << what;
    }
    TlsPair pair(made.context, "localhost");
    SSL_set_tlsext_status_type(pair.client->ssl(), TLSEXT_STATUSTYPE_ocsp);
    pair.exchange();
    EXPECT_TRUE(pair.established()) << what;
    EXPECT_EQ(staple_of(pair.client->ssl()), "") << what;
  }
}

TEST(TlsServer, PolicyLimitsVersionsAndCiphers) {
  struct Case {
    const char* what;
    TlsPolicy policy;
    int version;
    const char* cipher;  ///< agreed on; nullptr: none
  };
  const auto one_cipher = TlsPolicy{"", "ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_CHACHA20_POLY1305_SHA256"};
  for (const auto& c :
       {Case{"default 1.3", {}, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
        Case{"default 1.2", {}, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
        Case{"default 1.1", {}, TLS1_1_VERSION, nullptr}, Case{"1.3 only", TlsPolicy{"1.3"}, TLS1_2_VERSION, nullptr},
        Case{"1.3 only", TlsPolicy{"1.3"}, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
        Case{"ciphers set", one_cipher, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"},
        Case{"suites set", one_cipher, TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"}}) {
    const auto made = serve({ec_pair().view()}, c.policy);
    TlsPair pair(made.context, "localhost", c.version);
    SSL_set_min_proto_version(pair.client->ssl(), TLS1_VERSION);
    SSL_set_security_level(pair.client->ssl(), 0);
    if (c.version < TLS1_2_VERSION) SSL_set_cipher_list(pair.client->ssl(), "ALL:@SECLEVEL=0");
    pair.exchange();
    EXPECT_EQ(pair.established(), c.cipher != nullptr) << c.what;
    if (pair.established()) {
      EXPECT_STREQ(SSL_get_cipher(pair.client->ssl()), c.cipher) << c.what;
    }
  }
}

TEST(TlsPolicyCheck, NamesWhatIsNotKnown) {
  const std::pair<const char*, const char*> ciphers[] = {
      {"", ""},
      {"ECDHE-RSA-AES128-GCM-SHA256", ""},
      {"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256", ""},
      {"ECDHE+AESGCM:!aNULL:@STRENGTH", ""},
      {"ECDHE-RSA-AES128-GCM-SHA265", "OpenSSL knows no \"ECDHE-RSA-AES128-GCM-SHA265\""},
      {"ECDHE-RSA-AES128-GCM-SHA256:TYPO", "OpenSSL knows no \"TYPO\""},
      {"ECDHE-RSA-AES128-GCM-SHA256::HIGH", "OpenSSL knows no \"\""},
      {"TLS_AES_128_GCM_SHA256", "OpenSSL knows no \"TLS_AES_128_GCM_SHA256\""},
      {"!aNULL", "leaves no cipher of TLS 1.2"},
  };
  for (const auto& [list, why] : ciphers) {
    const auto checked = check_ciphers(list);
    EXPECT_EQ(checked ? "" : checked.error(), why) << list;
  }
  const std::pair<const char*, const char*> suites[] = {
      {"", ""},
      {"TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", ""},
      {"TLS_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256",
       "OpenSSL knows no \"TLS_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256\""},
      {"ECDHE-RSA-AES128-GCM-SHA256", "OpenSSL knows no \"ECDHE-RSA-AES128-GCM-SHA256\""},
  };
  for (const auto& [list, why] : suites) {
    const auto checked = check_cipher_suites(list);
    EXPECT_EQ(checked ? "" : checked.error(), why) << list;
  }
}

/// The same handshake bytes in records of at most `most`.
std::string cut_records(std::string_view records, std::size_t most) {
  std::string payload;
  while (!records.empty()) {
    const auto size =
        static_cast<std::size_t>(static_cast<unsigned char>(records[3]) << 8U | static_cast<unsigned char>(records[4]));
    payload.append(records.substr(5, size));
    records.remove_prefix(5 + size);
  }
  std::string cut;
  for (std::size_t at = 0; at < payload.size(); at += most) {
    const auto piece = std::string_view(payload).substr(at, most);
    cut += {0x16, 0x03, 0x01, static_cast<char>(piece.size() >> 8U), static_cast<char>(piece.size() & 0xFFU)};
    cut += piece;
  }
  return cut;
}

TEST(TlsHello, AnySizeUpTo16KiBInAnyRecordsAndSegments) {
  const auto made = serve({ec_pair().view()});
  for (const std::size_t padding : {0U, 1000U, 4000U, 15'000U, 15'900U}) {
    for (const std::size_t record : {7U, 200U, 1000U, 16'384U}) {
      if (padding / record > 60) continue;  // more heads of records than handshake: not of a real client
      for (const std::size_t segment : {1U, 1400U, 100'000U}) {
        TlsPair pair(made.context, "localhost", TLS1_3_VERSION, padding);
        ASSERT_EQ(pair.client->handshake(), Status::want_input);
        auto hello = cut_records(pair.client->cipher_out().view(), record);
        pair.client->cipher_out().clear();
        for (std::string_view rest = hello; !rest.empty(); rest.remove_prefix(std::min(segment, rest.size()))) {
          ASSERT_EQ(pair.server->handshake(), Status::want_input) << pair.server->error();
          pair.server->cipher_in().append(rest.substr(0, segment));
        }
        pair.exchange();
        EXPECT_TRUE(pair.established()) << padding << " " << record << " " << segment << pair.server->error();
      }
    }
  }
}

TEST(TlsHello, SecondOneAfterARetryMayBeAsLarge) {
  const auto made = serve({ec_pair().view()});
  TlsPair pair(made.context, "localhost", TLS1_3_VERSION, 15'900);
  SSL_set1_groups_list(pair.client->ssl(), "P-521:P-384");  // its share is for a group that the server does not take
  pair.exchange();
  EXPECT_TRUE(pair.established()) << pair.server->error();
  EXPECT_EQ(SSL_get_negotiated_group(pair.client->ssl()), NID_secp384r1);
}

TEST(TlsHello, LargerIsRefusedWithAnAlert) {
  const auto made = serve({ec_pair().view()});
  TlsPair pair(made.context, "localhost", TLS1_3_VERSION, 60'000);
  pair.exchange();
  EXPECT_EQ(pair.server_status, Status::failed);
  EXPECT_EQ(pair.server->error(), "the handshake is larger than 40 KiB");
  EXPECT_THAT(pair.client->error(), HasSubstr("decode error"));
}

}  // namespace
}  // namespace adit::net::test
