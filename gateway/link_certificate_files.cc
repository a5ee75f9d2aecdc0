#include "gateway/link_certificate_files.h"

#include <fstream>
#include <utility>

#include "base/log.h"
#include "routing/certificates.h"

namespace adit::gateway {
namespace {

constexpr auto kEvery = std::chrono::seconds(1);
constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

base::Result<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof()) return base::Error{path.string() + (in.fail() ? ": cannot be read" : ": larger than 1 MiB")};
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

LinkCertificateFiles::LinkCertificateFiles(std::filesystem::path chain, std::filesystem::path key,
                                           base::Published<routing::Certificate>& published)
    : chain_(std::move(chain)), key_(std::move(key)), published_(published) {}

/// Read whole each time: a file that was written in place within a tick of the clock has the same times as before.
base::Result<std::shared_ptr<const routing::Certificate>> LinkCertificateFiles::read() const {
  const auto chain = read_text(chain_);
  if (!chain) return base::Error{"--link-cert " + chain.error()};
  const auto key = read_text(key_);
  if (!key) return base::Error{"--link-key " + key.error()};
  routing::SecretObject secret;
  secret.meta.name = "--link-cert";
  secret.type = "kubernetes.io/tls";
  secret.data = {{"tls.crt", *chain}, {"tls.key", *key}};
  auto pair = routing::KeyPair::read(secret);
  if (!pair)
    return base::Error{"--link-cert " + chain_.string() + ", --link-key " + key_.string() + ": " + pair.error()};
  return pair->certificate();
}

base::Result<void> LinkCertificateFiles::load() {
  auto certificate = read();
  if (!certificate) return base::Error{certificate.error()};
  published_.publish(*std::move(certificate));
  return {};
}

void LinkCertificateFiles::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, stop, kEvery, [&] { return stop.stop_requested(); })) look();
  });
}

void LinkCertificateFiles::look() {
  auto certificate = read();
  if (!certificate) {
    const bool again = fault_ == certificate.error();
    fault_ = certificate.error();
    if (!again) is_told_ = false;
    if (!again || std::exchange(is_told_, true)) return;
    return base::log::error("link certificate cannot be used; the last good one serves", {{"reason", fault_}});
  }
  fault_.clear();
  is_told_ = false;
  if ((*certificate)->fingerprint == published_.get()->fingerprint) return;
  published_.publish(*std::move(certificate));
  base::log::info("link certificate read again", {{"file", chain_.string()}});
}

}  // namespace adit::gateway
