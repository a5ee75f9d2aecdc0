// The decoder of chunked bodies alone: what comes out must not depend on how the bytes were split, and what is decoded
// must mean the same when it is written again.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/chunked.h"
#include "http/forwarding.h"
#include "tests/http/conversation.h"

namespace http = adit::http;

namespace {

/// Feeds a decoder as a connection does: what was not consumed comes again, with more behind it.
class Reader {
 public:
  void receive(std::string_view bytes) {
    pending_.append(bytes);
    if (last_.progress != http::Progress::need_more) return;
    last_ = decoder_.parse(pending_, sink_);
    if (last_.consumed > pending_.size()) std::abort();
    pending_.erase(0, last_.consumed);
    consumed_ += last_.consumed;
  }

  bool complete() const { return last_.progress == http::Progress::complete; }
  const http::test::TextSink& sink() const { return sink_; }
  /// A refusal comes as early as it can, so that what was consumed before it depends on the split.
  std::string outcome() const {
    const bool refused = last_.progress == http::Progress::refused;
    return std::to_string(static_cast<int>(last_.progress)) + " " + std::to_string(last_.status) + " " +
           (refused ? "" : std::to_string(consumed_)) + " {" + sink_.body + "}" + sink_.trailers;
  }

 private:
  http::ChunkedDecoder decoder_;
  http::test::TextSink sink_;
  http::Parsed last_;
  std::string pending_;
  std::size_t consumed_ = 0;
};

/// What a decoder makes of the body once it was decoded and written again, without trailers.
std::string written_again(const std::string& body) {
  adit::base::Buffer out;
  http::write_chunk(out, body);
  http::write_last_chunk(out, nullptr);
  Reader reader;
  reader.receive(out.view());
  return reader.complete() ? reader.sink().body : "refused";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  // The first two bytes say where the bytes are split.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t split = (data[0] + 256U * data[1]) % (bytes.size() + 1);

  Reader whole;
  whole.receive(bytes);
  Reader parts;
  parts.receive(bytes.substr(0, split));
  parts.receive(bytes.substr(split));
  const bool same = !whole.complete() || written_again(whole.sink().body) == whole.sink().body;
  if (parts.outcome() == whole.outcome() && same) return 0;
  std::fprintf(stderr, "whole: %s\nsplit: %s\n", whole.outcome().c_str(), parts.outcome().c_str());
  std::abort();
}
