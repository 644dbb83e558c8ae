// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gibbs_support {

// Runs the primitive of this name on what the bytes stand for, and aborts where a result is wrong.
// What they stand for is decided here alone, so that a corpus stays good for all primitives.
void fuzz_primitive(std::string_view name, const std::uint8_t* data, std::size_t size);

}  // namespace gibbs_support
