// SPDX-License-Identifier: MIT
#include "../../check.hpp"

bool middle_check() { return check(); }
