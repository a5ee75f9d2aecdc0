#pragma once
// --link-cert and --link-key: the link listener's key pair in files, read again when they change.

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "base/published.h"
#include "base/result.h"
#include "routing/table.h"

namespace adit::gateway {

/// Keeps `published` at what the two files hold. They are looked at every second, by way of their links, as Secrets are
/// mounted; a pair that cannot be used leaves the last good one in service and is logged once. Certificate and key are
/// two files, so for a moment they may not belong together: only what is bad twice in a row is told.
class LinkCertificateFiles {
 public:
  LinkCertificateFiles(std::filesystem::path chain, std::filesystem::path key,
                       base::Published<routing::Certificate>& published);

  /// The first reading, whose failure ends the program's start.
  base::Result<void> load();
  /// After load(): a thread of its own looks every second, until the destructor.
  void start();
  /// Once; for who has no thread.
  void look();

 private:
  base::Result<std::shared_ptr<const routing::Certificate>> read() const;

  const std::filesystem::path chain_;
  const std::filesystem::path key_;
  base::Published<routing::Certificate>& published_;
  std::string fault_;     ///< of the last look
  bool is_told_ = false;  ///< fault_ was logged
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace adit::gateway
