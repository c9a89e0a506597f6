// A program with its own main loop, which serves until its standard input ends.
#include <millrace/millrace.hpp>

#include <cstdio>

int main() {
  mr::App app;
  app.get("/", [] { return "Hello world!"; });

  mr::ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.cores = 1;
  mr::Server server(app, options);
  if (const std::string problem = server.start(); !problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  std::printf("http://%s\n", server.addresses().front().c_str());
  std::fflush(stdout);

  while (std::getchar() != EOF) {
  }
  server.stop(1000);
  return 0;
}
