#include "zoo/question_answering/babi.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include "autograd/base/error.h"
#include "zoo/data/lines.h"
#include "zoo/data/rows.h"
#include "zoo/data/text.h"

namespace tarsier::zoo::question_answering {

namespace fs = std::filesystem;

namespace {

/// The number that `text` is, if it is one from 1 to 10⁹.
std::optional<int64_t> number_in(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number >= 1 && number <= 1'000'000'000 ? std::optional(number) : std::nullopt;
}

/// Reads stories line by line.
class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  void read(const std::string& line) {
    ++at_;
    if (is_blank(line)) return;
    const size_t end = std::min(line.find(' '), line.size());
    const std::optional<int64_t> number = number_in(std::string_view(line).substr(0, end));
    if (!number)
      refuse("'", beginning_of(line), "' does not begin with a number and a space: expected ",
             "`1 Mary moved to the bathroom.`");
    if (*number == 1) {
      finish();
      stories_.emplace_back();
      begins_ = at_;
    }
    const auto expected = stories_.empty() ? 1 : std::ssize(stories_.back().lines) + 1;
    if (*number != expected)
      refuse("number ", *number, " where ", expected,
             expected == 1 ? "" : ", or 1 for a new story,", " was expected");
    stories_.back().lines.push_back(line_of(line.substr(std::min(end + 1, line.size()))));
  }

  std::vector<Story> all() {
    finish();
    check(!stories_.empty(), "data", "'", path_, "' has no lines: expected stories with questions");
    return std::move(stories_);
  }

 private:
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail("data", "'", path_, "', line ", at_, ": ", parts...);
  }

  Line line_of(const std::string& text) const {
    const size_t tab = std::min(text.find('\t'), text.size());
    Line line{.text = trimmed(text.substr(0, tab))};
    if (line.text.empty()) refuse("there is no text after the number");
    if (tab == text.size()) {
      if (line.text.ends_with('?'))
        refuse("the question '", beginning_of(line.text), "' has no answer: it stands after a tab");
      return line;
    }
    const size_t next = std::min(text.find('\t', tab + 1), text.size());
    line.answer = trimmed(text.substr(tab + 1, next - tab - 1));
    if (line.answer.empty()) refuse("the answer of '", beginning_of(line.text), "' is blank");
    if (next < text.size()) line.supports = supports_in(text.substr(next + 1));
    return line;
  }

  std::vector<int64_t> supports_in(const std::string& text) const {
    static constexpr const char* kBlanks = " \t";
    const std::vector<Line>& before = stories_.back().lines;
    std::vector<int64_t> supports;
    for (size_t begin = text.find_first_not_of(kBlanks); begin < text.size();) {
      const size_t end = std::min(text.find_first_of(kBlanks, begin), text.size());
      const std::string word = text.substr(begin, end - begin);
      const std::optional<int64_t> number = number_in(word);
      if (!number || *number > std::ssize(before) ||
          before[static_cast<size_t>(*number - 1)].asks())
        refuse("the supporting line '", beginning_of(word),
               "' is not the number of a statement before the question");
      supports.push_back(*number - 1);
      begin = std::min(text.find_first_not_of(kBlanks, end), text.size());
    }
    return supports;
  }

  /// The last story is whole.
  void finish() const {
    if (stories_.empty()) return;
    const std::vector<Line>& lines = stories_.back().lines;
    if (std::none_of(lines.begin(), lines.end(), [](const Line& line) { return line.asks(); }))
      fail("data", "'", path_, "', line ", begins_, ": the story that begins here asks nothing: ",
           "expected a line `number question<TAB>answer` in it");
  }

  std::string path_;
  std::vector<Story> stories_;
  int64_t at_ = 0, begins_ = 0;  // lines of the file
};

std::vector<Story> read_file(const fs::path& path) {
  const std::string name = path.string(), text = read_text_file(name);
  check_utf8(text, concat('\'', name, '\''));
  return parse_stories(text, name);
}

/// Whether a stands before b: numbers in names count as numbers.
bool comes_before(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    size_t m = i, n = j;
    while (m < a.size() && digit(a[m])) ++m;
    while (n < b.size() && digit(b[n])) ++n;
    if (m > i && n > j) {
      if (m - i != n - j) return m - i < n - j;
      const int order = a.compare(i, m - i, b, j, n - j);
      if (order != 0) return order < 0;
      i = m, j = n;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
    }
  }
  return a.size() < b.size();
}

void append(std::vector<Story>& to, std::vector<Story> stories, int64_t task) {
  for (Story& story : stories) {
    story.task = task;
    to.push_back(std::move(story));
  }
}

}  // namespace

int64_t questions_in(const std::vector<Story>& stories) {
  int64_t count = 0;
  for (const Story& story : stories)
    count += std::count_if(story.lines.begin(), story.lines.end(),
                           [](const Line& line) { return line.asks(); });
  return count;
}

std::vector<Story> parse_stories(std::string_view text, const std::string& path) {
  Reader reader(path);
  for (const std::string_view line : split_lines(text)) reader.read(std::string(line));
  return reader.all();
}

void split_stories(std::vector<Story> stories, bool tests, const std::string& source,
                   StoryData& data) {
  const int64_t count = std::ssize(stories), tenth = std::max<int64_t>(1, count / 10);
  const int64_t train = count - tenth - (tests ? tenth : 0), task = std::ssize(data.tasks) - 1;
  check(train > 0, "data", "'", source, "' has ", count, " stories: too few to train, validate",
        tests ? " and test" : "");
  const auto part = [&](int64_t begin, int64_t end) {
    return std::vector<Story>(std::make_move_iterator(stories.begin() + begin),
                              std::make_move_iterator(stories.begin() + end));
  };
  append(data.train, part(0, train), task);
  append(data.test, part(train, count - tenth), task);
  append(data.val, part(count - tenth, count), task);
}

namespace {

/// The sentences of a line, each with the mark that ends it.
std::vector<std::string> sentences_of(const std::string& line) {
  std::vector<std::string> sentences;
  for (size_t begin = 0; begin < line.size();) {
    size_t end = line.find_first_of(".?!", begin);
    while (end < line.size() && end + 1 < line.size() && line[end + 1] != ' ')
      end = line.find_first_of(".?!", end + 1);
    end = std::min(end, line.size() - 1) + 1;
    const std::string sentence = trimmed(std::string_view(line).substr(begin, end - begin));
    if (!sentence.empty()) sentences.push_back(sentence);
    begin = end;
  }
  return sentences;
}

}  // namespace

std::vector<Story> parse_questions(std::string_view text) {
  std::vector<Story> stories;
  const auto add = [&](const std::string& line, bool asks) {
    if (stories.empty()) stories.emplace_back();
    Line& added = stories.back().lines.emplace_back();
    added.text = line;
    if (asks || line.ends_with('?')) added.answer.assign(1, '?');
  };
  for (const std::string& line : split_lines(text)) {
    if (is_blank(line)) continue;
    const size_t end = std::min(line.find(' '), line.size()),
                 tab = std::min(line.find('\t'), line.size());
    const std::optional<int64_t> number = number_in(std::string_view(line).substr(0, end));
    if (!number) {
      for (const std::string& sentence : sentences_of(line.substr(0, tab)))
        add(sentence, tab < line.size());
      continue;
    }
    if (*number == 1) stories.emplace_back();
    const std::string rest = trimmed(std::string_view(line).substr(end, tab - std::min(end, tab)));
    if (!rest.empty()) add(rest, tab < line.size());
  }
  std::erase_if(stories, [](const Story& story) { return story.lines.empty(); });
  check(!stories.empty(), "predict", "no lines: expected a story, and a question at its end");
  stories.back().lines.back().answer.assign(1, '?');
  return stories;
}

StoryData read_stories(const std::string& path) {
  StoryData data;
  if (!fs::is_directory(path)) {
    data.tasks.push_back(fs::path(path).stem().string());
    split_stories(read_file(path), true, path, data);
    return data;
  }
  static const std::string kTrain = "_train.txt", kValid = "_valid.txt", kTest = "_test.txt";
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(kTrain)) data.tasks.push_back(name.substr(0, name.size() - kTrain.size()));
  }
  check(!data.tasks.empty(), "data", "the folder '", path, "' has ", describe_folder(path),
        ": expected files NAME_train.txt and NAME_test.txt, or give one file");
  std::vector<std::string> names;
  names.swap(data.tasks);
  std::sort(names.begin(), names.end(), comes_before);
  for (const std::string& name : names) {
    data.tasks.push_back(name);
    const int64_t task = std::ssize(data.tasks) - 1;
    const std::string stem = (fs::path(path) / name).string();
    const bool tests = file_exists(stem + kTest);
    if (file_exists(stem + kValid)) {
      append(data.train, read_file(stem + kTrain), task);
      append(data.val, read_file(stem + kValid), task);
    } else {
      split_stories(read_file(stem + kTrain), !tests, stem + kTrain, data);
    }
    if (tests) append(data.test, read_file(stem + kTest), task);
  }
  return data;
}

}  // namespace tarsier::zoo::question_answering
