// Repairs a head whose embeddings come from a NumPy archive, and writes the head that is selected.
// examples/save_embeddings.py writes such an archive.
//
// usage: repair_numpy EMBEDDINGS.npz HEAD.safetensors

#include <neurontune/base/error.h>
#include <neurontune/data/embeddings.h>
#include <neurontune/io/npz.h>
#include <neurontune/repair/repair.h>
#include <neurontune/report/conclusion.h>

#include <cstdio>
#include <map>
#include <string>

namespace {

using Arrays = std::map<std::string, at::Tensor>;

/// An array by name.
at::Tensor array(const Arrays& arrays, const std::string& name) {
  const auto found = arrays.find(name);
  if (found == arrays.end()) throw neurontune::Error("there is no array " + name);
  return found->second;
}

neurontune::LabelledEmbeddings split(const Arrays& arrays, const std::string& name) {
  return {array(arrays, name + "_embeddings"),             // float32 [N, M]
          array(arrays, name + "_labels").to(at::kLong)};  // int64 [N]
}

void repair_file(const char* embeddings, const char* repaired_head) {
  const Arrays arrays = neurontune::read_npz(embeddings);
  const neurontune::Head erm{array(arrays, "weight"), array(arrays, "bias")};  // [C, M], [C]

  const auto repaired = neurontune::repair(split(arrays, "val"), split(arrays, "train"), erm);
  std::printf("%s\n", neurontune::conclusion(repaired).c_str());
  neurontune::write_head(repaired_head, repaired.head);  // `weight` and `bias` again
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s EMBEDDINGS.npz HEAD.safetensors\n", arguments[0]);
    return 2;
  }
  try {
    repair_file(arguments[1], arguments[2]);
  } catch (const neurontune::Error& error) {  // one line that names the file or the tensor
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
