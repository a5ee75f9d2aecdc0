#include "kube/text_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include <sys/stat.h>

namespace adit::kube {

base::Result<std::string> read_text_file(const std::filesystem::path& file, std::size_t most) {
  const auto wrong = [&](const std::string& reason) { return base::Error{file.string() + ": " + reason}; };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(std::fopen(file.c_str(), "re"), std::fclose);
  if (!opened) return wrong(std::generic_category().message(errno));
  struct stat about {};
  if (fstat(fileno(opened.get()), &about) != 0) return wrong(std::generic_category().message(errno));
  if (!S_ISREG(about.st_mode)) return wrong("is no regular file");
  // One byte more than is allowed shows that there is more. The size is not asked for: the file may be growing.
  std::string text;
  char part[4096];
  while (text.size() <= most) {
    const auto count = std::fread(part, 1, sizeof part, opened.get());
    if (count == 0) break;
    text.append(part, count);
  }
  if (std::ferror(opened.get()) != 0) return wrong("cannot be read");
  if (text.size() > most) return wrong("is larger than " + std::to_string(most) + " bytes");
  return text;
}

}  // namespace adit::kube
