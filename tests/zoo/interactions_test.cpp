// Who took what: the formats of recommender data.
#include "zoo/data/interactions.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/scratch.h"

namespace tarsier::zoo {
namespace {

using Strings = std::vector<std::string>;
using Histories = std::vector<std::vector<int32_t>>;

/// The text as file `name`.
Interactions read(const std::string& text, const std::string& name = "data.txt",
                  const InteractionColumns& columns = {}) {
  const Scratch scratch;
  return read_interactions(scratch.write(name, text), columns);
}

/// An error for the text as a file, with the path left out.
void check_refused(const std::string& text, const std::string& error,
                   const std::string& name = "data.txt") {
  const Scratch scratch;
  const std::string path = scratch.write(name, text);
  CHECK(error_of([&] { read_interactions(path); }) == "[data] '" + path + "'" + error);
}

TEST_CASE(
    "lines of a user and items: items in the order of their numbers, users in that of lines") {
  const Interactions data = read("7 10 2 b\r\n\n3  2\t10\n");
  CHECK(data.items == Strings{"2", "10", "b"});
  CHECK(data.titles == data.items);
  CHECK(data.histories == Histories{{1, 0, 2}, {0, 1}});
  CHECK(data.lines == std::vector<int64_t>{1, 1, 1});
  CHECK(data.events() == 5);
}

TEST_CASE("MovieLens' u.data: user, item, rating, time; equal times keep the order of the file") {
  const Interactions data = read(
      "196\t242\t3\t881250949\n186\t302\t3\t891717742\n196\t51\t1\t881250900\n"
      "196\t9\t1\t881250949\n",
      "u.data");
  CHECK(data.items == Strings{"9", "51", "242", "302"});
  CHECK(data.histories == Histories{{1, 2, 0}, {3}});
  CHECK(data.lines == std::vector<int64_t>{4, 3, 1, 2});
  CHECK(read("1::1193::5::978300760\n1::661::3::978302109\n1::914::3::978301968\n", "ratings.dat")
            .histories == Histories{{2, 1, 0}});
}

TEST_CASE("RecBole's .inter: typed names of columns, in any order") {
  const Interactions data = read(
      "item_id:token\trating:float\ttimestamp:float\tuser_id:token\nx\t1\t2.5\tu\ny\t1\t1e0\tu\n",
      "a.inter");
  CHECK(data.items == Strings{"x", "y"});
  CHECK(data.histories == Histories{{1, 0}});
}

TEST_CASE("CSV: names of columns, quotes, dates as times") {
  const Interactions data = read(
      "timestamp,userId,movieId\n2014-05-02 10:00,u,\"a,b\"\n2014-05-01 23:59,u,c\n", "data.csv");
  CHECK(data.items == Strings{"a,b", "c"});
  CHECK(data.histories == Histories{{1, 0}});
  CHECK(read("reviewerID;asin\nu;z\nu;a\n", "data.csv").histories == Histories{{1, 0}});
}

TEST_CASE("columns are given by name or number") {
  const std::string text = "who,what,when\nu,a,2\nu,b,1\n";
  const Histories expected{{1, 0}};
  CHECK(read(text, "a.csv", {"who", "what", "when"}).histories == expected);
  CHECK(read("u,a,2\nu,b,1\n", "a.csv", {"1", "2", "3"}).histories == expected);
  CHECK(read("u,a,2\nu,b,1\n", "a.csv", {"1", "2"}).histories == Histories{{0, 1}});  // no time
  const Scratch scratch;
  const std::string path = scratch.write("a.csv", text);
  check_error("it is unclear which of 'who', 'what' and 'when' are the user, the item and the time",
              [&] { read_interactions(path); });
  check_error("user and item are both column 2", [&] { read_interactions(path, {"what", "2"}); });
  // Numbers, of a table whose first line has usual names: it is no event.
  CHECK(read("user,item\nu,a\nu,b\n", "a.csv", {"1", "2"}).items == Strings{"a", "b"});
}

TEST_CASE("a column that is given and does not exist is never replaced by a usual one") {
  const Scratch scratch;
  const std::string table = scratch.write("u.data", "1\t2\t3\t4\n1\t3\t3\t5\n"),
                    lines = scratch.write("a.txt", "1 2 3\n");
  const auto error = [&](const std::string& path, const InteractionColumns& columns) {
    return error_of([&] { read_interactions(path, columns); });
  };
  for (const char* wrong : {"0", "9", "whenever"}) {
    const std::string
        head = "[data] '" + table + "', line 1: there is no column '" + wrong + "' for ",
        tail =
            ". The 4 columns are '1', '2', '3' and '4': give one of these names, or a "
            "number from 1";
    CHECK(error(table, {.user = wrong}) == head + "--user" + tail);
    CHECK(error(table, {"1", wrong}) == head + "--item" + tail);
    CHECK(error(table, {"1", "2", wrong}) == head + "--time" + tail);
  }
  CHECK(error(lines, {.time = "3"}) ==
        "[data] '" + lines +
            "' has lines `user item item …` and no columns, but the column '3' is "
            "given: leave out --user, --item and --time, or give a table");
}

TEST_CASE("titles come from the file that belongs to the data, or from a given one") {
  const Scratch scratch;
  const std::string data = scratch.write("u.data", "1\t2\t3\t4\n1\t3\t3\t5\n1\t5\t3\t6\n");
  scratch.write("u.item", "2|Caf\xe9 (1994)|x|\n3|Twins|y|\n5|Twins|z|\n9|Unseen|w|\n");
  CHECK(read_interactions(data).titles == Strings{"Café (1994)", "Twins (3)", "Twins (5)"});
  CHECK(read_interactions(scratch.path("")).titles.front() == "Café (1994)");  // the folder
  const std::string other = scratch.write("t.csv", "title,movieId\n\"Up, up\",2\n");
  CHECK(read_interactions(data, {.titles = other}).titles == Strings{"Up, up", "3", "5"});
  scratch.write("a.inter", "user_id:token\titem_id:token\nu\tx\n");
  scratch.write("a.item", "item_id:token\tmovie_title:token_seq\nx\tThe X\n");
  CHECK(read_interactions(scratch.path("a.inter")).titles == Strings{"The X"});

  scratch.write("u.item", "2|A|\n2|B|\n");
  check_error("u.item', line 2: item '2' already has line 1", [&] { read_interactions(data); });
  scratch.write("u.item", "2|A\n3|\n");
  check_error("u.item', line 2: the title is blank", [&] { read_interactions(data); });
  scratch.write("u.item", "2|A\n3\n");
  check_error("u.item', line 2: '3' without a title", [&] { read_interactions(data); });
  scratch.write("u.item", "plain\n");
  check_error("a table of items and titles was expected", [&] { read_interactions(data); });
  check_error("there is no file", [&] { read_interactions(data, {.titles = scratch.path("no")}); });
}

TEST_CASE("broken interactions are refused, with file and line") {
  check_refused("1 2\n3\n", ", line 2: '3' alone, but `user item item …` was expected");
  check_refused("1 2\n3 4\n1 5\n",
                ", line 3: user '1' already has line 1; put all items of a user in one line");
  check_refused("1\t2\t3\t4\n1\t2\t3\n", ", line 2: 3 fields where line 1 has 4");
  check_refused("1\t2\t3\t4\n1\t \t3\t4\n", ", line 2: the item is blank");
  check_refused("1\t2\t3\t4\n\t2\t3\t4\n", ", line 2: the user is blank");
  check_refused("1\t2\t3\t4\n1\t2\t3\tsoon\n",
                ", line 2: the time 'soon' is neither a number nor a date such as 2014-05-01");
  check_refused("1\t2\t3\tinf\n",
                ", line 1: the time 'inf' is neither a number nor a date such as 2014-05-01");
  check_refused(
      "user,item,time\nu,a,5\nu,b,2014-05-01\n",
      ", line 3: the time '2014-05-01' is a date, but those before are numbers: they have "
      "no common order. Write all in one form",
      "a.csv");
  check_refused(
      "user,item,time\nu,a,2014-05-01\nu,b,5\n",
      ", line 3: the time '5' is a number, but those before are dates: they have no common "
      "order. Write all in one form",
      "a.csv");
  check_refused({"a\0\x1b\x7f", 4}, ", line 1: 'a���' alone, but `user item item …` was expected");
  check_refused("user_id\titem_id\n", " has no events", "x.inter");
  check_refused("1,\"2\n", ", line 1: the quote that opens here is not closed");
  check_refused(" \n", " has no events");
  CHECK_THROWS_AS(read("1 \xff\n"), Error);
  const Scratch scratch;
  check_error("expected one of u.data, ratings.dat, ratings.csv or a .inter file",
              [&] { read_interactions(scratch.path("")); });
  check_error("nothing.txt", [&] { read_interactions(scratch.path("nothing.txt")); });
}

TEST_CASE("the Beauty data are read: 22,363 users and 12,101 items") {
  const std::string name = "recommendation/beauty.txt";
  if (!have_data(name)) return;
  const Interactions data = read_interactions(data_file(name).string());
  CHECK(std::ssize(data.histories) == 22'363);
  CHECK(data.size() == 12'101);
  CHECK(data.events() == 198'502);
  CHECK(data.items[0] == "1");
  CHECK(data.items[12'100] == "12101");
  CHECK(data.histories[0] == std::vector<int32_t>{0, 1, 2, 3, 4});
}

}  // namespace
}  // namespace tarsier::zoo
