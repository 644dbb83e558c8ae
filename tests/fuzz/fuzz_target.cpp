// SPDX-License-Identifier: MIT
// The target of one primitive, GIBBS_FUZZ_PRIMITIVE.
#include "fuzz_primitive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gibbs_support::fuzz_primitive(GIBBS_FUZZ_PRIMITIVE, data, size);
  return 0;
}
