#include <millrace/millrace.hpp>

int main(int argc, char** argv) {
  mr::App app;
  app.files("/static", "./public");
  mr::FilesOptions options;
  options.fallback = "index.html";
  options.cache_control = {{"assets/*", "public, max-age=31536000, immutable"}, {"*.html", "no-cache"}};
  options.types = {{"glsl", "text/plain; charset=utf-8"}};
  app.files("/app", "./dist", options);
  app.files("/downloads", "./downloads", {.listing = true});
  return app.run(argc, argv);
}
