// SPDX-License-Identifier: Apache-2.0
// What Java's tools are told of the proxy.
#include "cli/run/java_proxy.hpp"

#include <fmt/format.h>

#include "cli/resolve/setting_paths.hpp"
#include "temporary_directory.hpp"

using namespace nono::cli;
using nono_test::exists;
using nono_test::temporary_directory;
using std::string;

namespace {

constexpr proxy_address proxy{3128, "secret"};

string entry(std::string_view protocol) {
  return fmt::format(
      "<proxy><id>nono-{0}</id><active>true</active><protocol>{0}</protocol><host>127.0.0.1</"
      "host><port>3128</port>"
      "<username>nono</username><password>secret</password><nonProxyHosts>localhost|127.0.0.1</"
      "nonProxyHosts></proxy>",
      protocol);
}
const string ours = entry("http") + entry("https");

}  // namespace

TEST_CASE("java_proxy: maven's settings keep what they are") {
  const string whole = "<settings><proxies>" + ours + "</proxies></settings>\n";
  CHECK(maven_settings("", proxy) == whole);
  CHECK(maven_settings("<settings><offline>", proxy) == whole);             // cut
  CHECK(maven_settings("<settings><!-- </settings> -->", proxy) == whole);  // the end is a comment
  CHECK(maven_settings("<settings><!-- </settings>", proxy) == whole);      // a comment without one
  CHECK(maven_settings("<settings><a/></settings>\n", proxy) ==
        "<settings><a/><proxies>" + ours + "</proxies></settings>\n");
  CHECK(maven_settings("<settings><!-- <proxies> --><proxies><proxy/></proxies></settings>", proxy) ==
        "<settings><!-- <proxies> --><proxies>" + ours + "<proxy/></proxies></settings>");
  CHECK(maven_settings("<settings><!-- <proxies> --></settings>", proxy) ==
        "<settings><!-- <proxies> --><proxies>" + ours + "</proxies></settings>");
}

TEST_CASE("java_proxy: the variable") {
  CHECK(java_options_variable("", "/t") == "\"@/t/options\"");
  CHECK(java_options_variable("-Xmx1g", "/a b") == "-Xmx1g \"@/a b/options\"");
  CHECK(java_options_variable("", "/a\"b") == "'@/a\"b/options'");
  CHECK(java_options_variable("", "/a\"b'").empty());
}

TEST_CASE("java_proxy: files, for this user alone") {
  const temporary_directory tmp;
  tmp.file("maven/conf/settings.xml", "<settings></settings>");
  tmp.file("maven/conf/logging/simplelogger.properties", "x");
  const string to = tmp / "a\"b";
  REQUIRE(write_java_options(to, tmp / "maven", proxy).code == nono::errc::none);
  const string options = settings_text(to + "/options");
  for (const char* protocol : {"http", "https"})
    CHECK(options.find(fmt::format(
              "\"-D{0}.proxyHost=127.0.0.1\"\n\"-D{0}.proxyPort=3128\"\n\"-D{0}.proxyUser=nono\"\n"
              "\"-D{0}.proxyPassword=secret\"\n",
              protocol)) != string::npos);
  CHECK(options.starts_with("\"-Djava.io.tmpdir=" + tmp.path() + "\"\n"));
  CHECK(options.find("\"-Dmaven.conf=" + tmp.path() + "/a\\\"b/maven\"\n") != string::npos);
  CHECK(settings_text(to + "/maven/settings.xml") == maven_settings("<settings></settings>", proxy));
  CHECK(settings_text(to + "/maven/logging/simplelogger.properties") == "x");
  for (const char* name : {"/options", "/maven/settings.xml"}) {
    struct stat st{};
    REQUIRE(stat((to + name).c_str(), &st) == 0);
    CHECK((st.st_mode & 0777) == 0600);
  }
  // Without a Maven, and where it cannot be made.
  REQUIRE(write_java_options(tmp / "without", "", proxy).code == nono::errc::none);
  CHECK(settings_text(tmp / "without/options").find("maven") == string::npos);
  CHECK_FALSE(exists(tmp / "without/maven"));
  CHECK(write_java_options(to, "", proxy).message() ==
        "'" + tmp.path() + "/a\"b' cannot be made: File exists");
  CHECK(write_java_options(tmp / "no-maven", tmp / "none", proxy).message() ==
        "'" + tmp.path() + "/none/conf' cannot be read: No such file or directory");
}
