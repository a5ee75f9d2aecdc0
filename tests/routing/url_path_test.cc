#include "routing/url_path.h"

namespace adit::routing {
namespace {

std::string of_request(std::string_view path) {
  PathRoom room;
  const auto canonical = request_path(path, room);
  return canonical ? std::string(*canonical) : "refused";
}

std::string of_rule(std::string_view path) {
  const auto canonical = rule_path(path);
  return canonical ? *canonical : "refused: " + canonical.error();
}

TEST(UrlPath, OfRequests) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/", "/"},
      {"*", "/"},
      {"/a/b", "/a/b"},
      {"/a/b/", "/a/b/"},
      {"/a?x=/../%zz", "/a"},
      {"/?", "/"},
      {"//", "/"},
      {"//a///b", "/a/b"},
      {"/a//", "/a/"},
      {"/./a", "/a"},
      {"/a/.", "/a/"},
      {"/a/..", "/"},
      {"/a/b/..", "/a/"},
      {"/a/b/../c", "/a/c"},
      {"/a/../b/./c/", "/b/c/"},
      {"/.well-known/acme", "/.well-known/acme"},
      {"/..a/...", "/..a/..."},
      {"/%61%2d%2E%5f%7E", "/a-._~"},
      {"/a/%2e%2E/b", "/b"},
      {"/%2fa%2F", "/%2Fa%2F"},
      {"/%25%32%35", "/%2525"},
      {"/%c3%bc", "/%C3%BC"},
      {"/%2e", "/"},
      {"/a/%2e%2e", "/"},
      // What two parsers could read in two ways, or nobody can.
      {"", "refused"},
      {"a", "refused"},
      {"?", "refused"},
      {"/..", "refused"},
      {"/../a", "refused"},
      {"/a/../../b", "refused"},
      {"/%2e%2e/a", "refused"},
      {"/a//../b", "refused"},
      {"//a/../b", "refused"},
      {"/%", "refused"},
      {"/%4", "refused"},
      {"/%4/1", "refused"},
      {"/%zz", "refused"},
      {"/%-1", "refused"},
      // Dot segments for whoever decodes slashes, takes a backslash for one, or cuts off parameters.
      {"/..%2fadmin", "refused"},
      {"/%2e%2e%2Fadmin", "refused"},
      {"/a%2f..%2fb", "refused"},
      {"/a%2F..", "refused"},
      {"/a%2F.", "refused"},
      {"/.%2fa", "refused"},
      {"/%2e%2e%5c", "refused"},
      {"/a%5C%2e%2e", "refused"},
      {"/..\\admin", "refused"},
      {"/a\\..\\b", "refused"},
      {"/a\\.", "refused"},
      {"/a/..;/b", "refused"},
      {"/a/.;x=1/b", "refused"},
      {"/a%2F..;x", "refused"},
      {"/..a%2fb..%5C.c", "/..a%2Fb..%5C.c"},
      {"/a%2f%2fb%5c", "/a%2F%2Fb%5C"},
      {"/a\\b", "/a\\b"},
      {"/a;x=..", "/a;x=.."},
  };
  for (const auto& [path, expected] : cases) EXPECT_EQ(of_request(path), expected) << path;
}

TEST(UrlPath, Literally) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/a/../b", "/a/../b"}, {"/%61/%2e%2e//b", "/a/../b"}, {"/./a", "/./a"}, {"/a/.", "/a/."}, {"/a//", "/a/"},
      {"/%2Fa", "/%2Fa"},     {"/a/..?x=/../y", "/a/.."},
  };
  PathRoom room;
  for (const auto& [path, expected] : cases) EXPECT_EQ(literal_path(path, room), expected) << path;
}

TEST(UrlPath, ManyEncodedSlashes) {
  std::string path = "/";
  while (path.size() + 3 <= kLongestRequestPath) path += "%2f";
  EXPECT_EQ(of_request(path).size(), path.size());
}

TEST(UrlPath, LongestRequest) {
  const std::string longest = "/" + std::string(kLongestRequestPath - 1, 'a');
  EXPECT_EQ(of_request(longest), longest);
  EXPECT_EQ(of_request(longest + "a"), "refused");
  const std::string slashes(kLongestRequestPath, '/');
  EXPECT_EQ(of_request(slashes), "/");
}

TEST(UrlPath, OfRules) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"/", "/"},
      {"/api", "/api"},
      {"/api/", "/api"},
      {"/api//v1", "/api/v1"},
      {"/api/../v1/", "/v1"},
      {"/a/..", "/"},
      {"/%61pi", "/api"},
      {"/a%2fb", "/a%2Fb"},
      {"/a;v=1,2:@!$&'()*+=", "/a;v=1,2:@!$&'()*+="},
  };
  for (const auto& [path, expected] : cases) EXPECT_EQ(of_rule(path), expected) << path;
}

TEST(UrlPath, RefusedRules) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "must begin with"},   {"api", "must begin with"},
      {"*", "must begin with"},  {"/a?b", "query"},
      {"/a#b", "query"},         {"/a b", "\" \" percent"},
      {"/ü", "percent-encoded"}, {"/a\\b", "percent-encoded"},
      {"/%zz", "encoding"},      {"/../a", "above"},
      {"/a//../b", "above"},     {"/" + std::string(1024, 'a'), "1024"},
      {"/a\"b", "percent-enc"},  {"/a{b}", "percent-enc"},
  };
  for (const auto& [path, reason] : cases) {
    EXPECT_THAT(of_rule(path), testing::AllOf(testing::StartsWith("refused: "), testing::HasSubstr(reason))) << path;
  }
}

TEST(UrlPath, OrderKeepsPrefixesTogether) {
  const std::string_view in_order[] = {"/", "/a", "/a/b", "/a/b/c", "/a/c", "/a!", "/a-b", "/a-b/c", "/ab", "/b"};
  for (std::size_t i = 0; i < std::size(in_order); ++i) {
    for (std::size_t j = 0; j < std::size(in_order); ++j) {
      const int order = compare_paths(in_order[i], in_order[j]);
      EXPECT_EQ(order < 0, i < j) << in_order[i] << " " << in_order[j];
      EXPECT_EQ(order == 0, i == j) << in_order[i] << " " << in_order[j];
    }
  }
}

TEST(UrlPath, PrefixesOnWholeSegments) {
  EXPECT_TRUE(is_path_prefix("/", "/anything"));
  EXPECT_TRUE(is_path_prefix("/api", "/api"));
  EXPECT_TRUE(is_path_prefix("/api", "/api/"));
  EXPECT_TRUE(is_path_prefix("/api", "/api/v1"));
  EXPECT_FALSE(is_path_prefix("/api", "/apis"));
  EXPECT_FALSE(is_path_prefix("/api/v1", "/api"));
}

}  // namespace
}  // namespace adit::routing
