// Preloaded into a program under test (LD_PRELOAD): counts what it allocates, where a test can read it at any time.
//
// ADIT_COUNT_ALLOCATIONS names a file of at least 16 bytes, which is mapped: the first 8 bytes are the number of
// allocations since the start; while the next 8 are not 0, the stack of each allocation goes to standard error.

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <execinfo.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {
// The allocator of glibc under its second names: what it does not find through dlsym() needs no allocation to be found.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

struct Page {
  std::atomic<std::uint64_t> allocations{0};
  std::atomic<std::uint64_t> trace{0};
};
static_assert(sizeof(Page) == 16);

Page before_the_file_is_mapped;
Page* page = &before_the_file_is_mapped;
thread_local bool tracing = false;  // backtrace() may allocate

void count() {
  page->allocations.fetch_add(1, std::memory_order_relaxed);
  if (page->trace.load(std::memory_order_relaxed) == 0 || tracing) return;
  tracing = true;
  constexpr int kDeepest = 24;
  void* frames[kDeepest];
  backtrace_symbols_fd(frames, backtrace(frames, kDeepest), STDERR_FILENO);
  (void)!write(STDERR_FILENO, "--\n", 3);
  tracing = false;
}

[[gnu::constructor]] void map_page() {
  const char* name = std::getenv("ADIT_COUNT_ALLOCATIONS");
  if (name == nullptr) return;
  const int file = open(name, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* mapped = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) page = static_cast<Page*>(mapped);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}

void* calloc(std::size_t count_of, std::size_t size) {
  count();
  return __libc_calloc(count_of, size);
}

void* realloc(void* memory, std::size_t size) {
  count();
  return __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  count();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = memalign(alignment, size);
  return *memory != nullptr ? 0 : ENOMEM;
}

}  // extern "C"
