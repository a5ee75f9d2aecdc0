#include "routing/folder.h"

namespace adit::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string secret(const std::string& name, const std::string& value = "v") {
  return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "}\nstringData: {k: '" + value + "'}\n";
}

class Folder : public FolderState {
 public:
  /// A whole scan.
  FolderChange update(const std::vector<FileText>& files) {
    begin_scan();
    for (const auto& file : files) take(file);
    return end_scan();
  }
};

std::vector<std::string> names(const FolderState& folder) {
  std::vector<std::string> all;
  const auto objects = folder.objects();
  for (const auto& object : objects.secrets) all.push_back(object.meta.name + "=" + object.data.at("k"));
  return all;
}

std::vector<std::string> refused(const FolderChange& change) {
  std::vector<std::string> all;
  for (const auto& problem : change.refused) all.push_back(problem.text());
  return all;
}

TEST(FolderState, FirstUpdateIsAChangeEvenIfEmpty) {
  Folder folder;
  EXPECT_TRUE(folder.update({}).changed);
  EXPECT_FALSE(folder.update({}).changed);
}

TEST(FolderState, FilesMergeByName) {
  Folder folder;
  const FolderChange change =
      folder.update({{"b.yaml", secret("b"), ""}, {"a.yaml", secret("a") + "---\n" + secret("c"), ""}});
  EXPECT_TRUE(change.changed);
  EXPECT_FALSE(change.refused_changed);
  EXPECT_THAT(names(folder), ElementsAre("a=v", "c=v", "b=v"));
}

TEST(FolderState, SameTextIsNoChange) {
  Folder folder;
  folder.update({{"a.yaml", secret("a"), ""}});
  EXPECT_FALSE(folder.update({{"a.yaml", secret("a"), ""}}).changed);
}

TEST(FolderState, EditOfTheSameSize) {
  Folder folder;
  folder.update({{"a.yaml", secret("a", "1"), ""}});
  EXPECT_TRUE(folder.update({{"a.yaml", secret("a", "2"), ""}}).changed);
  EXPECT_THAT(names(folder), ElementsAre("a=2"));
}

TEST(FolderState, BadFileKeepsItsLastGoodObjects) {
  Folder folder;
  folder.update({{"a.yaml", secret("a", "1"), ""}, {"b.yaml", secret("b"), ""}});
  FolderChange change = folder.update({{"a.yaml", secret("A", "2"), ""}, {"b.yaml", secret("b"), ""}});
  EXPECT_FALSE(change.changed);
  EXPECT_TRUE(change.refused_changed);
  EXPECT_THAT(refused(change), ElementsAre(HasSubstr("a.yaml:3: Secret default/A: metadata.name: ")));
  EXPECT_THAT(names(folder), ElementsAre("a=1", "b=v"));

  change = folder.update({{"a.yaml", secret("A", "2"), ""}, {"b.yaml", secret("b", "2"), ""}});
  EXPECT_TRUE(change.changed) << "other files go on";
  EXPECT_FALSE(change.refused_changed) << "the same problem is not news";
  EXPECT_THAT(refused(change), ElementsAre(HasSubstr("a.yaml:3")));
  EXPECT_THAT(names(folder), ElementsAre("a=1", "b=2"));

  change = folder.update({{"a.yaml", secret("a", "3"), ""}, {"b.yaml", secret("b", "2"), ""}});
  EXPECT_TRUE(change.changed);
  EXPECT_TRUE(change.refused_changed);
  EXPECT_THAT(refused(change), IsEmpty());
  EXPECT_THAT(names(folder), ElementsAre("a=3", "b=2"));
}

TEST(FolderState, NewFileThatIsBadHasNothingToKeep) {
  Folder folder;
  folder.update({});
  const FolderChange change = folder.update({{"a.yaml", "kind: [", ""}});
  EXPECT_FALSE(change.changed);
  EXPECT_THAT(refused(change), ElementsAre(HasSubstr("a.yaml:")));
  EXPECT_THAT(names(folder), IsEmpty());
}

TEST(FolderState, FileThatGoesTakesItsObjects) {
  Folder folder;
  folder.update({{"a.yaml", secret("a"), ""}, {"b.yaml", secret("b"), ""}});
  EXPECT_TRUE(folder.update({{"b.yaml", secret("b"), ""}}).changed);
  EXPECT_THAT(names(folder), ElementsAre("b=v"));
}

TEST(FolderState, BadFileThatGoesTakesItsLastGoodObjects) {
  Folder folder;
  folder.update({{"a.yaml", secret("a"), ""}});
  folder.update({{"a.yaml", "bad", ""}});
  const FolderChange change = folder.update({});
  EXPECT_TRUE(change.changed);
  EXPECT_TRUE(change.refused_changed);
  EXPECT_THAT(names(folder), IsEmpty());
}

TEST(FolderState, Rename) {
  Folder folder;
  folder.update({{"a.yaml", secret("a"), ""}});
  EXPECT_TRUE(folder.update({{"b.yaml", secret("a"), ""}}).changed);
  EXPECT_THAT(names(folder), ElementsAre("a=v"));
  EXPECT_EQ(folder.objects().secrets[0].meta.place.file(), "b.yaml");
}

TEST(FolderState, UnreadableFileKeepsItsObjectsAndIsReadAgain) {
  Folder folder;
  folder.update({{"a.yaml", secret("a"), ""}});
  FolderChange change = folder.update({{"a.yaml", "", "permission denied"}});
  EXPECT_FALSE(change.changed);
  EXPECT_THAT(refused(change), ElementsAre("a.yaml: cannot be read: permission denied"));
  EXPECT_THAT(names(folder), ElementsAre("a=v"));
  change = folder.update({{"a.yaml", secret("a"), ""}});
  EXPECT_THAT(refused(change), IsEmpty());
  EXPECT_THAT(names(folder), ElementsAre("a=v"));
}

TEST(FolderState, BadFileThatReturnsToItsGoodText) {
  Folder folder;
  folder.update({{"a.yaml", secret("a"), ""}});
  folder.update({{"a.yaml", "bad", ""}});
  EXPECT_THAT(folder.update({{"a.yaml", secret("a"), ""}}).refused, IsEmpty());
  EXPECT_THAT(names(folder), ElementsAre("a=v"));
}

}  // namespace
}  // namespace adit::routing
