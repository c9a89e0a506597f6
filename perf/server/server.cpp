// server.cpp: the measured server. It takes the flags of every Millrace application.
#include "perf/server/routes.hpp"

int main(int argc, char** argv) {
  millrace::App app;
  millrace::perf::add_routes(app);
  return app.run(argc, argv);
}
