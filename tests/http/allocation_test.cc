// The way of a request and its answer allocates nothing once memory is warm: operator new is counted here.

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "http/forwarding.h"
#include "http/parser.h"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// Not inlined, so that the compiler does not see a delete that ends in free() and call it a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace adit::http::test {
namespace {

class Forwarder final : public BodySink {
 public:
  explicit Forwarder(base::Buffer& out) : out_(out) {}
  void on_body(std::span<const char> bytes) override { write_chunk(out_, bytes); }
  void on_trailers(const FieldList& trailers) override { write_last_chunk(out_, &trailers); }

 private:
  base::Buffer& out_;
};

const std::string kRequest =
    "POST /a?b HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, x-a\r\nX-A: 1\r\nUser-Agent: test\r\nCookie: a=b\r\n"
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailing: t\r\n\r\n";
const std::string kAnswer =
    "HTTP/1.1 200 OK\r\nServer: s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailing: t\r\n\r\n";

/// One exchange; the number of bytes written.
std::size_t exchange(RequestParser& requests, RequestHead& request, ResponseParser& answers, ResponseHead& answer) {
  base::Buffer out;
  Forwarder sink(out);
  std::span<const char> bytes(kRequest);
  bytes = bytes.subspan(requests.parse_head(bytes, request).consumed);
  write_request_head(out, request, {"192.0.2.1", "http", "80", "id"});
  if (requests.parse_body(bytes, sink).progress != Progress::complete) return 0;
  bytes = kAnswer;
  bytes = bytes.subspan(answers.parse_head(bytes, false, answer).consumed);
  write_response_head(out, answer, {11, false, response_framing(answer, 11)});
  if (answers.parse_body(bytes, sink).progress != Progress::complete) return 0;
  return out.size();
}

TEST(Allocation, NoneForAThousandExchanges) {
  RequestParser requests;
  ResponseParser answers;
  RequestHead request;
  ResponseHead answer;
  const std::size_t size = exchange(requests, request, answers, answer);
  ASSERT_GT(size, 300u);
  const std::size_t before = allocations;
  ASSERT_GT(before, 0u) << "the counter is not linked in";
  std::size_t written = 0;
  for (int i = 0; i < 1000; ++i) written += exchange(requests, request, answers, answer);
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_EQ(written, 1000 * size);
}

}  // namespace
}  // namespace adit::http::test
