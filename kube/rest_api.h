#pragma once
// The real API server, over HTTP/1.1 and TLS.

#include <memory>

#include "kube/api.h"
#include "kube/cluster_config.h"
#include "kube/http_client.h"

namespace adit::kube {

struct RestOptions {
  std::string field_manager = "adit-operator";  ///< of every apply
  HttpLimits limits;
};

/// See Api. A call that is lost together with a connection that had been idle is sent once more, so that create() may
/// find its own object: conflict() with "AlreadyExists".
class RestApi : public Api {
 public:
  /// Does not call the server. The error names what of the configuration cannot be used.
  static base::Result<std::unique_ptr<RestApi>> create(ClusterConfig config, RestOptions options = {});

  ApiResult<Json> get(const Resource& resource, const Name& name) override;
  ApiResult<Page> list(const Selection& selection, const ListOptions& options) override;
  /// Ends with timed_out when the server has not ended it `limits.timeout` after options.timeout.
  ApiResult<void> watch(const Selection& selection, const WatchOptions& options,
                        const std::function<bool(std::string_view bytes)>& on_bytes, const std::function<bool()>& idle,
                        std::stop_token stop) override;
  ApiResult<Json> create(const Resource& resource, const Json& object) override;
  ApiResult<Json> apply(const Resource& resource, const Json& object) override;
  ApiResult<Json> apply_status(const Resource& resource, const Json& object) override;
  ApiResult<void> remove(const Resource& resource, const Name& name, const std::string& uid) override;
  ApiResult<Review> review_token(const std::string& token, const std::vector<std::string>& audiences) override;

 private:
  RestApi(std::unique_ptr<HttpClient> client, RestOptions options);
  ApiResult<Json> apply(const Resource& resource, const Json& object, const std::string& subresource);

  std::unique_ptr<HttpClient> client_;
  RestOptions options_;
};

}  // namespace adit::kube
