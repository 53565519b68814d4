// expect-error: path_must_be_granted_once
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().allow_path<nono::read>("/data").allow_path<nono::write>("/data/");
#else
inline constexpr auto p = nono::caps().allow_path<nono::read>("/data").allow_path<nono::write>("/data/out");
#endif
