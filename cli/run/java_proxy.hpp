// SPDX-License-Identifier: Apache-2.0
// How Java finds the proxy: a JVM reads no HTTP_PROXY, and Maven takes the proxy's password from its settings alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nono/error.hpp>

namespace nono::cli {

/// The variable that java 9 and newer read options from, files of them too.
inline constexpr std::string_view java_options_name = "JDK_JAVA_OPTIONS";

/// Where the proxy of a run listens, and what it wants to be told.
struct proxy_address {
  std::uint16_t port = 0;
  std::string_view token;
};

/// Makes `directory` and in it `options`, the system properties of the java command, and where Maven is installed `maven`,
/// which stands for Maven's conf/: the same files by links, and its settings.xml with the proxy in it.
/// directory: absolute, not there yet; the one that holds it becomes Java's own for temporary files. maven: where Maven is installed; empty: not known.
/// Errors: bad_argument with a sentence, such as for a full disk.
error write_java_options(const std::string& directory, const std::string& maven, const proxy_address& proxy);

/// The value of that variable which adds those options to `before`, what the user has set.
/// Empty where `directory` cannot be written there: when it has both kinds of quotes.
std::string java_options_variable(std::string_view before, const std::string& directory);

/// Maven's settings with the proxy added, before any that stand there; settings that have no end are left out.
std::string maven_settings(std::string_view settings, const proxy_address& proxy);

}  // namespace nono::cli
