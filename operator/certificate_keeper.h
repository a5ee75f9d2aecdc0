#pragma once
// Keeps the edge's certificates in Secrets of the operator's namespace, and renews them in time.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "kube/api.h"
#include "operator/edge_certificates.h"

namespace adit::controller {

struct CertificateKeeperSettings {
  std::chrono::milliseconds look_again{60'000};  ///< at what is as it should be: others may change it
  std::chrono::milliseconds retry{2'000};
};

/// The Secrets adit-authority (the CA's key), adit-operator-tls, adit-gateway-link-tls and adit-gateway-peer-tls, and
/// the ConfigMap adit-ca with what gateways and connectors are to trust. Only a leader writes them; the others read
/// what it wrote.
class CertificateKeeper {
 public:
  /// On the keeper's thread, at the first complete set and whenever something of it changed. False: it could not be put
  /// to use, and is told again after a while.
  using OnChange = std::function<bool(const EdgeCertificates& certificates)>;

  /// `api` refuses writes of who does not lead; `may_write` tells whether it would.
  CertificateKeeper(kube::Api& api, std::string space, EdgeNames names, std::function<bool()> may_write,
                    OnChange on_change, CertificateKeeperSettings settings = {});
  ~CertificateKeeper();

  void start();
  void stop();
  /// Looks at once, for example because this process leads now.
  void look();
  /// The PEM bundle to trust; empty until the first complete set.
  std::string trusted() const;

 private:
  void run(const std::stop_token& stop);
  /// How long until the next look.
  std::chrono::milliseconds keep();
  std::optional<std::string> read(StoredCertificates& stored);
  /// True if a whole set is in force: stored, or not to be changed, and in use.
  bool use(const EdgeCertificates& plan, std::optional<std::string>& failure);
  bool tell(const EdgeCertificates& plan);
  void tell_failure(const std::optional<std::string>& failure);
  std::optional<std::string> store(const EdgeCertificates& plan);
  std::optional<std::string> publish(const std::string& trusted);
  std::optional<std::string> put(const kube::Resource& resource, kube::Json object);

  kube::Api& api_;
  std::string space_;
  EdgeNames names_;
  std::function<bool()> may_write_;
  OnChange on_change_;
  CertificateKeeperSettings settings_;
  std::map<std::string, std::string> versions_;  ///< resourceVersion by name, as last read; empty: there was none
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool woken_ = false;
  std::string trusted_;
  /// In force: it goes back where it was if somebody deletes its Secret, since all that was handed out trusts it.
  std::optional<AuthoritySecret> authority_;
  std::string told_;     ///< what on_change_ was last called with, as one text
  std::string failure_;  ///< as last logged
  std::jthread thread_;
};

}  // namespace adit::controller
