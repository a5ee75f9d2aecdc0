#include "routing/folder.h"

#include <utility>

namespace adit::routing {

void FolderState::begin_scan() {
  changed_ = std::exchange(is_first_, false);
  for (auto& [name, file] : files_) file.is_seen = false;
}

void FolderState::take(const FileText& file) {
  File& known = files_[file.name];
  known.is_seen = true;
  if (read(known, file)) changed_ = true;
}

FolderChange FolderState::end_scan() {
  FolderChange change;
  const auto gone = std::erase_if(files_, [](const auto& entry) { return !entry.second.is_seen; });
  change.changed = changed_ || gone != 0;
  for (const auto& [name, file] : files_) {
    change.refused.insert(change.refused.end(), file.problems.begin(), file.problems.end());
  }
  change.refused_changed = change.refused != refused_;
  refused_ = change.refused;
  return change;
}

bool FolderState::read(File& file, const FileText& now) {
  if (!now.error.empty()) {
    file.is_read = false;
    file.problems = {{.file = now.name, .object = {}, .field = {}, .reason = "cannot be read: " + now.error}};
    return false;
  }
  const Sha256 digest = sha256({now.text});
  if (file.is_read && file.digest == digest) return false;
  file.is_read = true;
  file.digest = digest;
  ParsedManifest parsed = parse_manifest(now.text, now.name);
  file.problems = std::move(parsed.problems);
  if (!file.problems.empty()) return false;
  file.objects = std::move(parsed.objects);
  return true;
}

Objects FolderState::objects() const {
  Objects all;
  for (const auto& [name, file] : files_) {
    const Objects& own = file.objects;
    all.tunnels.insert(all.tunnels.end(), own.tunnels.begin(), own.tunnels.end());
    all.secrets.insert(all.secrets.end(), own.secrets.begin(), own.secrets.end());
  }
  return all;
}

}  // namespace adit::routing
