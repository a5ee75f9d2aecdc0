// Both readers of the handshake. The first byte chooses the reader and where the bytes are cut in two.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "link/handshake.h"

namespace {

using namespace adit;

void require(bool holds) {
  if (!holds) std::abort();
}

void read_hello(std::string_view bytes, std::size_t cut) {
  link::HelloReader reader;
  auto outcome = reader.read(bytes.substr(0, cut));
  if (!outcome.hello && !outcome.refusal) outcome = reader.read(bytes);
  require(outcome.consumed <= bytes.size());
  require(!(outcome.hello && outcome.refusal));
  base::Buffer out;
  if (outcome.refusal) link::write_refusal(out, *outcome.refusal, "gateway");
  if (!outcome.hello) return;
  // What was accepted can be written, and means the same.
  link::HelloForm form;
  form.host = "host";
  form.transport = outcome.transport;
  form.key = outcome.key;
  link::write_hello(out, *outcome.hello, form);
  const auto again = link::HelloReader().read(out.readable());
  require(again.hello.has_value());
  require(again.transport == outcome.transport && again.key == outcome.key);
  require(again.hello->slot == outcome.hello->slot);
  require(again.hello->token == outcome.hello->token && again.hello->tunnel_id == outcome.hello->tunnel_id);
  require(again.hello->connector == outcome.hello->connector && again.hello->instance == outcome.hello->instance);
}

void read_welcome(std::string_view bytes, std::size_t cut, link::Transport transport) {
  link::WelcomeReader reader(transport, "dGhlIHNhbXBsZSBub25jZQ==");
  const auto told = [](const auto& outcome) {
    return int{outcome.gateway_id.has_value()} + int{outcome.refusal.has_value()} + int{!outcome.broken.empty()};
  };
  auto outcome = reader.read(bytes.substr(0, cut));
  if (told(outcome) == 0) outcome = reader.read(bytes);
  require(told(outcome) <= 1);
  require(outcome.consumed <= bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = bytes.size() * (data[0] >> 2U) / 64;
  const auto transport = (data[0] & 2U) == 0 ? link::Transport::upgrade : link::Transport::websocket;
  (data[0] & 1U) == 0 ? read_hello(bytes, cut) : read_welcome(bytes, cut, transport);
  return 0;
}
