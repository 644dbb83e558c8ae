# SPDX-License-Identifier: MIT
# Catches: a Bradley-Terry loss that is not ln 2 before training; a KL penalty that does not hold the
# policy, or a policy that stays put without it.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(text/alice-en.txt)
check_shown()
find(fit "\n +1000 +([0-9.]+)\n")
list(GET fit 0 kl)
check_range(${kl} 0 0.01)
check(out MATCHES "\n +0 +0.6931 +50.0%\n") # ln 2
find(reward "\n +200 +([0-9.]+) +([0-9.]+)%\n")
list(GET reward 0 loss)
list(GET reward 1 right)
check_range(${loss} 0.2 0.45)
check_range(${right} 75 100)

foreach(beta 3.0 1.0 0.3 0.0)
  foreach(step 0 1000)
    find(row "\n +${beta} +${step} +(-?[0-9.]+) +([0-9.]+) +(-?[0-9.]+)  ")
    list(GET row 0 reward_${beta}_${step})
    list(GET row 1 kl_${beta}_${step})
    list(GET row 2 judge_${beta}_${step})
  endforeach()
  check(kl_${beta}_0 STREQUAL "0.000")
endforeach()
check_range(${kl_3.0_1000} 0.05 0.4)
check_range(${kl_1.0_1000} ${kl_3.0_1000} 4)
check_range(${kl_0.3_1000} ${kl_1.0_1000} 30)
check_range(${kl_0.0_1000} 40 80)
check_range(${reward_0.0_1000} ${reward_0.3_1000} 40)
check(judge_1.0_1000 GREATER judge_1.0_0)
check(judge_0.0_1000 LESS judge_0.0_0)

run_badly("^usage: ")
run_badly("^usage: " no/such/file)
