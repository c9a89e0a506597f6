// features.hpp: tries every io_uring feature the engine uses, for the doctor command.
#pragma once

#include <string>
#include <vector>

namespace millrace::io {

struct Feature {
  std::string name;
  bool available = false;
  bool required = false;        ///< Without it the engine does not run on io_uring.
  std::string cost_if_missing;  ///< What its lack costs.
  std::string mend;             ///< What brings it.
};

/// Opens small rings and uses each feature once. Takes a millisecond or so; any thread.
std::vector<Feature> probe_features();

}  // namespace millrace::io
