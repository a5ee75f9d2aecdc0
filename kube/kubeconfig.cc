#include <filesystem>

#include <openssl/evp.h>
#include <yaml-cpp/yaml.h>

#include "kube/cluster_config.h"
#include "kube/text_file.h"

namespace adit::kube {
namespace {

constexpr std::size_t kMostText = 1 << 20;

/// Left where something is wrong; never leaves this file.
struct Wrong {
  std::string message;
};

std::string decode_base64(const std::string& text, const std::string& field) {
  std::string packed;
  for (const char c : text) {
    if (c != '\n' && c != '\r' && c != ' ') packed.push_back(c);
  }
  std::string out(packed.size() / 4 * 3, '\0');
  const int size = packed.size() % 4 != 0 ? -1
                                          : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                                            reinterpret_cast<const unsigned char*>(packed.data()),
                                                            static_cast<int>(packed.size()));
  if (size < 0) throw Wrong{field + ": is not base64"};
  const auto padding = packed.ends_with("==") ? 2U : packed.ends_with('=') ? 1U : 0U;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

/// A map of the file and its place in it: users["dev"].user.
struct Map {
  YAML::Node node;
  std::string path;

  std::string text(const char* name) const {
    const YAML::Node value = node[name];
    if (!value || value.IsNull()) return {};
    if (!value.IsScalar()) throw Wrong{path + "." + name + ": must be a string"};
    return value.Scalar();
  }
  bool flag(const char* name) const {
    const auto value = text(name);
    if (value.empty() || value == "false") return false;
    if (value != "true") throw Wrong{path + "." + name + ": must be true or false"};
    return true;
  }
  void refuse(std::initializer_list<const char*> names, const std::string& why) const {
    for (const char* name : names) {
      if (const YAML::Node value = node[name]; value && !value.IsNull()) {
        throw Wrong{path + "." + name + ": is not supported; " + why};
      }
    }
  }
  /// The content of `NAME-data`, or else of the file that NAME points to; empty when neither is there.
  std::string pem(const std::string& name, const std::filesystem::path& folder) const {
    const auto data_name = name + "-data";
    if (const auto data = text(data_name.c_str()); !data.empty()) return decode_base64(data, path + "." + data_name);
    const auto file = text(name.c_str());
    if (file.empty()) return {};
    auto content = read_text_file(folder / file, kMostText);
    if (!content) throw Wrong{path + "." + name + ": " + content.error()};
    return *std::move(content);
  }
};

/// The entry called `name` of the list `list`, of which the member `member` is what one is after.
Map named(const YAML::Node& root, const std::string& list, const std::string& member, const std::string& name) {
  const YAML::Node entries = root[list];
  if (entries && !entries.IsNull() && !entries.IsSequence()) throw Wrong{list + ": must be a list"};
  for (const auto& entry : entries) {
    if (!entry.IsMap() || !entry["name"] || !entry["name"].IsScalar() || entry["name"].Scalar() != name) continue;
    auto path = list;
    path.append("[\"").append(name).append("\"].").append(member);
    if (!entry[member] || !entry[member].IsMap()) throw Wrong{path + ": must be a map"};
    return {entry[member], path};
  }
  throw Wrong{list + ": has no entry named \"" + name + "\""};
}

void read_cluster(const Map& cluster, const std::filesystem::path& folder, ClusterConfig& config) {
  cluster.refuse({"proxy-url"}, "the API server must be reachable directly");
  config.server = cluster.text("server");
  const bool https = config.server.starts_with("https://");
  if (!https && !config.server.starts_with("http://")) {
    throw Wrong{cluster.path + ".server: must begin with https:// (or http://)"};
  }
  while (config.server.ends_with('/')) config.server.pop_back();
  config.server_name = cluster.text("tls-server-name");
  config.ca_pem = cluster.pem("certificate-authority", folder);
  config.skip_verification = cluster.flag("insecure-skip-tls-verify");
  if (config.skip_verification && !config.ca_pem.empty()) {
    throw Wrong{cluster.path + ".insecure-skip-tls-verify: is true, but there is a certificate-authority too"};
  }
}

void read_user(const Map& user, const std::filesystem::path& folder, ClusterConfig& config) {
  const std::string instead = "use a token, a tokenFile or a client certificate";
  user.refuse({"exec", "auth-provider", "username", "password"}, instead);
  user.refuse({"as", "as-uid", "as-groups", "as-user-extra"}, "be the user itself");
  config.certificate_pem = user.pem("client-certificate", folder);
  config.key_pem = user.pem("client-key", folder);
  if (config.certificate_pem.empty() != config.key_pem.empty()) {
    throw Wrong{user.path + (config.key_pem.empty() ? ".client-key: is missing, but there is a client-certificate"
                                                    : ".client-certificate: is missing, but there is a client-key")};
  }
  config.token = user.text("token");
  if (const auto file = user.text("tokenFile"); !file.empty()) config.token_file = folder / file;
}

ClusterConfig read(const YAML::Node& root, const std::filesystem::path& folder, std::string wanted) {
  if (!root.IsMap()) throw Wrong{"is no kubeconfig: must be a map"};
  const Map top{root, "kubeconfig"};
  if (wanted.empty()) wanted = top.text("current-context");
  if (wanted.empty()) throw Wrong{"current-context: is empty, and no context was named"};
  const auto context = named(root, "contexts", "context", wanted);
  ClusterConfig config;
  config.space = context.text("namespace");
  const auto cluster = named(root, "clusters", "cluster", context.text("cluster"));
  read_cluster(cluster, folder, config);
  if (const auto user = context.text("user"); !user.empty()) {
    read_user(named(root, "users", "user", user), folder, config);
  }
  const bool secret = !config.token.empty() || !config.token_file.empty() || !config.key_pem.empty();
  if (secret && config.server.starts_with("http://")) {
    throw Wrong{cluster.path + ".server: must be https: the user's credentials would be readable on the way"};
  }
  return config;
}

}  // namespace

base::Result<ClusterConfig> parse_kubeconfig(const std::string& text, const std::string& file,
                                             const std::string& context) {
  try {
    return read(YAML::Load(text), std::filesystem::path(file).parent_path(), context);
  } catch (const Wrong& wrong) {
    return base::Error{file + ": " + wrong.message};
  } catch (const YAML::Exception& wrong) {
    return base::Error{file + ": is no YAML: line " + std::to_string(wrong.mark.line + 1) + ": " + wrong.msg};
  }
}

base::Result<ClusterConfig> load_kubeconfig(const std::string& file, const std::string& context) {
  auto text = read_text_file(file, kMostText);
  if (!text) return base::Error{text.error()};
  return parse_kubeconfig(*text, file, context);
}

}  // namespace adit::kube
