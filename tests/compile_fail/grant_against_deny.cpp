// expect-error: grant_lies_in_a_denied_path
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().deny_path("/data").allow_file<nono::read>("/data/file");
#else
inline constexpr auto p = nono::caps().deny_path("/data").allow_file<nono::read>("/data-1/file");
#endif
