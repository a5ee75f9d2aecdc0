// A long, thin or lossy network between two network namespaces, in user space: a TUN device in each, and this program
// that carries packets from one to the other. tests/network/delay.py makes the namespaces and starts it.
//
//   delay_link [--delay MS] [--rate MBIT] [--queue BYTES] [--loss PERCENT] NETNS NETNS
//
// makes the device "far" in both namespaces (paths as below /run/netns), prints "ready", and then obeys the lines of
// its standard input: "delay MS", "rate MBIT", "queue BYTES", "loss PERCENT", "drop" (everything vanishes in silence),
// "pass", "stats". It ends with its standard input, and the devices with it. Needs CAP_NET_ADMIN.

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

/// How the network is; the same both ways. Changed while packets travel.
struct Conditions {
  std::atomic<double> delay_ms = 0;           // one way
  std::atomic<double> rate_mbit = 0;          // 0: as fast as the machine
  std::atomic<double> queue_bytes = 256e6;    // that wait for their turn; more is dropped
  std::atomic<double> loss_percent = 0;       // of packets
  std::atomic<bool> drop = false;             // everything
  std::atomic<std::uint64_t> carried = 0;     // packets, both ways
  std::atomic<std::uint64_t> overflowed = 0;  // dropped since the queue was full
  std::atomic<std::uint64_t> refused = 0;     // by the device that they were for
};

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "delay_link: " << what << ": " << std::strerror(errno) << std::endl;
  std::exit(1);
}

int open_netns(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(path);
  return fd;
}

/// The device "far" of a namespace. With `offload` the kernel hands over whole trains of TCP segments, up to 64 KiB,
/// which the other side takes as they are: so one system call carries forty packets.
int open_tun(const std::string& netns, bool offload) {
  const int own = open_netns("/proc/self/ns/net");
  const int other = open_netns(netns);
  if (setns(other, CLONE_NEWNET) != 0) fail("setns " + netns);
  const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail("/dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, "far", IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0);
  if (ioctl(fd, TUNSETIFF, &request) != 0) fail("TUNSETIFF");
  if (offload && ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0) fail("TUNSETOFFLOAD");
  if (setns(own, CLONE_NEWNET) != 0) fail("setns back");
  close(other);
  close(own);
  return fd;
}

/// Carries packets one way, on a thread of its own.
class Way {
 public:
  Way(int from, int to, Conditions& conditions) : from_(from), to_(to), conditions_(conditions) {}

  void run() {
    while (true) {
      const auto now = Clock::now();
      send_due(now);
      if (!receive_some()) wait();
    }
  }

 private:
  struct Packet {
    Clock::time_point due;
    std::vector<char> bytes;
  };

  static constexpr std::size_t kLargest = 64 * 1024 + 256;
  static constexpr int kReadsAtATime = 32;

  void send_due(Clock::time_point now) {
    while (!travelling_.empty() && travelling_.front().due <= now) {
      const auto& bytes = travelling_.front().bytes;
      // A device that is down or full loses packets, as a network does.
      if (!conditions_.drop) ++(write(to_, bytes.data(), bytes.size()) > 0 ? conditions_.carried : conditions_.refused);
      travelling_.pop_front();
    }
  }

  /// False when there was nothing.
  bool receive_some() {
    for (int i = 0; i < kReadsAtATime; ++i) {
      const auto size = read(from_, scratch_.data(), scratch_.size());
      if (size <= 0) return i != 0;
      take(static_cast<std::size_t>(size));
    }
    return true;
  }

  void take(std::size_t size) {
    if (conditions_.drop || chance_(random_) * 100 < conditions_.loss_percent) return;
    const auto now = Clock::now();
    leaves_ = std::max(leaves_, now);
    if (const double bits_per_ns = conditions_.rate_mbit / 1e3; bits_per_ns > 0) {
      const double waiting_bytes = static_cast<double>(nanoseconds(leaves_ - now).count()) * bits_per_ns / 8;
      if (waiting_bytes > conditions_.queue_bytes) {
        ++conditions_.overflowed;
        return;
      }
      leaves_ += nanoseconds(static_cast<std::int64_t>(static_cast<double>(size) * 8 / bits_per_ns));
    }
    // A shorter delay lets nobody overtake.
    auto due = leaves_ + nanoseconds(static_cast<std::int64_t>(conditions_.delay_ms * 1e6));
    if (!travelling_.empty()) due = std::max(due, travelling_.back().due);
    travelling_.push_back({due, std::vector<char>(scratch_.data(), scratch_.data() + size)});
  }

  void wait() const {
    pollfd incoming{from_, POLLIN, 0};
    if (travelling_.empty()) {
      poll(&incoming, 1, -1);
      return;
    }
    const auto span = std::max<nanoseconds>(travelling_.front().due - Clock::now(), nanoseconds(0)).count();
    const timespec limit{span / 1'000'000'000, span % 1'000'000'000};
    ppoll(&incoming, 1, &limit, nullptr);
  }

  const int from_;
  const int to_;
  Conditions& conditions_;
  std::deque<Packet> travelling_;
  Clock::time_point leaves_;  // when the last packet has passed the narrow place
  std::array<char, kLargest> scratch_;
  std::mt19937_64 random_{1};  // the same losses in each run
  std::uniform_real_distribution<double> chance_{0, 1};
};

std::atomic<double>* number_of(Conditions& conditions, const std::string& name) {
  if (name == "delay") return &conditions.delay_ms;
  if (name == "rate") return &conditions.rate_mbit;
  if (name == "queue") return &conditions.queue_bytes;
  if (name == "loss") return &conditions.loss_percent;
  return nullptr;
}

/// Answers each line with one line.
std::string obey(Conditions& conditions, const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  double number = 0;
  words >> verb;
  if (verb == "drop" || verb == "pass") {
    conditions.drop = verb == "drop";
    return "ok";
  }
  if (verb == "stats") {
    return "carried " + std::to_string(conditions.carried) + " overflowed " + std::to_string(conditions.overflowed) +
           " refused " + std::to_string(conditions.refused);
  }
  auto* target = number_of(conditions, verb);
  if (target == nullptr || !(words >> number)) return "what is \"" + line + "\"?";
  *target = number;
  return "ok";
}

}  // namespace

int main(int count, char** words) {
  static Conditions conditions;
  std::vector<std::string> namespaces;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    auto* target = word.starts_with("--") ? number_of(conditions, word.substr(2)) : nullptr;
    if (target != nullptr && i + 1 < count) {
      *target = std::atof(words[++i]);
    } else {
      namespaces.push_back(word);
    }
  }
  if (namespaces.size() != 2) {
    std::cerr << "delay_link [--delay MS] [--rate MBIT] [--queue BYTES] [--loss PERCENT] NETNS NETNS" << std::endl;
    return 2;
  }
  // A train of segments would be lost, or wait, as one. So where there are losses and queues, packets travel one by
  // one.
  const bool offload = conditions.rate_mbit <= 0 && conditions.loss_percent <= 0;
  const int one = open_tun(namespaces[0], offload);
  const int two = open_tun(namespaces[1], offload);
  static Way there(one, two, conditions);
  static Way back(two, one, conditions);
  std::thread([] { there.run(); }).detach();
  std::thread([] { back.run(); }).detach();
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << obey(conditions, line) << std::endl;
  std::_Exit(0);  // the threads carry packets to the last
}
