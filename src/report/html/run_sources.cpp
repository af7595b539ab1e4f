#include "report/html/run_sources.h"

#include "base/describe.h"
#include "base/number_text.h"
#include "neurontune/data/names.h"
#include "report/html/markup.h"

namespace neurontune::html {

std::string RunSources::shown() const {
  const auto& splits = result.at("tuned");
  if (splits.contains("test")) return "test";
  return std::prev(splits.end()).key();
}

std::string RunSources::label(int64_t index) const {
  const auto place = static_cast<std::size_t>(index);
  if (has_data() && place < data.at("names").at("labels").size())
    return data["names"]["labels"][place].get<std::string>();
  return Names().label(index);
}

std::string RunSources::attribute(int64_t index) const {
  const auto place = static_cast<std::size_t>(index);
  if (has_data() && place < data.at("names").at("attributes").size())
    return data["names"]["attributes"][place].get<std::string>();
  return Names().attribute(index);
}

std::string RunSources::group(const Json& of) const {
  return label(of.at("label").get<int64_t>()) + " with " +
         attribute(of.at("attribute").get<int64_t>());
}

std::string RunSources::inferred_group(int64_t of, int64_t value) const {
  if (of == value) return label(of) + " that looks as usual";
  return label(of) + " that looks like " + label(value);
}

std::optional<double> number(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object.at(key).is_number())
    return std::nullopt;
  return object.at(key).get<double>();
}

std::string percent_or_dash(const std::optional<double>& fraction) {
  return fraction ? as_percent(*fraction) : "–";
}

}  // namespace neurontune::html
