// SPDX-License-Identifier: Apache-2.0
// The package registries that the user's own tools are set up for.
#include "cli/resolve/registries.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <tuple>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nono/host.hpp>

#include "cli/resolve/archive_member.hpp"
#include "cli/resolve/host_name.hpp"
#include "cli/resolve/program.hpp"
#include "cli/resolve/setting_paths.hpp"
#include "cli/resolve/xml_text.hpp"

namespace nono::cli {

namespace {

std::string_view unquoted(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
    text = text.substr(1, text.size() - 2);
  return text;
}

/// A whole file, mapped: a tool is too large to be read.
class mapped_file {
 public:
  explicit mapped_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st{};
    if (fd >= 0 && ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
      size_ = static_cast<std::size_t>(st.st_size);
      void* const at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
      if (at != MAP_FAILED) data_ = at;
    }
    if (fd >= 0) ::close(fd);
  }
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;
  ~mapped_file() {
    if (data_ != nullptr) ::munmap(data_, size_);
  }
  [[nodiscard]] std::string_view text() const {
    return data_ == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data_), size_);
  }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

std::vector<std::string> entries_of(const std::string& directory) {
  std::vector<std::string> out;
  DIR* const open = ::opendir(directory.c_str());
  if (open == nullptr) return out;
  while (const dirent* e = ::readdir(open))
    if (e->d_name[0] != '.' && out.size() < 1000) out.emplace_back(e->d_name);
  ::closedir(open);
  std::sort(out.begin(), out.end());
  return out;
}

/// True for this machine by its name. Source: RFC 6761, section 6.3
bool is_localhost(std::string_view host) { return host == "localhost" || host.ends_with(".localhost"); }

/// Where an entry stands: a variable, or a file, whose word may not count.
struct place {
  std::string words;
  bool counts = true;
};

class registry_reader {
 public:
  registry_reader(const environment_view& env, std::string_view home, std::string_view path,
                  std::string_view project, const writable_places& inside)
      : paths_(env, home, path), project_(project), inside_(inside) {}

  registries run() {
    go();
    npm();
    pip();
    cargo();
    maven();
    sort(out_.hosts);
    sort(out_.left_out);
    std::erase_if(out_.left_out, [&](const registry_host& one) {
      return std::any_of(out_.hosts.begin(), out_.hosts.end(),
                         [&](const registry_host& h) { return is_host_within(one.host, h.host); });
    });
    return std::move(out_);
  }

 private:
  static void sort(std::vector<registry_host>& list) {
    std::sort(list.begin(), list.end(), [](const registry_host& a, const registry_host& b) {
      return std::tie(a.host, a.from) < std::tie(b.host, b.from);
    });
    list.erase(std::unique(list.begin(), list.end(),
                           [](const registry_host& a, const registry_host& b) { return a.host == b.host; }),
               list.end());
  }

  void add(std::string_view url, const place& from) {
    std::string host = host_of_url(unquoted(url));
    if (host.empty()) return;
    const auto address = parse_address(host);
    // Maven's own settings block a repository by sending it to 0.0.0.0.
    if (address && kind_of(*address) == address_kind::reserved) return;
    const bool near = is_localhost(host) || (address && kind_of(*address) != address_kind::public_host);
    (from.counts && !near ? out_.hosts : out_.left_out).push_back({std::move(host), from.words, !near});
  }
  [[nodiscard]] place of_file(std::string_view tool, const std::string& file) const {
    return {fmt::format("{} ({})", tool, in_quotes(file)), !inside_.decide(file)};
  }
  static place of_variable(std::string_view tool, std::string_view name) {
    return {fmt::format("{} ({})", tool, name)};
  }

  /// `NAME=value` of a file of lines; nothing where it is not set.
  static std::optional<std::string> line_of(const std::string& text, std::string_view name) {
    std::optional<std::string> out;
    for_each_part(text, '\n', [&](std::string_view line) {
      const std::size_t equals = line.find('=');
      if (equals != std::string_view::npos && trimmed(line.substr(0, equals)) == name)
        out = std::string(trimmed(line.substr(equals + 1)));
    });
    return out;
  }

  // Go's order for each: environment, the user's file, the file of the tool chain.
  void go() {
    std::string user = paths_.variable("GOENV").value_or("");
    if (user.empty()) {
      user = paths_.xdg_directory("XDG_CONFIG_HOME", ".config");
      if (!user.empty()) user += "/go/env";
    }
    const std::string root = paths_.variable("GOROOT").value_or(root_of("go"));
    for (const char* name : {"GOPROXY", "GOSUMDB"}) {
      place from = of_variable("go", name);
      std::optional<std::string> value = paths_.variable(name);
      for (const std::string& file : {user, root + "/go.env"})
        if (!value && !file.empty() && file != "off") {
          value = line_of(settings_text(file), name);
          from = of_file("go", file);
        }
      if (!value) continue;
      if (std::string_view(name) == "GOSUMDB") {  // "name+key url", "name+key", "off"
        const std::string_view all = trimmed(*value);
        if (all == "off") continue;
        const std::size_t space = all.find(' ');
        const std::string_view database = all.substr(0, space);
        add(space == std::string_view::npos ? "https://" + std::string(database.substr(0, database.find('+')))
                                            : std::string(all.substr(space + 1)),
            from);
      } else {
        for_each_part(*value, ',', [&](std::string_view part) {
          for_each_part(part, '|', [&](std::string_view one) { add(one, from); });
        });
      }
    }
  }

  /// R for the tool's real path R/bin/..., the system's too.
  std::string root_of(std::string_view tool) {
    const std::string found = paths_.tool(tool);
    if (found.empty()) return {};
    const std::string real = canonical_path(found).value_or("");
    const std::string bin = parent_of(real);
    return bin.ends_with("/bin") ? parent_of(bin) : std::string();
  }

  void npm() {
    bool named = false;
    for (const char* name : {"npm_config_registry", "NPM_CONFIG_REGISTRY", "YARN_NPM_REGISTRY_SERVER"})
      if (const auto value = paths_.variable(name)) {
        add(*value, of_variable("npm", name));
        named = true;
      }
    const std::string user = paths_.variable("NPM_CONFIG_USERCONFIG").value_or(paths_.in_home(".npmrc"));
    for (const std::string& file :
         {user, project_.empty() ? std::string() : project_ + "/.npmrc", std::string("/etc/npmrc")}) {
      if (file.empty()) continue;
      const place from = of_file("npm", file);
      for_each_part(settings_text(file), '\n', [&](std::string_view line) {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) return;
        const std::string_view key = trimmed(line.substr(0, equals));
        if (key != "registry" && !(key.starts_with('@') && key.ends_with(":registry"))) return;
        add(line.substr(equals + 1), from);
        named = named || (key == "registry" && from.counts);
      });
    }
    for (const std::string& file :
         {paths_.in_home(".yarnrc.yml"), project_.empty() ? std::string() : project_ + "/.yarnrc.yml"}) {
      if (file.empty()) continue;
      for_each_part(settings_text(file), '\n', [&](std::string_view line) {
        constexpr std::string_view key = "npmRegistryServer:";
        const std::string_view text = trimmed(line);
        if (text.starts_with(key)) add(text.substr(key.size()), of_file("yarn", file));
      });
    }
    if (named) return;
    // npm's own default stands in the definition of its setting.
    const std::string program = canonical_path(paths_.tool("npm")).value_or("");
    const std::string node_root = root_of("node");
    for (const std::string& top : {program.empty() ? program : parent_of(parent_of(program)),
                                   node_root.empty() ? node_root : node_root + "/lib/node_modules/npm"}) {
      if (top.empty()) continue;
      const std::string file = top + "/node_modules/@npmcli/config/lib/definitions/definitions.js";
      const mapped_file definitions(file);
      const std::string_view text = definitions.text();
      std::size_t at = text.find("new Definition('registry'");
      if (at == std::string_view::npos) at = text.find("define('registry'");
      const std::size_t url = at == std::string_view::npos ? at : text.find("https://", at);
      if (url == std::string_view::npos || url > at + 400) continue;
      add(text.substr(url, text.find_first_of("'`\"", url) - url), of_file("npm", file));
      return;
    }
  }

  void pip() {
    bool named = false;
    const auto list = [&](std::string_view value, const place& from) {
      for_each_part(value, ' ', [&](std::string_view one) { add(one, from); });
    };
    for (const char* name : {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"})
      if (const auto value = paths_.variable(name)) {
        list(*value, of_variable("pip", name));
        named = named || std::string_view(name) == "PIP_INDEX_URL";
      }
    const std::string config = paths_.xdg_directory("XDG_CONFIG_HOME", ".config");
    for (const std::string& file :
         {paths_.variable("PIP_CONFIG_FILE").value_or(""), std::string("/etc/pip.conf"),
          paths_.in_home(".pip/pip.conf"), config.empty() ? std::string() : config + "/pip/pip.conf"}) {
      if (file.empty() || file == "/dev/null") continue;
      const place from = of_file("pip", file);
      bool more = false;  // a list goes on in lines that begin with a blank
      for_each_part(settings_text(file), '\n', [&](std::string_view line) {
        if (more && line.starts_with(' ')) return list(line, from);
        more = false;
        const std::size_t equals = line.find_first_of("=:");
        if (equals == std::string_view::npos) return;
        const std::string_view key = trimmed(line.substr(0, equals));
        if (key != "index-url" && key != "extra-index-url" && key != "index_url" && key != "extra_index_url")
          return;
        more = true;
        named = named || (key.starts_with("index") && from.counts);
        list(line.substr(equals + 1), from);
      });
    }
    if (named) return;
    for (const std::string& file : pip_models()) {
      const place from = of_file("pip", file);
      const mapped_file models(file);
      const std::string_view text = models.text();
      const std::size_t at = text.find("PyPI = PackageIndex(");
      if (at == std::string_view::npos) continue;
      // Two words in quotes: the index, and the host of the files.
      std::string_view rest = text.substr(at, 300);
      for (int i = 0; i < 2; ++i) {
        const std::size_t open = rest.find('"');
        const std::size_t close = open == std::string_view::npos ? open : rest.find('"', open + 1);
        if (close == std::string_view::npos) break;
        const std::string word(rest.substr(open + 1, close - open - 1));
        add(word.find("://") == std::string::npos ? "https://" + word : word, from);
        rest.remove_prefix(close + 1);
      }
      if (from.counts) return;
    }
  }

  /// Where the pip of the virtual environment, of the python found, and of the system has its models.
  std::vector<std::string> pip_models() {
    std::vector<std::string> out;
    for (const std::string& prefix :
         {paths_.variable("VIRTUAL_ENV").value_or(""), root_of("python3"), pyenv_prefix()}) {
      if (prefix.empty()) continue;
      for (const std::string& entry : entries_of(prefix + "/lib"))
        if (entry.starts_with("python3"))
          for (const char* where : {"/site-packages", "/dist-packages"})
            out.push_back(fmt::format("{}/lib/{}{}/pip/_internal/models/index.py", prefix, entry, where));
    }
    return out;
  }

  /// A shim of pyenv leads to the version that its own file names.
  std::string pyenv_prefix() {
    const std::string root = paths_.variable("PYENV_ROOT").value_or(paths_.in_home(".pyenv"));
    if (root.empty()) return {};
    const std::string version(trimmed(settings_text(root + "/version")));
    const std::string first = version.substr(0, version.find_first_of(" \n:"));
    return first.empty() || first.find('/') != std::string::npos ? std::string()
                                                                 : root + "/versions/" + first;
  }

  void cargo() {
    const std::string home = paths_.variable("CARGO_HOME").value_or(paths_.in_home(".cargo"));
    bool replaced = false;
    for (const char* name : {"/config.toml", "/config"}) {
      const std::string file = home + name;
      const place from = of_file("cargo", file);
      for_each_part(settings_text(file), '\n', [&](std::string_view line) {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) return;
        const std::string_view key = trimmed(line.substr(0, equals));
        if (key == "registry" || key == "index") index(unquoted(line.substr(equals + 1)), from);
        replaced = replaced || (key == "replace-with" && from.counts);
      });
    }
    // What it has fetched before: HOST-HASH, with the place of the files.
    for (const std::string& entry : entries_of(home + "/registry/index")) {
      const std::size_t dash = entry.rfind('-');
      if (dash == std::string::npos) continue;
      const std::string file = fmt::format("{}/registry/index/{}/config.json", home, entry);
      const place from = of_file("cargo", file);
      index("https://" + entry.substr(0, dash), from);
      const std::string text = settings_text(file);
      if (const std::size_t dl = text.find("\"dl\""); dl != std::string::npos)
        if (const std::size_t url = text.find("http", dl); url != std::string::npos)
          add(text.substr(url, text.find('"', url) - url), from);
    }
    if (replaced) return;
    for (const std::string& program : cargo_programs()) {
      const mapped_file binary(program);
      constexpr std::string_view mark = "sparse+https://index.";
      const std::string_view text = binary.text();
      const std::size_t at = text.find(mark);
      if (at == std::string_view::npos) continue;
      const std::size_t end = text.find('/', at + mark.size());
      if (end == std::string_view::npos || end > at + 300) continue;
      index(text.substr(at, end - at), of_file("cargo", program));
      return;
    }
  }
  /// The files lie elsewhere, which only the index itself says: on another host of the same domain.
  void index(std::string_view url, const place& from) {
    if (url.starts_with("sparse+")) url.remove_prefix(7);
    const std::string host = host_of_url(url);
    if (host.starts_with("index."))
      (from.counts ? out_.hosts : out_.left_out).push_back({"*" + host.substr(5), from.words, true});
    add(url, from);
  }
  /// The cargo found, and those behind it where it is rustup's.
  std::vector<std::string> cargo_programs() {
    const std::string found = canonical_path(paths_.tool("cargo")).value_or("");
    std::vector<std::string> out;
    if (found.empty()) return out;
    const std::string rustup = paths_.variable("RUSTUP_HOME").value_or(paths_.in_home(".rustup"));
    for (const std::string& entry : entries_of(rustup + "/toolchains"))
      out.push_back(fmt::format("{}/toolchains/{}/bin/cargo", rustup, entry));
    out.push_back(found);
    return out;
  }

  void maven() {
    const std::string root = root_of("mvn");
    std::vector<std::string> files{paths_.in_home(".m2/settings.xml")};
    if (!root.empty()) files.push_back(root + "/conf/settings.xml");
    bool mirrored = false;
    for (const std::string& file : files) {
      const std::string text = without_comments(settings_text(file));
      const place from = of_file("mvn", file);
      urls_of(text, from);
      for_each_element(text, "mirrorOf", [&](std::string_view of) {
        mirrored = mirrored || (from.counts && (of == "*" || of == "central" || of == "external:*"));
      });
    }
    if (mirrored || root.empty()) return;
    // Where Maven looks by default stands in the project that all others inherit from, in one of its jars.
    constexpr std::string_view model = "maven-model-builder-";
    for (const std::string& entry : entries_of(root + "/lib")) {
      if (!entry.starts_with(model) || !entry.ends_with(".jar")) continue;
      const std::string jar = fmt::format("{}/lib/{}", root, entry);
      urls_of(without_comments(archive_member(jar, "org/apache/maven/model/pom-4.0.0.xml", 65536)),
              of_file("mvn", jar));
    }
  }
  void urls_of(std::string_view xml, const place& from) {
    for_each_element(xml, "url", [&](std::string_view url) { add(url, from); });
  }

  setting_paths paths_;
  std::string project_;
  const writable_places& inside_;
  registries out_;
};

}  // namespace

std::string host_of_url(std::string_view url) {
  url = trimmed(url);
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view name = url.substr(0, scheme);
  if (name != "https" && name != "http" && name != "sparse+https" && name != "sparse+http") return {};
  url = url.substr(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  url = url.substr(0, url.find(':'));
  if (url.ends_with('.')) url.remove_suffix(1);
  std::string host(url);
  for (char& c : host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  auto dns = to_dns_name(host, {});
  return dns && !dns->starts_with('*') && check_host(*dns) == errc::none ? *std::move(dns) : std::string();
}

registries registry_hosts(const environment_view& env, std::string_view home, std::string_view path_variable,
                          std::string_view project, const writable_places& inside) {
  return registry_reader(env, home, path_variable, project, inside).run();
}

}  // namespace nono::cli
