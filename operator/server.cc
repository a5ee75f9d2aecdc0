#include "operator/server.h"

#include <algorithm>
#include <memory>

#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/version.h"
#include "kube/cluster_config.h"
#include "kube/leader_election.h"
#include "kube/rest_api.h"
#include "operator/authenticator.h"
#include "operator/certificate_keeper.h"
#include "operator/control_endpoint.h"
#include "operator/guarded_api.h"
#include "operator/observe.h"
#include "operator/tunnel_controller.h"
#include "operator/tunnel_watch.h"
#include "telemetry/admin_server.h"

namespace adit::controller {
namespace {

using base::Result;

std::vector<std::string> watched_spaces(const Options& options) {
  return options.namespaces.empty() ? std::vector<std::string>{""} : options.namespaces;
}

std::string identity() {
  base::Random random;
  const auto id = base::random_id(random);
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return std::string(host.data()) + "_" + std::string(id.data(), id.size());
}

/// HOST of HOST:PORT.
std::string host_of(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return host;
}

kube::LeaderElectionOptions election_options(const Options& options) {
  kube::LeaderElectionOptions election;
  election.space = options.space;
  election.name = options.lease_name;
  election.identity = identity();
  election.lease = options.lease_duration;
  election.renew = options.renew_deadline;
  election.retry = options.retry_period;
  return election;
}

TunnelControllerSettings controller_settings(const Options& options) {
  TunnelControllerSettings settings;
  settings.gateway = options.gateway_address;
  settings.addresses = options.public_addresses;
  settings.rotation.overlap = std::chrono::duration_cast<std::chrono::seconds>(options.token_overlap);
  settings.writes_per_second = options.writes_per_second;
  return settings;
}

/// The parts, in an order in which each may use those before it.
class Server {
 public:
  Server(const Options& options, std::unique_ptr<kube::Api> api)
      : options_(options),
        api_(std::move(api)),
        guarded_(*api_, [this] { return election_.may_write(); }),
        events_(guarded_, "adit-operator", [this] { return election_.may_write(); }),
        tunnels_(
            *api_, watched_spaces(options), [this](const std::vector<kube::Change>& changes) { on_tunnels(changes); },
            [this] { compiler_.tunnels_listed(); }),
        secrets_(*api_, watched_spaces(options),
                 [this](const std::string& key, const SecretState& state) { on_secret(key, state); }),
        compiler_({[this] { return tunnels_.all(); },
                   [this](std::set<std::string> keys) { secrets_.set_named(std::move(keys)); },
                   [this](const CompilationPtr& compilation) { on_compiled(compilation); }},
                  options.host_policy),
        authenticator_(*api_, {options.gateway_audience,
                               "system:serviceaccount:" + options.space + ":" + options.gateway_service_account,
                               options.gateway_token_file}),
        certificates_(
            guarded_, options.space, {options.control_names, {host_of(options.gateway_address)}},
            [this] { return election_.may_write(); },
            [this](const EdgeCertificates& certificates) { return on_certificates(certificates); }),
        controller_({guarded_, [this](const std::string& key) { return tunnels_.find(key); }, compiler_, views_,
                     secrets_, events_, [this] { return certificates_.trusted(); }},
                    controller_settings(options)),
        control_(options.control,
                 {authenticator_, views_, [this](const std::vector<std::string>& keys) { on_views(keys); },
                  [this] { return election_.may_write(); }}),
        election_(
            *api_, election_options(options), [this](std::uint64_t term) { on_leading(term); },
            [this] { on_stopped(); }) {}
  ~Server() { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Result<void> start();
  void stop();

 private:
  Result<void> start_admin();
  Result<void> ready() const;
  void on_tunnels(const std::vector<kube::Change>& changes);
  void on_secret(const std::string& key, const SecretState& state);
  void on_compiled(const CompilationPtr& compilation);
  bool on_certificates(const EdgeCertificates& certificates);
  void on_views(const std::vector<std::string>& tunnels);
  void on_leading(std::uint64_t term);
  void on_stopped();
  void enqueue_all();

  const Options& options_;
  std::unique_ptr<kube::Api> api_;
  GuardedApi guarded_;
  EdgeViews views_;
  kube::EventRecorder events_;
  TunnelWatch tunnels_;
  SecretCache secrets_;
  Compiler compiler_;
  Authenticator authenticator_;
  CertificateKeeper certificates_;
  TunnelController controller_;
  ControlEndpoint control_;
  kube::LeaderElection election_;

  telemetry::Registry registry_;
  std::unique_ptr<telemetry::AdminServer> admin_;
};

Result<void> Server::start() {
  if (auto started = start_admin(); !started) return started;
  controller_.start();
  compiler_.start();
  secrets_.start();
  tunnels_.start();
  election_.start();
  certificates_.start();
  return {};
}

/// Who gives the others work ends first.
void Server::stop() {
  admin_.reset();
  certificates_.stop();
  tunnels_.stop();
  secrets_.stop();
  compiler_.stop();
  controller_.stop();
  events_.stop();
  election_.stop();  // gives the Lease back
  control_.stop();
}

Result<void> Server::start_admin() {
  if (options_.admin.off) return {};
  const ObservedParts parts{tunnels_, secrets_, compiler_, controller_, views_, events_, election_};
  registry_.add([parts](telemetry::Families& families) { collect(parts, families); });
  registry_.add(telemetry::collect_process);
  registry_.add(telemetry::build_info("adit-operator", base::kVersion));
  telemetry::AdminHandlers handlers;
  handlers.ready = [this] { return ready(); };
  handlers.metrics = [this] { return registry_.text(); };
  handlers.status = [parts] { return status_json(parts); };
  auto admin = telemetry::AdminServer::start(options_.admin, std::move(handlers));
  if (!admin) return base::Error{admin.error()};
  admin_ = std::move(*admin);
  base::log::info("listening", {{"for", "admin"}, {"port", admin_->port()}});
  return {};
}

/// Followers are ready too: they only wait for their turn.
Result<void> Server::ready() const {
  if (!tunnels_.is_listed()) {
    const auto failure = tunnels_.failure();
    return base::Error{failure ? failure->text() : "Tunnels have not been listed yet"};
  }
  return control_.ready();
}

void Server::on_tunnels(const std::vector<kube::Change>& changes) {
  compiler_.tunnels_changed(changes);
  // Annotations and status are nothing to the compiler.
  for (const auto& change : changes) controller_.enqueue(change.key);
}

void Server::on_secret(const std::string& key, const SecretState& state) {
  compiler_.secret_changed(key, state);
  constexpr std::string_view kEnding = "-connector";
  if (key.ends_with(kEnding)) controller_.enqueue(key.substr(0, key.size() - kEnding.size()));
}

void Server::on_compiled(const CompilationPtr& compilation) {
  control_.update(compilation);
  for (const auto& key : compilation->changed) controller_.enqueue(key);
}

void Server::on_views(const std::vector<std::string>& tunnels) {
  if (tunnels.empty()) return enqueue_all();
  for (const auto& key : tunnels) controller_.enqueue(key);
}

void Server::enqueue_all() {
  for (const auto& tunnel : tunnels_.all()) controller_.enqueue(kube::name_of(*tunnel).key());
}

bool Server::on_certificates(const EdgeCertificates& certificates) {
  if (!control_.use(certificates)) return false;
  enqueue_all();  // connectors' Secrets hold what is to be trusted
  return true;
}

void Server::on_leading(std::uint64_t term) {
  control_.lead(term);
  compiler_.lead();
  certificates_.look();
}

void Server::on_stopped() {
  compiler_.resign();
  control_.resign();
}

Result<std::unique_ptr<kube::Api>> connect(const Options& options) {
  const auto config = options.kubeconfig.empty()
                          ? kube::in_cluster_config([](const char* name) -> const char* { return std::getenv(name); })
                          : kube::load_kubeconfig(options.kubeconfig.string(), options.context);
  if (!config) return base::Error{config.error()};
  base::log::info("API server", {{"url", config->server}});
  auto api = kube::RestApi::create(*config);
  if (!api) return base::Error{api.error()};
  return std::unique_ptr<kube::Api>(std::move(*api));
}

}  // namespace

int serve(const Options& options) {
  const base::Signals signals;
  auto api = connect(options);
  if (!api) {
    base::log::error("cannot start", {{"reason", api.error()}});
    return 1;
  }
  Server server(options, std::move(*api));
  if (const auto started = server.start(); !started) {
    base::log::error("cannot start", {{"reason", started.error()}});
    return 1;
  }
  int signal = 0;
  while (signal != SIGTERM && signal != SIGINT) signal = signals.wait(std::chrono::hours(1));
  base::log::info("shutting down");
  server.stop();
  base::log::info("ended");
  return 0;
}

}  // namespace adit::controller
