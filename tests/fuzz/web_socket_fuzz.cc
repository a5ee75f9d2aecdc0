// Both ends of a WebSocket that hear anything. The first byte chooses the end, the
// second the size of the pieces in which the bytes come.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "link/web_socket.h"

namespace {

using namespace adit;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Heard {
  std::string plain;
  std::string answers;
  std::string error;
  bool closed = false;
};

Heard hear(link::WebSocketEnd end, std::string_view bytes, std::size_t piece) {
  base::Random random(1);
  link::WebSocket socket(end, random);
  base::Buffer plain;
  base::Buffer out;
  Heard heard;
  for (std::size_t at = 0; at < bytes.size() && heard.error.empty(); at += piece) {
    const auto taken = socket.receive(bytes.substr(at, piece), plain, out);
    if (!taken) heard.error = taken.error();
  }
  require(plain.size() <= bytes.size());
  require(out.size() <= 3 * bytes.size() + 200);  // an answer is hardly longer than what it answers
  heard.plain = plain.view();
  heard.answers = out.view();
  heard.closed = socket.peer_closed();
  require(!(heard.closed && !heard.error.empty()));
  return heard;
}

/// What one end sends the other one takes, whatever the bytes.
void exchange(link::WebSocketEnd from, std::string_view bytes, std::size_t piece) {
  base::Random random(2);
  link::WebSocket sender(from, random);
  link::WebSocket receiver(from == link::WebSocketEnd::client ? link::WebSocketEnd::server : link::WebSocketEnd::client,
                           random);
  base::Buffer plain;
  base::Buffer wire;
  std::string received;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    base::Buffer part;
    part.append(bytes.substr(at, piece));
    sender.send(part, wire);
    require(static_cast<bool>(receiver.receive(wire.readable(), plain, wire)));
    received += plain.view();
    plain.clear();
    wire.clear();
  }
  require(received == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto end = (data[0] & 1U) == 0 ? link::WebSocketEnd::server : link::WebSocketEnd::client;
  const std::size_t piece = data[1] + std::size_t{1};
  const auto whole = hear(end, bytes, std::max<std::size_t>(bytes.size(), 1));
  const auto cut = hear(end, bytes, piece);
  require(whole.plain == cut.plain && whole.answers == cut.answers);
  require(whole.error == cut.error && whole.closed == cut.closed);
  exchange(end, bytes, piece * 17);
  return 0;
}
