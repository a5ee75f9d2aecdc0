#pragma once
// The API server as the rest of this library and its users see it: blocking calls that return values or typed errors.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/object.h"

namespace adit::kube {

enum class ApiFailure : std::uint8_t {
  refused,      ///< the server answered with an error: see code and reason
  unreachable,  ///< no connection, or it broke before the answer was whole
  timed_out,
  malformed,  ///< the answer is no JSON, is too large, or lacks what it must have
  cancelled,  ///< the caller's stop token
};

/// Why a call failed, as a metav1.Status says it (or as this side saw it).
struct ApiError {
  ApiFailure failure = ApiFailure::refused;
  int code = 0;         ///< HTTP status; 0 when there was no answer
  std::string call;     ///< "list tunnels.adit.dev"
  std::string reason;   ///< StatusReason: "NotFound", "Conflict", "Expired", …; may be empty
  std::string message;  ///< for people; for 403 the server's own names verb, resource and namespace
  std::optional<std::chrono::seconds> retry_after;  ///< the server's wish

  bool not_found() const { return code == 404; }
  bool conflict() const { return code == 409; }  ///< also AlreadyExists: see reason
  bool forbidden() const { return code == 403; }
  bool gone() const { return code == 410; }
  /// "list tunnels.adit.dev: 403 Forbidden: MESSAGE", for logs.
  std::string text() const;
};

template <class T>
using ApiResult = base::Result<T, ApiError>;

/// What a list or a watch is about.
struct Selection {
  Resource resource;
  std::string space{};           ///< empty: all namespaces
  std::string field_selector{};  ///< "type=kubernetes.io/tls"
  std::string label_selector{};
  bool metadata_only = false;  ///< PartialObjectMetadata: no spec, status or data leaves the server
};

struct Page {
  std::vector<Json> items;       ///< each with apiVersion and kind, which the server leaves out of list items
  std::string resource_version;  ///< of the whole list
  std::string more;              ///< the token for the next page; empty: this was the last
};

struct ListOptions {
  unsigned limit = 500;
  std::string more{};              ///< of the page before
  std::string resource_version{};  ///< of the first page: empty: most recent; "0": whatever the server has cached
};

struct WatchOptions {
  std::string resource_version{};
  std::chrono::seconds timeout{300};  ///< timeoutSeconds: the server ends the watch in order after it
};

/// Calls may come from any thread and block it for at most the client's request timeout. Whoever implements this logs
/// nothing: what to make of an error is the caller's matter.
class Api {
 public:
  virtual ~Api() = default;

  virtual ApiResult<Json> get(const Resource& resource, const Name& name) = 0;
  virtual ApiResult<Page> list(const Selection& selection, const ListOptions& options) = 0;
  /// Asks for bookmarks and hands on the bytes of the answer as they come, on the calling thread, until the server ends
  /// it (success), it fails, or `stop` is requested (failure cancelled, at most a second later). `on_bytes` is called
  /// once without bytes when the server has accepted the watch, and returns false to end it. `idle` is called at least
  /// once a second while nothing comes, and also returns false to end it.
  virtual ApiResult<void> watch(const Selection& selection, const WatchOptions& options,
                                const std::function<bool(std::string_view bytes)>& on_bytes,
                                const std::function<bool()>& idle, std::stop_token stop) = 0;

  /// POST; the object as stored. A name that is taken is conflict() with reason "AlreadyExists".
  virtual ApiResult<Json> create(const Resource& resource, const Json& object) = 0;
  /// Server-side apply by this client's one field manager, which takes fields over (force). With
  /// metadata.resourceVersion in `object` it is refused with conflict() if the object has changed since.
  virtual ApiResult<Json> apply(const Resource& resource, const Json& object) = 0;
  /// The same on the status subresource.
  virtual ApiResult<Json> apply_status(const Resource& resource, const Json& object) = 0;
  /// Only if its uid is still this one (empty: any). An object that is not there is not_found().
  virtual ApiResult<void> remove(const Resource& resource, const Name& name, const std::string& uid) = 0;

  struct Review {
    bool authenticated = false;
    std::string username;  ///< "system:serviceaccount:adit:adit-gateway"
    std::vector<std::string> audiences;
    std::string error;
  };
  /// authentication.k8s.io/v1 TokenReview. `token` is never logged or part of an error.
  virtual ApiResult<Review> review_token(const std::string& token, const std::vector<std::string>& audiences) = 0;
};

}  // namespace adit::kube
