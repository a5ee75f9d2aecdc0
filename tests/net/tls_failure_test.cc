#include "net/tls_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "net/tls_context.h"
#include "tests/net/certificates.h"

namespace adit::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Authority& authority() {
  static const Authority made;
  return made;
}

SslPtr client(const std::string& name, const std::string& ca_pem) {
  Trust trust;
  trust.ca_pem = ca_pem;
  trust.link = true;
  return new_client(*make_client_context(trust), name);
}

SslPtr server(const std::string& names, int days = 1) {
  const auto issued = authority().issue(names, days);
  return new_server(*make_server_context(TlsUse::public_edge, issued.chain_pem, issued.key_pem));
}

void hand_over(TlsEngine& from, TlsEngine& to) {
  to.cipher_in().append(from.cipher_out().view());
  from.cipher_out().clear();
}

/// The client's end of a handshake with that server.
std::unique_ptr<TlsEngine> after_handshake(SslPtr client_ssl, SslPtr server_ssl) {
  auto client_end = std::make_unique<TlsEngine>(std::move(client_ssl));
  TlsEngine server_end(std::move(server_ssl));
  for (int flight = 0; flight < 4; ++flight) {
    if (client_end->handshake() != TlsEngine::Status::want_input) break;
    hand_over(*client_end, server_end);
    (void)server_end.handshake();
    hand_over(server_end, *client_end);
  }
  return client_end;
}

TEST(TlsFailure, TellsTheCheckThatACertificateFailed) {
  const std::string other = Authority().pem();
  const struct {
    const char* names;
    int days;
    const char* dialled;
    bool trusted;
    std::vector<int> codes;
  } cases[] = {
      {"DNS:elsewhere.test,IP:192.0.2.1", 1, "localhost", true, {X509_V_ERR_HOSTNAME_MISMATCH}},
      {"DNS:localhost", 1, "127.0.0.1", true, {X509_V_ERR_IP_ADDRESS_MISMATCH}},
      {"DNS:localhost", -1, "localhost", true, {X509_V_ERR_CERT_HAS_EXPIRED}},
      {"DNS:localhost",
       1,
       "localhost",
       false,
       {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_CERT_SIGNATURE_FAILURE}},
  };
  for (const auto& one : cases) {
    const auto end =
        after_handshake(client(one.dialled, one.trusted ? authority().pem() : other), server(one.names, one.days));
    ASSERT_NE(end->failure(), nullptr) << one.names;
    const auto& failure = *end->failure();
    EXPECT_EQ(failure.kind, TlsFailure::Kind::certificate);
    EXPECT_THAT(one.codes, testing::Contains(failure.code)) << one.names;
    EXPECT_EQ(failure.depth, 0);
    ASSERT_TRUE(failure.certificate);
    EXPECT_EQ(failure.certificate->issuer, "CN=Adit test authority");
    EXPECT_LT(failure.certificate->not_before, failure.certificate->not_after);
    EXPECT_EQ(end->error(), refusal_text(failure));
  }
}

TEST(TlsFailure, TellsTheNamesOfTheCertificate) {
  const auto end = after_handshake(client("localhost", authority().pem()),
                                   server("DNS:a.test,DNS:*.b.test,IP:192.0.2.1,IP:2001:db8::1"));
  ASSERT_NE(end->failure(), nullptr);
  EXPECT_THAT(end->failure()->certificate->names, ElementsAre("a.test", "*.b.test", "192.0.2.1", "2001:db8::1"));
  EXPECT_THAT(end->error(), HasSubstr("certificate refused: hostname mismatch; it is for a.test, *.b.test, 192.0.2.1, "
                                      "2001:db8::1, issued by CN=Adit test authority, valid from 20"));
}

TEST(TlsFailure, ThereIsNoneOfWhatSucceeds) {
  const auto end = after_handshake(client("localhost", authority().pem()), server("DNS:localhost"));
  EXPECT_EQ(end->failure(), nullptr);
  EXPECT_EQ(end->error(), "");
}

TEST(TlsFailure, TellsVersionsThatDoNotMeet) {
  auto old = server("DNS:localhost");
  SSL_set_max_proto_version(old.get(), TLS1_2_VERSION);
  const auto end = after_handshake(client("localhost", authority().pem()), std::move(old));
  ASSERT_NE(end->failure(), nullptr);
  EXPECT_EQ(end->failure()->kind, TlsFailure::Kind::version);
}

TEST(TlsFailure, TellsAlerts) {
  const struct {
    int description;
    TlsFailure::Kind kind;
  } cases[] = {
      {SSL_AD_UNRECOGNIZED_NAME, TlsFailure::Kind::alert},
      {SSL_AD_HANDSHAKE_FAILURE, TlsFailure::Kind::alert},
      {SSL_AD_PROTOCOL_VERSION, TlsFailure::Kind::version},
  };
  for (const auto& one : cases) {
    TlsEngine end(client("localhost", authority().pem()));
    (void)end.handshake();
    const std::string alert{'\x15', '\x03', '\x03', 0, 2, 2, static_cast<char>(one.description)};
    end.cipher_in().append(std::string_view(alert));
    EXPECT_EQ(end.handshake(), TlsEngine::Status::failed);
    ASSERT_NE(end.failure(), nullptr);
    EXPECT_EQ(end.failure()->kind, one.kind) << one.description;
    EXPECT_EQ(end.failure()->code, one.kind == TlsFailure::Kind::alert ? one.description : 0);
  }
}

TEST(TlsFailure, TellsWhatIsNoTls) {
  for (const char* answer : {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n"}) {
    TlsEngine end(client("localhost", authority().pem()));
    (void)end.handshake();
    end.cipher_in().append(std::string_view(answer));
    EXPECT_EQ(end.handshake(), TlsEngine::Status::failed);
    ASSERT_NE(end.failure(), nullptr);
    EXPECT_EQ(end.failure()->kind, TlsFailure::Kind::not_tls) << answer;
  }
}

TEST(CertificateFacts, AreBoundedInText) {
  CertificateFacts facts;
  EXPECT_THAT(facts.names, IsEmpty());
  EXPECT_EQ(names_text(facts), "no name");
  for (int i = 0; i < 9; ++i) facts.names.push_back("n" + std::to_string(i));
  EXPECT_EQ(names_text(facts), "n0, n1, n2, n3, n4, n5 and 3 more");
}

}  // namespace
}  // namespace adit::net::test
