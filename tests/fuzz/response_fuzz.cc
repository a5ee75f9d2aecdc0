// Answers from a service, which is as hostile as a visitor: what comes of them must not depend on how the bytes were
// split, and a head that is sent on must be read by the visitor with the framing that it was given.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "http/forwarding.h"
#include "tests/http/conversation.h"

namespace http = adit::http;

namespace {

/// What a visitor reads in the head that is sent on, beside what it must read; empty if they are the same.
std::string difference_to_visitor(std::string_view bytes, bool to_head, int version) {
  http::ResponseParser service;
  http::ResponseHead head;
  if (service.parse_head(bytes, to_head, head).progress != http::Progress::complete) return "";
  const auto framing = http::response_framing(head, version);
  adit::base::Buffer out;
  http::write_response_head(out, head, {version, false, framing});
  http::ResponseParser visitor;
  http::ResponseHead read;
  const auto parsed = visitor.parse_head(out.readable(), to_head, read);
  const bool same = parsed.progress == http::Progress::complete && parsed.consumed == out.size() &&
                    read.status == head.status && read.framing == framing &&
                    (framing != http::Framing::length || read.content_length == head.content_length);
  return same ? "" : std::string(out.view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  // Two bytes for the split, one for the kind of request that is answered.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t split = (data[0] + 256U * data[1]) % (bytes.size() + 1);
  const bool to_head = (data[2] & 1U) != 0;
  const int version = (data[2] & 2U) != 0 ? 10 : 11;

  const auto whole = http::test::outcome_at_once<http::test::Service>(bytes, to_head);
  http::test::Service service(to_head);
  service.receive(bytes.substr(0, split));
  service.receive(bytes.substr(split));
  const auto difference = difference_to_visitor(bytes, to_head, version);
  if (service.outcome() == whole && difference.empty()) return 0;
  std::fprintf(stderr, "whole: %s\nsplit: %s\nsent on:\n%s\n", whole.c_str(), service.outcome().c_str(),
               difference.c_str());
  std::abort();
}
