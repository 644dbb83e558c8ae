// SPDX-License-Identifier: MIT
#include "../check.hpp"

bool UNIT() { return check(); }
