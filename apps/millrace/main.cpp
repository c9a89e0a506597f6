// main.cpp: the engine binary. All of it is the library's; see engine/config/run.hpp.
#include "engine/config/run.hpp"

int main(int argc, char** argv) { return millrace::config::run_engine(argc, argv); }
