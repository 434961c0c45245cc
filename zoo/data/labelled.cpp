#include "zoo/data/labelled.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "autograd/error.h"
#include "zoo/data/lines.h"
#include "zoo/data/sampler.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

/// The fields of one row, and the line that it begins in.
struct Row {
  std::vector<std::string> fields;
  int64_t line = 0;
};

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin));
}

/// Rows of comma-separated fields (RFC 4180; lines may end with LF alone). Blank lines are skipped.
std::vector<Row> parse_csv(std::string_view text, const std::string& path) {
  std::vector<Row> rows;
  int64_t line = 1;
  size_t i = 0;
  while (i < text.size()) {
    Row row{{}, line};
    for (bool more = true; more;) {
      std::string field;
      const size_t first = std::min(text.find_first_not_of(" \t", i), text.size());
      const bool quoted = first < text.size() && text[first] == '"';
      if (quoted) {
        const int64_t opened = line;
        for (i = first + 1;; ++i) {
          check(i < text.size(), "data", "'", path, "', line ", opened,
                ": the quote that opens here is never closed");
          if (text[i] == '"') {
            if (text.substr(i + 1, 1) != "\"") break;
            ++i;  // two quotes stand for one
          }
          line += text[i] == '\n';
          field += text[i];
        }
        ++i;
      }
      const size_t end = std::min(text.find_first_of(",\n", i), text.size());
      const std::string rest(text.substr(i, end - i));
      check(!quoted || trimmed(rest).empty(), "data", "'", path, "', line ", line, ": '",
            trimmed(rest), "' follows a closing quote; quotes inside of a field are written twice");
      row.fields.push_back(quoted ? field : rest);
      more = end < text.size() && text[end] == ',';
      i = end + 1;
    }
    ++line;
    if (row.fields.size() > 1 || !trimmed(row.fields[0]).empty()) rows.push_back(std::move(row));
  }
  return rows;
}

/// Lines of two fields, cut at their first tab, or at their last where the text comes first.
std::vector<Row> parse_tsv(std::string_view text, FieldOrder order) {
  std::vector<Row> rows;
  int64_t number = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    if (is_blank(line)) continue;
    const size_t tab = order == FieldOrder::label_first ? line.find('\t') : line.rfind('\t');
    Row row{{line.substr(0, tab)}, number};
    if (tab != line.npos) row.fields.push_back(line.substr(tab + 1));
    rows.push_back(std::move(row));
  }
  return rows;
}

bool is_csv(const std::string& path) { return fs::path(path).extension() == ".csv"; }

/// "'positive', 'negative'", at most ten of them.
std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < 10; ++i)
    text += concat(i == 0 ? "" : ", ", '\'', names[i], '\'');
  return names.size() > 10 ? concat(text, " and ", names.size() - 10, " more") : text;
}

/// The beginning of a text, for messages.
std::string beginning(const std::string& text) {
  size_t end = std::min<size_t>(text.size(), 40);
  while (end < text.size() && (text[end] & 0xC0) == 0x80) --end;  // not inside of a character
  return end < text.size() ? text.substr(0, end) + "…" : text;
}

}  // namespace

std::vector<LabelledLine> read_labelled(const std::string& path, FieldOrder order) {
  const std::string text = read_text_file(path);
  check_utf8(text, concat('\'', path, '\''));
  std::vector<Row> rows = is_csv(path) ? parse_csv(text, path) : parse_tsv(text, order);
  if (!rows.empty()) {
    std::vector<std::string> names;
    for (const std::string& field : rows[0].fields) names.push_back(trimmed(field));
    const bool label_first = names == std::vector<std::string>{"label", "text"};
    const bool text_first = names == std::vector<std::string>{"text", "label"};
    if (label_first || text_first) {
      order = label_first ? FieldOrder::label_first : FieldOrder::text_first;
      if (!is_csv(path)) rows = parse_tsv(text, order);
      rows.erase(rows.begin());
    }
  }
  const bool label_first = order == FieldOrder::label_first;
  const char* form = is_csv(path) ? (label_first ? "label,text" : "text,label")
                                  : (label_first ? "label<TAB>text" : "text<TAB>label");
  std::vector<LabelledLine> out;
  for (const Row& row : rows) {
    check(row.fields.size() == 2, "data", "'", path, "', line ", row.line, " has ",
          row.fields.size(), row.fields.size() == 1 ? " field" : " fields", " where ", form,
          " was expected: '", beginning(trimmed(row.fields[0])), "'");
    LabelledLine line{trimmed(row.fields[label_first ? 0 : 1]),
                      trimmed(row.fields[label_first ? 1 : 0]), row.line};
    check(!line.label.empty() && !line.text.empty(), "data", "'", path, "', line ", row.line,
          ": the ", line.label.empty() ? "label" : "text", " is blank; ", form, " was expected");
    out.push_back(std::move(line));
  }
  check(!out.empty(), "data", "'", path, "' has no examples, which are lines of ", form);
  return out;
}

Labels::Labels(const std::vector<LabelledLine>& train, const std::string& source) {
  std::set<std::string> names;
  for (const LabelledLine& line : train) names.insert(line.label);
  names_.assign(names.begin(), names.end());
  check(size() >= 2, "data", source, " has ", size() == 0 ? "no label" : "the label ",
        list_of(names_), size() == 0 ? "" : " only", ": a classifier needs two at least");
  check(train.size() < 20 || names.size() * 2 <= train.size(), "data", source, " has ", size(),
        " different labels in ", train.size(), " examples, as '", beginning(names_[0]),
        "': do labels and texts stand in the other order?");
}

Labels Labels::from_json(const nn::Json& json) {
  Labels labels;
  for (const nn::Json& name : json.as_array()) labels.names_.push_back(name.as_string());
  for (int64_t i = 1; i < labels.size(); ++i)
    check(labels[i - 1] < labels[i], "data", "the labels '", labels[i - 1], "' and '", labels[i],
          "' are not in order");
  return labels;
}

nn::Json Labels::to_json() const { return nn::Json::Array(names_.begin(), names_.end()); }

std::vector<int64_t> Labels::encode(const std::vector<LabelledLine>& lines,
                                    const std::string& source) const {
  std::vector<int64_t> out;
  for (const LabelledLine& line : lines) {
    const auto found = std::lower_bound(names_.begin(), names_.end(), line.label);
    if (found == names_.end() || *found != line.label)
      fail("data", source, ", line ", line.line, ": training has never seen the label '",
           beginning(line.label), "'; it knows ", list_of(names_));
    out.push_back(found - names_.begin());
  }
  return out;
}

namespace {

LabelledText numbered(const Labels& labels, const std::vector<LabelledLine>& lines,
                      const std::string& source) {
  LabelledText out;
  out.labels = labels.encode(lines, source);
  for (const LabelledLine& line : lines) out.texts.push_back(line.text);
  return out;
}

LabelledData read_folder(const std::string& folder, FieldOrder order) {
  const auto find = [&](const char* name) -> std::string {
    for (const char* ending : {".tsv", ".csv"}) {
      const std::string path = (fs::path(folder) / (std::string(name) + ending)).string();
      if (file_exists(path)) return path;
    }
    return "";
  };
  const auto need = [&](const char* name) {
    const std::string path = find(name);
    if (path.empty())
      fail("data", "there is no '", name, ".tsv' or '", name, ".csv' in '", folder,
           "', which holds ", describe_folder(folder));
    return path;
  };
  const std::string train = need("train"), val = need("val"), test = find("test");
  const std::vector<LabelledLine> lines = read_labelled(train, order);
  LabelledData out;
  out.labels = Labels(lines, concat('\'', train, '\''));
  out.train = numbered(out.labels, lines, train);
  out.val = numbered(out.labels, read_labelled(val, order), concat('\'', val, '\''));
  if (!test.empty())
    out.test = numbered(out.labels, read_labelled(test, order), concat('\'', test, '\''));
  return out;
}

}  // namespace

LabelledData read_labelled_data(const std::string& path, FieldOrder order, RandomKey key) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return read_folder(path, order);
  const std::string source = concat('\'', path, '\'');
  const std::vector<LabelledLine> lines = read_labelled(path, order);
  LabelledData out;
  out.labels = Labels(lines, source);

  std::map<std::string, std::vector<size_t>> members;  // lines of each label, shuffled
  for (int64_t i : permutation(static_cast<int64_t>(lines.size()), key))
    members[lines[static_cast<size_t>(i)].label].push_back(static_cast<size_t>(i));
  // The deal goes on from label to label, so that many small classes give their share, too.
  std::vector<int> part(lines.size(), 0);
  int64_t dealt = 0;
  for (const auto& [label, places] : members)
    for (size_t i = 1; i < places.size(); ++i, ++dealt)
      part[places[i]] = dealt % 10 == 4 ? 1 : dealt % 10 == 9 ? 2 : 0;
  check(dealt >= 10, "data", source, " has ", lines.size(),
        " examples, too few to set some apart for validation and test: give at least ",
        10 + out.labels.size());

  const std::vector<int64_t> numbers = out.labels.encode(lines, source);
  LabelledText* const parts[3] = {&out.train, &out.val, &out.test};
  for (size_t i = 0; i < lines.size(); ++i) {
    parts[part[i]]->texts.push_back(lines[i].text);
    parts[part[i]]->labels.push_back(numbers[i]);
  }
  return out;
}

Tensor class_weights(const std::vector<int64_t>& labels, int64_t classes) {
  std::vector<int64_t> counts(static_cast<size_t>(std::max<int64_t>(classes, 0)));
  for (int64_t label : labels) {
    check(label >= 0 && label < classes, "data", "label ", label, " is none of ", classes,
          " classes");
    ++counts[static_cast<size_t>(label)];
  }
  Tensor weights = Tensor::empty({classes}, f32);
  float* out = weights.data<float>();
  for (size_t i = 0; i < counts.size(); ++i) {
    check(counts[i] > 0, "data", "class ", i, " has no examples, so no weight balances it");
    out[i] = static_cast<float>(static_cast<double>(labels.size()) /
                                (static_cast<double>(classes) * static_cast<double>(counts[i])));
  }
  return weights;
}

}  // namespace tarsier::zoo
