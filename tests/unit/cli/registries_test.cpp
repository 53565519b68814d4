// SPDX-License-Identifier: Apache-2.0
// Which hosts the settings of package tools come to.
#include "cli/resolve/registries.hpp"

#include <minizip/zip.h>

#include "cli/resolve/archive_member.hpp"
#include "temporary_directory.hpp"
#include "variables.hpp"

using namespace nono::cli;
using nono_test::temporary_directory;
using nono_test::variables;
using nono_test::view_of;
using std::string;
using names = std::vector<string>;

namespace {

names hosts_of(const variables& values, const string& home, const string& path = "",
               const string& project = "") {
  names out;
  for (registry_host& one : registry_hosts(view_of(values), home, path, project, {}).hosts)
    out.push_back(std::move(one.host));
  return out;
}

void make_jar(const string& path, const char* name, const string& content) {
  const zipFile jar = zipOpen64(path.c_str(), 0);
  REQUIRE(jar != nullptr);
  CHECK(zipOpenNewFileInZip(jar, name, nullptr, nullptr, 0, nullptr, 0, nullptr, Z_DEFLATED, 9) == ZIP_OK);
  CHECK(zipWriteInFileInZip(jar, content.data(), static_cast<unsigned>(content.size())) == ZIP_OK);
  CHECK(zipCloseFileInZip(jar) == ZIP_OK);
  CHECK(zipClose(jar, nullptr) == ZIP_OK);
}

constexpr const char* super_project = "org/apache/maven/model/pom-4.0.0.xml";

}  // namespace

TEST_CASE("registries: hosts of URLs") {
  CHECK(host_of_url("https://User:pw@Repo.Example.:8443/a?b#c") == "repo.example");
  CHECK(host_of_url(" sparse+https://index.example/ ") == "index.example");
  CHECK(host_of_url("https://Bücher.example/") == "xn--bcher-kva.example");
  for (const char* none : {"", "repo.example", "file:///x", "git://repo.example/", "https://",
                           "https://*.example/", "https://a b/"}) {
    CAPTURE(none);
    CHECK(host_of_url(none).empty());
  }
}

TEST_CASE("registries: go, npm, pip and cargo by variables and files") {
  const temporary_directory tmp;
  const string home = tmp.directory("home");
  CHECK(hosts_of({}, home).empty());
  CHECK(hosts_of({{"GOPROXY", "https://a.example,https://b.example|direct"}, {"GOSUMDB", "off"}}, home) ==
        names{"a.example", "b.example"});
  CHECK(
      hosts_of({{"npm_config_registry", "https://n.example/"}, {"PIP_INDEX_URL", "https://p.example/simple"}},
               home) == names{"n.example", "p.example"});
  tmp.file(
      "home/.npmrc",
      "registry = https://mine.example/\n@s:registry=https://scope.example\n//mine.example/:_authToken=x\n");
  tmp.file("home/.pip/pip.conf",
           "[global]\nindex-url = https://pip.example\nextra-index-url =\n https://more.example\n");
  tmp.file("home/.cargo/config.toml", "[registries.own]\nindex = \"sparse+https://index.crates.example/\"\n");
  CHECK(hosts_of({}, home) == names{"*.crates.example", "index.crates.example", "mine.example",
                                    "more.example", "pip.example", "scope.example"});
}

TEST_CASE("registries: what counts for nothing is said") {
  const temporary_directory tmp;
  const string home = tmp.directory("home");
  const string work = tmp.directory("work");
  tmp.file("work/.npmrc", "registry=https://planted.example\n@s:registry=https://both.example\n");
  tmp.file("work/venv/lib/python3.9/site-packages/pip/_internal/models/index.py",
           "PyPI = PackageIndex(\"https://index.example/\", file_storage_domain=\"files.example\")");
  tmp.file("home/.npmrc",
           "registry=https://both.example\n@a:registry=http://127.0.0.1:1/\n@b:registry=http://10.1.2.3\n"
           "@c:registry=http://x.localhost\n@d:registry=http://169.254.169.254\n@e:registry=http://[::1]/\n");
  const variables values{{"VIRTUAL_ENV", work + "/venv"}, {"npm_config_registry", "http://localhost"}};
  const writable_places inside(nono::capability_set(), work, home);
  const registries got = registry_hosts(view_of(values), home, "", work, inside);
  const auto names_in = [](const std::vector<registry_host>& list, bool is_public) {
    names out;
    for (const registry_host& one : list)
      if (one.is_public == is_public) out.push_back(one.host);
    return out;
  };
  CHECK(names_in(got.hosts, true) == names{"both.example"});
  CHECK(names_in(got.hosts, false) == names{});
  CHECK(names_in(got.left_out, true) == names{"files.example", "index.example", "planted.example"});
  CHECK(names_in(got.left_out, false) ==
        names{"10.1.2.3", "127.0.0.1", "169.254.169.254", "localhost", "x.localhost"});
}

TEST_CASE("registries: maven's settings, and the default that stands in its jar") {
  const temporary_directory tmp;
  const string home = tmp.directory("home");
  tmp.file("maven/bin/mvn", "", 0755);
  tmp.file("maven/conf/settings.xml", "<settings><!-- <url>https://comment.example</url> --></settings>");
  tmp.directory("maven/lib");
  const string jar = tmp / "maven/lib/maven-model-builder-3.x.jar";
  const string path = tmp / "maven/bin";
  CHECK(hosts_of({}, home, path).empty());
  make_jar(jar, super_project,
           "<project><repository><url> https://central.example/m </url></repository></project>");
  CHECK(hosts_of({}, home, path) == names{"central.example"});

  const auto with = [&](const string& settings) {
    tmp.file("home/.m2/settings.xml", settings);
    return hosts_of({}, home, path);
  };
  const string mirror = "<url>https://mirror.example</url>";
  CHECK(with(mirror + "<mirrorOf> * </mirrorOf>") == names{"mirror.example"});
  CHECK(with(mirror + "<mirrorOf>central</mirrorOf>") == names{"mirror.example"});
  CHECK(with(mirror + "<mirrorOf>other</mirrorOf>") == names{"central.example", "mirror.example"});
  CHECK(with(mirror + "<!-- <mirrorOf>*</mirrorOf> -->") == names{"central.example", "mirror.example"});
  // What Maven blocks, and what has no end.
  CHECK(with("<url>http://0.0.0.0/</url><url>https://cut.example") == names{"central.example"});
}

TEST_CASE("archive_member: what is there, cut at the limit; nothing of what is broken") {
  const temporary_directory tmp;
  const string jar = tmp / "a.jar";
  const string content(100000, 'x');
  make_jar(jar, "in/it", content);
  CHECK(archive_member(jar, "in/it", content.size()) == content);
  CHECK(archive_member(jar, "in/it", 5000) == string(5000, 'x'));
  for (const char* name : {"in/It", "it", "", "in/it/"}) CHECK(archive_member(jar, name, 10).empty());
  CHECK(archive_member(tmp / "none", "in/it", 10).empty());
  CHECK(archive_member(tmp.path(), "in/it", 10).empty());
  CHECK(archive_member(tmp.file("text", "no archive"), "in/it", 10).empty());
  const string fifo = tmp / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(archive_member(fifo, "in/it", 10).empty());
  // Compressed bytes that are none: whatever it says, an error or what was good before it, never a crash.
  std::FILE* f = std::fopen(jar.c_str(), "r+");
  REQUIRE(f != nullptr);
  CHECK(std::fseek(f, 30 + 5, SEEK_SET) == 0);
  CHECK(std::fwrite("\xff\xff\xff\xff\xff\xff", 1, 6, f) == 6);
  CHECK(std::fclose(f) == 0);
  CHECK(archive_member(jar, "in/it", content.size()).empty());
}
