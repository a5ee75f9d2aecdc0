#pragma once
// The folder of manifests as the source of a gateway's tables.

#include "gateway/configuration_source.h"
#include "gateway/manifest_folder.h"

namespace adit::gateway {

class ManifestSource final : public ConfigurationSource {
 public:
  ManifestSource(std::filesystem::path folder, GatewayMetrics& metrics) : folder_(std::move(folder), metrics) {}

  base::Result<TablePtr> first_table() override {
    auto loaded = folder_.load();
    if (!loaded) return base::Error{loaded.error()};
    log_problems(loaded->problems);
    return std::move(loaded->table);
  }
  base::Result<void> start(Shared&, Publish publish) override { return folder_.start(std::move(publish)); }
  void stop() override { folder_.stop(); }

 private:
  ManifestFolder folder_;
};

}  // namespace adit::gateway
