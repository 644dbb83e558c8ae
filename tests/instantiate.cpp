// SPDX-License-Identifier: MIT
// The kernels of all tests of one architecture.
#include <gibbs/instantiate.hpp>

GIBBS_INSTANTIATE();
