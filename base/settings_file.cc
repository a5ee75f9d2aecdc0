#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <yaml-cpp/yaml.h>

#include "base/settings_sources.h"

namespace adit::base {
namespace {

constexpr std::size_t kLargestFile = 1024 * 1024;

/// Reads the texts of one file, key by key.
class FileReader {
 public:
  FileReader(const std::string& path, const std::vector<SettingsOption>& options) : path_(path), options_(options) {}

  void read(const std::string& bytes);
  SourceText take() && { return std::move(source_); }

 private:
  std::string at(const YAML::Mark& mark) const {
    return mark.is_null() ? path_ : path_ + ":" + std::to_string(mark.line + 1);
  }
  void fail(const std::string& where, const std::string& reason) { source_.errors.push_back(where + ": " + reason); }

  void read_entry(const YAML::Node& key, const YAML::Node& value);
  void read_items(const SettingsOption& option, const YAML::Node& value, const std::string& where);
  const SettingsOption* find(const std::string& key) const;
  std::string unknown(const std::string& key) const;

  const std::string& path_;
  const std::vector<SettingsOption>& options_;
  SourceText source_;
};

void FileReader::read(const std::string& bytes) {
  try {
    const auto documents = YAML::LoadAll(bytes);
    if (documents.size() > 1) return fail(path_, "has several YAML documents; settings are one");
    if (documents.empty() || documents.front().IsNull()) return;
    if (!documents.front().IsMap())
      return fail(at(documents.front().Mark()), "is not a map of settings: \"key: value\"");
    for (const auto& entry : documents.front()) read_entry(entry.first, entry.second);
  } catch (const YAML::Exception& error) {
    fail(at(error.mark), "is not YAML: " + error.msg);
  }
}

const SettingsOption* FileReader::find(const std::string& key) const {
  const auto found = std::find_if(options_.begin(), options_.end(), [&](const auto& o) { return o.key == key; });
  return found == options_.end() || key.empty() ? nullptr : &*found;
}

std::string FileReader::unknown(const std::string& key) const {
  std::vector<std::string> keys;
  for (const auto& option : options_) {
    if (option.flag.substr(2) == key && !option.key.empty()) return "unknown key; its form here is " + option.key;
    keys.push_back(option.key);
  }
  return "unknown key" + suggestion(key, keys);
}

void FileReader::read_entry(const YAML::Node& key, const YAML::Node& value) {
  if (!key.IsScalar()) return fail(at(key.Mark()), "a key is not plain text");
  const auto where = at(key.Mark()) + ": " + key.Scalar();
  const auto* option = find(key.Scalar());
  if (option == nullptr) return fail(where, unknown(key.Scalar()));
  const auto& given = source_.given;
  if (std::any_of(given.begin(), given.end(), [&](const auto& g) { return g.option == option; })) {
    return fail(where, "stands here a second time; keep one");
  }
  source_.given.push_back({option, {}});
  if (value.IsNull()) return fail(where, "has no value; write one or remove the key");
  if (value.IsScalar()) {
    source_.given.back().texts.push_back({value.Scalar(), where});
  } else if (option->kind == OptionKind::list) {
    read_items(*option, value, where);
  } else {
    fail(where, value.IsMap() ? "is a map; write one value" : "is a list; write one value");
  }
}

void FileReader::read_items(const SettingsOption& option, const YAML::Node& value, const std::string& where) {
  auto& texts = source_.given.back().texts;
  if (value.IsMap() && !option.form.from_map) return fail(where, "is a map; write a list");
  for (const auto& item : value) {
    const YAML::Node& node = value.IsMap() ? item.second : item;
    const auto item_where = at(node.Mark()) + ": " + option.key;
    if (!node.IsScalar() || (value.IsMap() && !item.first.IsScalar())) {
      fail(item_where, "an item is not plain text");
    } else {
      texts.push_back(
          {value.IsMap() ? option.form.from_map(item.first.Scalar(), node.Scalar()) : node.Scalar(), item_where});
    }
  }
}

}  // namespace

SourceText read_file(const std::string& path, const std::vector<SettingsOption>& options) {
  SourceText failed;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kLargestFile + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.eof() && file.fail()) {
    failed.errors.push_back(path + ": cannot be read: " + std::strerror(errno));
    return failed;
  }
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > kLargestFile) {
    failed.errors.push_back(path + ": is larger than 1 MiB, so it is hardly a file of settings");
    return failed;
  }
  FileReader reader(path, options);
  reader.read(bytes);
  return std::move(reader).take();
}

}  // namespace adit::base
