#include "zoo/bert/texts.h"

#include <algorithm>
#include <filesystem>

#include "autograd/base/error.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"

namespace tarsier::zoo::bert {

namespace fs = std::filesystem;

namespace {

bool is_table(const std::string& path) { return path.ends_with(".tsv") || path.ends_with(".csv"); }

/// The training texts of a table, or of a folder of tables.
void add_table(Documents& documents, const std::string& path, const LabelledColumns& columns,
               RandomKey key) {
  const LabelledData data = read_labelled_data(path, columns, key);
  documents.columns = data.columns;
  Document document{.table = true};
  for (std::string text : data.train.texts) {
    std::replace(text.begin(), text.end(), '\n', ' ');  // a quoted field may have several lines
    document.text.append(text).append("\n");
  }
  documents.all.push_back(std::move(document));
}

void add_file(Documents& documents, const std::string& path, const LabelledColumns& columns,
              RandomKey key) {
  if (is_table(path)) return add_table(documents, path, columns, key);
  documents.all.push_back({.text = read_text_file(path)});
  check_utf8(documents.all.back().text, concat('\'', path, '\''));
}

/// The files in a folder, sorted.
std::vector<std::string> files_in(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> paths;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (file_exists(it->path().string()) && !it->path().filename().string().starts_with('.'))
      paths.push_back(it->path().string());
  check(!error, "data", "cannot read the folder '", folder, "': ", error.message());
  check(!paths.empty(), "data", "there is no text file in '", folder, "', which holds ",
        describe_folder(folder));
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

Documents read_documents(const std::string& path, const LabelledColumns& columns, RandomKey key) {
  Documents documents;
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    add_file(documents, path, columns, key);
  } else if (file_exists(path + "/train.tsv") || file_exists(path + "/train.csv")) {
    add_table(documents, path, columns, key);
  } else {
    for (const std::string& file : files_in(path)) add_file(documents, file, columns, key);
  }
  return documents;
}

Split split(const std::vector<Document>& documents, Examples examples) {
  Split out;
  int64_t count = 0;
  for (const Document& document : documents) {
    const bool lines =
        examples == Examples::lines || (examples == Examples::automatic && document.table);
    if (!lines) {
      const auto [train, validation] =
          split_characters(document.text, count_characters(document.text) * 9 / 10);
      out.train.push_back({std::string(train), true});
      out.validation.push_back({std::string(validation), true});
      continue;
    }
    for (std::string& line : split_lines(document.text)) {
      if (is_blank(line)) continue;
      std::vector<Passage>& part = ++count % 10 == 0 ? out.validation : out.train;
      part.push_back({std::move(line)});
    }
  }
  return out;
}

std::vector<std::vector<int32_t>> token_rows(const std::vector<Passage>& passages,
                                             const Tokenizer& tokenizer, int64_t max_length) {
  std::vector<std::vector<int32_t>> rows;
  for (const Passage& passage : passages) {
    std::vector<int32_t> ids;
    for (const std::string& line : split_lines(passage.text)) {
      const std::vector<int32_t> tokens = tokenizer.encode(line);
      ids.insert(ids.end(), tokens.begin(), tokens.end());
      if (passage.running && !tokens.empty()) ids.push_back(kEnd);
    }
    const auto most = static_cast<size_t>(max_length - 1);
    for (size_t begin = 0; begin < ids.size(); begin += most) {
      std::vector<int32_t> row{kBegin};
      for (size_t i = begin; i < std::min(begin + most, ids.size()); ++i) row.push_back(ids[i]);
      if (std::any_of(row.begin(), row.end(), [](int32_t id) { return id >= kSpecialTokens; }))
        rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace tarsier::zoo::bert
