// Goal: a file has no name until it is kept, never replaces another, and says what went wrong.
#include <doctest/doctest.h>
#include <millrace/stored_file.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace millrace;
namespace fs = std::filesystem;

namespace {

struct Directory {
  Directory() {
    char name[] = "/tmp/millrace-stored-XXXXXX";
    path = ::mkdtemp(name);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { fs::remove_all(path); }
  std::size_t count() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path path;
};

unsigned status_of(int error) { return detail::store_error(error).status(); }

}  // namespace

TEST_CASE("stored file: kept under its name, whole") {
  const Directory directory;
  const std::string large(1'000'000, 'x');
  {
    StoredFile file(directory.path);
    file.write("first ");
    file.write(large);
    CHECK(file.size_bytes() == large.size() + 6);
    CHECK(directory.count() == 0);  // This filesystem has O_TMPFILE.
    CHECK(file.keep("../a.txt") == "a.txt");
  }
  CHECK(directory.count() == 1);
  CHECK(directory.read("a.txt") == "first " + large);
  CHECK((fs::status(directory.path / "a.txt").permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("stored file: what is not kept is gone") {
  const Directory directory;
  {
    StoredFile file(directory.path);
    file.write("x");
    const StoredFile moved = std::move(file);
    CHECK(moved.size_bytes() == 1);
  }
  CHECK(directory.count() == 0);
}

TEST_CASE("stored file: a name that is taken gets a number") {
  const Directory directory;
  std::vector<std::string> names;
  for (const char* text : {"1", "2", "3"}) {
    StoredFile file(directory.path);
    file.write(text);
    names.push_back(file.keep("a.tar"));
  }
  CHECK(names == std::vector<std::string>{"a.tar", "a-2.tar", "a-3.tar"});
  CHECK(directory.read("a.tar") == "1");
  CHECK(directory.read("a-3.tar") == "3");
  fs::create_symlink("/etc/passwd", directory.path / "link");
  StoredFile file(directory.path);
  CHECK(file.keep("link") == "link-2");
  const std::string longest(255, 'x');
  CHECK(StoredFile(directory.path).keep(longest) == longest);
  CHECK(StoredFile(directory.path).keep(longest) == std::string(253, 'x') + "-2");
  const std::string long_behind_a_dot = "a." + std::string(253, 'x');
  CHECK(StoredFile(directory.path).keep(long_behind_a_dot) == long_behind_a_dot);
  CHECK(StoredFile(directory.path).keep(long_behind_a_dot) == "a." + std::string(251, 'x') + "-2");
}

TEST_CASE("stored file: where the filesystem has no unnamed files") {
  const Directory directory;
  detail::Store store;
  REQUIRE(detail::store_open(store, directory.path) == 0);
  ::close(store.file);
  const fs::path named = directory.path / ".upload-x";
  store.temporary = ".upload-x";
  std::ofstream(named) << "text";
  store.file = ::open(named.c_str(), O_RDWR | O_CLOEXEC);
  std::string name = "a";
  CHECK(detail::store_keep(store, name) == 0);
  detail::store_close(store);
  CHECK(directory.count() == 1);
  CHECK(directory.read("a") == "text");
}

TEST_CASE("stored file: errors are answers") {
  const Directory directory;
  const auto status = [](const fs::path& path) {
    try {
      const StoredFile file(path);
      return 0u;
    } catch (const HttpError& error) {
      CHECK(std::string_view(error.what()).starts_with("the upload cannot be stored: "));
      return static_cast<unsigned>(error.status());
    }
  };
  CHECK(status(directory.path / "missing") == 500);
  std::ofstream(directory.path / "file") << "x";
  CHECK(status(directory.path / "file") == 500);
  CHECK(status("/proc") == 500);
  for (int error : {ENOSPC, EDQUOT, EFBIG}) CHECK(status_of(error) == 507);
  for (int error : {EMFILE, ENFILE, ENOMEM}) CHECK(status_of(error) == 503);
  CHECK(status_of(EIO) == 500);
}
