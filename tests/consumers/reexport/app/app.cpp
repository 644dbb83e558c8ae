// SPDX-License-Identifier: MIT
#include "../../check.hpp"

bool middle_check();

int main() { return middle_check() && check() ? 0 : 1; }
