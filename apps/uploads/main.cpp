// Takes files from a page and gives them back. Nothing of an upload is held in memory.
//
//   GET  /              the page: what is there, and a form
//   POST /              multipart/form-data: stores each file, then shows the page again
//   GET  /files/{name}  a file, to be saved
//
//   UPLOADS_DIRECTORY=/srv/uploads uploads --port 8080
//   UPLOADS_DIRECTORY   where they are stored (./uploads; made where it is missing)
//
// An upload has 1 GiB at most.
#include <millrace/millrace.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "apps/uploads/page.hpp"

namespace {

namespace fs = std::filesystem;

mr::Response page(const fs::path& directory) {
  return mr::Response()
      .bytes(uploads::page(directory), "text/html; charset=utf-8")
      .header("Cache-Control", "no-store");
}

mr::Task<mr::Response> store(mr::Request& request, const fs::path& directory) {
  mr::Multipart form(request);
  while (mr::Part* part = co_await form.next()) {
    if (!part->is_file()) continue;
    mr::StoredFile file = co_await part->save(directory);
    const bool chosen = !part->filename().empty() || file.size_bytes() != 0;
    if (chosen) file.keep(part->filename());
  }
  co_return mr::redirect("/");
}

mr::Task<> send(mr::Request& request, const fs::path& directory, std::string_view name) {
  std::ifstream file;
  std::error_code missing;
  const fs::path path = directory / name;
  if (mr::safe_filename(name) == name && fs::is_regular_file(fs::symlink_status(path, missing)))
    file.open(path, std::ios::binary);
  if (!file.is_open()) throw mr::HttpError(404);
  const auto head = mr::Response()
                        .content_type("application/octet-stream")
                        .attachment(name)
                        .header("X-Content-Type-Options", "nosniff");
  auto out = request.stream(head, fs::file_size(path));
  std::vector<char> buffer(64 * 1024);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0)
    co_await out.write({buffer.data(), static_cast<std::size_t>(file.gcount())});
}

}  // namespace

int main(int argc, char** argv) {
  const char* const set = std::getenv("UPLOADS_DIRECTORY");
  const fs::path directory = set != nullptr ? set : "uploads";
  std::error_code error;
  fs::create_directories(directory, error);
  if (error || ::access(directory.c_str(), W_OK) != 0) {
    std::fprintf(stderr,
                 "uploads: the directory %s cannot be made or written to; UPLOADS_DIRECTORY names another\n",
                 directory.c_str());
    return 1;
  }

  mr::App app;
  app.get("/", [&] { return page(directory); });
  app.post(
      "/", [&](mr::Request& request) { return store(request, directory); }, mr::body_limit(1 << 30));
  app.get("/files/{name}",
          [&](mr::Request& request, std::string_view name) { return send(request, directory, name); });
  return app.run(argc, argv);
}
