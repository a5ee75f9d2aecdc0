#include "http/web_socket_frames.h"

#include <algorithm>

namespace adit::http {
namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kOpcode = 0x0f;
constexpr std::uint8_t kClose = 0x8;
constexpr std::uint8_t kLength = 0x7f;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;
constexpr std::size_t kMaskSize = 4;
constexpr std::array<std::uint8_t, 2> kGoingAway = {1001 >> 8U, 1001 & 0xffU};

std::size_t length_bytes(std::uint8_t second) {
  const auto length = static_cast<std::uint8_t>(second & kLength);
  return length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
}

}  // namespace

std::size_t WebSocketFrames::pass(std::span<const char> bytes, bool to_boundary) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    if (lost_) return bytes.size();
    if (to_boundary && at_boundary()) return used;
    if (rest_ == 0) {
      if (take_head_byte(bytes[used++])) begin_payload();
      continue;
    }
    const auto size = std::min<std::uint64_t>(rest_, bytes.size() - used);
    used += size;
    rest_ -= size;
    closed_ = closed_ || (closing_ && rest_ == 0);
  }
  return used;
}

/// True when the head is whole.
bool WebSocketFrames::take_head_byte(char byte) {
  head_[head_size_++] = static_cast<std::uint8_t>(byte);
  if (head_size_ < 2) return false;
  return head_size_ == 2 + length_bytes(head_[1]) + ((head_[1] & kMasked) != 0 ? kMaskSize : 0);
}

void WebSocketFrames::begin_payload() {
  const auto bytes = length_bytes(head_[1]);
  rest_ = bytes == 0 ? head_[1] & kLength : 0;
  for (std::size_t i = 0; i < bytes; ++i) rest_ = rest_ << 8U | head_[2 + i];
  lost_ = rest_ >> 63U != 0;  // §5.2: the most significant bit must be 0
  closing_ = (head_[0] & kOpcode) == kClose;
  closed_ = closed_ || (closing_ && rest_ == 0);
  head_size_ = 0;
}

CloseFrame going_away() {
  CloseFrame frame;
  for (const std::uint8_t byte : {std::uint8_t{kFinal | kClose}, std::uint8_t{2}, kGoingAway[0], kGoingAway[1]}) {
    frame.bytes[frame.size++] = static_cast<char>(byte);
  }
  return frame;
}

CloseFrame going_away(std::uint32_t mask) {
  CloseFrame frame;
  const auto put = [&](std::uint32_t byte) { frame.bytes[frame.size++] = static_cast<char>(byte); };
  put(kFinal | kClose);
  put(kMasked | 2U);
  for (unsigned i = 0; i < kMaskSize; ++i) put(mask >> (24U - 8U * i) & 0xffU);
  for (unsigned i = 0; i < kGoingAway.size(); ++i) put(kGoingAway[i] ^ (mask >> (24U - 8U * i) & 0xffU));
  return frame;
}

}  // namespace adit::http
