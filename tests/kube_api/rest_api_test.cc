// Calls that are answered once.

#include <fstream>

#include <gmock/gmock.h>

#include "tests/kube_api/cluster.h"

namespace adit::kube::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class RestApiTest : public RealServer {};

Json data_of(const ApiResult<Json>& object) { return object ? (*object)["data"] : Json(object.error().text()); }

TEST_F(RestApiTest, CreatesGetsAndRemoves) {
  const auto made = api_->create(kConfigMaps, config_map("one", {{"key", "ümlaut \"quoted\"\n"}}));
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_FALSE(resource_version_of(*made).empty());
  EXPECT_EQ(data_of(api_->get(kConfigMaps, {space_, "one"}))["key"], "ümlaut \"quoted\"\n");

  const auto other = api_->remove(kConfigMaps, {space_, "one"}, "00000000-0000-0000-0000-000000000000");
  ASSERT_FALSE(other);
  EXPECT_TRUE(other.error().conflict()) << other.error().text();
  EXPECT_TRUE(api_->remove(kConfigMaps, {space_, "one"}, uid_of(*made)));

  const auto gone = api_->get(kConfigMaps, {space_, "one"});
  ASSERT_FALSE(gone);
  EXPECT_TRUE(gone.error().not_found());
  EXPECT_EQ(gone.error().text(), "get configmaps " + space_ + "/one: 404 NotFound: configmaps \"one\" not found");
  const auto again = api_->remove(kConfigMaps, {space_, "one"}, "");
  EXPECT_TRUE(!again && again.error().not_found());
}

TEST_F(RestApiTest, ANameIsTakenOnce) {
  created("taken");
  const auto second = api_->create(kConfigMaps, config_map("taken"));
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().conflict());
  EXPECT_EQ(second.error().reason, "AlreadyExists");
}

TEST_F(RestApiTest, NamesThatAreNoneAreNotSent) {
  // GET …/configmaps/ would be the list.
  for (const char* name : {"", ".", "..", "a/b", "a%2Fb"}) {
    const auto result = api_->get(kConfigMaps, {space_, name});
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().reason, "Invalid") << name;
  }
  const auto nowhere = api_->get(kConfigMaps, {"", "one"});
  EXPECT_TRUE(!nowhere && nowhere.error().reason == "Invalid");
}

TEST_F(RestApiTest, ListsInPages) {
  for (int i = 0; i < 7; ++i) created("item-" + std::to_string(i));
  const Selection selection{kConfigMaps, space_, "", "test=yes"};
  std::vector<std::size_t> sizes;
  std::vector<std::string> names;
  ListOptions options{.limit = 3};
  std::string version;
  do {
    const auto page = api_->list(selection, options);
    ASSERT_TRUE(page) << page.error().text();
    if (version.empty()) version = page->resource_version;
    EXPECT_EQ(page->resource_version, version);
    sizes.push_back(page->items.size());
    for (const auto& item : page->items) {
      names.push_back(name_of(item).name);
      EXPECT_EQ(text_at(item, {"kind"}), "ConfigMap");
      EXPECT_EQ(text_at(item, {"apiVersion"}), "v1");
    }
    options.more = page->more;
  } while (!options.more.empty());
  EXPECT_THAT(sizes, ElementsAre(3, 3, 1));
  EXPECT_THAT(names, ElementsAre("item-0", "item-1", "item-2", "item-3", "item-4", "item-5", "item-6"));
}

TEST_F(RestApiTest, SelectsByFieldAndLabel) {
  created("this");
  created("that");
  const auto page = api_->list({kConfigMaps, space_, "metadata.name=this", "test in (yes,no)"}, {});
  ASSERT_TRUE(page) << page.error().text();
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(name_of(page->items[0]).name, "this");
}

TEST_F(RestApiTest, MetadataOnlyLeavesTheDataOnTheServer) {
  created("large", {{"key", std::string(100'000, 'x')}});
  const auto page = api_->list({kConfigMaps, space_, "", "test=yes", true}, {});
  ASSERT_TRUE(page) << page.error().text();
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(name_of(page->items[0]).name, "large");
  EXPECT_FALSE(page->items[0].contains("data"));
}

TEST_F(RestApiTest, APageThatIsNoneIsRefused) {
  const auto page = api_->list({kConfigMaps, space_}, {.limit = 1, .more = "bm9uc2Vuc2U", .resource_version = ""});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, 400) << page.error().text();
}

TEST_F(RestApiTest, ApplyTakesFieldsOver) {
  auto other = client(config_, {.field_manager = "somebody-else", .limits = {}});
  ASSERT_TRUE(other->apply(kConfigMaps, config_map("shared", {{"a", "theirs"}, {"b", "theirs"}})));
  const auto ours = api_->apply(kConfigMaps, config_map("shared", {{"a", "ours"}}));
  EXPECT_EQ(data_of(ours), (Json{{"a", "ours"}, {"b", "theirs"}}));
  // What we no longer say we no longer own; nobody else owns it, so it goes.
  EXPECT_EQ(data_of(api_->apply(kConfigMaps, config_map("shared", {{"c", "ours"}}))),
            (Json{{"b", "theirs"}, {"c", "ours"}}));
}

TEST_F(RestApiTest, ApplyOfAnOldVersionConflicts) {
  auto object = config_map("versioned", {{"a", "1"}});
  object["metadata"]["resourceVersion"] = resource_version_of(created("versioned"));
  ASSERT_TRUE(api_->apply(kConfigMaps, object));
  object["data"]["a"] = "2";
  const auto late = api_->apply(kConfigMaps, object);
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().conflict());
  EXPECT_EQ(late.error().reason, "Conflict");
}

TEST_F(RestApiTest, StatusIsAppliedAlone) {
  const Resource claims{"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"};
  Json claim{{"apiVersion", "v1"},
             {"kind", "PersistentVolumeClaim"},
             {"metadata", {{"name", "c"}, {"namespace", space_}}},
             {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}};
  ASSERT_TRUE(api_->create(claims, claim));
  claim.erase("spec");
  claim["status"] = {{"phase", "Lost"}};
  const auto after = api_->apply_status(claims, claim);
  ASSERT_TRUE(after) << after.error().text();
  EXPECT_EQ(text_at(*after, {"status", "phase"}), "Lost");
  EXPECT_EQ(text_at(*after, {"spec", "resources", "requests", "storage"}), "1Gi");
}

TEST_F(RestApiTest, InvalidObjectsSayWhy) {
  const auto result = api_->create(kConfigMaps, config_map("Not_A_Name"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, 422);
  EXPECT_EQ(result.error().reason, "Invalid");
  EXPECT_THAT(result.error().message, HasSubstr("metadata.name"));
  // Text that is not UTF-8 never becomes an exception.
  EXPECT_TRUE(api_->create(kConfigMaps, config_map("bytes", {{"key", "\xff\xfe"}})));
}

TEST_F(RestApiTest, AMissingRightIsNamed) {
  const auto nobody = client(with_token(token_of("nobody")));
  const auto result = nobody->list({kSecrets, space_}, {});
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().forbidden());
  EXPECT_EQ(result.error().reason, "Forbidden");
  EXPECT_THAT(result.error().text(), AllOf(HasSubstr("list secrets: 403 Forbidden:"), HasSubstr("cannot list resource"),
                                           HasSubstr("\"" + space_ + "\"")));
}

TEST_F(RestApiTest, ATokenThatIsNoneIsUnauthorized) {
  const auto result = client(with_token("eyJhbGciOiJub25lIn0.e30."))->get(kConfigMaps, {space_, "x"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, 401) << result.error().text();
}

TEST_F(RestApiTest, ReviewsTokens) {
  const auto token = token_of("gateway", "adit-edge");
  const auto review = api_->review_token(token, {"adit-edge"});
  ASSERT_TRUE(review) << review.error().text();
  EXPECT_TRUE(review->authenticated) << review->error;
  EXPECT_EQ(review->username, "system:serviceaccount:" + space_ + ":gateway");
  EXPECT_THAT(review->audiences, ElementsAre("adit-edge"));

  const auto elsewhere = api_->review_token(token, {"another"});
  ASSERT_TRUE(elsewhere) << elsewhere.error().text();
  EXPECT_FALSE(elsewhere->authenticated);
  EXPECT_FALSE(elsewhere->error.empty());
  const auto nonsense = api_->review_token("nonsense", {"adit-edge"});
  EXPECT_TRUE(nonsense && !nonsense->authenticated);
}

TEST_F(RestApiTest, TheTokenFileIsReadAgain) {
  const auto file = testing::TempDir() + "/token-" + space_;
  const auto write = [&](const std::string& text) { std::ofstream(file, std::ios::trunc) << text; };
  auto config = with_token("");
  config.token_file = file;
  write(token_of("before") + "\n");
  const auto api = client(config);
  const auto user = [&] {
    const auto result = api->get(kSecrets, {space_, "x"});
    return result ? std::string("allowed") : result.error().message;
  };
  EXPECT_THAT(user(), HasSubstr(":before\""));
  write(token_of("after") + "\n");
  EXPECT_THAT(user(), HasSubstr(":after\""));
  // While it is being replaced it may be empty or away.
  write("");
  EXPECT_THAT(user(), HasSubstr(":after\""));
  std::remove(file.c_str());
  EXPECT_THAT(user(), HasSubstr(":after\""));

  const auto fresh = client(config)->get(kSecrets, {space_, "x"});
  ASSERT_FALSE(fresh);
  EXPECT_EQ(fresh.error().failure, ApiFailure::unreachable);
  EXPECT_THAT(fresh.error().message, HasSubstr(file));
}

}  // namespace
}  // namespace adit::kube::test
