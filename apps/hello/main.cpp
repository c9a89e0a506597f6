// The smallest program.
#include <millrace/millrace.hpp>

int main(int argc, char** argv) {
  mr::App app;
  app.get("/", [] { return "Hello world!"; });
  return app.run(argc, argv);
}
