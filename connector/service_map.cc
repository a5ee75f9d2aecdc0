#include "connector/service_map.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace adit::connector {
namespace {

constexpr std::size_t kMostName = 253;
constexpr std::size_t kMostFile = 1024 * 1024;

base::Error wrong(std::string_view url, const std::string& reason) {
  return base::Error{"service URL \"" + std::string(url) + "\": " + reason};
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._:-").find(c) != std::string_view::npos;
  });
}

base::Result<void> read_parameter(std::string_view item, ServiceTls& tls) {
  const auto equals = item.find('=');
  const auto name = item.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : item.substr(equals + 1);
  if (name == "caFile" && !value.empty()) {
    tls.ca_file = value;
  } else if (name == "serverName" && !value.empty()) {
    tls.server_name = value;
  } else if (name == "insecureSkipVerify" && (value == "true" || value == "false")) {
    tls.insecure_skip_verify = value == "true";
  } else if (name == "insecureSkipVerify") {
    return base::Error{"insecureSkipVerify is neither true nor false"};
  } else if (name == "caFile" || name == "serverName") {
    return base::Error{std::string(name) + " has no value"};
  } else {
    return base::Error{"unknown parameter \"" + std::string(name) +
                       "\"; known are caFile, serverName and insecureSkipVerify"};
  }
  return {};
}

base::Result<ServiceTls> read_tls(std::string_view query) {
  ServiceTls tls;
  while (!query.empty()) {
    const auto end = query.find('&');
    if (auto read = read_parameter(query.substr(0, end), tls); !read) return base::Error{read.error()};
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  if (tls.insecure_skip_verify && !tls.ca_file.empty()) {
    return base::Error{"caFile is of no use with insecureSkipVerify=true"};
  }
  return tls;
}

/// What stands between "scheme://" and the end, without the query.
struct UrlParts {
  std::string_view scheme;
  std::string_view rest;
  std::optional<std::string_view> query;
};

base::Result<UrlParts> split(std::string_view url) {
  const auto separator = url.find("://");
  if (separator == std::string_view::npos) {
    return wrong(url, "no scheme; write http://, https://, tcp:// or unix:// in front");
  }
  UrlParts parts;
  parts.scheme = url.substr(0, separator);
  parts.rest = url.substr(separator + 3);
  if (const auto mark = parts.rest.find('?'); mark != std::string_view::npos) {
    parts.query = parts.rest.substr(mark + 1);
    parts.rest = parts.rest.substr(0, mark);
  }
  return parts;
}

base::Result<net::Target> read_host(std::string_view url, const UrlParts& parts, std::uint16_t default_port) {
  auto rest = parts.rest;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('/') != std::string_view::npos) {
    return wrong(url, "has a path; paths belong to the routes, a service is HOST:PORT");
  }
  if (rest.find_first_of("@# \t") != std::string_view::npos) {
    return wrong(url, "holds '@', '#' or a space; a service is HOST:PORT");
  }
  auto target = net::parse_host_port(rest, default_port);
  if (!target) return wrong(url, target.error());
  return target;
}

base::Result<void> read_unix(std::string_view url, const UrlParts& parts, net::Target& target) {
  if (!parts.rest.starts_with('/') || parts.rest.size() < 2) {
    return wrong(url, "an absolute path is needed, as unix:///run/app.sock");
  }
  if (parts.rest.size() >= sizeof(sockaddr_un::sun_path)) {
    return wrong(url, "the path is longer than " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  }
  target.kind = net::Target::Kind::unix_socket;
  target.path = parts.rest;
  return {};
}

base::Result<void> read_url(std::string_view url, Service& service) {
  const auto parts = split(url);
  if (!parts) return base::Error{parts.error()};
  const bool https = parts->scheme == "https";
  if (parts->query && !https) return wrong(url, "only https:// takes parameters");
  if (parts->scheme == "unix") return read_unix(url, *parts, service.target);
  if (!https && parts->scheme != "http" && parts->scheme != "tcp") {
    return wrong(url, "the scheme \"" + std::string(parts->scheme) + "\" is none of http, https, tcp and unix");
  }
  const std::uint16_t default_port = https ? 443 : parts->scheme == "http" ? 80 : 0;
  auto target = read_host(url, *parts, default_port);
  if (!target) return base::Error{target.error()};
  service.target = *std::move(target);
  if (!https) return {};
  auto tls = read_tls(parts->query.value_or(std::string_view()));
  if (!tls) return wrong(url, tls.error());
  if (tls->server_name.empty()) tls->server_name = service.target.host;
  service.tls = *std::move(tls);
  return {};
}

}  // namespace

base::Result<Service> parse_service(std::string_view text) {
  // A name holds no '/', so an '=' behind "://" belongs to the URL.
  const auto equals = text.substr(0, text.find("://")).find('=');
  Service service;
  service.name = equals == std::string_view::npos ? std::string_view("default") : text.substr(0, equals);
  if (!is_name(service.name)) {
    return base::Error{"service name \"" + service.name +
                       "\": 1 to 253 letters, digits, '.', '_', ':' and '-' make a name, as in NAME=URL"};
  }
  service.url = equals == std::string_view::npos ? text : text.substr(equals + 1);
  if (auto read = read_url(service.url, service); !read) return base::Error{read.error()};
  return service;
}

base::Result<void> ServiceMap::add(Service service) {
  if (find(service.name) != nullptr) return base::Error{"service \"" + service.name + "\" is given twice"};
  services_.push_back(std::move(service));
  return {};
}

base::Result<void> ServiceMap::load_trust() {
  for (auto& service : services_) {
    if (!service.tls) continue;
    net::Trust trust;
    trust.verify = !service.tls->insecure_skip_verify;
    if (!service.tls->ca_file.empty()) {
      auto pem = read_small_file(service.tls->ca_file);
      if (!pem) return base::Error{"service \"" + service.name + "\": caFile " + pem.error()};
      trust.ca_pem = *std::move(pem);
      if (trust.ca_pem.empty()) {
        return base::Error{"service \"" + service.name + "\": caFile " + service.tls->ca_file + " is empty"};
      }
    }
    auto context = net::make_client_context(trust);
    if (!context) return base::Error{"service \"" + service.name + "\": " + context.error()};
    service.context = *std::move(context);
  }
  return {};
}

const Service* ServiceMap::find(std::string_view name) const {
  const auto found =
      std::find_if(services_.begin(), services_.end(), [&](const Service& service) { return service.name == name; });
  return found != services_.end() ? &*found : nullptr;
}

base::Result<std::string> read_small_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kMostFile + 1, '\0');
  if (file) file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.eof() && file.fail()) {
    return base::Error{path + " can't be read: " + (errno != 0 ? std::strerror(errno) : "input error")};
  }
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > kMostFile) return base::Error{path + " is larger than 1 MiB"};
  return bytes;
}

}  // namespace adit::connector
