#pragma once
// TLS towards the API server: whom to trust, and who we are.

#include <memory>
#include <mutex>
#include <string>

#include <openssl/ssl.h>

#include "base/result.h"
#include "kube/cluster_config.h"

namespace adit::kube {

/// Why the server's certificate was refused last, in OpenSSL's words. Any thread.
class Refusal {
 public:
  void set(std::string why) {
    const std::lock_guard lock(mutex_);
    why_ = std::move(why);
  }
  std::string get() const {
    const std::lock_guard lock(mutex_);
    return why_;
  }

 private:
  mutable std::mutex mutex_;
  std::string why_;
};

/// The host of "https://HOST:PORT/PATH", without the brackets of an IPv6 address.
std::string host_of(const std::string& server);
bool is_address(const std::string& host);
/// What the server's certificate must name.
std::string expected_name(const ClusterConfig& config);

/// Trust, expected name and client certificate of `config` for connections of `context`. `refusal` is told why a
/// certificate was refused and outlives the context. An error names what is wrong with the configuration.
base::Result<void> configure_tls(SSL_CTX* context, const ClusterConfig& config, Refusal& refusal);

}  // namespace adit::kube
