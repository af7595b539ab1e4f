#include <dlfcn.h>

#include <string>

#include "model/torchscript.h"
#include "neurontune/base/error.h"
#include "neurontune/model/erm_model.h"

namespace neurontune {

void load_operators(const std::filesystem::path& library) {
  // A name without a folder would be looked for in the system's folders, not in this one.
  const auto path = std::filesystem::absolute(library);
  torchscript::call(library.string() + " cannot be loaded", [&] {
    if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr)
      throw Error(library.string() + " cannot be loaded: " + dlerror());
  });
}

}  // namespace neurontune
