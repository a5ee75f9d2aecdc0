#include "gateway/remote_stream.h"

#include <algorithm>

#include "base/buffer.h"

namespace adit::gateway {
namespace {

// Bytes on their way to the far side that the link has not taken yet: about one stream window.
constexpr std::size_t kMostInFlight = 128 * 1024;

/// Both halves of one crossing. Each member belongs to one of the two threads; messages keep the whole alive.
class Crossing final : public std::enable_shared_from_this<Crossing>, public link::Stream, public link::StreamHandler {
 public:
  Crossing(net::Loop& near, net::Loop& far, FarLinks& far_links, link::StreamHandler& handler)
      : near_(near), far_(far), far_links_(far_links), handler_(&handler) {}

  void open(RemoteOpening opening) {
    self_ = shared_from_this();
    to_far([opening = std::move(opening)](Crossing& crossing) { crossing.open_far(opening); });
  }

  // Near thread: the stream that the visitor's side uses.
  void answer(int, std::string_view) override {}
  void resume() override { push(); }
  void finish() override {
    finishing_ = true;
    push();
  }
  void consume(std::size_t size) override {
    to_far([size](Crossing& crossing) {
      if (crossing.stream_ != nullptr) crossing.stream_->consume(size);
    });
  }
  void reset() override {
    handler_ = nullptr;
    to_far([](Crossing& crossing) {
      crossing.cancelled_ = true;
      if (auto* stream = std::exchange(crossing.stream_, nullptr)) stream->reset();
    });
    self_.reset();
  }
  void set_handler(link::StreamHandler& handler) override { handler_ = &handler; }

  // Far thread: the user of the real stream.
  void on_answer(int status, std::string_view reason) override {
    tell(status);
    to_near([status, reason = std::string(reason)](Crossing& crossing) {
      if (crossing.handler_ == nullptr) return;
      crossing.answered_ = true;
      crossing.handler_->on_answer(status, reason);
      crossing.push();
    });
  }
  void on_data(std::span<const char> bytes) override {
    auto copy = std::make_shared<base::Buffer>();
    copy->append(bytes);
    to_near([copy](Crossing& crossing) {
      if (crossing.handler_ != nullptr) crossing.handler_->on_data(copy->readable());
    });
  }
  void on_end() override {
    to_near([](Crossing& crossing) {
      if (crossing.handler_ != nullptr) crossing.handler_->on_end();
    });
  }
  void on_closed(link::Closed why) override {
    stream_ = nullptr;
    tell(0);
    to_near([why](Crossing& crossing) { crossing.close_near(why); });
  }
  std::span<const char> to_send() override { return pending_.readable(); }
  void on_sent(std::size_t size) override {
    pending_.consume(size);
    to_near([size](Crossing& crossing) {
      crossing.in_flight_ -= size;
      crossing.push();
    });
  }

 private:
  template <class Work>
  void to_far(Work work) {
    far_.post([self = shared_from_this(), work = std::move(work)] { work(*self); });
  }
  template <class Work>
  void to_near(Work work) {
    near_.post([self = shared_from_this(), work = std::move(work)] { work(*self); });
  }

  void open_far(const RemoteOpening& opening) {
    if (cancelled_) return;
    link::Opening request;
    request.service = opening.service;
    request.visitor = opening.visitor;
    request.request_id = opening.request_id;
    request.tunnel = opening.tunnel;
    request.instance = opening.instance;
    link_id_ = opening.link_id;
    stream_ = far_links_.open(link_id_, request, *this);
    if (stream_ == nullptr) {
      tell(0);
      to_near([](Crossing& crossing) { crossing.close_near(link::Closed::refused); });
    }
  }

  /// Far thread: once, what became of the opening.
  void tell(int status) {
    if (!std::exchange(told_, true)) far_links_.on_opened(link_id_, status);
  }

  void close_near(link::Closed why) {
    auto keep = std::move(self_);
    if (auto* handler = std::exchange(handler_, nullptr)) handler->on_closed(why);
  }

  /// Near thread: takes what the visitor's side has to send, as far as the far side keeps up.
  void push() {
    if (handler_ == nullptr || !answered_) return;
    while (in_flight_ < kMostInFlight) {
      auto bytes = handler_->to_send();
      if (bytes.empty()) break;
      bytes = bytes.first(std::min(bytes.size(), kMostInFlight - in_flight_));
      auto copy = std::make_shared<base::Buffer>();
      copy->append(bytes);
      in_flight_ += bytes.size();
      to_far([copy](Crossing& crossing) {
        if (crossing.stream_ == nullptr) return;
        crossing.pending_.append(copy->readable());
        crossing.stream_->resume();
      });
      handler_->on_sent(bytes.size());  // last: from within it more may be brought, which must not overtake these
      if (handler_ == nullptr) return;
    }
    if (finishing_ && !finish_sent_ && handler_->to_send().empty()) {
      finish_sent_ = true;
      to_far([](Crossing& crossing) {
        if (crossing.stream_ != nullptr) crossing.stream_->finish();
      });
    }
  }

  net::Loop& near_;
  net::Loop& far_;
  FarLinks& far_links_;

  // Near thread.
  link::StreamHandler* handler_;
  std::shared_ptr<Crossing> self_;  ///< as long as the near side uses the stream
  std::size_t in_flight_ = 0;
  bool answered_ = false;
  bool finishing_ = false;
  bool finish_sent_ = false;

  // Far thread. The real stream is alive while stream_ is set, and the message that ends it keeps this alive till then.
  link::Stream* stream_ = nullptr;
  base::Buffer pending_;
  std::uint64_t link_id_ = 0;
  bool cancelled_ = false;
  bool told_ = false;
};

}  // namespace

link::Stream* open_remote_stream(net::Loop& near, net::Loop& far, FarLinks& far_links, RemoteOpening opening,
                                 link::StreamHandler& handler) {
  auto crossing = std::make_shared<Crossing>(near, far, far_links, handler);
  crossing->open(std::move(opening));
  return crossing.get();
}

void suspect_remote_link(net::Loop& far, FarLinks& far_links, std::uint64_t link_id) {
  far.post([&far_links, link_id] { far_links.suspect(link_id); });
}

}  // namespace adit::gateway
