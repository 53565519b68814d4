// expect-error: truncate_apart_from_write_file_exists_on_linux_only
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().allow_file<nono::right::truncate>("/a").target(nono::portable);
#else
inline constexpr auto p = nono::caps().allow_file<nono::right::truncate>("/a").target(nono::linux_only);
#endif
