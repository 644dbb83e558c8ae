// SPDX-License-Identifier: MIT
#include <gibbs/log_sum_exp.hpp>
#include <vector>

int main() { return gibbs::log_sum_exp(std::vector<float>{0}) == 0 ? 0 : 1; }
