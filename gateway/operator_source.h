#pragma once
// An operator as the source of a gateway's tables: the gateway's end of the control channel (docs/control.md).

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "control/replica.h"
#include "gateway/configuration_source.h"
#include "gateway/link_reports.h"
#include "gateway/metrics.h"
#include "gateway/operator_client.h"
#include "gateway/state_folder.h"
#include "net/loop.h"

namespace adit::gateway {

struct OperatorSourceOptions {
  std::string url;  ///< as the user wrote it, for /status
  OperatorAccess access;
  std::filesystem::path state_dir;  ///< empty: no copy is kept
  bool link_certificate = true;     ///< false: --link-cert serves instead of the operator's
  std::string peer_address = {};    ///< where other gateways reach this one; empty: the operator does not tell them
  std::chrono::milliseconds link_check{200};
  std::chrono::milliseconds save_after{1'000};
};

/// Losing the operator changes nothing: the last good state serves for ever, and the operator is dialled again. A copy
/// of that state serves from the start, so that a container that restarts into an outage is ready at once.
class OperatorSource final : public ConfigurationSource, private OperatorClientOwner, private net::TurnTask {
 public:
  OperatorSource(OperatorSourceOptions options, GatewayMetrics& metrics);
  ~OperatorSource() override { stop(); }

  /// That of the copy, or an empty one. Fails when the state folder cannot be used; a copy that cannot be used is
  /// logged and left alone.
  base::Result<TablePtr> first_table() override;
  base::Result<void> start(Shared& shared, Publish publish) override;
  void stop() override;
  base::Result<void> ready() const override;
  std::optional<OperatorStatus> operator_status() const override;

 private:
  void on_operator_connected(const std::string& remote) override;
  base::Result<void> on_operator_message(std::string_view text) override;
  void on_operator_writable() override { report_links(); }
  void on_operator_lost(const std::string& why) override;

  void read_copy();
  void apply_soon();
  void at_turn_end() override { apply(); }
  void apply();
  void publish_link_certificate();
  void publish_peers();
  void look_at_links();
  void report_links();
  void save();
  void update_status();

  OperatorSourceOptions options_;
  GatewayMetrics& metrics_;
  std::optional<StateFolder> state_;
  std::atomic<bool> ready_{false};
  mutable std::mutex status_mutex_;
  OperatorStatus status_;

  // From start() on, of the loop's thread.
  Shared* shared_ = nullptr;
  Publish publish_;
  control::Replica replica_;
  LinkReports reports_;
  std::uint64_t links_seen_ = 0;
  std::shared_ptr<const control::PeersMessage> peers_seen_;
  std::shared_ptr<const control::PeerCertificateMessage> peer_certificate_seen_;
  base::TimePoint applied_{};
  bool unsaved_ = false;
  std::string save_problem_;

  net::Loop loop_;
  net::Deadline apply_;
  net::Deadline links_check_;
  net::Deadline save_;
  std::unique_ptr<OperatorClient> client_;
  std::thread thread_;
};

}  // namespace adit::gateway
