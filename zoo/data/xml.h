#pragma once
// A small reader of XML: what files of annotations need.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier::zoo {

/// An element with its text and children. Attributes are not kept.
struct XmlElement {
  std::string name;
  std::string text;  ///< all text directly in it, without white space around it
  int64_t line = 0;  ///< where it begins, from 1
  std::vector<XmlElement> children = {};

  /// The first child of that name, or a null pointer.
  const XmlElement* find(std::string_view child) const;
};

/// The root element of `text`, UTF-8. Comments, processing instructions and the document type are
/// skipped; CDATA, the five named entities and numeric ones are read. Throws Error("data") with
/// `source` (a file's name) and line for anything else, and for nesting deeper than 100.
/// Source: https://www.w3.org/TR/xml
XmlElement parse_xml(std::string_view text, const std::string& source);

}  // namespace tarsier::zoo
