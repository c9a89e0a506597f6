// file_handler.hpp: an application that sends parts of one file.
//
//   GET  /file/<first>-<size>  that part of the file
//   anything else              as SimHandler
#pragma once

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "engine/net/file_part.hpp"
#include "tests/sim/sim_handler.hpp"

namespace millrace::test {

inline constexpr std::size_t file_bytes = 300'000;

class FileHandler final : public proto::RequestHandler {
 public:
  explicit FileHandler(SimHandler& other) : other_(other) {}
  void route(proto::Exchange& exchange) noexcept override { other_.route(exchange); }
  void refuse(proto::Exchange& exchange, Error error) noexcept override { other_.refuse(exchange, error); }
  void start(proto::Exchange& exchange) noexcept override {
    const std::string path(exchange.target.path);
    if (!path.starts_with("/file/")) return other_.start(exchange);
    const std::size_t dash = path.find('-');
    const std::uint64_t first = std::stoul(path.substr(6));
    const std::uint64_t size = std::stoul(path.substr(dash + 1));
    proto::ReplyView view;
    view.source = new Source(*this, {file(), first, size});
    view.source_bytes = size;
    exchange.sink->reply(exchange, view);
  }

 private:
  struct Source final : proto::BodySource {
    Source(FileHandler& owner, net::FilePart what) : of(owner), part(std::move(what)) {
      ++of.other_.sources_live;
    }
    Result<std::size_t> read(std::span<char> out) noexcept override {
      ++of.reads;
      const std::size_t size = std::min<std::uint64_t>(out.size(), part.size_bytes);
      const Result<std::size_t> got = part.file.read_at(part.offset, out.data(), size);
      if (got) {
        part.offset += got.value();
        part.size_bytes -= got.value();
      }
      return got;
    }
    const net::FilePart* file() const noexcept override { return &part; }
    void release() noexcept override {
      --of.other_.sources_live;
      delete this;
    }
    FileHandler& of;
    net::FilePart part;
  };

  net::FileRef file() {
    if (file_) return file_;
    const int made = memfd_create("sim", MFD_CLOEXEC);
    const std::string text = letters(file_bytes);
    REQUIRE(::pwrite(made, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    net::FileFacts facts;
    REQUIRE(net::read_facts(made, facts).ok());
    return file_ = net::FileRef(made, facts);
  }

  SimHandler& other_;
  net::FileRef file_;  ///< Made with the first request for it.

 public:
  std::uint64_t reads = 0;  ///< Of files that could not be sent as they are.
  int descriptor() { return file().descriptor(); }
};

}  // namespace millrace::test
