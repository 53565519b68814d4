// SPDX-License-Identifier: Apache-2.0
// Any bytes as the paths of a policy, and as a rule of the platform's: the profile is one that the reader takes, and allows
// nothing more than the policy.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nono/capability_set.hpp>
#include <nono/macos/model.hpp>
#include <nono/macos/sbpl.hpp>

#include "../sbpl/calls.hpp"
#include "../sbpl/reader.hpp"

namespace seatbelt = nono::seatbelt;

namespace {

/// A value for a variable that no other path of a policy is likely to lead to.
std::string expanded(std::string_view path) {
  const std::string_view variable = nono::leading_variable(path);
  return variable.empty()
             ? std::string(path)
             : "/\x02/" + std::string(variable.substr(1)) + std::string(nono::after_variable(path));
}

sbpl::profile read(const nono::sbpl_profile& written) {
  sbpl::profile::parameters values;
  for (const auto& [name, value] : written.parameters) values[name] = expanded(value);
  std::string why;
  auto out = sbpl::profile::read(written.text, values, why);
  if (!out) std::abort();
  return *std::move(out);
}

/// What the profile allows, the policy allows.
void compare(const nono::policy_ref& policy, const seatbelt::settings& with, const sbpl::profile& profile,
             std::string_view path) {
  const seatbelt::model model(policy, with);
  for (const nono::operation_row& row : nono::operations) {
    if (row.paths == 2) continue;
    for (const nono::file_type type : {nono::file_type::regular, nono::file_type::directory}) {
      seatbelt::question q;
      q.what = row.what;
      q.path = path;
      q.type = type;
      q.port = 443;
      q.exists = type == nono::file_type::regular;
      seatbelt::question real = q;
      const std::string name = expanded(path);
      real.path = name;
      if (sbpl::allows(profile, real) != model.ask(q).allowed) std::abort();
    }
  }
}

void try_paths(std::string_view data) {
  nono::capability_set set;
  for (std::size_t n = 0; n < 6 && !data.empty(); ++n) {
    const std::size_t end = data.find('\0');
    std::string_view path = data.substr(0, end);
    data.remove_prefix(end == data.npos ? data.size() : end + 1);
    if (path.size() < 2) continue;
    const auto kind = static_cast<unsigned char>(path.front());
    path.remove_prefix(1);
    const std::string_view variable = nono::leading_variable(path);
    if (!variable.empty() && !nono::is_known_variable(variable)) (void)set.variable(variable);
    if (path == "/" || path.starts_with("/\x02")) continue;  // it holds what the variables stand for
    (void)(kind % 4 == 0   ? set.deny_path(path)
           : kind % 4 == 1 ? set.allow_file(path, nono::read)
           : kind % 4 == 2 ? set.allow_path(path, nono::read_write)
                           : set.allow_path(path, nono::read));
  }
  set.network(nono::blocked);
  for (const seatbelt::path_text how : {seatbelt::path_text::parameters, seatbelt::path_text::quoted}) {
    const seatbelt::settings with{.paths = how};
    const auto written = nono::to_sbpl(set, with);
    if (!written) std::abort();
    const sbpl::profile profile = read(*written);
    const nono::policy_ref policy = set;
    for (const char* path : {"/outside", "/etc/passwd", "/tmp/x", "/a/b/c", "/Users/me/.ssh/id"})
      compare(policy, with, profile, path);
    for (const nono::rule& r : policy.rules) {
      compare(policy, with, profile, r.path);
      compare(policy, with, profile, std::string(r.path) + "/x");
      compare(policy, with, profile, std::string(r.path) + "x");
    }
  }
}

void try_platform_rule(std::string_view rule) {
  const std::array<std::string_view, 1> rules = {rule};
  nono::capability_set set;
  set.network(nono::blocked);
  const seatbelt::settings with{.platform_rules = rules};
  const auto written = nono::to_sbpl(set, with);
  if (!written) return;
  std::string why;
  const auto profile = sbpl::profile::read(written->text, {}, why);
  if (!profile) {  // a deny may speak of what the reader does not know: macOS would refuse the whole
    if (seatbelt::allows(rule)) std::abort();
    return;
  }
  for (const char* operation :
       {"file-read-data", "file-write-data", "file-write-create", "process-exec", "network-outbound",
        "mach-lookup", "sysctl-write", "iokit-open", "mach-priv-host-port", "system-privilege", "anything"}) {
    sbpl::action a;
    a.operation = operation;
    a.path = "/outside";
    a.name = "com.apple.SecurityServer";
    a.kind = "tcp";
    a.host = "localhost";
    a.port = 1;
    if (profile->allows(a)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_paths(text);
  try_platform_rule(text);
  return 0;
}
