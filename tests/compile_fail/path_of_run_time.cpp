// expect-error: to '(nono::)?path_literal'
#include <nono/capability_set.hpp>
#include <nono/caps.hpp>
#include <string>
#ifdef EXPECT_ERROR
auto grant(const std::string& path) { return nono::caps().allow_path<nono::read>(path); }
#else
auto grant(const std::string& path) { return nono::capability_set().allow_path<nono::read>(path); }
#endif
