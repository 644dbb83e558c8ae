// SPDX-License-Identifier: MIT
//
// All of gibbs but parallel.hpp and dispatch.hpp. Each header also stands alone.
#ifndef GIBBS_GIBBS_HPP
#define GIBBS_GIBBS_HPP

#include "accuracy.hpp"             // the promised error bounds
#include "cross_entropy.hpp"        // cross_entropy, cross_entropy_from_logits
#include "cycle.hpp"                // find_cycle
#include "entropy.hpp"              // entropy, entropy_from_logits, to_bits
#include "entropy_state.hpp"        // entropy_state: logits that come in parts
#include "error.hpp"                // what happens to a bad argument
#include "find_duplicate.hpp"       // find_duplicate
#include "kl_divergence.hpp"        // kl_divergence, kl_divergence_from_logits
#include "log_sum_exp.hpp"          // log_sum_exp
#include "log_sum_exp_state.hpp"    // log_sum_exp_state
#include "matrix_view.hpp"          // rows x columns
#include "mdspan.hpp"               // std::mdspan as rows x columns
#include "softmax.hpp"              // softmax, log_softmax, softmax_with_log_sum_exp
#include "weighted_mean_state.hpp"  // weighted_mean_state: attention in parts

#endif  // GIBBS_GIBBS_HPP
