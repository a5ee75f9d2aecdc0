#include "routing/folder.h"

#include <set>
#include <string_view>
#include <utility>

namespace adit::routing {

FolderChange FolderState::update(const std::vector<FileText>& files) {
  FolderChange change;
  change.changed = std::exchange(is_first_, false);
  if (drop_gone(files)) change.changed = true;
  for (const FileText& file : files) {
    if (read(files_[file.name], file)) change.changed = true;
  }
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

bool FolderState::drop_gone(const std::vector<FileText>& files) {
  std::set<std::string_view> present;
  for (const FileText& file : files) present.insert(file.name);
  return std::erase_if(files_, [&](const auto& entry) { return !present.contains(entry.first); }) != 0;
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
