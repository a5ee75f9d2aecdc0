// Filters, limits and the like as messages, and what a gateway refuses of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/filters_json.h"
#include "control/replica.h"
#include "routing/certificates.h"
#include "tests/control/tunnels.h"
#include "tests/routing/test_ocsp.h"

namespace adit::control::test {
namespace {

using routing::Filters;
using routing::HeaderChange;
using routing::PathChange;
using routing::Redirect;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kHash = "$2y$10$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234";

std::vector<base::IpNetwork> networks(const std::vector<std::string>& texts) {
  std::vector<base::IpNetwork> all;
  for (const auto& text : texts) all.push_back(*base::IpNetwork::parse(text));
  return all;
}

Redirect full_redirect() {
  return {.scheme = "https",
          .hostname = "www.example.com",
          .port = 65'535,
          .path = PathChange{PathChange::Kind::full, "/new/"},
          .status = 308};
}

/// One for each field, and one with as many as can be together.
std::vector<Filters> examples() {
  std::vector<Filters> all(11);
  all[1].allowed = networks({"10.0.0.0/8", "2001:db8::/32", "192.0.2.7", "0.0.0.0/0", "::/0"});
  all[2].basic_auth = routing::BasicAuth{"Staff only", {{"ann", kHash}, {"bób", kHash}}};
  all[3].basic_auth = routing::BasicAuth{"Restricted", {}};
  all[4].most_body = 0;
  all[5].redirect = Redirect{};
  all[5].redirect->scheme = "http";
  all[6].redirect = full_redirect();
  all[7].path = PathChange{PathChange::Kind::prefix, "/v2"};
  all[8].host = "localhost";
  all[9].request_headers = {{HeaderChange::Kind::set, "X-A", "b \"c\" \\ ü"},
                            {HeaderChange::Kind::add, "X-A", "d"},
                            {HeaderChange::Kind::remove, "Cookie", ""}};
  all[10] = all[9];
  all[10].response_headers = {{HeaderChange::Kind::remove, "Server", ""}};
  all[10].allowed = all[1].allowed;
  all[10].basic_auth = all[2].basic_auth;
  all[10].most_body = 999'999ULL << 40U;
  all[10].path = PathChange{PathChange::Kind::full, "/x/"};
  all[10].host = "a.example";
  return all;
}

TunnelMessage message_with(routing::Tunnel tunnel, const Filters* filters) {
  TunnelMessage message;
  message.version = {1, 1};
  tunnel.id = id_of("shop");
  tunnel.name = "team/shop";
  message.tunnel = std::make_shared<const routing::Tunnel>(std::move(tunnel));
  message.rules = {{"a.example", "/", "default", false}};
  if (filters != nullptr) message.rules[0].filters = std::make_shared<const Filters>(*filters);
  return message;
}

TEST(FilterMessages, AreReadAsTheyWereWritten) {
  for (const auto& filters : examples()) {
    EXPECT_THAT(wrong_filters(filters), IsEmpty());
    const auto text = write(OperatorMessage(message_with({}, &filters)));
    const auto read = read_as<TunnelMessage>(text);
    EXPECT_THAT(read.fault, IsEmpty()) << text;
    ASSERT_NE(read.rules.at(0).filters, nullptr) << text;
    EXPECT_EQ(*read.rules[0].filters, filters) << text;
  }
  EXPECT_EQ(read_as<TunnelMessage>(write(OperatorMessage(message_with({}, nullptr)))).rules[0].filters, nullptr);
}

TEST(FilterMessages, FieldsOfTheTunnelAreReadAsTheyWereWritten) {
  const auto again = [](const routing::Tunnel& tunnel) {
    return read_as<TunnelMessage>(write(OperatorMessage(message_with(tunnel, nullptr)))).tunnel;
  };
  routing::Tunnel tunnel;
  EXPECT_EQ(again(tunnel)->limits, routing::TunnelLimits{});
  EXPECT_FALSE(again(tunnel)->redirect_to_https);
  EXPECT_THAT(again(tunnel)->offline_page, IsEmpty());
  tunnel.redirect_to_https = true;
  tunnel.offline_page = "<!doctype html>\n<p>Bald zurück";
  EXPECT_TRUE(again(tunnel)->redirect_to_https);
  EXPECT_EQ(again(tunnel)->offline_page, tunnel.offline_page);
  for (const auto& limits : {routing::TunnelLimits{0, {}}, routing::TunnelLimits{{}, 0}, routing::TunnelLimits{7, 9}}) {
    tunnel.limits = limits;
    EXPECT_EQ(again(tunnel)->limits, limits);
  }
}

TEST(FilterMessages, AHostHasSeveralCertificates) {
  auto message = message_with({}, nullptr);
  message.certificates = {{"a.example", "f1"}, {"a.example", "f2"}, {"b.example", "f1"}};
  EXPECT_EQ(read_as<TunnelMessage>(write(OperatorMessage(message))).certificates, message.certificates);
}

TEST(FilterMessages, AnOcspResponseGoesWithItsCertificate) {
  auto certificate = std::make_shared<routing::Certificate>();
  certificate->ocsp = std::string("\0\xff\n", 3);
  const auto text = write(OperatorMessage(CertificateMessage{certificate}));
  EXPECT_EQ(read_as<CertificateMessage>(text).certificate->ocsp, certificate->ocsp);
  const auto wrong =
      read_operator_message(R"({"type":"certificate","fingerprint":"f","name":"n","chain":"c","key":"k","ocsp":"!"})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), "certificate: ocsp is not base64");
}

/// A tunnel message whose only rule has these filters, as JSON.
std::string with_filters(const std::string& filters, const std::string& tunnel = "") {
  return R"({"type":"tunnel","version":{"term":1,"counter":1},"id":")" + id_of("shop") +
         R"(","name":"team/shop","tokens":[],)" + tunnel +
         R"("rules":[{"host":"a.example","path":"/","service":"s","filters":)" + filters + R"(}],"certificates":{}})";
}

TEST(FilterMessages, WrongTypesEndTheSession) {
  const std::pair<std::string, std::string> cases[] = {
      {with_filters("[]"), "tunnel: rules[0]: filters is not an object"},
      {with_filters(R"({"allowed":"10.0.0.0/8"})"), "allowed is not an array"},
      {with_filters(R"({"mostBody":-1})"), "mostBody is not a whole number"},
      {with_filters(R"({"basicAuth":{"logins":[]}})"), "basicAuth: realm is missing"},
      {with_filters(R"({"basicAuth":{"realm":"a"}})"), "basicAuth: logins is missing"},
      {with_filters(R"({"redirect":{"scheme":"https"}})"), "redirect: status is missing"},
      {with_filters(R"({"path":{}})"), "path: prefix is missing"},
      {with_filters(R"({"requestHeaders":[{"change":"set","name":"a"}]})"), "requestHeaders[0]: value is missing"},
      {with_filters(R"({"responseHeaders":{}})"), "responseHeaders is not an array"},
      {with_filters("{}", R"("limits":{"connections":4294967296},)"), "tunnel: limits: connections is too large"},
      {with_filters("{}", R"("limits":3,)"), "tunnel: limits is not an object"},
      {with_filters("{}", R"("offlinePage":3,)"), "tunnel: offlinePage is not a text"},
      {with_filters("{}", R"("redirectToHttps":"yes",)"), "tunnel: redirectToHttps is not true or false"},
  };
  for (const auto& [text, why] : cases) {
    const auto read = read_operator_message(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error(), HasSubstr(why)) << text;
  }
}

/// What a gateway says to the tunnel; empty: it has taken it.
std::string refusal(const std::string& text) {
  Replica replica;
  replica.begin_session();
  EXPECT_TRUE(replica.take(text)) << text;
  EXPECT_TRUE(replica.take(write(OperatorMessage(SyncedMessage{{1, 1}}))));
  const auto answers = replica.apply().answers;
  return answers.size() < 2 ? "" : read_as<RefusedMessage>(answers[0]).reason;
}

TEST(FilterMessages, AGatewayTakesWhatAManifestCanSay) {
  for (const auto& filters : examples()) EXPECT_EQ(refusal(write(OperatorMessage(message_with({}, &filters)))), "");
}

TEST(FilterMessages, AGatewayRefusesTheTunnel) {
  const std::string many_headers = [] {
    std::string list;
    for (int i = 0; i < 49; ++i) list += std::string(i == 0 ? "" : ",") + R"({"change":"remove","name":"a"})";
    return list;
  }();
  const std::string login = R"({"user":"ann","hash":")" + kHash + "\"}";
  const std::pair<std::string, std::string> cases[] = {
      // Unknown, so that nothing is left out in silence
      {R"({"mirror":{}})", "filter \"mirror\" is not known to this version"},
      {R"({"basicAuth":{"realm":"a","logins":[],"groups":[]}})", "filter \"groups\" is not known"},
      {R"({"redirect":{"status":302,"query":"a"}})", "filter \"query\" is not known"},
      {R"({"path":{"full":"/a","prefix":"/b"}})", "filter \"prefix\" is not known"},
      {R"({"requestHeaders":[{"change":"append","name":"a","value":"b"}]})",
       "change \"append\" of headers is not known"},
      // Values
      {R"({"allowed":["intranet"]})", "network \"intranet\" is no network"},
      {R"({"allowed":["10.0.0.1/8"]})", "bits set behind"},
      {R"({"basicAuth":{"realm":"a\"","logins":[]}})", "a.example/ has realm must be of visible ASCII"},
      {R"({"basicAuth":{"realm":"a","logins":[{"user":"a:b","hash":"x"}]}})", "login \"a:b\" is no name of a user"},
      {R"({"basicAuth":{"realm":"a","logins":[{"user":"ann","hash":"x"}]}})", "login \"ann\" has no bcrypt hash"},
      {R"({"basicAuth":{"realm":"a","logins":[)" + login + "," + login + "]}}", "login \"ann\" is there twice"},
      {R"({"redirect":{"status":304}})", "redirect with status 304"},
      {R"({"redirect":{"status":99999999}})", "status that is too large"},
      {R"({"redirect":{"status":302,"port":65536}})", "port that is too large"},
      {R"({"redirect":{"status":302,"scheme":"ftp"}})", "redirect to the scheme \"ftp\""},
      {R"({"redirect":{"status":302,"hostname":"A"}})", "host \"A\" of a filter is not canonical"},
      {R"({"redirect":{"status":302,"path":{"full":"a"}}})", "replacement \"a\" is not canonical"},
      {R"({"redirect":{"status":302},"host":"a"})", "both a redirect and a rewrite"},
      {R"({"host":"*"})", "host \"*\" of a filter is not canonical"},
      {R"({"path":{"prefix":"/a/"}})", "replacement \"/a/\" is not canonical"},
      {R"({"path":{"full":"/a/../b"}})", "replacement \"/a/../b\" is not canonical"},
      {R"({"path":{"full":"/a\r\nb"}})", "is not canonical"},
      {R"({"requestHeaders":[{"change":"set","name":"Host","value":"b"}]})",
       "header \"Host\" is a field that the gateways"},
      {R"({"requestHeaders":[{"change":"remove","name":"a b"}]})", "header \"a b\" must be a field name"},
      {R"({"responseHeaders":[{"change":"add","name":"a","value":"b\r\nc: d"}]})",
       "the value of header a must be without"},
      {R"({"responseHeaders":[)" + many_headers + "]}", "more than 48 changes of headers"},
  };
  for (const auto& [filters, why] : cases) EXPECT_THAT(refusal(with_filters(filters)), HasSubstr(why)) << filters;
  const auto page = "\"offlinePage\":\"" + std::string((32U << 10U) + 1, 'a') + "\",";
  EXPECT_EQ(refusal(with_filters("{}", page)), "the offline page is longer than 32 KiB");
}

/// Two key pairs for one host, the first one with a staple.
class StapledPairs : public testing::Test {
 protected:
  static std::shared_ptr<const routing::Certificate> stapled() {
    const auto key = routing::ec_key();
    routing::Certificate made;
    made.name = "team/ec";
    made.chain_pem = routing::certificate_pem(key, "DNS:a.example");
    made.key_pem = routing::key_pem(key);
    made.ocsp = routing::ocsp_response(made.chain_pem, made.chain_pem, key);
    made.fingerprint = routing::fingerprint_of(made);
    return std::make_shared<const routing::Certificate>(std::move(made));
  }

  /// What the gateway says when it is given these; empty: it has taken them.
  std::string refusal(const std::vector<std::shared_ptr<const routing::Certificate>>& pairs) {
    replica_ = {};
    replica_.begin_session();
    auto message = message_with({}, nullptr);
    for (const auto& pair : pairs) {
      EXPECT_TRUE(replica_.take(write(OperatorMessage(CertificateMessage{pair}))));
      message.certificates.push_back({"a.example", pair->fingerprint});
    }
    EXPECT_TRUE(replica_.take(write(OperatorMessage(std::move(message)))));
    EXPECT_TRUE(replica_.take(write(OperatorMessage(SyncedMessage{{1, 1}}))));
    const auto answers = replica_.apply().answers;
    return answers.size() < 2 ? "" : read_as<RefusedMessage>(answers[0]).reason;
  }

  Replica replica_;
};

TEST_F(StapledPairs, AreTakenAndKeptInTheCopy) {
  const auto first = stapled();
  const auto second = certificate("DNS:a.example");
  ASSERT_EQ(refusal({first, second}), "");
  Replica copy;
  ASSERT_TRUE(copy.read_copy(replica_.write_copy()));
  for (const auto& set : {replica_.set(), copy.set()}) {
    ASSERT_EQ(set.at(0)->certificates.size(), 2U);
    EXPECT_EQ(set[0]->certificates[0].certificate->ocsp, first->ocsp);
    EXPECT_EQ(set[0]->certificates[0].certificate->fingerprint, first->fingerprint);
    EXPECT_EQ(set[0]->certificates[1].certificate->fingerprint, second->fingerprint);
  }
}

TEST_F(StapledPairs, AreRefused) {
  auto other = *stapled();
  other.ocsp = stapled()->ocsp;
  other.fingerprint = routing::fingerprint_of(other);
  EXPECT_THAT(refusal({std::make_shared<const routing::Certificate>(other)}),
              HasSubstr("tls.ocsp-staple that is not about"));
  auto without = *stapled();
  without.ocsp.clear();
  EXPECT_THAT(refusal({std::make_shared<const routing::Certificate>(without)}), HasSubstr("another fingerprint"));
  const auto twice = certificate("DNS:a.example");
  EXPECT_EQ(refusal({twice, twice}), "the same certificate twice for a.example");
  std::vector<std::shared_ptr<const routing::Certificate>> five;
  for (int i = 0; i < 5; ++i) five.push_back(certificate("DNS:a.example"));
  EXPECT_EQ(refusal(five), "more than 4 certificates for a.example");
}

}  // namespace
}  // namespace adit::control::test
