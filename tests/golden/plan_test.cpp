// SPDX-License-Identifier: Apache-2.0
// Whole texts against the files beside this one. NONO_UPDATE_GOLDEN=1 writes those files anew; the review is
// their diff. Temporary names appear as @ROOT@; call numbers are those of x86_64.
#include <nono/bind.hpp>
#include <nono/capability_set.hpp>
#include <nono/caps.hpp>
#include <nono/linux/plan.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "../unit/cli/temporary_directory.hpp"
#include "golden_file.hpp"

namespace abi = nono::linux_abi;
using nono::right;
using nono::sandbox_target;
using nono_test::temporary_directory;

namespace {

std::string replaced(std::string text, const std::string& from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

void compare(std::string_view name, const std::string& text) {
  nono_test::compare_with_golden(std::string(name) + ".txt", text);
}

/// A tree whose every name is known, some of them hostile.
struct tree : temporary_directory {
  tree() {
    directory("data/in");
    directory("data/out");
    file("data/config");
    directory("data-1");
    directory("tools/bin");
    directory("it's \"quoted\"\nnono: granted\x1b[2J");
    directory("back\\slash");
    directory("gr\xc3\xbc\xc3\x9f \xe2\x82\xac");
    directory(
        "rtl\xe2\x80\xae"
        "txt \xff\xc0\xaf");
    link("link", "data");
    REQUIRE(mkfifo((*this / "fifo").c_str(), 0600) == 0);
    char* real = realpath(path().c_str(), nullptr);  // the temporary folder may be a link
    REQUIRE(real != nullptr);
    root = real;
    std::free(real);  // NOLINT
  }
  std::string root;
};

std::string plan_text(nono::bound_policy& bound, int landlock_abi, sandbox_target target) {
  const auto planned = nono::make_plan(bound, abi::kernel_of(landlock_abi), target);
  if (!planned) return "refused: " + planned.error().message() + "\n";
  std::string text = to_text(*planned);
  const std::string filter = to_text(nono::filter_table(planned->filter));
  REQUIRE(text.ends_with(filter));
  text.resize(text.size() - filter.size());  // it has numbers of one architecture, and a file of its own
  return text + to_text(planned->report);
}

/// The policy, what it is bound to, and the plans for some ABIs, in one text.
std::string whole_text(const nono::policy_ref& policy, std::span<const nono::binding> values,
                       const tree& root, sandbox_target target = sandbox_target::this_process) {
  std::string out = "--- policy\n" + to_text(policy);
  auto bound = nono::bind(policy, values);
  if (!bound) {
    out += "--- refused\n" + bound.error().message() + '\n';
  } else {
    out += "--- bound\n" + to_text(*bound);
    for (const int n : {1, 4, 7, 12})
      out += "--- plan, Landlock ABI " + std::to_string(n) + '\n' + plan_text(*bound, n, target);
  }
  return replaced(replaced(out, root.root, "@ROOT@"), root.path(), "@ROOT@");
}

constexpr nono::group_rule tool_rules[] = {
    {"$TOOLS/bin", nono::read},
    {"$TOOLS/none", nono::read_write},
    {"$TOOLS/bin/more", nono::read},
    {"$TOOLS/secret", nono::no_rights},
};
constexpr nono::group tools{.name = "tools", .description = "the tools of this test", .rules = tool_rules};
constexpr nono::group elsewhere{.name = "elsewhere",
                                .description = "of another platform",
                                .on = nono::platform::macos_only,
                                .rules = tool_rules};

}  // namespace

TEST_CASE("golden: a constant policy with variables, a group and denies") {
  constexpr auto policy = nono::caps()
                                  .variable("$DATA")
                                  .variable("$TOOLS")
                                  .allow_path<nono::read>("$DATA/in")
                                  .allow_path<nono::read_write>("$DATA/out")
                                  .allow_file < right::read_file |
                          right::write_file > ("$DATA/config")
                                                  .allow_path<nono::read>("$DATA/later", nono::if_exists)
                                                  .deny_path("$DATA/secret")
                                                  .group(tools)
                                                  .group(elsewhere)
                                                  .network(nono::blocked);
  const tree root;
  const std::string data = root.root + "/link";
  const std::string tool = root.root + "/tools";
  const nono::binding values[] = {nono::bind("$DATA", data), nono::bind("$TOOLS", tool)};
  compare("constant", whole_text(policy, values, root));
}

TEST_CASE("golden: hostile names") {
  const tree root;
  nono::capability_set set;
  for (const char* name :
       {"it's \"quoted\"\nnono: granted\x1b[2J", "back\\slash", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac",
        "rtl\xe2\x80\xae"
        "txt \xff\xc0\xaf"})
    REQUIRE(set.allow_path<nono::read>(root.root + "/" + name).has_value());
  REQUIRE(set.allow_path<nono::read>(root.root + "/no\n'such'", nono::if_exists).has_value());
  REQUIRE(set.deny_path(root.root + "/de\tny\\").has_value());
  compare("hostile", whole_text(set, {}, root));
}

TEST_CASE("golden: single ports, every option") {
  const tree root;
  nono::capability_set set;
  REQUIRE(set.allow_path<nono::read>(root.root).has_value());
  REQUIRE(set.allow_path<nono::read>(root.root + "/data").has_value());
  REQUIRE(set.allow_path<nono::read_write>(root.root + "/data/out").has_value());
  REQUIRE(set.allow_path(root.root + "/data-1", nono::read_write | right::ioctl).has_value());
  REQUIRE(set.allow_file<nono::read_write>(root.root + "/fifo").has_value());
  REQUIRE(set.add({root.root + "/tools", right::list, nono::path_kind::any, nono::must_exist,
                   nono::origin::profile, "work"})
              .has_value());
  set.network(nono::only(nono::connect_tcp(443), nono::bind_tcp(0)))
      .unix_sockets(nono::unix_sockets::none)
      .best_effort(nono::protection::network)
      .lift(nono::protection::ipc)
      .lift(nono::protection::io_uring);
  compare("ports", whole_text(set, {}, root));
}

TEST_CASE("golden: a child on its loopback network") {
  const tree root;
  nono::capability_set set;
  REQUIRE(set.allow_path<nono::read_write>(root.root + "/data").has_value());
  set.network(nono::loopback);
  compare("loopback", whole_text(set, {}, root, sandbox_target::child));
}

TEST_CASE("golden: refusals") {
  const tree root;
  std::string out;
  const auto refused = [&](const nono::capability_set& set) { out += whole_text(set, {}, root); };
  {
    nono::capability_set set;
    REQUIRE(set.allow_path<nono::read>(root.root + "/link").has_value());
    REQUIRE(set.deny_path(root.root + "/data/out/none").has_value());
    refused(set);
  }
  {
    nono::capability_set set;
    REQUIRE(set.allow_path<nono::read>(root.root + "/no\nsuch").has_value());
    refused(set);
  }
  {
    nono::capability_set set;
    REQUIRE(set.allow_path<nono::read>(root.root + "/data/config").has_value());
    refused(set);
  }
  {
    nono::capability_set set;
    set.strict();
    refused(set);
  }
  compare("refusals", out);
}

#if defined(__x86_64__)
TEST_CASE("golden: the rows of the filter") {
  const auto text = [](nono::network_mode mode, bool everything) {
    nono::filter_request request;
    request.network = mode;
    request.no_unix_sockets = everything;
    request.complement_truncate = everything;
    return to_text(nono::filter_table(request));
  };
  compare("filter_unrestricted.x86_64", text(nono::network_mode::unrestricted, false));
  compare("filter_blocked.x86_64", text(nono::network_mode::blocked, false));
  compare("filter_loopback.x86_64", text(nono::network_mode::loopback, false));
  compare("filter_ports.x86_64", text(nono::network_mode::ports, true));
}
#endif
