#include "connector/no_proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::connector::test {
namespace {

bool spared(std::string_view list, std::string_view host, std::uint16_t port = 443) {
  std::vector<std::string> problems;
  const auto exceptions = NoProxy::parse(list, problems);
  EXPECT_THAT(problems, testing::IsEmpty()) << list;
  return exceptions.match(host, port) != nullptr;
}

TEST(NoProxy, SparesHosts) {
  const struct {
    const char* list;
    const char* host;
    bool spared;
  } cases[] = {
      {"", "edge.test", false},
      {"*", "edge.test", true},
      {"*", "192.0.2.1", true},
      {"edge.test", "edge.test", true},
      {"EDGE.test", "edge.TEST", true},
      {"edge.test", "edge.test.", true},
      {"edge.test.", "edge.test", true},
      {"edge.test", "a.edge.test", true},
      {"edge.test", "notedge.test", false},
      {"edge.test", "edge.test.evil", false},
      {".edge.test", "a.edge.test", true},
      {".edge.test", "b.a.edge.test", true},
      {".edge.test", "edge.test", false},
      {"*.edge.test", "a.edge.test", true},
      {"*.edge.test", "edge.test", false},
      {"a.test, b.test", "b.test", true},
      {"a.test b.test", "b.test", true},
      {" a.test ,,", "a.test", true},
      {"edge.test:443", "edge.test", true},
      {"edge.test:8443", "edge.test", false},
      {".test:443", "edge.test", true},
      {"*", "::1", true},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.10", false},
      {"192.0.2.1:443", "192.0.2.1", true},
      {"192.0.2.1:80", "192.0.2.1", false},
      {"192.0.2.0/24", "192.0.2.77", true},
      {"192.0.2.0/24", "192.0.3.1", false},
      {"192.0.2.0/24", "edge.test", false},
      {"2001:db8::1", "2001:db8:0::1", true},
      {"[2001:db8::1]", "2001:db8::1", true},
      {"[2001:db8::1]:443", "2001:db8::1", true},
      {"[2001:db8::1]:444", "2001:db8::1", false},
      {"2001:db8::/32", "2001:db8::7", true},
      {"0.2.1", "192.0.2.1", false},
  };
  for (const auto& one : cases) EXPECT_EQ(spared(one.list, one.host), one.spared) << one.list << " " << one.host;
}

TEST(NoProxy, LeavesOutWhatItCantRead) {
  for (const char* wrong :
       {"10.1.2.3/8", "10.0.0.0/33", "edge.test:0", "edge.test:x", "a/b", "[::1", "ex ample/", "."}) {
    std::vector<std::string> problems;
    const auto exceptions = NoProxy::parse(std::string(wrong) + ",other.test", problems);
    EXPECT_FALSE(problems.empty()) << wrong;
    EXPECT_NE(exceptions.match("other.test", 443), nullptr) << wrong;
    EXPECT_EQ(exceptions.match("10.9.9.9", 443), nullptr) << wrong;
  }
}

TEST(NoProxy, TellsTheItem) {
  std::vector<std::string> problems;
  const auto exceptions = NoProxy::parse("a.test,.Cluster.local", problems);
  ASSERT_NE(exceptions.match("x.cluster.local", 1), nullptr);
  EXPECT_EQ(*exceptions.match("x.cluster.local", 1), ".Cluster.local");
}

TEST(Loopback, IsKnownByNameAndAddress) {
  for (const char* host : {"localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"localhost.test", "128.0.0.1", "::2", "edge.test", "notlocalhost"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace adit::connector::test
