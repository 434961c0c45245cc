// The reader of XML.
#include "zoo/data/xml.h"

#include <doctest/doctest.h>

#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("XML: elements, text, entities, and what is skipped") {
  const XmlElement root = parse_xml(
      "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY x \"y\">]>\n<!-- <b> -->\n"
      "<a id='1>2' other = \"x\">\n  one &lt;&amp;&gt; &#233;&#xE9;<!-- no -->\n  <b/>\n"
      "  <c><![CDATA[<d> & ]]></c><b>2</b >\n</a>\n<!-- end -->",
      "a.xml");
  CHECK(root.name == "a");
  CHECK(root.line == 4);
  CHECK(root.text == "one <&> éé");
  REQUIRE(root.children.size() == 3);
  CHECK(root.children[0].text.empty());
  CHECK(root.find("c")->text == "<d> &");
  CHECK(root.find("c")->line == 7);
  CHECK(root.find("b") == &root.children[0]);
  CHECK(root.children[2].text == "2");
  CHECK(root.find("d") == nullptr);
}

TEST_CASE("XML: damaged files are refused with their line") {
  const auto message = [](const std::string& text) {
    return error_of([&] { parse_xml(text, "a.xml"); });
  };
  CHECK(message("") == "[data] 'a.xml', line 1: an element was expected");
  CHECK(message("text") == "[data] 'a.xml', line 1: an element was expected");
  CHECK(message("<a>\n<b>\n</a>") ==
        "[data] 'a.xml', line 3: a closing tag has another name than the opening one");
  CHECK(message("<a>\n<b>") ==
        "[data] 'a.xml', line 2: an element is not closed: the file is cut off");
  CHECK(message("<a></a><b/>") == "[data] 'a.xml', line 1: text follows the root element");
  CHECK(message("<a x>") ==
        "[data] 'a.xml', line 1: '=' and a value were expected after the name "
        "of an attribute");
  CHECK(message("<a x=1>") == "[data] 'a.xml', line 1: the value of an attribute stands in quotes");
  CHECK(message("<a x='1>") == "[data] 'a.xml', line 1: a quote is not closed");
  CHECK(message("<a>&b;</a>") == "[data] 'a.xml', line 1: an unknown entity");
  for (const char* code : {"&#0;", "&#xD800;", "&#x110000;", "&#;", "&#12x;"})
    CHECK(message(concat("<a>", code, "</a>")) ==
          "[data] 'a.xml', line 1: an entity that is no character");
  CHECK(message("<a>&lt</a>") == "[data] 'a.xml', line 1: an entity is not closed");
  CHECK(message("<!-- a") == "[data] 'a.xml', line 1: a comment is not closed");
  CHECK(message("<a") == "[data] 'a.xml', line 1: a name was expected");
  CHECK(message("<") == "[data] 'a.xml', line 1: a name was expected");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  CHECK(message(deep) == "[data] 'a.xml', line 1: elements are nested deeper than 100");
  check_error("UTF-8", [&] { parse_xml("<a>\xFF</a>", "a.xml"); });
}

}  // namespace
}  // namespace tarsier::zoo
