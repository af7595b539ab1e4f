#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace neurontune::html {

// What a page is made of. All text is escaped when the page is rendered; only `svg` is not.

/// Numbers, with their headings.
struct Table {
  std::string title;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;        ///< each as long as `head`
  std::optional<std::size_t> marked = std::nullopt;  ///< a row that stands out
  bool folded = false;                               ///< whether it is shown only on demand
  bool clock = false;  ///< whether it holds wall times, which differ from run to run
};

struct LegendEntry {
  std::string colour;  ///< as charts have it
  std::string text;
  std::string number;  ///< of a point, or empty
};

/// A chart; its title says what to see, and its numbers stand below it.
struct Figure {
  std::string title;
  std::vector<LegendEntry> legend;
  std::string svg;  ///< of chart.h
  Table numbers;
};

struct Sample {
  std::string id;
  std::string caption;  ///< its label and prediction
  std::string image;    ///< a data URI, or empty
  std::string text;     ///< of tokens, or empty
  bool mistake = false;
};

/// Small charts beside each other, where there are any, and samples.
struct Card {
  std::string title, note;
  std::vector<Figure> figures;
  std::vector<Sample> samples;
};

/// A part of a page; of what it holds anything may be left out.
struct Section {
  std::string id, heading;
  std::vector<std::string> paragraphs = {};
  std::vector<Figure> figures = {};
  std::vector<Card> cards = {};
  std::vector<Table> tables = {};
  std::vector<std::string> commands = {};  ///< shown as they are typed
};

/// A figure before and after.
struct Tile {
  std::string name, before, after, note;
};

struct Warning {
  std::string text, advice;
};

struct Page {
  std::string title;
  std::vector<std::string> verdict;  ///< a sentence each
  std::vector<Tile> tiles;
  std::string grounds;  ///< of the verdict
  std::vector<Warning> warnings;
  std::vector<Section> sections;
  std::string footer;
};

/// One HTML file that needs no other.
std::string rendered(const Page& page);

}  // namespace neurontune::html
