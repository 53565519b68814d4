// SPDX-License-Identifier: Apache-2.0
// Comments and elements of Maven's settings.
#include "cli/resolve/xml_text.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace nono::cli;
using std::string;

TEST_CASE("xml_text: comments go, or leave blanks") {
  struct row {
    string xml, without, blanked;
  };
  for (const row& r :
       {row{"", "", ""}, row{"a", "a", "a"}, row{"a<!-- x -->b", "ab", "a          b"},
        row{"<!---->b", "b", "       b"}, row{"a<!-- x", "a", "a      "}, row{"a<!-->b", "a", "a      "},
        row{"<!--1-->a<!--2-->", "a", "        a        "}, row{"a-->b", "a-->b", "a-->b"}}) {
    CAPTURE(r.xml);
    CHECK(without_comments(r.xml) == r.without);
    CHECK(blanked_comments(r.xml) == r.blanked);
  }
}

TEST_CASE("xml_text: elements, trimmed, of what is closed") {
  const auto in = [](const string& xml) {
    std::vector<string> out;
    for_each_element(xml, "u", [&](std::string_view text) { out.emplace_back(text); });
    return out;
  };
  using list = std::vector<string>;
  CHECK(in("<u>a</u><v>b</v><u>\n c d\t</u>") == list{"a", "c d"});
  CHECK(in("<u></u>") == list{""});
  CHECK(in("</u><u>a").empty());
  CHECK(in("<u><u>a</u>") == list{"<u>a", "a"});  // the first has a child: its reader may refuse it
}
