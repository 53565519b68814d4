// expect-error: grant_lies_in_a_denied_path
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().allow_path<nono::read>("/data/sub").deny_path("/data");
#else
inline constexpr auto p = nono::caps().allow_path<nono::read>("/data/sub").deny_path("/data/other");
#endif
