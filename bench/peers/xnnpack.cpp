// SPDX-License-Identifier: MIT
// XNNPACK: softmax of float rows; creation of the operator is not part of what is timed.
#include <xnnpack.h>

#include <memory>

#include "peer.hpp"

namespace bench {
namespace {

job prepare(const problem<float>& p) {
  if (p.primitive != "softmax") return {};
  static const bool ready = xnn_initialize(nullptr) == xnn_status_success;
  if (!ready) return {};
  xnn_operator_t op = nullptr;
  if (xnn_create_softmax_nc_f32(p.columns, p.columns, p.columns, 0, &op) != xnn_status_success)
    return {};
  std::shared_ptr<xnn_operator> owner(op, [](xnn_operator_t o) { xnn_delete_operator(o); });
  if (xnn_setup_softmax_nc_f32(op, p.rows, p.a, p.out, nullptr) != xnn_status_success) return {};
  return [owner] { xnn_run_operator(owner.get(), nullptr); };
}

}  // namespace

peer xnnpack() { return {"XNNPACK", prepare, nullptr}; }

}  // namespace bench
