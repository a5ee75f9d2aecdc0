// What leaves the edge must be read by the next parser as the edge has read it.

#include "tests/http/smuggling.h"

#include <gtest/gtest.h>

namespace adit::http::test {
namespace {

TEST(Smuggling, ForwardedMessagesAreReadAlike) {
  const char* requests[] = {
      "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET http://h/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\nHost: g\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: content-length\r\n\r\nabcGET / HTTP/1.1\r\nHost: "
      "h\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nContent-Length: 9\r\nT: "
      "u\r\n\r\n",
      "OPTIONS http://h HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
  };
  for (const char* request : requests) EXPECT_EQ(difference_after_forwarding(request), "") << request;
}

}  // namespace
}  // namespace adit::http::test
