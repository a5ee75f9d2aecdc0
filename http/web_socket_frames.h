#pragma once
// Where the frames of a relayed WebSocket begin and end (RFC 6455 §5.2). Sans-io; reads frame heads only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace adit::http {

/// One direction of a WebSocket whose bytes pass by. Payloads are stepped over, so the cost is that of the frames, not
/// of their bytes. What no WebSocket allows (masks, reserved bits, fragments in disorder) is the business of the two
/// ends.
class WebSocketFrames {
 public:
  /// Bytes that pass; returns how many of them were looked at: all of them, or with `to_boundary` those up to the end
  /// of the frame under way, none if none is.
  std::size_t pass(std::span<const char> bytes, bool to_boundary = false);

  /// Between two frames: a control frame may be put in here, also amid a fragmented message (§5.4).
  bool at_boundary() const { return head_size_ == 0 && rest_ == 0 && !lost_; }
  /// A whole Close frame has passed: this direction says nothing more (§5.5.1).
  bool closed() const { return closed_; }
  /// A length that no frame can have: there are no boundaries any more.
  bool lost() const { return lost_; }

 private:
  static constexpr std::size_t kLongestHead = 14;

  bool take_head_byte(char byte);
  void begin_payload();

  std::array<std::uint8_t, kLongestHead> head_{};
  std::size_t head_size_ = 0;  ///< bytes of a head that is not whole yet
  std::uint64_t rest_ = 0;     ///< of the payload under way
  bool closing_ = false;       ///< it is that of a Close frame
  bool closed_ = false;
  bool lost_ = false;
};

/// Close frames have at most 125 bytes of payload; ours hold a code and nothing else.
struct CloseFrame {
  std::array<char, 8> bytes{};
  std::size_t size = 0;

  std::span<const char> view() const { return {bytes.data(), size}; }
};

/// 1001, Going Away (§7.4.1), as a server sends it.
CloseFrame going_away();
/// The same as a client sends it (§5.3). `mask` need not be unpredictable: nothing of the payload is a visitor's
/// choice.
CloseFrame going_away(std::uint32_t mask);

}  // namespace adit::http
