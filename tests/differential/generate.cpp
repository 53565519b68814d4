// SPDX-License-Identifier: Apache-2.0
// Random scenarios: trees with every kind of file and odd names, overlapping grants, questions about what is there, what
// is not, and what lies behind links and dots.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenario.hpp"

namespace differential {

namespace {

using nono::operation;
using nono::right;

/// splitmix64: the same everywhere, which the standard's distributions are not.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ z >> 30U) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27U) * 0x94d049bb133111ebULL;
    return z ^ z >> 31U;
  }
  /// 0 to n-1; n is at least 1.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class C>
  auto& pick(C& from) {
    return from[below(std::size(from))];
  }

 private:
  std::uint64_t state_;
};

class maker {
 public:
  maker(std::uint64_t seed, bool root) : d_(seed), root_(root) { out_.seed = seed; }

  scenario run() {
    using enum nono::sandbox_target;
    constexpr nono::sandbox_target targets[] = {this_process, this_process,     this_process,
                                                child,        supervised_child, supervised_child};
    out_.target = d_.pick(targets);
    grow();
    give();
    ask();
    return out_;
  }

 private:
  std::string name() {
    static const std::array<std::string, 14> odd = {
        "a b", "\xc3\xa9", "new\nline", "it's", "\"q\"", "\xff\xfe", "..x",
        "-r",  "*",        "$HOME",     "~",    ".hid",  "\\",       std::string(100, 'n')};
    if (d_.one_in(6)) return d_.pick(odd);
    return std::string(1, static_cast<char>('a' + d_.below(6)));
  }

  [[nodiscard]] bool supervised() const { return out_.target == nono::sandbox_target::supervised_child; }
  /// True unless the filter takes listen() away: a port to bind is needed where only ports are open.
  [[nodiscard]] bool listens() const {
    const auto& ports = out_.granted_ports;
    return out_.network != nono::network_mode::ports ||
           std::find(ports.begin(), ports.end(), nono::port_use::bind_tcp) != ports.end();
  }

  const std::string& some_directory() { return d_.pick(directories_); }
  const std::string& some_path() { return d_.pick(paths_); }

  /// A name that a link may say: relative or absolute, to something, nothing, or itself.
  std::string link_text() {
    switch (d_.below(7)) {
      case 0:
        return "gone";
      case 1:
        return "../" + name();
      case 2:
        return "/dev/null";
      case 3:
        return name();
      case 4:
        return some_directory();
      default:
        return some_path();
    }
  }

  void grow() {
    out_.tree.push_back({node::kind::directory, "%", {}, 0755, -1});
    out_.tree.push_back({node::kind::directory, "@", {}, 0755, -1});
    directories_ = {"%", "%", "@"};
    paths_ = {"%", "@"};
    const std::size_t count = 6 + d_.below(22);
    for (std::size_t i = 0; i < count; ++i) {
      node n;
      n.path = some_directory() + "/" + name();
      n.mode = mode(false);
      switch (d_.below(12)) {
        case 0:
        case 1:
        case 2:
          n.what = node::kind::directory;
          n.mode = mode(true);
          directories_.push_back(n.path);
          break;
        case 3:
        case 4:
          n.what = node::kind::symlink;
          n.target = link_text();
          break;
        case 5:
          n.what = node::kind::hard_link;
          n.target = !sockets_.empty() && d_.one_in(3) ? d_.pick(sockets_) : some_path();
          break;
        case 6:
          n.what = node::kind::fifo;
          break;
        case 7:
          add_socket(n);
          break;
        case 8:
          if (supervised() && d_.one_in(2)) {
            add_socket(n);
            break;
          }
          if (root_) {
            n.what = node::kind::device;
            break;
          }
          [[fallthrough]];
        default:
          n.what = node::kind::file;
          files_.push_back(n.path);
          break;
      }
      if (root_ && d_.one_in(3)) n.owner = d_.one_in(2) ? 65534 : 1000;
      paths_.push_back(n.path);
      out_.tree.push_back(n);
    }
    if (root_ && d_.one_in(3)) mount();
  }

  void add_socket(node& n) {
    n.what = node::kind::socket;
    if (!d_.one_in(3)) n.mode = 0666;
    sockets_.push_back(n.path);
  }

  /// A directory that can be reached by two ways, or one of another file system.
  void mount() {
    node n;
    n.what = node::kind::mount;
    n.path = some_directory();
    if (n.path.size() == 1) return;  // the roots of the tree stay
    if (!d_.one_in(4)) n.target = some_directory();
    if (d_.one_in(3)) n.mode = 0555;
    out_.tree.push_back(n);
    for (std::size_t i = paths_.size(); !n.target.empty() && i-- > 0;)
      if (paths_[i].starts_with(n.target + "/")) paths_.push_back(n.path + paths_[i].substr(n.target.size()));
  }

  unsigned mode(bool directory) {
    if (directory) {
      constexpr unsigned modes[] = {0755, 0755, 0755, 0777, 0777, 0700, 0555, 01777, 01777, 0311, 0444, 0};
      return d_.pick(modes);
    }
    constexpr unsigned modes[] = {0644, 0644, 0755, 0755, 0666, 0666, 0600, 0444, 0200, 0111, 04755, 0};
    return d_.pick(modes);
  }

  right rights() {
    constexpr right words[] = {right::read, right::read, right::write, right::read_write, right::read_write};
    if (!d_.one_in(2)) return d_.pick(words);
    right out{};
    if (d_.one_in(2)) return nono::all_rights & ~d_.pick(nono::right_names).value;  // all but one
    for (const auto& [value, word] : nono::right_names)
      if (d_.one_in(2)) out |= value;
    return out == nono::no_rights ? right::read_file : out;
  }

  void give() {
    const std::size_t count = d_.below(7);
    for (std::size_t i = 0; i < count; ++i)
      out_.grants.push_back({d_.one_in(8)                      ? some_directory() + "/" + name()
                             : !files_.empty() && d_.one_in(4) ? d_.pick(files_)
                                                               : some_path(),
                             rights()});
    if (d_.one_in(2)) {  // moves get far enough to be judged by what the file would gain
      const right move = right::create | right::remove | right::refer;
      out_.grants.push_back({"%", move | (d_.one_in(2) ? right::write : no_more_)});
      out_.grants.push_back(
          {d_.one_in(2) ? "@" : some_directory(), move | (d_.one_in(2) ? right::read : no_more_)});
    }
    if (supervised() && d_.one_in(2)) {
      const std::string& at = !sockets_.empty() && d_.one_in(2) ? d_.pick(sockets_) : some_path();
      constexpr right decided[] = {right::connect_unix, right::connect_unix, right::write_file,
                                   right::create};
      out_.grants.push_back({d_.one_in(3) ? "%" : at, d_.pick(decided)});
    }
    if (d_.one_in(8)) out_.grants.push_back({"/", d_.one_in(2) ? nono::all_rights : right::read});
    if (d_.one_in(4)) out_.grants.push_back({"/dev", rights()});
    using enum nono::network_mode;
    constexpr nono::network_mode modes[] = {unrestricted, unrestricted, blocked, ports, loopback};
    out_.network = d_.pick(modes);
    if (out_.network == loopback && !is_child(out_)) out_.target = nono::sandbox_target::child;
    if (out_.network == ports)
      for (std::size_t i = 0; i < 2; ++i)
        out_.granted_ports.push_back(d_.one_in(2) ? nono::port_use::connect_tcp : nono::port_use::bind_tcp);
    constexpr nono::unix_sockets sockets[] = {nono::unix_sockets::by_default, nono::unix_sockets::by_default,
                                              nono::unix_sockets::any, nono::unix_sockets::none};
    if (!supervised() || d_.one_in(3)) out_.sockets = d_.pick(sockets);
    using enum nono::protection;
    for (const nono::protection id :
         {truncate, device_ioctl, signals, abstract_unix, nono::protection::network})
      if (d_.one_in(8)) out_.lifted.push_back(id);
    if (d_.one_in(24)) out_.lifted.push_back(filesystem);
  }

  /// A path to ask about. At most two dots up: what happens stays below the test's own directories.
  std::string place() {
    if (!files_.empty() && d_.one_in(3)) return d_.pick(files_);  // what is there most of the time
    std::string path;
    switch (d_.below(10)) {
      case 0:
      case 1:
        path = some_directory() + "/" + name();
        break;
      case 2:
        path = some_path() + "/" + name();
        break;
      case 3:
        path = some_path() + (d_.one_in(2) ? "/.." : "/../" + name());
        break;
      case 4:
        path = some_directory() + "/../" + some_path().substr(1);  // "%/a/../b": often there
        break;
      default:
        path = some_path();
        break;
    }
    if (d_.one_in(12)) path += '/';
    if (d_.one_in(12)) path.insert(1, d_.one_in(2) ? "/." : "/");
    if (d_.one_in(40)) path += "/.";
    return path;
  }

  /// A name that is most likely free.
  std::string new_name() { return some_directory() + "/" + static_cast<char>('g' + d_.below(20)) + name(); }

  void ask() {
    constexpr std::size_t all = std::size(nono::operations);
    const std::size_t count = 30 + d_.below(60);
    for (std::size_t i = 0; i < count; ++i) {
      asked q;
      constexpr operation moves[] = {operation::rename, operation::exchange, operation::link};
      constexpr operation opens[] = {operation::open_read, operation::open_write, operation::overwrite,
                                     operation::truncate, operation::execute};
      constexpr operation decided[] = {operation::chmod, operation::connect_unix, operation::connect_unix,
                                       operation::bind_unix};
      q.what = d_.one_in(6)                   ? d_.pick(moves)
               : d_.one_in(6)                 ? d_.pick(opens)
               : supervised() && d_.one_in(3) ? d_.pick(decided)
                                              : nono::operations[d_.below(all)].what;
      const std::uint8_t names = nono::row_of(q.what).paths;
      if (names == 0 && !d_.one_in(4)) q.what = operation::open_read;  // the files are what is rich
      const bool makes = nono::row_of(q.what).changes_directory;
      const bool fresh = makes && names == 1 && q.what != operation::unlink && q.what != operation::rmdir;
      if (names != 0 || q.what == operation::open_read)
        q.path = fresh && !d_.one_in(3)                                                    ? new_name()
                 : q.what == operation::connect_unix && !sockets_.empty() && !d_.one_in(3) ? d_.pick(sockets_)
                                                                                           : place();
      if (names == 2) q.to = q.what != operation::exchange && !d_.one_in(3) ? new_name() : place();
      q.port = static_cast<unsigned>(d_.below(2));
      q.how = static_cast<change>(d_.below(change_count));
      q.listens = q.what == operation::bind_unix && listens() && d_.one_in(2);
      if (q.listens) sockets_.push_back(q.path);
      const std::string& made = names == 2 ? q.to : q.path;
      if (makes && made.find("..") == std::string::npos && d_.one_in(4))
        paths_.push_back(made);  // it may be there from now on
      out_.questions.push_back(q);
    }
  }

  static constexpr right no_more_ = nono::no_rights;
  dice d_;
  bool root_;
  scenario out_;
  std::vector<std::string> directories_;
  std::vector<std::string> paths_;
  std::vector<std::string> files_;
  std::vector<std::string> sockets_;
};

}  // namespace

scenario generate(std::uint64_t seed, bool root) { return maker(seed, root).run(); }

}  // namespace differential
