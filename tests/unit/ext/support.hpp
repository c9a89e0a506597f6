// support.hpp: a directory to serve, and a sink that keeps what was answered.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/ext/files/files.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/app_state.hpp"

namespace millrace::files::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/millrace-files-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  void write(std::string_view name, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(*this / name).parent_path());
    std::ofstream(*this / name, std::ios::binary) << text;
  }

 private:
  std::string path_;
};

struct Answer {
  unsigned status = 0;
  std::string type = {};
  std::string fields = {};
  std::string body = {};
  std::uint64_t length = 0;  ///< As Content-Length would say.
  bool cut = false;          ///< The source failed before its end.
  bool by_source = false;

  std::string field(std::string_view name) const {
    const std::string start = std::string(name) + ": ";
    std::size_t at = fields.find(start);
    while (at != fields.npos && at != 0 && fields[at - 1] != '\n') at = fields.find(start, at + 1);
    if (at == fields.npos) return {};
    return fields.substr(at + start.size(), fields.find('\r', at) - at - start.size());
  }
  std::string content_length() const { return field("Content-Length"); }
};

/// Answers like a session: drops the body of HEAD, and reads a source in parts of `part_bytes`.
class Sink final : public proto::ReplySink {
 public:
  void reply(proto::Exchange& exchange, const proto::ReplyView& view) noexcept override {
    ++replies;
    answer = {
        .status = view.status, .type = std::string(view.content_type), .fields = std::string(view.fields)};
    answer.by_source = view.source != nullptr;
    answer.length = answer.by_source ? view.source_bytes : view.body.size();
    const bool head = exchange.head.method == http::Method::head;
    if (!head) answer.body = view.body;
    if (before_source) before_source();
    if (answer.by_source && !head) drain(*view.source);
    if (answer.by_source) view.source->release();
  }
  void reply_fixed(proto::Exchange& exchange, const proto::FixedReply& fixed) noexcept override {
    ++replies;
    begin(fixed.head);
    answer.length = fixed.body.size();
    if (answer.length == 0) answer.length = std::stoull(answer.content_length());
    if (exchange.head.method != http::Method::head) answer.body = fixed.body;
  }
  void reply_source(proto::Exchange& exchange, const proto::FixedReply& fixed, proto::BodySource& source,
                    std::uint64_t source_bytes) noexcept override {
    ++replies;
    begin(fixed.head);
    answer.by_source = true;
    answer.length = source_bytes;
    CHECK(answer.content_length() == std::to_string(source_bytes));
    if (before_source) before_source();
    if (exchange.head.method != http::Method::head) drain(source);
    source.release();
  }
  void finished(proto::Exchange&) noexcept override { FAIL("not asynchronous"); }
  const net::Transport* transport(const proto::Exchange&) const noexcept override { return nullptr; }

  Answer answer;
  int replies = 0;
  void (*before_source)() = nullptr;  ///< Something that happens to the file after the head was written.

 private:
  static constexpr std::size_t part_bytes = 40'000;
  void begin(std::string_view head) {
    answer = {};
    REQUIRE(head.starts_with("HTTP/1.1 200 OK\r\n"));
    REQUIRE(head.ends_with("\r\n\r\n"));
    answer.status = 200;
    answer.fields = head.substr(17, head.size() - 19);
    answer.type = answer.field("Content-Type");
  }
  void drain(proto::BodySource& source) noexcept {
    std::array<char, part_bytes> part;
    while (answer.body.size() < answer.length && !answer.cut) {
      const std::size_t room = std::min<std::size_t>(part.size(), answer.length - answer.body.size());
      const Result<std::size_t> count = source.read({part.data(), room});
      answer.cut = !count;
      if (count) answer.body.append(part.data(), count.value());
    }
  }
};

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A route of files and what it answers.
class Site {
 public:
  Site(std::string_view pattern, const std::string& directory, const FilesOptions& options = {}) {
    detail::Entry entry;
    now = system_seconds();
    REQUIRE(make_entry(pattern, directory, options, entry, []() noexcept { return now; }) == "");
    REQUIRE(app_.add("GET", pattern, entry, "files").empty());
  }

  Answer ask(http::Method method, std::string_view target, Fields fields = {}) {
    std::string bytes = std::string(http::name_of(method)) + " " + std::string(target) + " HTTP/1.1\r\n";
    std::array<http::Field, 16> table{};
    proto::Exchange exchange(sink);
    exchange.head.fields = table.data();
    exchange.head.method = method;
    exchange.head.target_at = static_cast<std::uint16_t>(http::name_of(method).size() + 1);
    exchange.head.target_size = static_cast<std::uint16_t>(target.size());
    exchange.head.plain_size =
        static_cast<std::uint16_t>(std::min(target.find_first_of("?%"), target.size()));
    for (const auto& [name, value] : fields) {
      http::Field& field = table[exchange.head.field_count++];
      field = {static_cast<std::uint16_t>(bytes.size()), static_cast<std::uint16_t>(name.size()),
               static_cast<std::uint16_t>(bytes.size() + name.size() + 2),
               static_cast<std::uint16_t>(value.size())};
      bytes += std::string(name) + ": " + std::string(value) + "\r\n";
    }
    exchange.head.base = bytes.data();
    REQUIRE(!http::read_target(exchange.head, bytes.data(), exchange.target).failed());
    const int before = sink.replies;
    const serve::Route& route = *app_.routes()[0];
    exchange.route = &route;
    route.entry.start(route.entry.self, exchange.request);
    CHECK(sink.replies == before + 1);
    return sink.answer;
  }
  Answer get(std::string_view target, Fields fields = {}) { return ask(http::Method::get, target, fields); }

  Sink sink;
  static inline std::int64_t now = 0;  ///< What the route's clock says.

 private:
  serve::AppState app_;
};

}  // namespace millrace::files::test
