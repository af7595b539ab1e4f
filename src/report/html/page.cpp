#include "report/html/page.h"

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <stdexcept>

#include "report/html/markup.h"

namespace neurontune::templates {
extern const char page[];
extern const char style[];
extern const char figure[];
extern const char samples[];
extern const char table[];
}  // namespace neurontune::templates

namespace neurontune::html {
namespace {

using Data = kainjow::mustache::data;

/// A list of what each item becomes.
template <typename Items, typename Convert>
Data list(const Items& items, const Convert& convert) {
  Data data{Data::type::list};
  for (const auto& item : items) data << convert(item);
  return data;
}

Data of_text(const std::string& text) { return {"text", text}; }

/// A sentence in which no line begins with a percent sign.
std::string unbroken(std::string text) {
  for (std::size_t at = 0; (at = text.find(" %", at)) != std::string::npos; ++at)
    text.replace(at, 1, "\u00a0");
  return text;
}

Data of_sentence(const std::string& text) { return of_text(unbroken(text)); }

Data flag(bool value) { return value ? Data{Data::type::bool_true} : Data{Data::type::bool_false}; }

/// Text of which an empty one is not shown.
Data optional_text(const std::string& text) { return text.empty() ? flag(false) : Data{text}; }

Data of_table(const Table& table) {
  Data data{Data::type::object};
  data.set("table_title", table.title);
  data.set("heading", flag(!table.title.empty() && !table.folded));
  data.set("folded", flag(table.folded));
  data.set("clock", flag(table.clock));
  data.set("head", list(table.head, of_text));
  Data rows{Data::type::list};
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    Data row{Data::type::object};
    row.set("marked", flag(table.marked == i));
    row.set("cells", list(table.rows[i], of_text));
    rows << row;
  }
  data.set("rows", rows);
  return data;
}

Data of_figure(const Figure& figure) {
  Data data{Data::type::object};
  data.set("figure_title", figure.title);
  data.set("has_legend", flag(!figure.legend.empty()));
  data.set("legend", list(figure.legend, [](const LegendEntry& entry) {
             Data one{Data::type::object};
             one.set("colour", entry.colour);
             one.set("number", optional_text(entry.number));
             one.set("text", entry.text);
             return one;
           }));
  data.set("svg", figure.svg);
  data.set("numbers", flag(!figure.numbers.rows.empty()));
  data.set("table", of_table(figure.numbers));
  return data;
}

Data of_sample(const Sample& sample) {
  Data data{Data::type::object};
  data.set("id", sample.id);
  data.set("caption", sample.caption);
  data.set("image", optional_text(sample.image));
  data.set("text", optional_text(sample.text));
  data.set("mistake", flag(sample.mistake));
  return data;
}

Data of_card(const Card& card) {
  Data data{Data::type::object};
  data.set("title", card.title);
  data.set("note", optional_text(card.note));
  data.set("has_figures", flag(!card.figures.empty()));
  data.set("figures", list(card.figures, of_figure));
  data.set("samples", list(card.samples, of_sample));
  data.set("texts", flag(std::any_of(card.samples.begin(), card.samples.end(),
                                     [](const auto& sample) { return !sample.text.empty(); })));
  return data;
}

Data of_section(const Section& section) {
  Data data{Data::type::object};
  data.set("section_id", section.id);
  data.set("heading", section.heading);
  data.set("paragraphs", list(section.paragraphs, of_sentence));
  data.set("has_figures", flag(!section.figures.empty()));
  data.set("figures", list(section.figures, of_figure));
  data.set("cards", list(section.cards, of_card));
  data.set("tables", list(section.tables, of_table));
  data.set("commands", list(section.commands, of_text));
  return data;
}

Data of_tile(const Tile& tile) {
  Data data{Data::type::object};
  data.set("name", tile.name);
  data.set("before", tile.before);
  data.set("after", tile.after);
  data.set("note", optional_text(tile.note));
  return data;
}

Data of_warning(const Warning& warning) {
  Data data{Data::type::object};
  data.set("text", unbroken(warning.text));
  data.set("advice", optional_text(warning.advice));
  return data;
}

Data partial(const char* text) {
  return Data{kainjow::mustache::partial([text] { return std::string(text); })};
}

}  // namespace

std::string rendered(const Page& page) {
  Data data{Data::type::object};
  data.set("style", std::string(templates::style));
  data.set("page_title", page.title);
  data.set("verdict", list(page.verdict, of_sentence));
  data.set("grounds", optional_text(unbroken(page.grounds)));
  data.set("has_tiles", flag(!page.tiles.empty()));
  data.set("tiles", list(page.tiles, of_tile));
  data.set("has_warnings", flag(!page.warnings.empty()));
  data.set("warnings", list(page.warnings, of_warning));
  data.set("contents", flag(page.sections.size() > 1));
  data.set("sections", list(page.sections, of_section));
  data.set("footer", page.footer);
  data.set("figure_part", partial(templates::figure));
  data.set("samples_part", partial(templates::samples));
  data.set("table_part", partial(templates::table));
  kainjow::mustache::mustache shape{std::string(templates::page)};
  shape.set_custom_escape([](const std::string& text) { return escaped(text); });
  auto text = shape.render(data);
  if (!shape.is_valid()) throw std::logic_error("a template is wrong: " + shape.error_message());
  return text;
}

}  // namespace neurontune::html
