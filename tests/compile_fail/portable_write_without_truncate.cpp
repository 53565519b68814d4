// expect-error: truncate_apart_from_write_file_exists_on_linux_only
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().target(nono::portable).allow_path<nono::right::write_file>("/a");
#else
inline constexpr auto p = nono::caps().target(nono::portable).allow_path < nono::right::write_file |
                          nono::right::truncate > ("/a");
#endif
