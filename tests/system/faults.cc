#include "tests/system/faults.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>

#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace adit::test {
namespace {

std::atomic<const Fault*> armed{nullptr};
std::atomic<unsigned> counted{0};
std::atomic<unsigned> chosen{0};
std::atomic<const char*> injected{nullptr};
thread_local bool exempt = false;

/// How each descriptor is watched, to raise an edge again.
struct Watch {
  int epoll = -1;
  epoll_event event{};
};
std::mutex watches_mutex;
std::array<Watch, 4096> watches;

/// The function of libc, or of a sanitizer that stands before it.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// The fault, if it is this call's turn.
const Fault* turn(Call call, const char* name) {
  const Fault* fault = exempt ? nullptr : armed.load(std::memory_order_acquire);
  if (fault == nullptr || (fault->calls & call) == 0) return nullptr;
  if (counted.fetch_add(1) + 1 != chosen.load()) return nullptr;
  injected.store(name);
  return fault;
}

/// "Not now" means that news will come; without it an edge-triggered wait would never end, which no kernel does.
void raise_edge(int descriptor) {
  const std::lock_guard lock(watches_mutex);
  auto& watch = watches[static_cast<std::size_t>(descriptor)];
  if (watch.epoll < 0) return;
  static auto* const real = next<decltype(::epoll_ctl)>("epoll_ctl");
  real(watch.epoll, EPOLL_CTL_MOD, descriptor, &watch.event);
}

int fail(const Fault& fault, int descriptor) {
  if (fault.error == EAGAIN) raise_edge(descriptor);
  errno = fault.error;
  return -1;
}

}  // namespace

void arm(const Fault& fault, unsigned nth) {
  injected = nullptr;
  counted = 0;
  chosen = nth;
  armed.store(&fault, std::memory_order_release);
}

std::string disarm() {
  armed = nullptr;
  const char* name = injected.exchange(nullptr);
  return name != nullptr ? name : "";
}

unsigned calls_counted() { return counted; }

Exempt::Exempt(bool on) : before_(exempt) { exempt = on; }
Exempt::~Exempt() { exempt = before_; }

namespace {

template <class Real>
ssize_t move_message(Call call, const char* name, Real* real, int descriptor, const msghdr* message, int flags) {
  const Fault* fault = turn(call, name);
  if (fault != nullptr && fault->error != 0) return fail(*fault, descriptor);
  msghdr cut = *message;
  iovec piece{};
  if (fault != nullptr && message->msg_iovlen != 0) {
    piece = iovec{message->msg_iov[0].iov_base, std::min<std::size_t>(1, message->msg_iov[0].iov_len)};
    cut.msg_iov = &piece;
    cut.msg_iovlen = 1;
  }
  return real(descriptor, &cut, flags);
}

template <class Real, class Bytes>
ssize_t move_bytes(Call call, const char* name, Real* real, int descriptor, Bytes* bytes, std::size_t size, int flags) {
  const Fault* fault = turn(call, name);
  if (fault != nullptr && fault->error != 0) return fail(*fault, descriptor);
  return real(descriptor, bytes, fault != nullptr ? std::min<std::size_t>(1, size) : size, flags);
}

template <class Real, class... Args>
int control(Call call, const char* name, Real* real, int descriptor, Args... args) {
  if (const Fault* fault = turn(call, name)) return fail(*fault, descriptor);
  return real(descriptor, args...);
}

}  // namespace
}  // namespace adit::test

using namespace adit::test;  // NOLINT(google-build-using-namespace): what follows must be in the global namespace

#define REAL(name) static auto* const real = next<decltype(::name)>(#name)

extern "C" {

ssize_t recvmsg(int descriptor, msghdr* message, int flags) {
  REAL(recvmsg);
  return move_message(kReceive, "recvmsg", real, descriptor, message, flags);
}

ssize_t sendmsg(int descriptor, const msghdr* message, int flags) {
  REAL(sendmsg);
  return move_message(kSend, "sendmsg", real, descriptor, message, flags);
}

ssize_t recv(int descriptor, void* bytes, std::size_t size, int flags) {
  REAL(recv);
  return move_bytes(kReceive, "recv", real, descriptor, bytes, size, flags);
}

ssize_t send(int descriptor, const void* bytes, std::size_t size, int flags) {
  REAL(send);
  return move_bytes(kSend, "send", real, descriptor, bytes, size, flags);
}

int accept(int descriptor, sockaddr* peer, socklen_t* size) {
  REAL(accept);
  return control(kAccept, "accept", real, descriptor, peer, size);
}

int accept4(int descriptor, sockaddr* peer, socklen_t* size, int flags) {
  REAL(accept4);
  return control(kAccept, "accept4", real, descriptor, peer, size, flags);
}

int connect(int descriptor, const sockaddr* peer, socklen_t size) {
  REAL(connect);
  return control(kConnect, "connect", real, descriptor, peer, size);
}

int socket(int family, int type, int protocol) noexcept {
  REAL(socket);
  return control(kOpen, "socket", real, family, type, protocol);
}

int bind(int descriptor, const sockaddr* address, socklen_t size) noexcept {
  REAL(bind);
  return control(kListen, "bind", real, descriptor, address, size);
}

int listen(int descriptor, int backlog) noexcept {
  REAL(listen);
  return control(kListen, "listen", real, descriptor, backlog);
}

int setsockopt(int descriptor, int level, int name, const void* value, socklen_t size) noexcept {
  REAL(setsockopt);
  return control(kOption, "setsockopt", real, descriptor, level, name, value, size);
}

int getsockopt(int descriptor, int level, int name, void* value, socklen_t* size) noexcept {
  REAL(getsockopt);
  const Fault* fault = level == SOL_SOCKET && name == SO_ERROR ? turn(kConnect, "getsockopt(SO_ERROR)") : nullptr;
  const int result = real(descriptor, level, name, value, size);
  if (fault != nullptr) *static_cast<int*>(value) = fault->error;
  return result;
}

int getsockname(int descriptor, sockaddr* address, socklen_t* size) noexcept {
  REAL(getsockname);
  return control(kName, "getsockname", real, descriptor, address, size);
}

int getpeername(int descriptor, sockaddr* address, socklen_t* size) noexcept {
  REAL(getpeername);
  return control(kName, "getpeername", real, descriptor, address, size);
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  REAL(epoll_ctl);
  if (operation != EPOLL_CTL_DEL) {
    if (const Fault* fault = turn(kWatch, "epoll_ctl")) return fail(*fault, -1);
  }
  const std::lock_guard lock(watches_mutex);
  auto& watch = watches.at(static_cast<std::size_t>(descriptor));
  watch.epoll = operation == EPOLL_CTL_DEL ? -1 : epoll;
  if (operation != EPOLL_CTL_DEL) watch.event = *event;
  return real(epoll, operation, descriptor, event);
}

}  // extern "C"
