// Every example must load as it stands.

#include <filesystem>
#include <fstream>
#include <sstream>

#include "routing/compile.h"

namespace adit::routing {
namespace {

TEST(Examples, LoadWithoutAProblem) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("examples")) {
    if (entry.path().extension() != ".yaml") continue;
    if (entry.path().filename() == "sidecar.yaml") continue;  // no kinds of ours: e2e/ runs it
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const ParsedManifest parsed = parse_manifest(text.str(), entry.path().string());
    for (const auto& problem : parsed.problems) ADD_FAILURE() << problem.text();
    // In a cluster, the operator and others make the Secrets.
    const bool is_of_cluster = entry.path().parent_path().filename() == "kubernetes";
    for (const auto& problem : compile(parsed.objects, {}).problems) {
      if (is_of_cluster && problem.kind == ProblemKind::secret_missing) continue;
      ADD_FAILURE() << problem.text();
    }
    ++files;
  }
  EXPECT_GE(files, 8U);
}

}  // namespace
}  // namespace adit::routing
