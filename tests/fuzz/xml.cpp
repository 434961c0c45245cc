// XML: no input crashes the reader, and what it reads has names.
#include "zoo/data/xml.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const zoo::XmlElement root = zoo::parse_xml(bytes, "input");
  promise(!root.name.empty() && root.line > 0, "the root has a name and a line");
}
