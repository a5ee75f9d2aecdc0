#include "gateway/state_folder.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/descriptor.h"

namespace adit::gateway {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
constexpr std::size_t kMostBytes = std::size_t{2} << 30U;

base::Error failure(const fs::path& path, const char* what) {
  return {path.string() + ": " + what + ": " + std::error_code(errno, std::generic_category()).message()};
}

Result<void> write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::Error{std::error_code(errno, std::generic_category()).message()};
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> read_all(int descriptor, std::size_t size) {
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const auto got = ::read(descriptor, text.data() + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::Error{std::error_code(errno, std::generic_category()).message()};
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

}  // namespace

Result<StateFolder> StateFolder::open(const fs::path& folder) {
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) return failure(folder, "cannot be made");
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return failure(folder, "cannot be looked at");
  if (!S_ISDIR(status.st_mode)) return base::Error{folder.string() + ": is not a folder"};
  if (status.st_uid != ::geteuid()) return base::Error{folder.string() + ": belongs to another user"};
  if ((status.st_mode & S_IRWXO) != 0) {
    return base::Error{folder.string() +
                       ": others can enter it, and it will hold private keys; chmod o= it, or name a "
                       "folder in it that is not there yet"};
  }
  return StateFolder(folder);
}

Result<std::optional<std::string>> StateFolder::read() const {
  const net::Descriptor descriptor(::open(file().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (descriptor.get() < 0) {
    if (errno == ENOENT) return std::optional<std::string>();
    return failure(file(), "cannot be opened");
  }
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return failure(file(), "cannot be looked at");
  if (!S_ISREG(status.st_mode)) return base::Error{file().string() + ": is not a file"};
  if (status.st_uid != ::geteuid() || (status.st_mode & kOthers) != 0) {
    return base::Error{file().string() + ": others could have read or written it"};
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > kMostBytes) return base::Error{file().string() + ": is larger than 2 GiB"};
  auto text = read_all(descriptor.get(), size);
  if (!text) return base::Error{file().string() + ": " + text.error()};
  return std::optional(std::move(*text));
}

Result<void> StateFolder::write(std::string_view text) const {
  const auto fresh = folder_ / "configuration.new";
  ::unlink(fresh.c_str());  // of a process that was killed on the way
  const net::Descriptor descriptor(
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (descriptor.get() < 0) return failure(fresh, "cannot be made");
  if (auto written = write_all(descriptor.get(), text); !written) {
    ::unlink(fresh.c_str());
    return base::Error{fresh.string() + ": " + written.error()};
  }
  if (::fsync(descriptor.get()) != 0) return failure(fresh, "cannot be written");
  if (::rename(fresh.c_str(), file().c_str()) != 0) return failure(file(), "cannot be replaced");
  const net::Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
  return {};
}

}  // namespace adit::gateway
