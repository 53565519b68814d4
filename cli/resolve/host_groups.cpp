// SPDX-License-Identifier: Apache-2.0
// Hosts by the name of what they are for.
#include "cli/resolve/host_groups.hpp"

#include <algorithm>

#include <nono/host.hpp>

namespace nono::cli {

namespace {

constexpr std::string_view llm_apis[] = {
    "aiplatform.googleapis.com",
    "api.anthropic.com",
    "api.cohere.com",
    "api.deepseek.com",
    "api.fireworks.ai",
    "api.groq.com",
    "api.mistral.ai",
    "api.openai.com",
    "api.perplexity.ai",
    "api.together.xyz",
    "api.x.ai",
    "claude.ai",
    "generativelanguage.googleapis.com",
    "inference.cerebras.ai",
    "openrouter.ai",
    "platform.claude.com",
};
constexpr std::string_view github_hosts[] = {
    "api.github.com",
    "codeload.github.com",
    "ghcr.io",
    "github-releases.githubusercontent.com",
    "github.com",
    "objects.githubusercontent.com",
    "pkg-containers.githubusercontent.com",
    "raw.githubusercontent.com",
};
constexpr std::string_view gitlab_hosts[] = {"cloud.gitlab.com", "gitlab.com", "registry.gitlab.com"};
constexpr std::string_view sigstore_hosts[] = {"fulcio.sigstore.dev", "oauth2.sigstore.dev",
                                               "rekor.sigstore.dev", "tuf-repo-cdn.sigstore.dev"};
constexpr std::string_view documentation_hosts[] = {
    "developer.mozilla.org", "doc.rust-lang.org", "docs.python.org", "docs.rs", "go.dev",
    "learn.microsoft.com",   "nodejs.org",        "pkg.go.dev",
};
constexpr std::string_view google_cloud_hosts[] = {"*.googleapis.com"};
constexpr std::string_view azure_hosts[] = {"*.cognitiveservices.azure.com", "*.openai.azure.com"};
constexpr std::string_view aws_bedrock_hosts[] = {"*.bedrock-runtime.amazonaws.com",
                                                  "*.bedrock.amazonaws.com"};

constexpr host_group groups[] = {
    {"llm_apis", llm_apis},
    {package_registries, {}},
    {"github", github_hosts},
    {"gitlab", gitlab_hosts},
    {"sigstore", sigstore_hosts},
    {"documentation", documentation_hosts},
    {"google_cloud", google_cloud_hosts},
    {"azure", azure_hosts},
    {"aws_bedrock", aws_bedrock_hosts},
};

constexpr std::string_view minimal[] = {"llm_apis"};
constexpr std::string_view developer[] = {"llm_apis", package_registries, "github",
                                          "gitlab",   "sigstore",         "documentation"};
constexpr std::string_view enterprise[] = {"llm_apis",   package_registries, "github",       "gitlab",
                                           "sigstore",   "documentation",    "google_cloud", "azure",
                                           "aws_bedrock"};

constexpr host_profile profiles_of_hosts[] = {
    {"minimal", minimal}, {"developer", developer}, {"claude-code", developer},
    {"codex", developer}, {"opencode", developer},  {"enterprise", enterprise},
};

// Each by the rule of policies, and each group of a profile is there.
constexpr bool all_hosts_are_good() {
  for (const host_group& g : groups)
    for (const std::string_view host : g.hosts)
      if (check_host(host) != errc::none) return false;
  for (const host_profile& p : profiles_of_hosts)
    for (const std::string_view name : p.groups)
      if (std::none_of(std::begin(groups), std::end(groups),
                       [&](const host_group& g) { return g.name == name; }))
        return false;
  return true;
}
static_assert(all_hosts_are_good());

}  // namespace

std::span<const host_group> host_groups() { return groups; }
std::span<const host_profile> host_profiles() { return profiles_of_hosts; }

const host_group* find_host_group(std::string_view name) {
  const auto* at =
      std::find_if(std::begin(groups), std::end(groups), [&](const host_group& g) { return g.name == name; });
  return at == std::end(groups) ? nullptr : at;
}

const host_profile* find_host_profile(std::string_view name) {
  const auto* at = std::find_if(std::begin(profiles_of_hosts), std::end(profiles_of_hosts),
                                [&](const host_profile& p) { return p.name == name; });
  return at == std::end(profiles_of_hosts) ? nullptr : at;
}

}  // namespace nono::cli
