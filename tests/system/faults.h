#pragma once
// The system calls of this test program for sockets, made to fail: it defines them itself, in front of libc's.

#include <string>

namespace adit::test {

/// Kinds of calls, to be joined by "|".
enum Call : unsigned {
  kReceive = 1,   ///< recv, recvmsg
  kSend = 2,      ///< send, sendmsg
  kAccept = 4,    ///< accept, accept4
  kConnect = 8,   ///< connect, and the error that getsockopt(SO_ERROR) tells of it later
  kOpen = 16,     ///< socket
  kWatch = 32,    ///< epoll_ctl that adds or changes (to remove cannot fail)
  kOption = 64,   ///< setsockopt
  kName = 128,    ///< getsockname, getpeername
  kListen = 256,  ///< bind, listen
};

struct Fault {
  const char* name;
  unsigned calls;
  int error;  ///< errno; 0: the call moves one byte at most
};

/// From now on counts the calls that `fault` is for, made by threads that are not exempt, and lets the nth fail (from
/// 1).
void arm(const Fault& fault, unsigned nth);
/// No more faults. Which call failed, empty if none did.
std::string disarm();
/// Calls since arm().
unsigned calls_counted();

/// While it lives, the thread's calls are neither counted nor made to fail: visitors, services, the test itself.
class Exempt {
 public:
  explicit Exempt(bool on = true);
  ~Exempt();
  Exempt(const Exempt&) = delete;
  Exempt& operator=(const Exempt&) = delete;

 private:
  bool before_;
};

}  // namespace adit::test
