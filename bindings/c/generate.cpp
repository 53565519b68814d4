// SPDX-License-Identifier: Apache-2.0
// Writes what the tables of table.hpp say: the header, the Go constants, the reference page.
//
//   generate header|go|reference VERSION
#include <cstdio>
#include <string>
#include <string_view>

#include "table.hpp"

namespace {

using namespace nono::c_table;

void comment(std::string& out, std::string_view says, std::string_view indent = {}) {
  if (says.empty()) return;
  out += indent;
  out += "/* ";
  for (const char c : says) {
    out += c;
    if (c == '\n') out.append(indent).append("   ");
  }
  out += " */\n";
}

std::string header(std::string_view version) {
  std::string out =
      "/* SPDX-License-Identifier: Apache-2.0\n"
      "   The C interface of nono. Written from bindings/c/table.hpp by `make bindings`: change it there.\n"
      "\n"
      "   Handles and texts that a call returns belong to the caller: each handle goes to its _free(), each "
      "char * to\n"
      "   nono_string_free(). Texts that are given are UTF-8, NUL-terminated, and borrowed for the call. "
      "Calls that take const\n"
      "   handles alone may run at the same time; any other needs its handle to itself. The last failure is "
      "kept for each thread.\n"
      "   A call whose number of failure is given below returns it and keeps a message for "
      "nono_last_error(). */\n"
      "#ifndef NONO_H\n#define NONO_H\n\n"
      "#include <stdarg.h>\n#include <stdbool.h>\n#include <stdint.h>\n#include <stdlib.h>\n\n"
      "#ifdef __cplusplus\n#define NONO_NOEXCEPT noexcept\nextern \"C\" {\n#else\n#define "
      "NONO_NOEXCEPT\n#endif\n\n";
  out += "#define NONO_C_VERSION \"" + std::string(version) + "\"\n";
  for (const constants& c : all_constants) {
    out += '\n';
    if (c.is == kind::defines) {
      comment(out, c.says);
      for (const constant& one : c.all) {
        if (!one.says.empty()) comment(out, one.says);
        out.append("#define ").append(c.prefix).append(one.name) += ' ' + std::to_string(one.value) + '\n';
      }
      if (c.name == "access modes") {
        comment(out, "what nono_capability_set_fs_access() gives where there is no mode");
        out += "#define NONO_ACCESS_MODE_INVALID UINT32_MAX\n";
      }
      continue;
    }
    comment(out, c.says);
    out.append("typedef enum ").append(c.name) += " {\n";
    for (const constant& one : c.all) {
      comment(out, one.says, "  ");
      out.append("  ").append(c.prefix).append(one.name).append(" = ") += std::to_string(one.value) + ",\n";
    }
    out.append("} ").append(c.name) += ";\n";
  }
  out +=
      "\nstruct NonoCapabilitySet;\nstruct NonoQueryContext;\nstruct NonoSandboxState;\n\n"
      "/* An answer. Texts that it has belong to the caller. */\n"
      "typedef struct NonoQueryResult {\n"
      "  enum NonoQueryStatus status;\n  enum NonoQueryReason reason;\n"
      "  char *granted_path; /* the grant that allows it, without links */\n"
      "  char *access;       /* what that one allows: read, write, read+write, or finer words */\n"
      "  char *granted;      /* what is granted where it does not suffice */\n"
      "  char *requested;    /* what was asked then */\n"
      "} NonoQueryResult;\n\n"
      "/* What a system can do. Both texts belong to the caller. */\n"
      "typedef struct NonoSupportInfo {\n  bool is_supported;\n  char *platform; /* linux or macos */\n"
      "  char *details;\n} NonoSupportInfo;\n\n"
      "/* One entry of nono_capability_set_fs_list(), with its texts. */\n"
      "typedef struct NonoFsCapability {\n  const char *original;\n  const char *resolved;\n"
      "  const char *rights;     /* words joined by '|' */\n  const char *group_name; /* NULL unless source "
      "is GROUP */\n"
      "  uint32_t access;        /* a mode, or NONO_ACCESS_MODE_INVALID for finer rights */\n"
      "  enum NonoCapabilitySourceTag source;\n  bool is_file;\n} NonoFsCapability;\n";
  std::string_view section;
  for (const function& f : functions) {
    if (f.section != section) {
      section = f.section;
      out += "\n/* ---- " + std::string(section) + " ---- */\n";
    }
    out += '\n';
    comment(out, f.says);
    out.append(f.declares) += " NONO_NOEXCEPT;\n";
  }
  return out + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

std::string go_file() {
  std::string out =
      "// SPDX-License-Identifier: Apache-2.0\n"
      "// Code generated from bindings/c/table.hpp by `make bindings`. DO NOT EDIT.\n\n"
      "package nono\n";
  for (const constants& c : all_constants) {
    if (c.go_type.empty()) continue;
    const std::string type(c.go_type);
    out += "\n// " + type + ": " + std::string(c.says) + "\n";
    out += "type " + type + (c.is == kind::defines ? " uint32\n" : " int\n");
    out += "\n// What there is of " + type + ".\nconst (\n";
    for (const constant& one : c.all) {
      if (one.go.empty()) continue;
      const std::string name = std::string(c.go_prefix) + std::string(one.go);
      out += "\t// " + name + ": " + std::string(one.says) + ".\n";
      out += "\t" + name + " " + type + " = " + std::to_string(one.value) + "\n";
    }
    out += ")\n";
    if (type == "ErrorCode") {
      out +=
          "\n// The errors of this package by their code, for errors.Is: each is a value, and called gives "
          "the same "
          "error.\nvar (\n";
      for (const constant& one : c.all) {
        if (one.go.empty()) continue;
        const std::string name(one.go);
        out += "\t// Err" + name + ": " + std::string(one.says) + ".\n";
        out += "\tErr" + name + " = sentinel(" + std::string(c.go_prefix) + name + ", \"" +
               std::string(one.word) + "\")\n";
      }
      out += ")\n";
      continue;
    }
    out += "\n// String gives the word for it.\nfunc (v " + type + ") String() string {\n\tswitch v {\n";
    for (const constant& one : c.all)
      out += "\tcase " + std::string(c.go_prefix) + std::string(one.go) + ":\n\t\treturn \"" +
             std::string(one.word) + "\"\n";
    out += "\t}\n\treturn numbered(\"" + type + "\", int64(v))\n}\n";
  }
  return out;
}

std::string reference(std::string_view version) {
  std::string out = "# The C interface, call by call\n\nVersion " + std::string(version) +
                    ". Written from [table.hpp](table.hpp) by `make bindings`; the header is "
                    "[nono.h](../../include/nono/c/nono.h).\n";
  for (const constants& c : all_constants) {
    out += "\n## " + std::string(c.name) + "\n\n" + std::string(c.says) +
           "\n\n| constant | value | |\n|---|---|---|\n";
    for (const constant& one : c.all)
      out += "| `" + std::string(c.prefix) + std::string(one.name) + "` | " + std::to_string(one.value) +
             " | " + std::string(one.says) + " |\n";
  }
  std::string_view section;
  for (const function& f : functions) {
    if (f.section != section) {
      section = f.section;
      out += "\n## " + std::string(section) + "\n";
    }
    out += "\n```c\n" + std::string(f.declares) + ";\n```\n\n" + std::string(f.says) + "\n";
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string_view what = argv[1];
  const std::string text = what == "header"      ? header(argv[2])
                           : what == "go"        ? go_file()
                           : what == "reference" ? reference(argv[2])
                                                 : std::string();
  return !text.empty() && std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                 std::fflush(stdout) == 0
             ? 0
             : 1;
}
