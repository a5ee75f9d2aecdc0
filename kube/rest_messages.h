#pragma once
// What the API's calls are in HTTP, and what its answers mean. Pure.

#include <string>
#include <vector>

#include "kube/api.h"

namespace adit::kube {

struct HttpRequest {
  std::string method;
  std::string target;  ///< path and query, percent-encoded
  std::string accept = "application/json";
  std::string content_type{};  ///< empty: no body
  std::string body{};
};

struct HttpAnswer {
  int status = 0;
  std::string retry_after;  ///< the header's value; may be empty
  std::string body;
};

HttpRequest get_request(const Resource& resource, const Name& name);
HttpRequest list_request(const Selection& selection, const ListOptions& options);
HttpRequest watch_request(const Selection& selection, const WatchOptions& options);
HttpRequest create_request(const Resource& resource, const Json& object);
/// `subresource`: "status", or empty.
HttpRequest apply_request(const Resource& resource, const Json& object, const std::string& manager,
                          const std::string& subresource);
HttpRequest remove_request(const Resource& resource, const Name& name, const std::string& uid);
HttpRequest review_request(const std::string& token, const std::vector<std::string>& audiences);

/// Why a name cannot stand in a path; empty if it can. ("" would ask for the list, ".." for something else.)
std::string why_unfit(const Resource& resource, const Name& name);

/// The typed error of an answer that is none of 2xx; its `call` is left empty.
ApiError error_of(const HttpAnswer& answer);
/// The object in an answer, or its error.
ApiResult<Json> object_of(const HttpAnswer& answer);
ApiResult<Page> page_of(const HttpAnswer& answer, const Selection& selection);
ApiResult<Api::Review> review_of(const HttpAnswer& answer);

}  // namespace adit::kube
