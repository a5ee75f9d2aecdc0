// What parsing costs: nanoseconds for each kind of message; instructions are counted by running it under
// "valgrind --tool=callgrind" or "perf stat -e instructions:u". bench_parser [ROUNDS [KIND]]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/parser.h"

namespace adit::http {
namespace {

class Counter final : public BodySink {
 public:
  void on_body(std::span<const char> bytes) override { size += bytes.size(); }
  void on_trailers(const FieldList& trailers) override { size += trailers.size(); }
  std::size_t size = 0;
};

const std::string kSmallRequest = "GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n";
const std::string kBrowserRequest =
    "GET /products/list?page=2&sort=price HTTP/1.1\r\nHost: shop.example.com\r\nConnection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"
    "Referer: https://shop.example.com/products\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n";
const std::string kChunkedRequest =
    "POST /upload HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: chunked\r\n\r\n" + [] {
      std::string body;
      for (int i = 0; i < 16; ++i) body += "400\r\n" + std::string(1024, 'x') + "\r\n";
      return body + "0\r\n\r\n";
    }();
const std::string kTrailers =
    "POST /upload HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: "
    "1\r\n\r\n";
const std::string kAnswer =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\nContent-Type: text/html\r\n"
    "Content-Length: 5\r\nLast-Modified: Sat, 21 Nov 2026 09:00:00 GMT\r\nConnection: keep-alive\r\n"
    "ETag: \"5f3a-1b2c3d\"\r\nCache-Control: max-age=60\r\nAccept-Ranges: bytes\r\n\r\nhello";

/// `parse` reads one message and says how many bytes it was.
template <class Parse>
void measure(const char* what, const char* only, std::string_view message, std::size_t rounds, Parse parse) {
  if (only != nullptr && std::string_view(only) != what) return;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t round = 0; round < rounds; ++round) {
    if (parse(message) != message.size()) std::abort();
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  std::printf("%-10s %8.1f ns\n", what, took.count() / static_cast<double>(rounds));
}

}  // namespace
}  // namespace adit::http

int main(int count, char** words) {
  using namespace adit::http;
  const std::size_t rounds = count > 1 ? std::strtoul(words[1], nullptr, 10) : 1'000'000;
  const char* only = count > 2 ? words[2] : nullptr;
  RequestParser requests;
  RequestHead request;
  ResponseParser answers;
  ResponseHead answer;
  Counter body;
  const auto read_request = [&](std::string_view bytes) {
    const auto head = requests.parse_head(bytes, request).consumed;
    return head + requests.parse_body(bytes.substr(head), body).consumed;
  };
  measure("small", only, kSmallRequest, rounds, read_request);
  measure("browser", only, kBrowserRequest, rounds, read_request);
  measure("chunked", only, kChunkedRequest, rounds, read_request);
  measure("trailers", only, kTrailers, rounds, read_request);
  measure("answer", only, kAnswer, rounds, [&](std::string_view bytes) {
    const auto head = answers.parse_head(bytes, false, answer).consumed;
    return head + answers.parse_body(bytes.substr(head), body).consumed;
  });
  return body.size == 0 ? 1 : 0;
}
