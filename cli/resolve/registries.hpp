// SPDX-License-Identifier: Apache-2.0
// The package registries that the user's own tools are set up for, read from variables and files without starting any tool.
// No registry stands in our sources: a tool's default is read from that tool's own files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/resolve/toolchain.hpp"
#include "cli/resolve/writable_places.hpp"

namespace nono::cli {

struct registry_host {
  std::string host;  ///< as check_host() takes it
  std::string from;  ///< "go (GOPROXY)", "npm ('/home/u/.npmrc')"
  bool is_public = true;
};

struct registries {
  std::vector<registry_host> hosts;  ///< sorted, none twice
  std::vector<registry_host>
      left_out;  ///< the same, of those that count for nothing, none of them in `hosts`
};

/// go:     GOPROXY and GOSUMDB from the environment, go/env, and the go.env of the go on PATH.
/// npm:    npm_config_registry, ~/.npmrc (registries of scopes, too), and the default of the npm on PATH; yarn's
///         npmRegistryServer.
/// pip:    PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, pip.conf, and the default of the pip of the python3 on PATH.
/// cargo:  config.toml (sources and registries), the indexes it has fetched before, and the default of the cargo on PATH,
///         whose files lie beside its index.
/// mvn:    repositories and mirrors of ~/.m2/settings.xml and of the mvn on PATH; without a mirror of everything, the
///         default of that mvn.
/// What is no host (a file: or git URL, a name with a port alone) is left out without a word. Two kinds are left out and said:
/// hosts of files that `inside` decides on, since the command could write what it may reach next time, and this machine and
/// private addresses, for which no tool's setting is reason enough.
/// project: the working directory, whose own .npmrc and .yarnrc.yml are read to say what is left out; empty: none.
registries registry_hosts(const environment_view& env, std::string_view home, std::string_view path_variable,
                          std::string_view project, const writable_places& inside);

/// The host of a URL, in lower case, without user, port and path; empty where there is none that a policy takes.
std::string host_of_url(std::string_view url);

}  // namespace nono::cli
