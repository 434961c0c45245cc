#include "zoo/data/labelled.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "autograd/base/error.h"
#include "autograd/io/json.h"
#include "zoo/data/lines.h"
#include "zoo/data/rows.h"
#include "zoo/data/sampler.h"
#include "zoo/data/splits.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

void LabelledColumns::add_to(Settings& settings) {
  settings.add_choice(
      "order", order, "order of two columns without names",
      {{"label-text", FieldOrder::label_first}, {"text-label", FieldOrder::text_first}});
  settings.add("text", text, "the column of the texts: name or number", {});
  settings.add("label", label, "the column of the labels: name or number", {});
  settings.add_choice("header", header, "whether line 1 names the columns",
                      {{"auto", Header::automatic}, {"yes", Header::yes}, {"no", Header::no}});
}

LabelledFile read_labelled(const std::string& path, const LabelledColumns& columns) {
  const Column label{.what = "label",
                     .option = "--label ",
                     .given = columns.label,
                     .names = {"label", "labels", "class", "category", "sentiment", "target", "tag",
                               "polarity", "intent", "emotion", "topic", "rating", "stars", "score",
                               "label_text", "label_name", "class_name", "type", "y"}};
  const Column text{
      .what = "text",
      .option = "--text ",
      .given = columns.text,
      .names = {"text",         "review",      "sentence", "content",   "comment",  "tweet",
                "message",      "document",    "body",     "utterance", "question", "review_text",
                "comment_text", "reviewtext",  "sms",      "phrase",    "post",     "email",
                "headline",     "description", "title",    "query",     "x"},
      .takes_tabs = true};
  const bool label_first = columns.order == FieldOrder::label_first;
  const TwoColumns table = label_first ? read_two_columns(path, label, text, columns.header)
                                       : read_two_columns(path, text, label, columns.header);
  LabelledFile out;
  out.header = table.header;
  out.columns = table.columns;
  for (const TwoColumns::Row& row : table.rows) {
    LabelledLine line{label_first ? row.first : row.second, label_first ? row.second : row.first,
                      row.line};
    check(!line.label.empty() && !line.text.empty(), "data", "'", path, "', line ", row.line,
          ": the ", line.label.empty() ? "label" : "text", " is blank; ", table.form,
          " was expected");
    out.lines.push_back(std::move(line));
  }
  check(!out.lines.empty(), "data", "'", path, "' has no examples, which are lines of ",
        table.form);
  return out;
}

namespace {

/// An unrecognised header would become a class of its own. Unlike most labels, it occurs only
/// once.
void check_first_line(const LabelledFile& file, const std::string& source, Header header) {
  if (file.header || header != Header::automatic) return;
  std::map<std::string, int64_t> counts;
  for (const LabelledLine& line : file.lines) ++counts[line.label];
  const LabelledLine& first = file.lines.front();
  const auto once = std::count_if(counts.begin(), counts.end(),
                                  [](const auto& entry) { return entry.second == 1; });
  if (counts[first.label] != 1 || 2 * once > static_cast<int64_t>(counts.size())) return;
  fail("data", source, ", line ", first.line, ": the label '", beginning_of(first.label),
       "' occurs only in this line, before the text '", beginning_of(first.text),
       "'. If these are column names, use --header yes; if it is an example, use "
       "--header no");
}

}  // namespace

Labels::Labels(const std::vector<LabelledLine>& train, const std::string& source) {
  std::set<std::string> names;
  for (const LabelledLine& line : train) names.insert(line.label);
  names_.assign(names.begin(), names.end());
  check(size() >= 2, "data", source, " has ", size() == 0 ? "no label" : "the label ",
        list_of(names_), size() == 0 ? "" : " only", ": a classifier needs at least two");
  check(train.size() < 20 || names.size() * 2 <= train.size(), "data", source, " has ", size(),
        " different labels in ", train.size(), " examples, as '", beginning_of(names_[0]),
        "': are labels and texts in the other order?");
}

Labels Labels::from_json(const Json& json) {
  Labels labels;
  for (const Json& name : json.as_array()) labels.names_.push_back(name.as_string());
  for (int64_t i = 1; i < labels.size(); ++i)
    check(labels[i - 1] < labels[i], "data", "the labels '", labels[i - 1], "' and '", labels[i],
          "' are not in order");
  return labels;
}

Json Labels::to_json() const { return Json::Array(names_.begin(), names_.end()); }

std::vector<int64_t> Labels::encode(const std::vector<LabelledLine>& lines,
                                    const std::string& source) const {
  std::vector<int64_t> out;
  for (const LabelledLine& line : lines) {
    const auto found = std::lower_bound(names_.begin(), names_.end(), line.label);
    if (found == names_.end() || *found != line.label)
      fail("data", source, ", line ", line.line, ": training has never seen the label '",
           beginning_of(line.label), "'; it knows ", list_of(names_),
           &line == &lines.front() ? ". If the line names the columns, use --header yes" : "");
    out.push_back(found - names_.begin());
  }
  return out;
}

std::vector<int64_t> Labels::renumbered(std::vector<int64_t> numbers, const Labels& theirs,
                                        const std::string& source) const {
  for (int64_t& number : numbers) {
    const std::string& label = theirs[number];
    const auto found = std::lower_bound(names_.begin(), names_.end(), label);
    check(found != names_.end() && *found == label, "data", source,
          ": training has never seen the label '", beginning_of(label), "'; it knows ",
          list_of(names_));
    number = found - names_.begin();
  }
  return numbers;
}

namespace {

LabelledText numbered(const Labels& labels, const std::vector<LabelledLine>& lines,
                      const std::string& source) {
  LabelledText out;
  out.labels = labels.encode(lines, source);
  for (const LabelledLine& line : lines) out.texts.push_back(line.text);
  return out;
}

LabelledData read_folder(const std::string& folder, const LabelledColumns& columns) {
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
  LabelledData out;
  const auto read = [&](const std::string& path) {
    return numbered(out.labels, read_labelled(path, columns).lines, concat('\'', path, '\''));
  };
  const LabelledFile file = read_labelled(train, columns);
  check_first_line(file, concat('\'', train, '\''), columns.header);
  out.columns = file.columns;
  out.labels = Labels(file.lines, concat('\'', train, '\''));
  out.train = numbered(out.labels, file.lines, train);
  out.val = read(val);
  if (!test.empty()) out.test = read(test);
  return out;
}

}  // namespace

LabelledData read_labelled_data(const std::string& path, const LabelledColumns& columns,
                                RandomKey key) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return read_folder(path, columns);
  const std::string source = concat('\'', path, '\'');
  const LabelledFile file = read_labelled(path, columns);
  const std::vector<LabelledLine>& lines = file.lines;
  check_first_line(file, source, columns.header);
  LabelledData out;
  out.columns = file.columns;
  out.labels = Labels(lines, source);

  std::vector<std::string> names;
  for (const LabelledLine& line : lines) names.push_back(line.label);
  const std::vector<int> part = parts_by_label(names, key);
  check(std::ssize(lines) - out.labels.size() >= 10, "data", source, " has ", lines.size(),
        " examples, too few to split off validation and test: give at least ",
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
    check(label >= 0 && label < classes, "data", "label ", label, " is not one of ", classes,
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
