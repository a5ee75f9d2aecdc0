// Requests from a visitor: what comes of them must not depend on how the bytes were split, and what is sent on must be
// read by the next parser as it was read here.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/http/conversation.h"
#include "tests/http/smuggling.h"

namespace http = adit::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  // The first two bytes say where the bytes are split.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t split = (data[0] + 256U * data[1]) % (bytes.size() + 1);

  const auto whole = http::test::outcome_at_once<http::test::Visitor>(bytes);
  http::test::Visitor visitor;
  visitor.receive(bytes.substr(0, split));
  visitor.receive(bytes.substr(split));
  const auto difference = http::test::difference_after_forwarding(bytes);
  if (visitor.outcome() == whole && difference.empty()) return 0;
  std::fprintf(stderr, "whole: %s\nsplit: %s\n%s\n", whole.c_str(), visitor.outcome().c_str(), difference.c_str());
  std::abort();
}
