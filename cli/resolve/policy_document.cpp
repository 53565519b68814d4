// SPDX-License-Identifier: Apache-2.0
// What one run enforces as a JSON document, written and read again.
#include "cli/resolve/policy_document.hpp"

#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/json/file.hpp>
#include <nono/json/reader.hpp>
#include <nono/json/report.hpp>
#include <nono/json/state.hpp>
#include <nono/json/writer.hpp>

#include "cli/resolve/program.hpp"

namespace nono::cli {

namespace {

error refused(const std::string& path, std::string_view why) {
  return {errc::bad_argument,
          0,
          {},
          {},
          fmt::format("NONO_CAP_FILE names {}, which {}; ask from a program that nono run started",
                      quoted_whole(path), why)};
}

/// Which keys are in use and where they lead; of the keys their source alone.
std::string routes_text(const std::vector<credential_route>& routes) {
  std::string out = "[";
  for (const credential_route& r : routes) {
    if (out.size() > 1) out += ", ";
    nono::detail::json_line one(out);
    one.text("name", r.name)
        .text("upstream", r.upstream())
        .text("key", r.key.shown)
        .text("variable", r.url_variable);
  }
  return out += ']';
}

}  // namespace

result<std::string> policy_document(const sandbox& s, sandbox_target target, const enforcement& report,
                                    bool in_force) {
  auto text = sandbox_state::from(*s.bound).to_json();
  if (!text) return std::move(text.error());
  text->resize(text->size() - std::string_view("\n}").size());
  *text += ",\n  \"run\": ";
  {
    nono::detail::json_line run(*text);
    run.text("version", NONO_VERSION).text("target", name_of(target));
    if (in_force) run.truth("in_force");
    if (s.r.profile != nullptr) run.text("profile", s.r.profile->name);
    if (s.gate.port != 0) run.natural("proxy_port", s.gate.port);
    if (s.gate.own_network) run.truth("own_network");
  }
  if (s.r.hosts && !s.r.hosts->routes.empty()) *text += ",\n  \"routes\": " + routes_text(s.r.hosts->routes);
  if (!s.r.open_ports.empty())
    *text += ",\n  \"open_ports\": " + fmt::format("[{}]", fmt::join(s.r.open_ports, ", "));
  *text += ",\n  \"enforcement\": " + to_json(report, "  ") + "\n}\n";
  return text;
}

error restore(const std::string& path, sandbox& s) {
  struct stat st{};
  if (::stat(path.c_str(), &st) == 0 && st.st_uid != ::geteuid())
    return refused(path, "belongs to another user");
  auto text = read_profile_file(path);
  if (!text) return refused(path, "cannot be read (" + text.error().other + ")");
  const auto document = read_json(*text, "the document " + quoted_whole(path));
  if (!document) return document.error();
  const json_value* const run = document->find("run");
  const json_value* const target = run != nullptr ? run->find("target") : nullptr;
  if (target == nullptr) return refused(path, "does not say which sandbox it describes");
  auto state = sandbox_state::from_json(*text);
  if (!state) return std::move(state.error());
  auto caps = state->to_caps();
  if (!caps) return std::move(caps.error());
  s.r.policy = *std::move(caps);
  if (const json_value* const port = run->find("proxy_port");
      port != nullptr && port->is == json_value::kind::natural && port->natural <= 65535)
    s.gate = {static_cast<std::uint16_t>(port->natural), run->find("own_network") != nullptr};
  if (const json_value* const ports = document->find("open_ports"))
    for (const json_value& port : ports->items)
      if (port.is == json_value::kind::natural && port.natural <= 65535)
        s.r.open_ports.push_back(static_cast<std::uint16_t>(port.natural));
  return lower(s, target->text == name_of(sandbox_target::this_process) ? sandbox_target::this_process
                                                                        : sandbox_target::supervised_child);
}

}  // namespace nono::cli
