#pragma once
// Streams to services that a test plays by hand, and the opener that hands them out.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/link_directory.h"
#include "gateway/stream_pool.h"
#include "link/stream.h"

namespace adit::gateway::test {

inline std::span<const char> bytes_of(std::string_view text) { return {text.data(), text.size()}; }

/// The near end of a stream in memory: records what it was asked, and says what the test has it say.
class FakeStream final : public link::Stream {
 public:
  explicit FakeStream(link::StreamHandler& handler) : handler_(&handler) {}

  // What the user did.
  std::string sent;           ///< bytes that left
  std::size_t consumed = 0;   ///< credit given back
  std::size_t delivered = 0;  ///< bytes said by data()
  int resumes = 0;
  bool finished = false;
  bool was_reset = false;
  bool takes_at_once = false;  ///< resume() takes everything before it returns, as the stream of another worker does
  std::string service;
  std::string visitor;
  std::string request_id;

  bool alive() const { return handler_ != nullptr; }

  // The connector's part.
  void accept() { handler_->on_answer(200, {}); }
  void deny(int status, std::string_view reason = {}) {
    handler_->on_answer(status, reason);
    if (alive()) close(link::Closed::finished);
  }
  /// Takes what is there to send, at most `most` bytes.
  std::string_view take(std::size_t most = static_cast<std::size_t>(-1)) {
    const std::size_t before = sent.size();
    while (alive() && most > 0) {
      const auto bytes = handler_->to_send();
      if (bytes.empty()) break;
      const auto size = std::min(bytes.size(), most);
      sent.append(bytes.data(), size);
      most -= size;
      handler_->on_sent(size);
    }
    return std::string_view(sent).substr(before);
  }
  void data(std::string_view text) {
    delivered += text.size();
    handler_->on_data(bytes_of(text));
  }
  void end() { handler_->on_end(); }
  void close(link::Closed why) { std::exchange(handler_, nullptr)->on_closed(why); }

 private:
  void answer(int, std::string_view) override {}
  void resume() override {
    ++resumes;
    if (takes_at_once) take();
  }
  void finish() override { finished = true; }
  void consume(std::size_t size) override { consumed += size; }
  void reset() override {
    was_reset = true;
    handler_ = nullptr;
  }
  void set_handler(link::StreamHandler& handler) override { handler_ = &handler; }

  link::StreamHandler* handler_;
};

inline std::shared_ptr<LinkInfo> make_link(std::uint64_t id, LinkState state = LinkState::live) {
  auto link = std::make_shared<LinkInfo>();
  link->id = id;
  link->tunnel_id = "tunnel-id";
  link->connector = "connector-" + std::to_string(id);
  link->state = state;
  return link;
}

/// Opens streams on links that the test lists, the first that was not tried.
class FakeOpener final : public StreamOpener {
 public:
  std::vector<std::shared_ptr<LinkInfo>> links;
  std::vector<std::unique_ptr<FakeStream>> streams;  ///< all that were opened, for ever
  std::vector<std::uint64_t> doubted;
  bool sound = true;  ///< there is a link without trouble
  std::string down;   ///< a service that every connector says is down
  Unserved unserved = Unserved::not_offered;

  FakeStream& last() { return *streams.back(); }

  link::Stream* open_stream(const Upstream&, const link::Opening& opening, const std::vector<std::uint64_t>& tried,
                            link::StreamHandler& handler, std::shared_ptr<const LinkInfo>& link) override {
    const auto found = find(tried);
    if (found == links.end()) return nullptr;
    link = *found;
    streams.push_back(std::make_unique<FakeStream>(handler));
    last().service = opening.service;
    last().visitor = opening.visitor;
    last().request_id = opening.request_id;
    return streams.back().get();
  }
  void doubt(const LinkInfo& link) override { doubted.push_back(link.id); }
  bool has_sound_link(const Upstream&, const std::vector<std::uint64_t>& tried) override {
    return sound && find(tried) != links.end();
  }
  bool is_down(const Upstream& upstream, const LinkInfo&) override { return upstream.service == down; }
  Unserved why_unserved(const Upstream&) override { return unserved; }

 private:
  std::vector<std::shared_ptr<LinkInfo>>::iterator find(const std::vector<std::uint64_t>& tried) {
    return std::find_if(links.begin(), links.end(), [&](const auto& candidate) {
      return candidate->state == LinkState::live && std::find(tried.begin(), tried.end(), candidate->id) == tried.end();
    });
  }
};

}  // namespace adit::gateway::test
