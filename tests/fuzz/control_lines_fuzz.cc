// Bytes as they come on the control stream of a link, in pieces: every message that comes out can be sent again and is
// then understood in the same way, and after a failure there is silence. The first byte is the size of the pieces.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "link/control_stream.h"

namespace {

using namespace adit::link;

void require(bool holds) {
  if (!holds) std::abort();
}

class FakeStream final : public Stream {
 public:
  void answer(int, std::string_view) override {}
  void resume() override {}
  void finish() override {}
  void consume(std::size_t size) override { consumed += size; }
  void reset() override {}
  void set_handler(StreamHandler&) override {}
  std::size_t consumed = 0;
};

class Owner final : public ControlStream::Owner {
 public:
  void on_control_answer(int, std::string_view) override {}
  void on_control_message(const ControlMessage& message) override {
    require(!failed);
    const auto line = encode_control(message);
    require(!line.empty() && line.back() == '\n' && line.find('\n') == line.size() - 1);
    // A reason is text for a log and is cut at its limit, in the middle of a letter if it must be.
    if (std::holds_alternative<Leaving>(message)) return;
    const auto again = decode_control(std::string_view(line).substr(0, line.size() - 1));
    require(again && *again && encode_control(**again) == line);
  }
  void on_control_failed(std::string reason) override { require(!std::exchange(failed, true) && !reason.empty()); }
  bool failed = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = 1 + data[0] * std::size_t{16};
  Owner owner;
  FakeStream stream;
  ControlStream control(owner);
  control.attach(stream);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (!rest.empty()) {
    const auto piece = rest.substr(0, step);
    control.on_data({piece.data(), piece.size()});
    rest.remove_prefix(piece.size());
  }
  require(stream.consumed == size - 1);
  control.on_end();
  require(owner.failed);
  control.on_closed(Closed::reset);
  return 0;
}
