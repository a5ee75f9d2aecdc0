#include "tests/system/tunnel.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "routing/compile.h"
#include "tests/routing/objects.h"

namespace adit::test {
namespace {

using Endpoint = net::asio::ip::tcp::endpoint;

constexpr const char* kToken = "a-token-of-the-system-tests-0123456789";

Endpoint any_port() { return Endpoint(net::asio::ip::address_v4::loopback(), 0); }

std::filesystem::path fresh_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "adit-system-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

}  // namespace

Setting::Setting() : link_certificate(authority.issue("IP:127.0.0.1")), folder_(fresh_folder()) {
  const auto issued = authority.issue(std::string("DNS:") + kHost);
  routing::Objects objects;
  objects.tunnels.push_back(routing::tunnel("default/shop", {}));
  objects.tunnels[0].routes.push_back(routing::rule(kHost));
  objects.tunnels[0].tls_secrets = {"shop-tls"};
  objects.tunnels[0].token_secrets = {"shop-connector"};
  tunnel_id = objects.tunnels[0].id;
  objects.secrets.push_back(routing::secret("default/shop-tls", "kubernetes.io/tls",
                                            {{"tls.crt", issued.chain_pem}, {"tls.key", issued.key_pem}}));
  objects.secrets.push_back(routing::secret("default/shop-connector", "adit.dev/connector-token", {{"token", kToken}}));
  auto compiled = routing::compile_table(objects, {});
  if (!compiled.problems.empty()) throw std::runtime_error(compiled.problems[0].text());
  table = compiled.table;

  token_file = folder_ / "token";
  std::ofstream(token_file) << kToken;
  ca_file = folder_ / "ca.pem";
  std::ofstream(ca_file) << authority.pem();
  net::Trust trust;
  trust.ca_pem = authority.pem();
  visitor_tls = *net::make_client_context(trust);
}

Setting::~Setting() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Tunnel::Tunnel(const Setting& setting)
    : setting_(setting), shared_(setting.table, metrics_), acceptor_(link_loop_, shared_) {
  metrics_.workers.push_back(std::make_unique<gateway::WorkerMetrics>());
  shared_.gateway_id = "gateway";
  shared_.answer_timeout = std::chrono::seconds(2);
  gateway_ = std::make_unique<gateway::Worker>(shared_, 0);
  shared_.workers.push_back(gateway_.get());
}

Tunnel::~Tunnel() {
  if (coordinator_) coordinator_->stop();
  coordinator_loop_.stop();
  if (coordinator_thread_.joinable()) coordinator_thread_.join();
  if (connector_) connector_->stop();
  gateway_->stop();
  link_loop_.stop();
}

base::Result<void> Tunnel::start() {
  if (auto started = start_gateway(); !started) return started;
  start_connector();
  return {};
}

base::Result<void> Tunnel::start_gateway() {
  for (const bool tls : {false, true}) {
    const auto bound = gateway_->listen(any_port(), tls);
    if (!bound) return base::Error{bound.error()};
    (tls ? https_ : http_) = bound->port();
  }
  const auto& pair = setting_.link_certificate;
  shared_.link_certificate.publish(std::make_shared<const routing::Certificate>(
      routing::Certificate{"link", pair.chain_pem, pair.key_pem, "fingerprint"}));
  const auto bound = acceptor_.listen(any_port());
  if (!bound) return base::Error{bound.error()};
  link_ = bound->port();
  link_thread_ = std::jthread([this] { link_loop_.run(); });
  gateway_->run();
  return {};
}

void Tunnel::start_connector() {
  connector::GatewayAddress gateway;
  gateway.target.host = "127.0.0.1";
  gateway.target.port = link_;
  options_.gateways.push_back(gateway);
  options_.token_file = setting_.token_file;
  options_.ca_file = setting_.ca_file;
  (void)options_.services.add(*connector::parse_service("http://127.0.0.1:" + std::to_string(service_.port())));
  identity_.tunnel = setting_.tunnel_id;
  identity_.name = "connector";
  identity_.instance = "instance";
  link::Coverage::Settings coverage;
  coverage.links = 2;
  coverage.instance = identity_.instance;
  coordinator_ = std::make_unique<connector::LinkCoordinator>(coordinator_loop_, coverage);
  connector_ = std::make_unique<connector::Worker>(options_, identity_, connector_metrics_, *coordinator_, reports_);
  coordinator_->add_worker([this](const link::Coverage::Action& action) { connector_->carry(action); });
  connector_->run();
  coordinator_->start();
  coordinator_thread_ = std::jthread([this] { coordinator_loop_.run(); });
}

}  // namespace adit::test
