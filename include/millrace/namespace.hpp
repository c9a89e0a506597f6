// namespace.hpp: the library's names are in `millrace`; `mr` is short for it. An application may say
// `namespace mr = millrace;` for itself as well: the same alias twice is one.
#pragma once

namespace millrace {}
namespace mr = millrace;
