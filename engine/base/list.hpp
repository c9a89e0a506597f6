// list.hpp: an intrusive doubly linked list. The element holds the link, so joining and leaving
// cost two stores each and never allocate.
#pragma once

#include <cstddef>

#include "engine/base/assert.hpp"

namespace millrace {

/// Derive from ListLink<Tag> to be a member of one List<T, Tag> at a time.
template <class Tag>
struct ListLink {
  ListLink* next = nullptr;
  ListLink* previous = nullptr;

  bool linked() const noexcept { return next != nullptr; }
  /// Leaves the list it is in; must be linked.
  void unlink() noexcept {
    MR_ASSERT(linked());
    previous->next = next;
    next->previous = previous;
    next = previous = nullptr;
  }
};

/// Owner: whoever holds the List; elements are not owned. No thread safety. All O(1) but size().
template <class T, class Tag>
class List {
 public:
  List() noexcept { root_.next = root_.previous = &root_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  bool empty() const noexcept { return root_.next == &root_; }
  void push_back(T& element) noexcept {
    ListLink<Tag>& link = element;
    MR_ASSERT(!link.linked());
    link.previous = root_.previous;
    link.next = &root_;
    root_.previous->next = &link;
    root_.previous = &link;
  }
  T& front() noexcept {
    MR_ASSERT(!empty());
    return static_cast<T&>(*root_.next);
  }
  T& pop_front() noexcept {
    T& element = front();
    static_cast<ListLink<Tag>&>(element).unlink();
    return element;
  }
  /// Moves every element of `other` to the end of this list.
  void splice_back(List& other) noexcept {
    if (other.empty()) return;
    root_.previous->next = other.root_.next;
    other.root_.next->previous = root_.previous;
    other.root_.previous->next = &root_;
    root_.previous = other.root_.previous;
    other.root_.next = other.root_.previous = &other.root_;
  }
  /// Calls visit(T&) for each; visit may unlink the element it is given.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (ListLink<Tag>* link = root_.next; link != &root_;) {
      ListLink<Tag>* next = link->next;
      visit(static_cast<T&>(*link));
      link = next;
    }
  }
  std::size_t size() const noexcept {
    std::size_t count = 0;
    for (const ListLink<Tag>* link = root_.next; link != &root_; link = link->next) ++count;
    return count;
  }

 private:
  ListLink<Tag> root_;
};

}  // namespace millrace
