#include "routing/digest.h"

#include "routing/uuid.h"

namespace adit::routing {
namespace {

TEST(Digest, KnownAnswer) {  // FIPS 180-2, appendix B.1
  EXPECT_EQ(hex(sha256({"abc"})), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, PartsAreKeptApart) {
  EXPECT_NE(sha256({"ab", "c"}), sha256({"a", "bc"}));
  EXPECT_NE(sha256({"abc", ""}), sha256({"abc"}));
}

TEST(Base64, Decodes) {  // RFC 4648 §10
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"Zg==", "f"},
      {"Zm8=", "fo"},
      {"Zm9v", "foo"},
      {"Zm9vYg==", "foob"},
      {"Zm9v\nYmFy\r\n", "foobar"},
      {"+/+/", "\xfb\xff\xbf"},
  };
  for (const auto& [text, bytes] : cases) EXPECT_EQ(decode_base64(text), bytes) << text;
}

TEST(Base64, Refuses) {
  for (const auto* text :
       {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zg==Zg==", "Zm9v=", "Zm 9v", "Zm-_", "Z=g="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

TEST(Uuid, DefaultTunnelId) {  // computed with Python's uuid.uuid5
  EXPECT_EQ(default_tunnel_id("default/shop"), "702bb440-eb90-5bb1-b930-5532dd3abae0");
  EXPECT_EQ(default_tunnel_id("team-a/shop"), "2878974b-c0fc-5419-b3f7-66dc26a2c694");
}

TEST(Uuid, Canonical) {
  EXPECT_EQ(canonical_uuid("4D21094E-b74c-4916-86c1-d9fa36ea677b"), "4d21094e-b74c-4916-86c1-d9fa36ea677b");
  for (const auto* text : {"", "4d21094eb74c491686c1d9fa36ea677b", "4d21094e-b74c-4916-86c1-d9fa36ea677",
                           "4d21094e-b74c-4916-86c1-d9fa36ea677g", "4d21094e-b74c-4916-86c1d-9fa36ea677b",
                           "00000000-0000-0000-0000-000000000000"}) {
    EXPECT_EQ(canonical_uuid(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace adit::routing
