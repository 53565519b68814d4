// SPDX-License-Identifier: Apache-2.0
// What the settings of tool chains become, and which values never become a grant.
#include "cli/resolve/toolchain.hpp"

#include <algorithm>

#include "temporary_directory.hpp"
#include "variables.hpp"

using namespace nono::cli;
using nono_test::temporary_directory;
using nono_test::variables;
using nono_test::view_of;
using std::string;
using paths = std::vector<string>;

namespace {

toolchain_paths settings(runtime which, const variables& values, const string& home,
                         const string& path = "") {
  return settings_of(which, view_of(values), home, path);
}

bool has(const paths& list, const string& path) {
  return std::find(list.begin(), list.end(), path) != list.end();
}

bool any_has(const toolchain_paths& all, const string& path) {
  return has(all.read, path) || has(all.read_write, path) || has(all.read_files, path);
}

/// True when one sentence about a refused value begins with `start`.
bool refuses(const toolchain_paths& all, const string& start) {
  return std::any_of(all.refused.begin(), all.refused.end(),
                     [&](const string& s) { return s.starts_with(start); });
}

}  // namespace

TEST_CASE("commands and their runtimes") {
  for (const char* name : {"go", "gofmt"}) CHECK(runtime_of_command(name) == runtime::go);
  for (const char* name : {"cargo", "rustc", "rustup"}) CHECK(runtime_of_command(name) == runtime::rust);
  for (const char* name : {"node", "npm", "npx", "pnpm", "yarn"})
    CHECK(runtime_of_command(name) == runtime::node);
  for (const char* name : {"python", "python3", "python3.12", "pip", "pip3", "pip3.9", "uv", "pytest"})
    CHECK(runtime_of_command(name) == runtime::python);
  for (const char* name : {"java", "javac", "mvn", "gradle"})
    CHECK(runtime_of_command(name) == runtime::java);
  for (const char* name :
       {"", "sh", "Go", "gone", "go ", "/bin/go", "python3.", "python3.x", "python4", "nodejsx"})
    CHECK_FALSE(runtime_of_command(name).has_value());
}

TEST_CASE("go: defaults below the home directory") {
  const toolchain_paths all = settings(runtime::go, {}, "/home/u");
  CHECK(all.read == paths{"/home/u/go", "/home/u/go/pkg/mod"});
  CHECK(all.read_write == paths{"/home/u/.cache/go-build"});
  CHECK(all.read_files == paths{"/home/u/.config/go/env"});
  CHECK(all.refused.empty());
  const toolchain_paths homeless = settings(runtime::go, {}, "");
  CHECK(homeless.read.empty());
  CHECK(homeless.read_write.empty());
}

TEST_CASE("go: environment before the go/env file before the defaults") {
  const temporary_directory tmp;
  const string home = tmp.directory("home");
  const string file = tmp.file("home/.config/go/env",
                               "# comment=1\nGOPATH=/file/a:/file/b\nGOCACHE=/file/old\nGOCACHE=/file/cache\n"
                               "lower=/x\nnonsense\n=empty\nGOMODCACHE=/file/mod");
  toolchain_paths all = settings(runtime::go, {}, home);
  CHECK(all.read == paths{"/file/a", "/file/b", "/file/mod"});
  CHECK(all.read_write == paths{"/file/cache"});
  CHECK(all.read_files == paths{file});

  all = settings(runtime::go, {{"GOPATH", "/env/a"}, {"GOMODCACHE", ""}, {"GOROOT", "/env/root"}}, home);
  CHECK(all.read == paths{"/env/root", "/env/a", "/file/mod"});

  all = settings(runtime::go, {{"GOENV", "off"}, {"XDG_CACHE_HOME", "/xdg"}}, home);
  CHECK(all.read == paths{home + "/go", home + "/go/pkg/mod"});
  CHECK(all.read_write == paths{"/xdg/go-build"});
  CHECK(all.read_files.empty());

  all = settings(runtime::go, {{"GOENV", "/missing/env"}, {"GOCACHE", "off"}}, home);
  CHECK(all.read_files == paths{"/missing/env"});
  CHECK(all.read_write.empty());
  CHECK(all.refused.empty());

  const string other = tmp.file("xdg/go/env", "GOCACHE=/xdg/cache\r\n");
  all = settings(runtime::go, {{"XDG_CONFIG_HOME", tmp / "xdg"}}, home);
  CHECK(all.read_files == paths{other});
  CHECK(all.read_write.empty());
  CHECK(refuses(all, "GOCACHE (in "));
}

TEST_CASE("go: a list of GOPATH entries is judged entry by entry") {
  const toolchain_paths all =
      settings(runtime::go, {{"GOPATH", ":/home/u:/a//b/./c/::relative:/home:/d:/a/b/c"}}, "/home/u");
  CHECK(all.read == paths{"/a/b/c", "/d", "/home/u/pkg/mod"});
  CHECK(all.refused.size() == 3);
  CHECK(refuses(all, "GOPATH='/home/u' is not granted: it would cover your home directory"));
  CHECK(refuses(all, "GOPATH='relative' is not granted: it is not absolute"));
  CHECK(refuses(all, "GOPATH='/home' is not granted"));
}

TEST_CASE("go: GOTMPDIR only when it exists") {
  const temporary_directory tmp;
  CHECK(has(settings(runtime::go, {{"GOTMPDIR", tmp.path()}}, "/home/u").read_write, tmp.path()));
  CHECK_FALSE(any_has(settings(runtime::go, {{"GOTMPDIR", tmp / "missing"}}, "/home/u"), tmp / "missing"));
  CHECK(refuses(settings(runtime::go, {{"GOTMPDIR", "/tmp"}}, "/home/u"), "GOTMPDIR='/tmp'"));
  CHECK(refuses(settings(runtime::go, {{"GOTMPDIR", "tmp"}}, "/home/u"), "GOTMPDIR='tmp'"));
}

TEST_CASE("go: the root of the go on PATH") {
  const temporary_directory tmp;
  tmp.file("opt/go/bin/go", "", 0755);
  tmp.directory("opt/go/src");
  tmp.directory("bin");
  tmp.link("bin/go", "../opt/go/bin/go");
  CHECK(has(settings(runtime::go, {}, "/home/u", ":relative:" + tmp / "bin").read, tmp / "opt/go"));
  const string relative = (tmp / "bin").substr(1);
  CHECK_FALSE(any_has(settings(runtime::go, {}, "/home/u", relative), tmp / "opt/go"));
  // Without src or pkg it is some other program.
  tmp.file("not/bin/go", "", 0755);
  CHECK_FALSE(any_has(settings(runtime::go, {}, "/home/u", tmp / "not/bin"), tmp / "not"));
  // A go in ~/bin beside ~/src must not open the home directory.
  const toolchain_paths all = settings(runtime::go, {}, tmp / "opt/go", tmp / "bin");
  CHECK_FALSE(any_has(all, tmp / "opt/go"));
  CHECK(refuses(all, "GOROOT (of the go on PATH)="));
  // Links that lead out of a root which the user could write are not followed.
  tmp.directory("secret");
  tmp.link("opt/go/misc", tmp / "secret");
  CHECK_FALSE(any_has(settings(runtime::go, {}, "/home/u", tmp / "bin"), tmp / "secret"));
}

TEST_CASE("hostile values are refused by name and never granted") {
  const temporary_directory tmp;
  const string home = tmp.directory("homes/u");
  const string to_home = tmp.link("to-home", home);
  const string to_root = tmp.link("to-root", "/");
  const string values[] = {"/",
                           "//",
                           "/.",
                           "/./",
                           home,
                           home + "/",
                           home + "/.",
                           tmp / "homes",
                           tmp.path(),
                           "/tmp",
                           to_home,
                           to_home + "/",
                           to_root,
                           "relative",
                           ".",
                           "~/go",
                           "$HOME/go",
                           "/x/../etc",
                           "/x/..",
                           "..",
                           "/a\nb",
                           string("/a\0b", 4),
                           "/a\x1b[2J",
                           "/etc",
                           "/proc/1/root",
                           "/dev/shm",
                           "/" + string(4095, 'x')};
  const std::pair<runtime, const char*> names[] = {{runtime::go, "GOROOT"},
                                                   {runtime::go, "GOMODCACHE"},
                                                   {runtime::go, "GOCACHE"},
                                                   {runtime::rust, "CARGO_HOME"},
                                                   {runtime::rust, "RUSTUP_HOME"},
                                                   {runtime::node, "npm_config_cache"},
                                                   {runtime::java, "JAVA_HOME"},
                                                   {runtime::java, "GRADLE_USER_HOME"},
                                                   {runtime::python, "VIRTUAL_ENV"},
                                                   {runtime::go, "GOPATH"},
                                                   {runtime::go, "GOENV"}};
  for (const auto& [which, name] : names) {
    const toolchain_paths usual = settings(which, {{name, "/usual/place"}}, home);
    CHECK(usual.refused.empty());
    for (const string& value : values) {
      CAPTURE(std::string(name));
      CAPTURE(value);
      const toolchain_paths all = settings(which, {{name, value}}, home);
      CHECK(all.refused.size() == 1);
      CHECK(refuses(all, string(name) + "='"));
      for (const string& sentence : all.refused) {
        CHECK(sentence.find_first_of("\n\x1b") == string::npos);
        CHECK(sentence.find('\0') == string::npos);
        CHECK(sentence.size() < 300);
      }
      for (const paths* list : {&all.read, &all.read_write, &all.read_files})
        for (const string& path : *list) CHECK((path.starts_with(home + "/") || path.ends_with("/pkg/mod")));
    }
  }
}

TEST_CASE("the root directory is refused without a home, and so is the place of a linked home") {
  CHECK(refuses(settings(runtime::go, {{"GOROOT", "/"}}, ""), "GOROOT='/' is not granted: it is the root"));
  const temporary_directory tmp;
  const string real = tmp.directory("real/u");
  tmp.directory("links");
  const string home = tmp.link("links/u", real);
  for (const string& value : {tmp / "links", home, real, tmp / "real"})
    CHECK(refuses(settings(runtime::go, {{"GOROOT", value}}, home), "GOROOT="));
}

TEST_CASE("XDG directories must be absolute") {
  const toolchain_paths all =
      settings(runtime::go, {{"XDG_CACHE_HOME", "cache"}, {"XDG_CONFIG_HOME", "config"}}, "/home/u");
  CHECK(all.read_write.empty());
  CHECK(all.read_files.empty());
  CHECK(refuses(all, "XDG_CACHE_HOME='cache'"));
  CHECK(refuses(all, "XDG_CONFIG_HOME='config'"));
}

TEST_CASE("settings files: only regular ones, only 64 KiB, only whole lines") {
  const temporary_directory tmp;
  REQUIRE(mkfifo((tmp / "fifo").c_str(), 0600) == 0);
  CHECK(settings(runtime::go, {{"GOENV", tmp / "fifo"}}, "/home/u").refused.empty());
  string text(65536 - 12, '#');
  text += "\nGOCACHE=/a/cut/here\n";
  const string file = tmp.file("env", text);
  CHECK(settings(runtime::go, {{"GOENV", file}}, "/home/u").read_write == paths{"/home/u/.cache/go-build"});
  const string endless = tmp.file("endless", string(100000, 'A'));
  CHECK(settings(runtime::go, {{"GOENV", endless}}, "/home/u").read ==
        paths{"/home/u/go", "/home/u/go/pkg/mod"});
}

TEST_CASE("rust: the parts of CARGO_HOME without its credentials") {
  for (const auto& [values, cargo] : {std::pair<variables, string>{{}, "/home/u/.cargo"},
                                      {{{"CARGO_HOME", "/c/"}, {"RUSTUP_HOME", "/r"}}, "/c"}}) {
    const toolchain_paths all = settings(runtime::rust, values, "/home/u");
    CHECK(all.read == paths{cargo + "/bin", cargo + "/registry", cargo + "/git",
                            values.empty() ? "/home/u/.rustup" : "/r"});
    CHECK(all.read_files == paths{cargo + "/env", cargo + "/config.toml", cargo + "/config"});
    CHECK(all.read_write.empty());
  }
}

TEST_CASE("rust: the prefix of a rustc outside CARGO_HOME") {
  const temporary_directory tmp;
  tmp.file("rust/bin/rustc", "", 0755);
  CHECK_FALSE(any_has(settings(runtime::rust, {}, "/home/u", tmp / "rust/bin"), tmp / "rust/lib"));
  tmp.directory("rust/lib/rustlib");
  CHECK(has(settings(runtime::rust, {}, "/home/u", tmp / "rust/bin").read, tmp / "rust/lib"));
}

TEST_CASE("node: cache and prefix, never the system's prefix") {
  const temporary_directory tmp;
  tmp.file("v20/bin/node", "", 0755);
  tmp.directory("bin");
  tmp.link("bin/node", tmp / "v20/bin/node");
  CHECK(settings(runtime::node, {{"npm_config_cache", "/n/cache"}}, "/home/u", tmp / "bin").read ==
        paths{"/n/cache", tmp / "v20/bin", tmp / "v20/lib/node_modules"});
  const toolchain_paths system = settings(runtime::node, {}, "/home/u", "/usr/bin:/bin");
  CHECK_FALSE(any_has(system, "/usr/bin"));
  CHECK_FALSE(any_has(system, "/usr"));
  CHECK_FALSE(any_has(system, "/bin"));
}

TEST_CASE("python: a virtual environment and the python below it") {
  const temporary_directory tmp;
  tmp.file("base/bin/python3", "", 0755);
  tmp.directory("base/lib");
  tmp.directory("venv/bin");
  tmp.directory("venv/lib");
  tmp.link("venv/bin/python3", tmp / "base/bin/python3");
  const string cfg = tmp.file("venv/pyvenv.cfg", "version = 3\n home = " + tmp / "base/bin" + " \r\n");
  const toolchain_paths active = settings(runtime::python, {{"VIRTUAL_ENV", tmp / "venv"}}, "/home/u");
  CHECK(active.read == paths{tmp / "venv", tmp / "base/bin", tmp / "base/lib"});
  CHECK(active.read_files == paths{cfg});
  const toolchain_paths on_path = settings(runtime::python, {}, "/home/u", tmp / "venv/bin");
  for (const char* part : {"venv/bin", "venv/lib", "base/bin", "base/lib"})
    CHECK(has(on_path.read, tmp / part));
  CHECK_FALSE(any_has(on_path, tmp / "venv"));
  CHECK_FALSE(any_has(on_path, tmp / "base"));
}

TEST_CASE("python: pyvenv.cfg is not believed without a python where it points") {
  const temporary_directory tmp;
  const string home = tmp.directory("home");
  tmp.directory("home/private/lib");
  tmp.directory("home/private/bin");
  tmp.directory("venv/bin");
  const auto with = [&](const string& value) {
    tmp.file("venv/pyvenv.cfg", "home = " + value + "\n");
    return settings(runtime::python, {{"VIRTUAL_ENV", tmp / "venv"}}, home);
  };
  CHECK(with(home + "/private/bin").read == paths{tmp / "venv"});
  for (const string& hostile : {string("/"), home, string("relative"), tmp / "venv/../home/private/bin"}) {
    CAPTURE(hostile);
    const toolchain_paths all = with(hostile);
    CHECK(all.read == paths{tmp / "venv"});
    CHECK(refuses(all, "home (in "));
  }
  CHECK(with("/usr/bin").read == paths{tmp / "venv"});
  CHECK(with("/usr/bin").refused.empty());
  CHECK(with("/bin").refused.empty());
}

TEST_CASE("python: shims of pyenv") {
  const temporary_directory tmp;
  tmp.file("pyenv/shims/python3", "", 0755);
  CHECK_FALSE(any_has(settings(runtime::python, {}, "/home/u", tmp / "pyenv/shims"), tmp / "pyenv"));
  tmp.directory("pyenv/versions");
  CHECK(has(settings(runtime::python, {}, "/home/u", tmp / "pyenv/shims").read, tmp / "pyenv"));
}

TEST_CASE("java: homes, Gradle without its properties, Maven's repository") {
  const temporary_directory tmp;
  tmp.file("jdk/bin/java", "", 0755);
  tmp.file("jdk8/jre/bin/java", "", 0755);
  tmp.file("maven/bin/mvn", "", 0755);
  tmp.directory("maven/boot");
  const toolchain_paths all = settings(runtime::java, {{"JAVA_HOME", "/j"}, {"GRADLE_USER_HOME", "/g"}},
                                       "/home/u", tmp / "jdk/bin" + ":" + tmp / "maven/bin");
  CHECK(all.read ==
        paths{"/j", tmp / "jdk", "/g/caches", "/g/wrapper", "/home/u/.m2/repository", tmp / "maven"});
  CHECK(all.read_files.empty());
  CHECK(all.maven == tmp / "maven");
  CHECK(has(settings(runtime::java, {}, "/home/u", tmp / "jdk8/jre/bin").read, tmp / "jdk8"));
  CHECK(settings(runtime::java, {}, "/home/u", tmp / "jdk8/jre/bin").maven.empty());
}

TEST_CASE("java: localRepository where it is plain") {
  const temporary_directory tmp;
  const string home = tmp.directory("home");
  const auto with = [&](const string& text) {
    tmp.file("home/.m2/settings.xml", text);
    return settings(runtime::java, {}, home);
  };
  const string open = "<localRepository>";
  const string close = "</localRepository>";
  CHECK(has(with("<settings>" + open + "\n /repo \n" + close + "</settings>").read, "/repo"));
  CHECK(
      has(with("<!-- " + open + "/no" + close + " -->" + open + "${user.home}/r" + close).read, home + "/r"));
  for (const string& text :
       {"<!--" + open + "/no" + close, open + "/no", close + open + "/no", open + "/no/${x}" + close,
        open + "/no&amp;" + close, open + open + "/no" + close, open + close}) {
    CAPTURE(text);
    const toolchain_paths all = with(text);
    CHECK(all.read == paths{home + "/.gradle/caches", home + "/.gradle/wrapper", home + "/.m2/repository"});
    CHECK(all.refused.empty());
  }
  CHECK(refuses(with(open + "${user.home}" + close), "localRepository (in "));
}
