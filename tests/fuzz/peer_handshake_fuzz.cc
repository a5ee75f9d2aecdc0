// Both readers of the handshake between gateways. The first byte chooses the reader and where the bytes are cut in two.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "link/peer_handshake.h"

namespace {

using namespace adit;

void require(bool holds) {
  if (!holds) std::abort();
}

void read_hello(std::string_view bytes, std::size_t cut) {
  link::PeerHelloReader reader;
  auto outcome = reader.read(bytes.substr(0, cut));
  if (!outcome.hello && !outcome.refusal) outcome = reader.read(bytes);
  require(outcome.consumed <= bytes.size());
  require(!(outcome.hello && outcome.refusal));
  if (!outcome.hello) return;
  // What was accepted can be written, and means the same.
  base::Buffer out;
  link::write_peer_hello(out, *outcome.hello);
  const auto again = link::PeerHelloReader().read(out.readable());
  require(again.hello && again.hello->gateway == outcome.hello->gateway);
  require(again.hello->version == outcome.hello->version);
}

void read_welcome(std::string_view bytes, std::size_t cut) {
  link::WelcomeReader reader(link::kPeerUpgradeToken);
  auto outcome = reader.read(bytes.substr(0, cut));
  if (!outcome.gateway_id && !outcome.refusal && outcome.broken.empty()) outcome = reader.read(bytes);
  require(outcome.consumed <= bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = bytes.size() * (data[0] >> 1U) / 128;
  (data[0] & 1U) == 0 ? read_hello(bytes, cut) : read_welcome(bytes, cut);
  return 0;
}
