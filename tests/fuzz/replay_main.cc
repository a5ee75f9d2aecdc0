// Runs a fuzz target over the files of its corpus, so that what once was found stays found without libFuzzer.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// False when the file cannot be read.
bool replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  const std::vector<char> text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  // A copy of the exact size: a sanitizer then sees the first byte read past the end.
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  return true;
}

/// The number of files replayed, or -1 when one could not be.
int replay_all(const std::filesystem::path& folder) {
  int count = 0;
  std::error_code missing;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, missing)) {
    if (!entry.is_regular_file()) continue;
    if (!replay(entry.path())) return -1;
    ++count;
  }
  return missing ? -1 : count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
    return 2;
  }
  const int count = replay_all(argv[1]);
  if (count <= 0) {
    std::fprintf(stderr, "%s: %s\n", argv[1],
                 count == 0 ? "no input: a replay that runs nothing shows nothing" : "cannot be read");
    return 1;
  }
  std::printf("%d inputs replayed\n", count);
  return 0;
}
