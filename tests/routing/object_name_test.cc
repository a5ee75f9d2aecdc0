#include "routing/object_name.h"

#include <string>

namespace adit::routing {
namespace {

TEST(ObjectName, Syntaxes) {
  EXPECT_TRUE(is_dns_label("team-a"));
  EXPECT_FALSE(is_dns_label("team.a"));
  EXPECT_FALSE(is_dns_label(std::string(64, 'a')));
  EXPECT_TRUE(is_dns_subdomain("a.b-c.d"));
  EXPECT_TRUE(is_dns_subdomain(std::string(253, 'a'))) << "as Kubernetes has it";
  EXPECT_FALSE(is_dns_subdomain(std::string(254, 'a')));
  for (const auto* text : {"", ".", "a.", ".a", "A", "a_b", "-a", "a-"}) EXPECT_FALSE(is_dns_subdomain(text)) << text;
  EXPECT_TRUE(is_service_name("api:8080"));
  for (const auto* text : {"", ":a", "a b", "a/b", "-a"}) EXPECT_FALSE(is_service_name(text)) << text;
  EXPECT_TRUE(is_secret_key("tls.crt"));
  EXPECT_FALSE(is_secret_key("a/b"));
}

}  // namespace
}  // namespace adit::routing
