// The PROXY header. What is read whole is read the same from any larger buffer, and never asked for more than its most.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "net/proxy_header.h"

namespace {

using namespace adit::net;
using Progress = ProxyHeader::Progress;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<char> bytes(data, data + size);
  const auto whole = parse_proxy_header(bytes);
  require(whole.consumed <= size && whole.consumed <= kMostProxyHeader);
  require((whole.progress == Progress::complete) == (whole.consumed != 0));
  require((whole.progress == Progress::refused) == !whole.reason.empty());
  if (whole.progress == Progress::need_more) require(size < kMostProxyHeader);
  if (whole.progress != Progress::complete) return 0;
  // Nothing less is a header, and nothing that follows makes it another.
  const std::span<const char> header(bytes.data(), whole.consumed);
  for (std::size_t cut = 0; cut < header.size(); ++cut) {
    require(parse_proxy_header(header.first(cut)).progress == Progress::need_more);
  }
  const auto alone = parse_proxy_header(header);
  require(alone.progress == Progress::complete && alone.consumed == whole.consumed);
  require(alone.connection.has_value() == whole.connection.has_value());
  if (alone.connection) require(alone.connection->source == whole.connection->source);
  return 0;
}
