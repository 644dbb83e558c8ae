// SPDX-License-Identifier: MIT
//
// Labels of any integer type, so that what is computed with them is compiled once for all types.
#ifndef GIBBS_DETAIL_LABELS_HPP
#define GIBBS_DETAIL_LABELS_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "inline.hpp"

namespace gibbs::detail {

/// Labels that have been checked: none is less than 0, so that signed and unsigned ones read alike.
class label_view {
 public:
  template <class Label>
  GIBBS_INLINE explicit label_view(const Label* labels) : data_(labels), size_(sizeof(Label)) {
    static_assert(sizeof(Label) == 1 || sizeof(Label) == 2 || sizeof(Label) == 4 ||
                  sizeof(Label) == 8);
  }

  GIBBS_INLINE std::size_t operator[](std::size_t i) const {
    switch (size_) {
      case 1:
        return at<std::uint8_t>(i);
      case 2:
        return at<std::uint16_t>(i);
      case 4:
        return at<std::uint32_t>(i);
      default:
        return static_cast<std::size_t>(at<std::uint64_t>(i));
    }
  }

  /// All from the first one on.
  GIBBS_INLINE label_view from(std::size_t first) const {
    label_view result = *this;
    result.data_ = static_cast<const unsigned char*>(data_) + first * size_;
    return result;
  }

 private:
  template <class U>
  GIBBS_INLINE U at(std::size_t i) const {
    U value;  // copied, as it may be of another type of the same size
    std::memcpy(&value, static_cast<const unsigned char*>(data_) + i * sizeof(U), sizeof(U));
    return value;
  }

  const void* data_;
  std::size_t size_;
};

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_LABELS_HPP
