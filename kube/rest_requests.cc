#include "kube/rest_messages.h"

namespace adit::kube {
namespace {

/// RFC 3986 §2.3: all but unreserved characters as %XX.
std::string encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

std::string collection(const Resource& resource, const std::string& space) {
  std::string path = resource.group.empty() ? "/api/" : "/apis/" + encode(resource.group) + "/";
  path += encode(resource.version);
  if (!space.empty()) path += "/namespaces/" + encode(space);
  return path + "/" + encode(resource.plural);
}

std::string object_path(const Resource& resource, const Name& name) {
  return collection(resource, resource.namespaced ? name.space : std::string()) + "/" + encode(name.name);
}

/// Adds NAME=VALUE to a target unless the value is empty.
void add(std::string& target, std::string_view name, const std::string& value) {
  if (value.empty()) return;
  target += target.find('?') == std::string::npos ? '?' : '&';
  target.append(name).append("=").append(encode(value));
}

HttpRequest selecting(const Selection& selection, const char* kind) {
  HttpRequest request{.method = "GET", .target = collection(selection.resource, selection.space)};
  add(request.target, "fieldSelector", selection.field_selector);
  add(request.target, "labelSelector", selection.label_selector);
  if (selection.metadata_only) request.accept = std::string("application/json;as=") + kind + ";g=meta.k8s.io;v=v1";
  return request;
}

/// Text that is not UTF-8 would throw; the server would refuse it anyway.
std::string text_of(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string why_unfit(const Resource& resource, const Name& name) {
  const auto unfit = [](const std::string& part) {
    return part.empty() || part == "." || part == ".." || part.find_first_of("/%") != std::string::npos;
  };
  if (unfit(name.name)) return "\"" + name.name + "\" is no name of an object";
  if (resource.namespaced && unfit(name.space)) return "\"" + name.space + "\" is no name of a namespace";
  return {};
}

HttpRequest get_request(const Resource& resource, const Name& name) {
  return {.method = "GET", .target = object_path(resource, name)};
}

HttpRequest list_request(const Selection& selection, const ListOptions& options) {
  auto request = selecting(selection, "PartialObjectMetadataList");
  if (options.limit != 0) add(request.target, "limit", std::to_string(options.limit));
  add(request.target, "continue", options.more);
  // The token says which version the pages are of; the server refuses both together.
  if (options.more.empty()) add(request.target, "resourceVersion", options.resource_version);
  return request;
}

HttpRequest watch_request(const Selection& selection, const WatchOptions& options) {
  auto request = selecting(selection, "PartialObjectMetadata");
  add(request.target, "watch", "1");
  add(request.target, "allowWatchBookmarks", "true");
  add(request.target, "timeoutSeconds", std::to_string(options.timeout.count()));
  add(request.target, "resourceVersion", options.resource_version);
  return request;
}

HttpRequest create_request(const Resource& resource, const Json& object) {
  return {.method = "POST",
          .target = collection(resource, resource.namespaced ? name_of(object).space : std::string()),
          .content_type = "application/json",
          .body = text_of(object)};
}

HttpRequest apply_request(const Resource& resource, const Json& object, const std::string& manager,
                          const std::string& subresource) {
  HttpRequest request{.method = "PATCH",
                      .target = object_path(resource, name_of(object)),
                      .content_type = "application/apply-patch+yaml",  // of which JSON is a part
                      .body = text_of(object)};
  if (!subresource.empty()) request.target += "/" + subresource;
  add(request.target, "fieldManager", manager);
  add(request.target, "force", "true");
  return request;
}

HttpRequest remove_request(const Resource& resource, const Name& name, const std::string& uid) {
  Json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  if (!uid.empty()) options["preconditions"] = {{"uid", uid}};
  return {.method = "DELETE",
          .target = object_path(resource, name),
          .content_type = "application/json",
          .body = text_of(options)};
}

HttpRequest review_request(const std::string& token, const std::vector<std::string>& audiences) {
  const Json review{{"apiVersion", "authentication.k8s.io/v1"},
                    {"kind", "TokenReview"},
                    {"spec", {{"token", token}, {"audiences", audiences}}}};
  return {.method = "POST",
          .target = "/apis/authentication.k8s.io/v1/tokenreviews",
          .content_type = "application/json",
          .body = text_of(review)};
}

}  // namespace adit::kube
