// SPDX-License-Identifier: MIT
#include <gibbs/instantiate.hpp>

GIBBS_INSTANTIATE();
