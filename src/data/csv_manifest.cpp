#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/describe.h"
#include "data/attribute_notices.h"
#include "data/manifest_reader.h"
#include "io/blank_table.h"
#include "io/csv.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Cells = std::vector<std::string>;

constexpr size_t kAbsent = std::numeric_limits<size_t>::max();

/// "img_filename, filename, path or img_id".
template <class Texts>
std::string alternatives(const Texts& texts) {
  const std::vector<std::string> all(texts.begin(), texts.end());
  if (all.size() < 2) return joined(all, "");
  return joined({all.begin(), all.end() - 1}, ", ") + " or " + all.back();
}

/// A header and where its columns are.
struct Header {
  std::string file;
  Cells columns;

  size_t find(const std::string& column) const {
    const auto first = std::find(columns.begin(), columns.end(), column);
    if (first == columns.end()) return kAbsent;
    if (std::find(first + 1, columns.end(), column) != columns.end()) {
      throw Error(file + ": the header has column `" + shown_cell(column) + "` twice");
    }
    return static_cast<size_t>(first - columns.begin());
  }

  /// The first of the candidates that is there, or kAbsent.
  size_t first_of(const std::vector<std::string>& candidates) const {
    for (const auto& candidate : candidates) {
      if (const size_t place = find(candidate); place != kAbsent) return place;
    }
    return kAbsent;
  }

  std::string found() const {
    std::vector<std::string> shown;
    for (const auto& column : columns) shown.push_back(shown_cell(column));
    return "columns found: " + listed(shown);
  }
};

/// The rows of a file that the format names.
/// @param columns of a text table without a header
std::unique_ptr<TableReader> open_table(const std::filesystem::path& file,
                                        const ManifestFormat& format,
                                        const std::vector<std::string>& columns) {
  if (!format.text_tables || file.extension() != ".txt") return std::make_unique<CsvReader>(file);
  return std::make_unique<BlankTableReader>(file, format.join.key, columns);
}

Header read_header(TableReader& reader, const std::filesystem::path& csv) {
  Header header{csv.string(), {}};
  if (!reader.next(header.columns)) throw Error(header.file + ": is empty, expected a CSV header");
  return header;
}

/// Reads the rows below the header, calling use(cells, line) for each that fits it.
template <class Use>
void for_each_row(TableReader& reader, size_t columns, Findings& findings, const Use& use) {
  Cells cells;
  while (reader.next(cells)) {
    if (reader.quote_is_open()) {
      findings.add(reader.line(), " has a quote that is not closed");
    } else if (cells.size() != columns) {
      findings.add(reader.line(), std::string(" has ") +
                                      (cells.size() < columns ? "fewer" : "more") +
                                      " columns than the header: " + std::to_string(cells.size()) +
                                      ", expected " + std::to_string(columns));
    } else {
      use(cells, reader.line());
    }
  }
}

/// The second CSV of a format: its cells, by the key that both files have.
class Join {
 public:
  Join(const std::filesystem::path& csv, const ManifestFormat& format, Findings& findings)
      : name_(csv.filename().string()) {
    const std::string& key = format.join.key;
    const auto reader = open_table(csv, format, format.join.columns);
    Header header = read_header(*reader, csv);
    const size_t place = header.find(key);
    if (place == kAbsent) {
      throw Error(header.file + ": the header lacks a column " + key + "; " + header.found());
    }
    Findings own;  // their lines are those of another file
    for_each_row(*reader, header.columns.size(), own, [&](const Cells& cells, int64_t line) {
      if (!rows_.emplace(cells[place], cells).second) {
        own.add(line, ": " + key + " `" + shown_cell(cells[place]) + "` stands there twice");
      }
    });
    try {
      own.throw_if_any(header.file);
    } catch (const DataError& error) {
      for (const auto& finding : error.findings()) findings.add(0, name_ + ": " + finding);
    }
    columns_ = std::move(header.columns);
  }

  const std::string& name() const { return name_; }
  const Cells& columns() const { return columns_; }

  /// The cells of a key, or null.
  const Cells* find(const std::string& key) const {
    const auto row = rows_.find(key);
    return row == rows_.end() ? nullptr : &row->second;
  }

 private:
  std::string name_;
  Cells columns_;
  std::unordered_map<std::string, Cells> rows_;
};

/// Turns the cells of labels or attributes into indices.
class IndexReader {
 public:
  /// @param places of the columns that count; none if there is no such column
  /// @param may_be_missing whether a sample may have no index
  IndexReader(const IndexColumn& column, const Header& header, std::vector<size_t> places,
              bool may_be_missing)
      : column_(column),
        header_(header),
        places_(std::move(places)),
        may_be_missing_(may_be_missing) {}

  bool present() const { return !places_.empty(); }

  /// Of the first column; only where there is one.
  const std::string& name() const { return header_.columns[places_.front()]; }

  /// Whether the row leaves a cell empty, or has -1 or nan where cells are indices.
  bool is_unknown(const Cells& cells) const {
    return std::any_of(places_.begin(), places_.end(), [&](size_t place) {
      const auto cell = without_fraction(cells[place]);
      return cell.empty() || (of_indices() && (cell == "-1" || cell == "nan" || cell == "NaN"));
    });
  }

  /// The index, or nothing after adding a finding.
  std::optional<int64_t> read(const Cells& cells, int64_t line, Findings& findings) const {
    int64_t largest = 0;
    for (const size_t place : places_) {
      const std::string& cell = cells[place];
      const auto index = column_.at_least         ? compared(cell)
                         : column_.values.empty() ? parsed(without_fraction(cell))
                                                  : named(cell);
      if (!index) {
        findings.add(line, ": " + header_.columns[place] + " is `" + shown_cell(cell) +
                               "`, expected " + expected());
        return std::nullopt;
      }
      largest = std::max(largest, *index);
    }
    return largest;
  }

 private:
  std::optional<int64_t> compared(const std::string& cell) const {
    double value = 0;
    const char* const last = cell.data() + cell.size();
    const auto [end, error] = std::from_chars(cell.data(), last, value);
    if (error != std::errc() || end != last || !std::isfinite(value)) return std::nullopt;
    return value >= *column_.at_least ? 1 : 0;
  }

  bool of_indices() const { return column_.values.empty() && !column_.at_least; }

  /// "1" of "1.0": so pandas writes the integers of a column in which some are missing.
  std::string_view without_fraction(std::string_view cell) const {
    const bool whole = may_be_missing_ && of_indices() && cell.ends_with(".0");
    return whole ? cell.substr(0, cell.size() - 2) : cell;
  }

  /// An integer from 0 to the largest int32: what labels and groups can reasonably be.
  static std::optional<int64_t> parsed(std::string_view cell) {
    int64_t value = -1;
    const char* const last = cell.data() + cell.size();
    const auto [end, error] = std::from_chars(cell.data(), last, value);
    if (error != std::errc() || end != last || value < 0 ||
        value > std::numeric_limits<int32_t>::max()) {
      return std::nullopt;
    }
    return value;
  }

  std::optional<int64_t> named(const std::string& cell) const {
    const auto value = column_.values.find(cell);
    if (value == column_.values.end()) return std::nullopt;
    return value->second;
  }

  std::string expected() const {
    if (column_.at_least) return "a number";
    if (column_.values.empty())
      return std::string("an integer from 0 to 2147483647") +
             (may_be_missing_ ? ", or an empty cell or -1 where it is not known" : "");
    std::vector<std::string> cells;
    for (const auto& [cell, index] : column_.values) cells.push_back(cell);
    return alternatives(cells);
  }

  const IndexColumn& column_;
  const Header& header_;
  std::vector<size_t> places_;
  bool may_be_missing_;
};

/// The places of the columns that an index is read from; none where it has none.
std::vector<size_t> index_places(const IndexColumn& column, const Header& header) {
  if (!column.any) {
    const size_t place = header.first_of(column.columns);
    return place == kAbsent ? std::vector<size_t>{} : std::vector<size_t>{place};
  }
  std::vector<size_t> places;
  std::vector<std::string> lacking;
  for (const auto& name : column.columns) {
    const size_t place = header.find(name);
    if (place == kAbsent) {
      lacking.push_back(name);
    } else {
      places.push_back(place);
    }
  }
  if (!places.empty() && !lacking.empty()) {
    throw Error(header.file + ": the header lacks the columns " + listed(lacking) + " beside " +
                header.columns[places.front()] + "; " + header.found());
  }
  return places;
}

/// What of a file's columns is read.
struct Columns {
  size_t sample;  ///< kAbsent of tensors
  size_t split;
  IndexReader label, attribute;
  IndexReader group;  ///< y · A + a, where there is no attribute
};

Columns find_columns(const ManifestFormat& format, const Header& header) {
  static const IndexColumn indices;
  const size_t group = header.first_of(format.attribute.group_columns);
  const auto attribute = index_places(format.attribute, header);
  const bool has_group = attribute.empty() && group != kAbsent;
  Columns columns{header.first_of(format.sample.columns),
                  header.first_of(format.split.columns),
                  {format.label, header, index_places(format.label, header), false},
                  {format.attribute, header, attribute, true},
                  {indices, header, has_group ? std::vector{group} : std::vector<size_t>{}, true}};
  Cells wanted;
  const auto want = [&](bool lacks, const std::string& what, const Cells& candidates) {
    if (lacks) wanted.push_back(what + " (" + alternatives(candidates) + ")");
  };
  want(!format.sample.columns.empty() && columns.sample == kAbsent, "a sample",
       format.sample.columns);
  want(!columns.label.present(), "a label", format.label.columns);
  want(columns.split == kAbsent, "a split", format.split.columns);
  if (wanted.empty()) return columns;
  throw Error(header.file + ": the header lacks a column for " + listed(wanted) + "; " +
              header.found());
}

/// Reads rows into a manifest; with a group column `attribute` still is the group.
class RowReader {
 public:
  RowReader(const ManifestFormat& format, const Header& header, Manifest& manifest,
            Findings& findings)
      : format_(format),
        header_(header),
        columns_(find_columns(format, header)),
        manifest_(manifest),
        findings_(findings) {}

  const Columns& columns() const { return columns_; }

  void read(const Cells& cells, int64_t line) {
    ManifestRow row;
    row.line = line;
    row.number = manifest_.rows++;
    const bool has_sample = read_sample(cells, row);
    const auto label = columns_.label.read(cells, line, findings_);
    const auto split = read_split(cells, line);
    const bool has_attribute = read_attribute(cells, row);
    if (!has_sample || !label || !split || !has_attribute) return;
    row.label = *label;
    manifest_.splits[*split].push_back(std::move(row));
  }

 private:
  bool read_sample(const Cells& cells, ManifestRow& row) {
    if (columns_.sample == kAbsent) {
      row.sample = std::to_string(row.number);
      return true;
    }
    const std::string& cell = cells[columns_.sample];
    if (cell.empty()) {
      findings_.add(row.line, ": " + header_.columns[columns_.sample] + " is empty");
      return false;
    }
    if (!prefix_) choose_prefix(cell);
    row.sample = (*prefix_ / std::filesystem::path(cell + format_.sample.suffix)).string();
    return true;
  }

  /// The same data set is unpacked in different places: the first sample tells where.
  void choose_prefix(const std::string& cell) {
    for (const auto& prefix : format_.sample.prefixes) {
      std::error_code ignored;
      if (std::filesystem::exists(manifest_.folder / prefix / (cell + format_.sample.suffix),
                                  ignored)) {
        prefix_ = prefix;
        return;
      }
    }
    prefix_ = format_.sample.prefixes.front();
  }

  std::optional<std::string> read_split(const Cells& cells, int64_t line) {
    const std::string& cell = cells[columns_.split];
    auto split = split_of(format_, cell);
    if (!split) {
      findings_.add(line, ": " + header_.columns[columns_.split] + " is `" + shown_cell(cell) +
                              "`, expected " + expected_splits());
    }
    return split;
  }

  std::string expected_splits() const {
    if (format_.split.values.empty()) return "0, 1, 2, train, val or test";
    std::vector<std::string> cells;
    for (const auto& [cell, split] : format_.split.values) cells.push_back(cell);
    return alternatives(cells);
  }

  /// An attribute that is not known is left out: false only after adding a finding.
  bool read_attribute(const Cells& cells, ManifestRow& row) {
    const IndexReader& reader = columns_.group.present() ? columns_.group : columns_.attribute;
    if (!reader.present() || reader.is_unknown(cells)) return true;
    row.attribute = reader.read(cells, row.line, findings_);
    return row.attribute.has_value();
  }

  const ManifestFormat& format_;
  const Header& header_;
  const Columns columns_;
  Manifest& manifest_;
  Findings& findings_;
  std::optional<std::filesystem::path> prefix_;  ///< chosen at the first sample
};

template <class Action>
void for_each_sample(Manifest& manifest, const Action& action) {
  for (auto& [split, rows] : manifest.splits) {
    for (ManifestRow& row : rows) action(row);
  }
}

/// Replaces the groups y·A + a by a. A is the smallest number of attributes by which every group is
/// at most its label's last.
void attributes_from_groups(Manifest& manifest, const std::string& column, Findings& findings) {
  int64_t attributes = 1;
  const ManifestRow* widest = nullptr;  // the row that makes A as large as it is
  for_each_sample(manifest, [&](const ManifestRow& row) {
    if (!row.attribute) return;
    const int64_t needed = *row.attribute / (row.label + 1) + 1;  // group < (y + 1) · A
    if (widest == nullptr || needed > attributes) {
      attributes = needed;
      widest = &row;
    }
  });
  const auto described = [&](const ManifestRow& row, int64_t group) {
    return " (label " + std::to_string(row.label) + ", " + column + " " + std::to_string(group) +
           ")";
  };
  const int64_t widest_group = widest != nullptr ? *widest->attribute : 0;
  for_each_sample(manifest, [&](ManifestRow& row) {
    if (!row.attribute) return;
    const int64_t group = *row.attribute;
    if (group / attributes != row.label) {
      findings.add(row.line, described(row, group) + " contradicts line " +
                                 std::to_string(widest->line) + described(*widest, widest_group) +
                                 ": " + column +
                                 " should be label * A + attribute, and the latter needs A of at "
                                 "least " +
                                 std::to_string(attributes));
    }
    row.attribute = group % attributes;
  });
}

/// Appends the columns of the second file that the first has not, and says which those are.
std::vector<size_t> append_columns(const Join& join, Header& header) {
  std::vector<size_t> appended;
  const Cells own = header.columns;
  for (size_t place = 0; place < join.columns().size(); ++place) {
    if (std::find(own.begin(), own.end(), join.columns()[place]) != own.end()) continue;
    appended.push_back(place);
    header.columns.push_back(join.columns()[place]);
  }
  return appended;
}

/// The first of the files that is there, or else the first.
std::filesystem::path joined_file(const std::filesystem::path& folder,
                                  const std::vector<std::string>& files) {
  std::error_code ignored;
  for (const auto& file : files) {
    if (std::filesystem::exists(folder / file, ignored)) return folder / file;
  }
  return folder / files.front();
}

/// What may be meant as the column of attributes, which the header lacks.
Cells misspelt_attributes(const ManifestFormat& format, const Header& header) {
  Cells expected = format.attribute.columns;
  expected.insert(expected.end(), format.attribute.group_columns.begin(),
                  format.attribute.group_columns.end());
  Cells others;
  for (const auto& column : header.columns) {
    bool known = column == format.join.key;
    for (const auto* of : {&format.sample.columns, &format.label.columns, &format.split.columns})
      known = known || std::find(of->begin(), of->end(), column) != of->end();
    if (!known) others.push_back(column);
  }
  Cells warnings = misspelt("a column", others, expected);
  for (auto& warning : warnings)
    warning = header.file + ": there are no attributes; the file " + warning;
  return warnings;
}

void read_rows(TableReader& reader, Header& header, const ManifestFormat& format,
               Manifest& manifest, Findings& findings) {
  const size_t own_columns = header.columns.size();
  std::optional<Join> join;
  std::vector<size_t> appended;
  size_t key = kAbsent;
  if (!format.join.files.empty()) {
    key = header.find(format.join.key);
    if (key == kAbsent) {
      throw Error(header.file + ": the header lacks a column " + format.join.key + "; " +
                  header.found());
    }
    join.emplace(joined_file(manifest.folder, format.join.files), format, findings);
    appended = append_columns(*join, header);
  }
  RowReader rows(format, header, manifest, findings);
  for_each_row(reader, own_columns, findings, [&](Cells& cells, int64_t line) {
    if (join) {
      const Cells* const more = join->find(cells[key]);
      if (more == nullptr) {
        findings.add(line, ": " + join->name() + " has no row of " + format.join.key + " `" +
                               shown_cell(cells[key]) + "`");
        return;
      }
      for (const size_t place : appended) cells.push_back((*more)[place]);
    }
    rows.read(cells, line);
  });
  const Columns& columns = rows.columns();
  if (columns.group.present()) attributes_from_groups(manifest, columns.group.name(), findings);
  if (!columns.group.present() && !columns.attribute.present())
    manifest.warnings = misspelt_attributes(format, header);
  for_each_sample(manifest, [&](const ManifestRow& row) {
    manifest.has_attributes = manifest.has_attributes || row.attribute.has_value();
  });
  const auto& attributes = columns.group.present() ? columns.group : columns.attribute;
  if (attributes.present() && !manifest.has_attributes)
    manifest.warnings.push_back(header.file + ": there are no attributes; the column " +
                                attributes.name() + " has none in any row");
}

}  // namespace

Manifest read_csv_manifest(const ManifestSource& source, Findings& findings) {
  Manifest manifest;
  manifest.path = source.path;
  manifest.folder = source.folder();
  const ManifestFormat& format = source.format;
  manifest.names = {format.label.names, format.attribute.names};
  if (!format.tensors.empty()) {
    manifest.tensors = manifest.folder / (format.tensors + ".safetensors");
  }
  const auto reader = open_table(source.path, format, {});
  Header header = read_header(*reader, source.path);
  read_rows(*reader, header, format, manifest, findings);
  if (manifest.rows == 0) {
    findings.throw_if_any(header.file);
    throw Error(header.file + ": has no row below its header");
  }
  return manifest;
}

}  // namespace neurontune
