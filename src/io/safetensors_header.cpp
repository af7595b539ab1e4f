#include "io/safetensors_header.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/describe.h"
#include "io/json_text.h"
#include "io/tensor_bytes.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

/// Hears of every key of a header and remembers a tensor's name that is given twice. (The parser's
/// own callback takes time quadratic in the number of tensors.)
class DoubledNames : public nlohmann::json_sax<nlohmann::json> {
 public:
  const std::optional<std::string>& found() const { return found_; }

  bool start_object(std::size_t) override { return enter(1); }
  bool end_object() override { return enter(-1); }
  bool start_array(std::size_t) override { return enter(1); }
  bool end_array() override { return enter(-1); }
  bool key(std::string& name) override {
    if (depth_ == 1 && !names_.insert(name).second) found_ = name;
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(int64_t) override { return true; }
  bool number_unsigned(uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(nlohmann::json::binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;  // the parse into values says what is wrong
  }

 private:
  bool enter(int levels) {
    depth_ += levels;
    return true;
  }

  int depth_ = 0;
  std::set<std::string> names_;
  std::optional<std::string> found_;
};

nlohmann::json parse_header_json(const std::string& where, std::string_view header) {
  DoubledNames doubled;
  try {
    check_json_depth(header);
    nlohmann::json::sax_parse(header, &doubled);
    if (doubled.found()) throw Error("names tensor " + shown_json(*doubled.found()) + " twice");
    return nlohmann::json::parse(header);
  } catch (const nlohmann::json::exception& error) {
    throw Error(where + ": the header is not JSON: " + json_reason(error));
  } catch (const Error& error) {
    throw Error(where + ": the header " + error.what());
  }
}

/// An array of integers from 0 to the largest int64.
std::vector<int64_t> sizes(const std::string& tensor, const nlohmann::json& entry,
                           const char* key) {
  const auto refuse = [&]() -> Error {
    return Error(tensor + " has no `" + key + "` that is an array of integers from 0");
  };
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array()) throw refuse();
  std::vector<int64_t> values;
  for (const nlohmann::json& value : *found) {
    if (!value.is_number_unsigned()) throw refuse();
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) throw refuse();
    values.push_back(static_cast<int64_t>(number));
  }
  return values;
}

std::string dtype_name_of(const std::string& tensor, const nlohmann::json& entry) {
  const auto found = entry.find("dtype");
  if (found == entry.end() || !found->is_string()) throw Error(tensor + " has no `dtype`");
  return found->get<std::string>();
}

std::optional<SafetensorsDtype> dtype_named(const std::string& name) {
  for (const SafetensorsDtype& dtype : kSafetensorsDtypes) {
    if (name == dtype.name) return dtype;
  }
  return std::nullopt;
}

SafetensorsEntry parse_entry(const std::string& where, const std::string& name,
                             const nlohmann::json& json, uint64_t data_size) {
  const std::string tensor = where + ": tensor `" + name + "`";
  if (!json.is_object()) throw Error(tensor + " is described by no JSON object");
  const std::string dtype = dtype_name_of(tensor, json);
  SafetensorsEntry entry{name, dtype, dtype_named(dtype), sizes(tensor, json, "shape"), 0, 0};
  const std::vector<int64_t> offsets = sizes(tensor, json, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    throw Error(tensor + " has data_offsets " + describe(c10::IntArrayRef(offsets)) +
                ", expected [begin, end]");
  }
  entry.begin = static_cast<uint64_t>(offsets[0]);
  entry.end = static_cast<uint64_t>(offsets[1]);
  if (entry.end > data_size) {
    throw Error(tensor + " ends at byte " + std::to_string(entry.end) +
                " of the data, the file holds " + std::to_string(data_size));
  }
  if (!entry.dtype) return entry;
  const auto bytes = tensor_bytes(entry.shape, at::elementSize(entry.dtype->type));
  if (!bytes || *bytes != entry.end - entry.begin) {
    throw Error(tensor + " holds " + std::to_string(entry.end - entry.begin) + " bytes, but " +
                entry.dtype_name + " " + describe(c10::IntArrayRef(entry.shape)) + " takes " +
                (bytes ? std::to_string(*bytes) : "more than can be addressed"));
  }
  return entry;
}

/// The format allows no overlaps and no holes: tensors follow one another to the file's end.
void check_layout(const std::string& where, std::vector<SafetensorsEntry>& entries,
                  uint64_t data_size) {
  std::sort(entries.begin(), entries.end(),
            [](const SafetensorsEntry& left, const SafetensorsEntry& right) {
              return std::tie(left.begin, left.end) < std::tie(right.begin, right.end);
            });
  uint64_t expected = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != expected) {
      throw Error(where + ": tensor `" + entry.name + "` begins at byte " +
                  std::to_string(entry.begin) + " of the data, expected " +
                  std::to_string(expected) +
                  (entry.begin < expected ? " (tensors overlap)" : " (bytes of no tensor)"));
    }
    expected = entry.end;
  }
  if (expected != data_size) {
    throw Error(where + ": the tensors end at byte " + std::to_string(expected) +
                " of the data, the file holds " + std::to_string(data_size));
  }
}

}  // namespace

std::vector<SafetensorsEntry> parse_safetensors_header(const std::string& where,
                                                       std::string_view header,
                                                       uint64_t data_size) {
  const nlohmann::json json = parse_header_json(where, header);
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, entry] : json.items()) {
    if (name != kSafetensorsMetadata) entries.push_back(parse_entry(where, name, entry, data_size));
  }
  check_layout(where, entries, data_size);
  return entries;
}

std::string safetensors_metadata(const std::string& where, std::string_view header,
                                 const std::string& key) {
  const nlohmann::json json = parse_header_json(where, header);
  const auto metadata = json.find(kSafetensorsMetadata);
  if (metadata == json.end() || !metadata->is_object()) return "";
  const auto text = metadata->find(key);
  return text != metadata->end() && text->is_string() ? text->get<std::string>() : "";
}

}  // namespace neurontune
