#include "engine/serve/hub.hpp"

#include "engine/base/assert.hpp"

namespace millrace::serve {

void Mailbox::attach(io::IoBackend* backend) noexcept {
  const std::lock_guard lock(mutex_);
  backend_ = backend;
  waiting_.clear();
  bytes_ = 0;
}

bool Mailbox::put(std::string_view topic, std::string_view message, ws::Opcode opcode) {
  const std::size_t bytes = topic.size() + message.size();
  const std::lock_guard lock(mutex_);
  if (backend_ == nullptr) return true;
  if (waiting_.size() >= messages_max || bytes > bytes_max - bytes_) return false;
  waiting_.push_back({std::string(topic), std::string(message), opcode});
  bytes_ += bytes;
  if (waiting_.size() == 1) backend_->wake();  // One wake for all that come before it is heard.
  return true;
}

void Mailbox::take(std::vector<Publication>& out) noexcept {
  MR_ASSERT(out.empty());
  const std::lock_guard lock(mutex_);
  out.swap(waiting_);
  bytes_ = 0;
}

Hub::Hub(std::size_t cores) {
  for (std::size_t i = 0; i < cores; ++i) mailboxes_.push_back(std::make_unique<Mailbox>());
}

bool Hub::post(std::size_t from, std::string_view topic, std::string_view message, ws::Opcode opcode) {
  bool all = true;
  for (std::size_t core = 0; core < mailboxes_.size(); ++core) {
    if (core != from && !mailboxes_[core]->put(topic, message, opcode)) all = false;
  }
  return all;
}

}  // namespace millrace::serve
