#pragma once
// Gateway, connector and service in this process: the real parts of the programs, on loopback.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "connector/link_coordinator.h"
#include "connector/worker.h"
#include "gateway/link_acceptor.h"
#include "gateway/worker.h"
#include "tests/net/certificates.h"
#include "tests/system/service.h"

namespace adit::test {

/// What all tunnels of a test program share: certificates, the route table, the connector's files.
class Setting {
 public:
  Setting();
  ~Setting();
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

  static constexpr const char* kHost = "shop.test";

  net::test::Authority authority;
  net::test::Issued link_certificate;
  std::shared_ptr<const routing::Table> table;
  std::string tunnel_id;
  std::filesystem::path token_file;
  std::filesystem::path ca_file;
  net::TlsContext visitor_tls;  ///< trusts the authority

 private:
  std::filesystem::path folder_;
};

/// One gateway worker with an acceptor of links, and one connector worker with two links.
class Tunnel {
 public:
  explicit Tunnel(const Setting& setting);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// What a program does before it serves; the error names what failed.
  base::Result<void> start();

  std::uint16_t http() const { return http_; }
  std::uint16_t https() const { return https_; }

 private:
  base::Result<void> start_gateway();
  void start_connector();

  const Setting& setting_;
  Service service_;
  gateway::GatewayMetrics metrics_;
  gateway::Shared shared_;
  std::unique_ptr<gateway::Worker> gateway_;
  net::Loop link_loop_;
  gateway::LinkAcceptor acceptor_;
  std::jthread link_thread_;
  std::uint16_t http_ = 0;
  std::uint16_t https_ = 0;
  std::uint16_t link_ = 0;

  connector::Options options_;
  connector::Identity identity_;
  connector::WorkerMetrics connector_metrics_{1};
  connector::LinkReports reports_;
  net::Loop coordinator_loop_;
  std::unique_ptr<connector::LinkCoordinator> coordinator_;
  std::unique_ptr<connector::Worker> connector_;
  std::jthread coordinator_thread_;
};

}  // namespace adit::test
