// SPDX-License-Identifier: Apache-2.0
// How Java finds the proxy. Sources: the java command's manual, "Using the JDK_JAVA_OPTIONS Launcher Environment Variable" and
// "java Command-Line Argument Files"; Java SE, "Networking Properties"; Maven's settings reference, "Proxies".
#include "cli/run/java_proxy.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/resolve/program.hpp"
#include "cli/resolve/sentence.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/resolve/xml_text.hpp"
#include "cli/run/report_file.hpp"

namespace nono::cli {

namespace {

error cannot_make(const std::string& path, int why) {
  return sentence(fmt::format("{} cannot be made: {}", in_quotes(path), std::strerror(why)));
}

/// A word of an argument file, in quotes.
std::string argument(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else
      out += c;
  }
  return out + "\"\n";
}

/// All of Maven's configuration but its settings, by links.
error link_the_rest(const std::string& from, const std::string& to) {
  std::vector<std::string> names;
  DIR* const open = ::opendir(from.c_str());
  if (open == nullptr)
    return sentence(fmt::format("{} cannot be read: {}", in_quotes(from), std::strerror(errno)));
  while (const dirent* e = ::readdir(open))
    if (const std::string_view name = e->d_name; name != "." && name != ".." && name != "settings.xml")
      names.emplace_back(name);
  ::closedir(open);
  for (const std::string& name : names) {
    const std::string link = fmt::format("{}/{}", to, name);
    if (::symlink(fmt::format("{}/{}", from, name).c_str(), link.c_str()) != 0)
      return cannot_make(link, errno);
  }
  return {};
}

}  // namespace

std::string maven_settings(std::string_view settings, const proxy_address& proxy) {
  std::string own;
  for (const char* protocol : {"http", "https"})
    own += fmt::format(
        "<proxy><id>nono-{0}</id><active>true</active><protocol>{0}</protocol><host>127.0.0.1</host>"
        "<port>{1}</port><username>nono</username><password>{2}</password>"
        "<nonProxyHosts>localhost|127.0.0.1</nonProxyHosts></proxy>",
        protocol, proxy.port, proxy.token);
  const std::string plain = blanked_comments(settings);
  constexpr std::string_view theirs = "<proxies>";
  const std::size_t end = plain.rfind("</settings>");
  if (end == std::string::npos) return fmt::format("<settings><proxies>{}</proxies></settings>\n", own);
  std::string out(settings);
  if (const std::size_t at = plain.find(theirs); at < end) return out.insert(at + theirs.size(), own);
  return out.insert(end, fmt::format("<proxies>{}</proxies>", own));
}

error write_java_options(const std::string& directory, const std::string& maven, const proxy_address& proxy) {
  if (::mkdir(directory.c_str(), S_IRWXU) != 0) return cannot_make(directory, errno);
  // It does not know TMPDIR, and what it makes in /tmp it could not read.
  std::string options = argument("-Djava.io.tmpdir=" + directory.substr(0, directory.rfind('/')));
  for (const char* protocol : {"http", "https"}) {
    options += argument(fmt::format("-D{}.proxyHost=127.0.0.1", protocol));
    options += argument(fmt::format("-D{}.proxyPort={}", protocol, proxy.port));
    options += argument(fmt::format("-D{}.proxyUser=nono", protocol));
    options += argument(fmt::format("-D{}.proxyPassword={}", protocol, proxy.token));
  }
  // So that an Authenticator of the program's own may answer the proxy, by CONNECT too.
  options += argument("-Djdk.http.auth.tunneling.disabledSchemes=");
  if (!maven.empty()) {
    const std::string conf = directory + "/maven";
    if (::mkdir(conf.c_str(), S_IRWXU) != 0) return cannot_make(conf, errno);
    if (error why = link_the_rest(maven + "/conf", conf); why.code != errc::none) return why;
    if (error why = write_new(conf + "/settings.xml",
                              maven_settings(settings_text(maven + "/conf/settings.xml"), proxy));
        why.code != errc::none)
      return why;
    options += argument("-Dmaven.conf=" + conf);
  }
  return write_new(directory + "/options", options);
}

std::string java_options_variable(std::string_view before, const std::string& directory) {
  const char quote = directory.find('"') == std::string::npos ? '"' : '\'';
  if (directory.find(quote) != std::string::npos) return {};
  return fmt::format("{}{}{}@{}/options{}", before, before.empty() ? "" : " ", quote, directory, quote);
}

}  // namespace nono::cli
