// Streams on another worker's link: two loops in one thread, so that a test decides who runs when.

#include "gateway/remote_stream.h"

#include <thread>

#include <gtest/gtest.h>

#include "tests/gateway/connector_end.h"

namespace adit::gateway::test {
namespace {

using link::Closed;

class RemoteStream : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(net::test::until(far_, [&] { return info_->state == LinkState::live; }));
  }

  void TearDown() override {
    if (visitor_.stream != nullptr) visitor_.stream->reset();  // who opens a stream ends it
  }

  void open(std::uint64_t link_id = 1) {
    RemoteOpening opening;
    opening.link_id = link_id;
    opening.service = "web";
    opening.visitor = "192.0.2.1:999";
    opening.request_id = "0123456789abcdef";
    visitor_.stream = open_remote_stream(near_, far_, links_, std::move(opening), visitor_);
  }
  void open_and_accept() {
    open();
    ASSERT_TRUE(until([&] { return visitor_.status == 200; }));
  }
  /// Serves both loops until `done()`.
  template <class Done>
  bool until(Done done) {
    const auto limit = base::Clock::now() + net::test::kPatience;
    while (!done() && base::Clock::now() < limit) {
      far_.context().run_one_for(std::chrono::milliseconds(1));
      near_.context().poll();
    }
    return done();
  }
  void settle() {
    for (int i = 0; i < 5; ++i) {
      net::test::settle(near_);
      net::test::settle(far_);
    }
  }
  StreamEnd& service() { return connector_->last(); }

  net::Loop near_;
  net::Loop far_;
  LinkDirectory directory_;
  BufferBudgets buffers_{BufferLimits{}};
  LinkTable links_{far_, directory_, buffers_, "gateway-id", [](std::uint64_t) {}};
  std::shared_ptr<LinkInfo> info_ = link_info(1, 1);
  std::unique_ptr<ConnectorEnd> connector_ = connect(far_, links_, directory_, info_);
  StreamEnd visitor_;
};

TEST_F(RemoteStream, BytesBothWaysAndBothEnds) {
  open_and_accept();
  EXPECT_EQ(service().service, "web");
  visitor_.send("question");
  ASSERT_TRUE(until([&] { return service().in == "question"; }));
  service().send("answer");
  service().stream->finish();
  ASSERT_TRUE(until([&] { return visitor_.in == "answer" && visitor_.ended; }));
  visitor_.send("more");
  visitor_.stream->finish();
  ASSERT_TRUE(until([&] { return visitor_.closed && service().closed; }));
  EXPECT_EQ(visitor_.closed, Closed::finished);
  EXPECT_EQ(service().in, "questionmore");
  EXPECT_TRUE(service().ended);
}

TEST_F(RemoteStream, RefusalKeepsItsReason) {
  connector_->status = 502;
  open();
  ASSERT_TRUE(until([&] { return visitor_.closed.has_value(); }));
  EXPECT_EQ(visitor_.status, 502);
  EXPECT_EQ(visitor_.reason, "said by the test");
}

TEST_F(RemoteStream, LinkIsGoneAtTheOpening) {
  open(99);
  ASSERT_TRUE(until([&] { return visitor_.closed.has_value(); }));
  EXPECT_EQ(visitor_.closed, Closed::refused) << "safe to try elsewhere";
}

TEST_F(RemoteStream, LinkIsLost) {
  open_and_accept();
  links_.find(1)->close("test");
  ASSERT_TRUE(until([&] { return visitor_.closed.has_value(); }));
  EXPECT_EQ(visitor_.closed, Closed::link_lost);
}

// The user brings more from within on_sent(), as an exchange does whose buffer was full.
TEST_F(RemoteStream, BytesBroughtWhileOthersAreTakenComeBehindThem) {
  open_and_accept();
  const std::string first(60'000, 'a');
  const std::string second(60'000, 'b');
  bool more = true;
  visitor_.when_sent = [&] {
    if (std::exchange(more, false)) visitor_.send(second);
  };
  visitor_.send(first);
  ASSERT_TRUE(until([&] { return service().in.size() == first.size() + second.size(); }));
  EXPECT_TRUE(service().in == first + second) << "out of order";
}

TEST_F(RemoteStream, SlowServiceHoldsTheVisitorBack) {
  open_and_accept();
  service().consumes = false;
  const std::string bulk(1'000'000, 'x');
  visitor_.send(bulk);
  settle();
  EXPECT_LT(visitor_.sent, 400'000U) << "a window, and what may be on its way";
  EXPECT_GT(visitor_.sent, 0U);
  service().consumes = true;
  service().stream->consume(service().in.size());
  ASSERT_TRUE(until([&] { return service().in.size() == bulk.size(); }));
}

TEST_F(RemoteStream, SlowVisitorHoldsTheServiceBack) {
  open_and_accept();
  visitor_.consumes = false;
  const std::string bulk(1'000'000, 'x');
  service().send(bulk);
  settle();
  EXPECT_LE(visitor_.in.size(), 64U * 1024) << "the first window";
  visitor_.consumes = true;
  visitor_.stream->consume(visitor_.in.size());
  ASSERT_TRUE(until([&] { return visitor_.in.size() == bulk.size(); }));
}

// At each step the near side resets: before, while and after the messages of the other side are under way.
TEST_F(RemoteStream, ResetByTheVisitorAtEachStep) {
  for (int step = 0; step < 6; ++step) {
    SCOPED_TRACE(step);
    visitor_ = StreamEnd();
    open();
    const auto streams = connector_->streams.size();
    if (step >= 1) near_.context().poll();
    if (step >= 2) net::test::settle(far_);
    if (step >= 3) {
      ASSERT_TRUE(until([&] { return visitor_.status == 200; }));
    }
    if (step >= 4) service().send("under way");
    if (step >= 5) {
      net::test::settle(far_);
      visitor_.send("bytes on their way");
    }
    std::exchange(visitor_.stream, nullptr)->reset();
    settle();
    EXPECT_FALSE(visitor_.closed) << "nothing is heard after reset()";
    if (connector_->streams.size() > streams || step >= 2) {
      EXPECT_TRUE(until([&] { return service().closed.has_value(); }));
    }
  }
}

TEST_F(RemoteStream, ResetByTheServiceWhileBytesAreOnTheirWay) {
  open_and_accept();
  visitor_.send("one");
  service().stream->reset();
  net::test::settle(far_);
  visitor_.send("two");
  ASSERT_TRUE(until([&] { return visitor_.closed.has_value(); }));
  EXPECT_EQ(visitor_.closed, Closed::reset);
  settle();
}

TEST_F(RemoteStream, DoubtReachesTheLink) {
  suspect_remote_link(far_, links_, 1);
  suspect_remote_link(far_, links_, 99);  // gone by then: no effect
  settle();
  EXPECT_EQ(info_->state, LinkState::live) << "it was heard of just now";
}

// For ThreadSanitizer: each loop on a thread of its own.
TEST_F(RemoteStream, TwoThreads) {
  const std::string bulk(3'000'000, 'x');
  std::atomic<bool> done{false};
  std::jthread far_thread([&] { far_.run(); });
  visitor_.send(bulk);
  near_.post([&] { open(); });
  far_.post([&] { connector_->status = 200; });
  std::function<void()> watch = [&] {
    if (visitor_.closed) {
      done = true;
      near_.stop();
      return;
    }
    if (visitor_.sent == bulk.size() && visitor_.stream != nullptr) visitor_.stream->finish();
    near_.post(watch);
  };
  near_.post(watch);
  std::function<void()> echo = [&] {
    if (!connector_->streams.empty()) {
      auto& end = service();
      if (end.ended && end.stream != nullptr && end.out.empty()) {
        end.send("whole");
        end.stream->finish();
      }
    }
    if (!done) far_.post(echo);
  };
  far_.post(echo);
  near_.context().run_for(net::test::kPatience);
  far_.stop();
  far_thread.join();
  EXPECT_TRUE(done);
  EXPECT_EQ(service().in.size(), bulk.size());
  EXPECT_EQ(visitor_.in, "whole");
  EXPECT_EQ(visitor_.closed, Closed::finished);
}

}  // namespace
}  // namespace adit::gateway::test
