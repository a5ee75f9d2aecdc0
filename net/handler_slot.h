#pragma once
// Memory for a pending operation's handler inside the object that waits for it, so that waiting allocates nothing.

#include <cstddef>
#include <new>
#include <utility>

namespace adit::net {

/// Room for one pending handler at a time; a second one, or a larger one, falls back to the heap. The object that holds
/// the slot must outlive the operation.
class HandlerSlot {
 public:
  HandlerSlot() = default;
  HandlerSlot(const HandlerSlot&) = delete;
  HandlerSlot& operator=(const HandlerSlot&) = delete;

  void* take(std::size_t size) {
    if (used_ || size > sizeof room_) return ::operator new(size);
    used_ = true;
    return room_;
  }
  void give(void* memory) {
    if (memory == room_) {
      used_ = false;
    } else {
      ::operator delete(memory);
    }
  }

 private:
  alignas(std::max_align_t) std::byte room_[192];
  bool used_ = false;
};

template <class T>
struct SlotAllocator {
  using value_type = T;
  explicit SlotAllocator(HandlerSlot& memory) : slot(&memory) {}
  template <class U>
  SlotAllocator(const SlotAllocator<U>& other) : slot(other.slot) {}  // NOLINT(google-explicit-constructor): rebinding
  T* allocate(std::size_t count) { return static_cast<T*>(slot->take(sizeof(T) * count)); }
  void deallocate(T* memory, std::size_t) { slot->give(memory); }
  template <class U>
  bool operator==(const SlotAllocator<U>& other) const {
    return slot == other.slot;
  }
  HandlerSlot* slot;
};

template <>
struct SlotAllocator<void> {
  using value_type = void;
  explicit SlotAllocator(HandlerSlot& memory) : slot(&memory) {}
  template <class U>
  SlotAllocator(const SlotAllocator<U>& other) : slot(other.slot) {}  // NOLINT(google-explicit-constructor): rebinding
  template <class U>
  bool operator==(const SlotAllocator<U>& other) const {
    return slot == other.slot;
  }
  HandlerSlot* slot;
};

/// A handler whose operation lives in `slot` (Asio's associated allocator).
template <class F>
class SlotHandler {
 public:
  using allocator_type = SlotAllocator<void>;
  SlotHandler(HandlerSlot& slot, F function) : slot_(&slot), function_(std::move(function)) {}
  allocator_type get_allocator() const { return allocator_type(*slot_); }
  template <class... Args>
  void operator()(Args&&... args) {
    function_(std::forward<Args>(args)...);
  }

 private:
  HandlerSlot* slot_;
  F function_;
};

}  // namespace adit::net
