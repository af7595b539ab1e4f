#include "report/html/settings_table.h"

#include "base/number_text.h"
#include "report/html/markup.h"

namespace neurontune::html {
namespace {

using Json = nlohmann::ordered_json;

void add(const std::string& prefix, const Json& object, Table& table) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_object())
      add(prefix + key + ".", value, table);
    else
      table.rows.push_back(
          {prefix + key, value.is_string() ? value.get<std::string>() : value.dump()});
  }
}

}  // namespace

Table settings_table(const Json& config) {
  Table table;
  table.title = "All settings";
  table.folded = true;
  table.head = {"setting", "value"};
  if (config.is_object()) add("", config, table);
  return table;
}

Table seconds_table(const Json& seconds) {
  Table table;
  table.title = "Time";
  table.head = {"step", "seconds"};
  table.clock = true;
  for (const auto& [step, taken] : seconds.items())
    table.rows.push_back({step, fixed(taken.get<double>(), 2)});
  return table;
}

}  // namespace neurontune::html
