#include "device/autocast.h"

#include <ATen/autocast_mode.h>

namespace neurontune {

Autocast::Autocast(at::Device device, bool wanted) : device_(device.type()), wanted_(wanted) {
  if (!wanted_) return;
  before_ = at::autocast::is_autocast_enabled(device_);
  at::autocast::increment_nesting();
  at::autocast::set_autocast_enabled(device_, true);
}

Autocast::~Autocast() {
  if (!wanted_) return;
  at::autocast::set_autocast_enabled(device_, before_);
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

}  // namespace neurontune
